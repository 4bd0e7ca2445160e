"""Check a policy file, see what it shows, and what a change of it changes, before anybody else does.

python -m training.policy check policy=FILE dataset=DIR       (or bundle=DIR, or run=RUN_ID)
python -m training.policy preview policy=FILE run=RUN_ID
python -m training.policy diff policy=FILE before=OTHER_FILE run=RUN_ID

``check`` tells mistakes one a line, with their line numbers, names that the catalogue lacks among them, and what the
policy needs and will not find. ``preview`` shows, for twenty sessions of the test part, what every placement would show
and why; ``diff`` shows where two policies differ in that.
"""

from training.cli.command import begin, command, run_action
from training.cli.loading import loading
from training.settings.policy import Action, PolicyConfig
from training.tracking.finding import find_run


@command("policy", PolicyConfig)
def run(config: PolicyConfig) -> None:
    """Entry point, once the action is a key."""
    if config.run is not None:
        config.run = find_run(config.tracking, config.run)
    begin(f"policy {config.do.name}: {config.policy}")
    if config.do is Action.check and config.run is None:  # people check after every change: not behind torch
        from training.stages import policy_check

        policy_check.run(config)
        return
    with loading():
        from training.stages import policy

    policy.run(config)


def main() -> None:
    """Entry point: the first word, if it is an action's name, is what ``do=`` says."""
    run_action(run, Action, of="a policy")


if __name__ == "__main__":
    main()
