"""Send what a run could not log while its MLflow store was unreachable, and register its bundle if still to do.

    python -m training.send run=RUN_ID

Unsent entries are in the run's journal. Replay is idempotent, also while the run is still going.
"""

from training.cli.command import begin, command
from training.cli.loading import loading
from training.settings.send import SendConfig
from training.tracking.finding import SENDABLE, find_run


@command("send", SendConfig)
def main(config: SendConfig) -> None:
    """Entry point."""
    config.run = find_run(config.tracking, config.run, file=SENDABLE)
    begin(f"send: what run {config.run} could not log")
    with loading():
        from training.stages import send

    send.run(config)


if __name__ == "__main__":
    main()
