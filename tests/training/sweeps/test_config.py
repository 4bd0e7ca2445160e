"""A sweep's config: pruners, the order kept for a resume, and one process at a time."""

import optuna

from training.sweeps.config import Pruner, SweepConfig, make_pruner


def test_pruners_by_hand():
    """Median: .1 is below the median .2 of the two before at epoch 2 (counted from 0, one epoch of grace)."""
    study = optuna.create_study(
        direction="maximize", pruner=make_pruner(SweepConfig(pruner=Pruner.median, startup_trials=2, warmup_epochs=1))
    )
    for value in (0.2, 0.3):
        before = study.ask()
        for epoch in range(3):
            before.report(value, epoch)
        study.tell(before, value)
    for value, hopeless in ((0.1, True), (0.26, False)):  # the median of .2 and .3 is .25
        trial = study.ask()
        trial.report(value, 0)
        assert not trial.should_prune()
        trial.report(value, 1)
        assert bool(trial.should_prune()) is hopeless
        study.tell(trial, value)
