"""Promote a registered model version to champion, if it passes the gate.

    python -m training.promote run=RUN_ID
    python -m training.promote version=N
    python -m training.promote version=N reject='shows chargers to those who look for phones'

Exit code 0: promoted, or already champion. 1: refused, with the failed checks on stderr. Either way the reasons are
recorded in the version's tags and description. A version rejected by a reviewer is refused by the gate from then on.
"""

from training.cli.command import begin, command
from training.cli.loading import loading
from training.settings.promote import PromoteConfig
from training.tracking.finding import find_run


@command("promote", PromoteConfig)
def main(config: PromoteConfig) -> None:
    """Entry point."""
    if config.run is not None:
        config.run = find_run(config.tracking, config.run)
    judged, model = f"run {config.run}" if config.run else f"version {config.version}", config.tracking.model
    begin(f"promote: {judged}" if model is None else f"promote: {judged} of {model}")
    with loading():
        from training.stages import promote

    promote.run(config)


if __name__ == "__main__":
    main()
