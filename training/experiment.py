"""Experiments on live shoppers: check their file, plan how long they must run, and read what they say.

python -m training.experiment check experiments=FILE [policy=FILE]
python -m training.experiment plan experiments=FILE measured=DIR
python -m training.experiment read experiments=FILE measured=DIR [name=NAME] [out=FILE]

``check`` tells mistakes one a line, with their line numbers. ``plan`` says what each number of weeks would find, from
the shoppers of past weeks. ``read`` checks that the arms are as large as was asked for, compares them, and ends with a
verdict in one sentence; while an experiment runs it may be read every day.
"""

from training.cli.command import begin, command, run_action
from training.cli.loading import loading
from training.settings.experiment import Action, ExperimentConfig


@command("experiment", ExperimentConfig)
def run(config: ExperimentConfig) -> None:
    """Entry point, once the action is a key."""
    begin(f"experiment {config.do.name}: {config.experiments}")
    with loading():
        from training.stages import experiment

    experiment.run(config)


def main() -> None:
    """Entry point: the first word, if it is an action's name, is what ``do=`` says."""
    run_action(run, Action, of="experiments")


if __name__ == "__main__":
    main()
