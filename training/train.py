"""Train a model on a prepared data set; the result is a run that can be evaluated, exported and resumed.

python -m training.train dataset=DIR [model.dim=128 trainer.max_epochs=20 ...]
python -m training.train resume=RUN_ID
python -m training.train -m dataset=DIR sweep=quick               (see training/sweeps/sweep.py)
torchrun --nproc-per-node 2 -m training.train dataset=DIR trainer.devices=2
"""

import training.settings.sweep  # noqa: F401 (registers the keys of a sweep)
from training.cli.command import begin, command, missing_dataset, refuse_no_dataset
from training.cli.loading import loading
from training.settings.tracking import TrackingConfig
from training.settings.train import TrainConfig
from training.tracking.finding import RESUMABLE, SWEEP, find_run


def sweep(overrides: list[str]) -> float:
    """Run or resume a sweep of runs."""
    given = dict(each.split("=", 1) for each in overrides if each.startswith(("resume=", "tracking.runs=")))
    if "resume" in given:
        tracking = TrackingConfig(runs=given.get("tracking.runs", TrackingConfig.runs))
        found = find_run(tracking, given["resume"], file=SWEEP, key="resume")
        overrides = [each if not each.startswith("resume=") else f"resume={found}" for each in overrides]
    begin(f"train: a sweep, {' '.join(overrides)}")
    from training.stages.train import train
    from training.sweeps.sweep import sweep

    return sweep(overrides, train=train)


@command("train", TrainConfig, multirun=sweep, with_keys=True)
def main(config: TrainConfig, typed: frozenset[str]) -> float:
    """Entry point; ``typed`` are the keys on the command line."""
    if config.resume is not None:
        config.resume = find_run(config.tracking, config.resume, file=RESUMABLE, key="resume")
    elif config.dataset is None:
        raise missing_dataset()
    refuse_no_dataset(config.dataset)
    what = f"dataset={config.dataset}" if config.resume is None else f"resume={config.resume}"
    begin(f"train: {what} -> {config.tracking.runs}")
    with loading():
        from training.stages import train

    return train.run(config, typed)


if __name__ == "__main__":
    main()
