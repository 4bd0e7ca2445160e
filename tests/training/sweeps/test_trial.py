"""Pruning of a trial, epoch by epoch, with a study that decides as it is told."""

from types import SimpleNamespace
from typing import Any

import pytest

from training.sweeps.trial import OBJECTIVE, Pruned, Pruning, Trial


class Told:
    """An Optuna trial that notes what is reported, and is hopeless or not."""

    number = 0

    def __init__(self, *, hopeless: bool, known: dict[int, float] | None = None) -> None:
        self.hopeless, self.known = hopeless, dict(known or {})
        self.reported: list[tuple[int, float]] = []
        self.study = SimpleNamespace(get_trials=lambda deepcopy: [SimpleNamespace(intermediate_values=self.known)])

    def report(self, value: float, epoch: int) -> None:
        self.reported.append((epoch, value))

    def should_prune(self) -> bool:
        return self.hopeless


def after(epoch: int, trial: Told, *, epochs: int = 5, stops: bool = False) -> None:
    """What Lightning calls after an epoch, counted from 0, that reached 0.25."""
    trainer = SimpleNamespace(
        current_epoch=epoch, max_epochs=epochs, should_stop=stops, callback_metrics={OBJECTIVE: 0.25}
    )
    given: Any = (trial, trainer, None)
    Pruning(given[0]).on_train_epoch_end(given[1], given[2])


def test_every_epoch_is_reported_and_a_hopeful_trial_goes_on() -> None:
    trial = Told(hopeless=False)
    for epoch in range(3):
        after(epoch, trial)
    assert trial.reported == [(0, 0.25), (1, 0.25), (2, 0.25)]


def test_a_hopeless_trial_ends_with_what_it_reached_and_is_no_error() -> None:
    with pytest.raises(Pruned, match=r"^val/mrr@20 0\.2500 after 2 epochs$"):
        after(1, Told(hopeless=True))
    assert not issubclass(Pruned, Exception)


@pytest.mark.parametrize(("epoch", "stops"), [(4, False), (2, True)], ids=["the last epoch", "stopped early"])
def test_a_trial_that_is_done_anyway_is_not_pruned(epoch: int, stops: bool) -> None:
    trial = Told(hopeless=True)
    after(epoch, trial, stops=stops)
    assert trial.reported == [(epoch, 0.25)]


def test_an_epoch_that_a_resumed_run_repeats_is_reported_once() -> None:
    trial = Told(hopeless=False, known={1: 0.25})
    after(1, trial)
    assert trial.reported == []


def test_a_run_of_its_own_is_whole_and_nobody_watches_it() -> None:
    assert Trial() == Trial(tags={}, callbacks=(), whole=True)
