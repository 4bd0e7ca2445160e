"""Train a model on a prepared data set; the result is a run that can be evaluated, exported and resumed.

python -m training.train dataset=DIR [model.dim=128 trainer.max_epochs=20 ...]
python -m training.train resume=RUN_ID
python -m training.train -m dataset=DIR sweep=quick               (see training/sweeps/sweep.py)
torchrun --nproc-per-node 2 -m training.train dataset=DIR trainer.devices=2
"""

from training.cli.command import command
from training.settings.train import TrainConfig


def sweep(overrides: list[str]) -> float:
    """Run or resume a sweep of runs."""
    from training.stages.train import train
    from training.sweeps.sweep import sweep

    return sweep(overrides, train=train)


@command("train", TrainConfig, multirun=sweep)
def main(config: TrainConfig) -> float:
    """Entry point."""
    from training.stages import train  # slow to import: only once the settings are known to be right

    return train.run(config)


if __name__ == "__main__":
    main()
