"""A peer's training clock: counts what was learned, stops during validation and decides when training ends.

A check (validation) is due at the end of an epoch, and inside a long epoch after ``check_seconds`` of training; the
weights of the best check are kept. Training ends when ``patience`` checks in a row brought no improvement and an epoch
ended since the best, or when the rest of the budget is needed for the last check and the test cases.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

SELECTED_BY = "mrr@20"


@dataclass
class Curve:
    """Course of one training.

    Attributes:
        measure: gives the validation metrics of the current weights; None where only speed is measured.
        keep: gives a copy of the current weights.
        patience: checks without a better ``mrr@20`` before training ends.
        check_seconds: seconds of training between checks inside an epoch.
        deadline: in seconds of ``clock``; only the closing check may come after it.
        test_share: test cases per validation case: answering the test cases costs that many checks.
    """

    measure: Callable[[], dict[str, float]] | None
    keep: Callable[[], Any]
    patience: int
    check_seconds: float
    deadline: float
    test_share: float = 0.0
    clock: Callable[[], float] = time.perf_counter

    points: list[dict[str, float]] = field(default_factory=list)
    best: dict[str, float] | None = None
    best_weights: Any = None
    stopped: str | None = None
    training_seconds: float = 0.0
    validation_seconds: float = 0.0
    targets: int = 0
    sequences: int = 0
    steps: int = 0
    epoch: int = 0

    def start(self) -> None:
        """Start the training clock: the data is ready, the first batch comes next."""
        self._resumed = self.clock()
        self._checked_at = 0.0
        self._check_cost = 0.0
        self._unchecked = 0
        self._best_at = 0

    def after_batch(self, *, targets: int, sequences: int) -> bool:
        """Count a batch; True if training should end."""
        self._pause()
        self.targets += targets
        self.sequences += sequences
        self.steps += 1
        self._unchecked += 1
        reserve = self._check_cost * (1 + self.test_share)
        if self.clock() + reserve > self.deadline:
            self.stopped = self.stopped or "budget"
        elif self.training_seconds - self._checked_at >= self.check_seconds:
            self._check()
        self._resumed = self.clock()
        return self.stopped is not None

    def after_epoch(self) -> bool:
        """Check at the end of an epoch; True if training should end."""
        self._pause()
        if self.stopped is None:
            self.epoch += 1
            if self._unchecked:
                self._check()
        self._resumed = self.clock()
        return self.stopped is not None

    def close(self) -> None:
        """Check what was learned since the last check, unless patience had run out."""
        if self._unchecked and self.stopped != "patience":
            self._check()

    def _pause(self) -> None:
        self.training_seconds += self.clock() - self._resumed

    def _check(self) -> None:
        self._checked_at, self._unchecked = self.training_seconds, 0
        if self.measure is None:
            return
        started = self.clock()
        found = self.measure()
        self._check_cost = self.clock() - started
        self.validation_seconds += self._check_cost
        point = {"seconds": self.training_seconds, "epoch": self.epoch, "steps": self.steps, "targets": self.targets}
        self.points.append(point | found)
        if self.best is None or found[SELECTED_BY] > self.best[SELECTED_BY]:
            self.best, self.best_weights = self.points[-1], self.keep()
            self._best_at = len(self.points)
        elif len(self.points) - self._best_at >= self.patience and self.epoch > self.best["epoch"]:
            self.stopped = self.stopped or "patience"

    def account(self) -> dict[str, Any]:
        """The account of the training as JSON types; rates are over training time alone."""
        seconds = max(self.training_seconds, 1e-9)
        return {
            "training_seconds": self.training_seconds,
            "validation_seconds": self.validation_seconds,
            "targets": self.targets,
            "sequences": self.sequences,
            "steps": self.steps,
            "targets_per_second": self.targets / seconds,
            "sequences_per_second": self.sequences / seconds,
            "stopped": self.stopped,
            "best": self.best,
            "curve": self.points,
        }
