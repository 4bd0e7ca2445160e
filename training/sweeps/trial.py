"""One trial of a sweep as its run sees it: tags, callbacks, and how far the run goes.

A pruned trial ends by an exception of its own, which is not a failure: the run is kept, with status KILLED.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import optuna
import pytorch_lightning as pl

OBJECTIVE = "val/mrr@20"
"""Validation metric that trials are compared by, reported after each epoch."""


class Pruned(BaseException):
    """The trial was pruned, being worse than others at the same epoch. Not an error, hence not an Exception."""


@dataclass(frozen=True)
class Trial:
    """A sweep's demands on a run; the default is a run on its own."""

    tags: Mapping[str, str] = field(default_factory=dict)
    callbacks: Sequence[pl.Callback] = ()
    """Lightning callbacks that observe the fit of the training part."""
    whole: bool = True
    """False: the run stops after fitting; ``resume`` completes it."""


class Pruning(pl.Callback):
    """Reports every epoch to the study, and raises :class:`Pruned` when the study prunes the trial."""

    def __init__(self, trial: optuna.Trial) -> None:
        self.trial = trial

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        epoch, value = trainer.current_epoch, float(trainer.callback_metrics[OBJECTIVE])
        known = self.trial.study.get_trials(deepcopy=False)[self.trial.number].intermediate_values
        if epoch not in known:  # a resumed run may repeat its last epoch
            self.trial.report(value, epoch)
        last = epoch + 1 == trainer.max_epochs or trainer.should_stop
        if not last and self.trial.should_prune():
            raise Pruned(f"{OBJECTIVE} {value:.4f} after {epoch + 1} epochs")
