"""One trial of a sweep as the run itself sees it: what it is called, who looks on, and how far it goes.

A pruned trial ends by an exception of its own, which is no failure: the run is kept, as KILLED.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import optuna
import pytorch_lightning as pl

OBJECTIVE = "val/mrr@20"
"""What trials are compared by, of the validation part, after each epoch."""


class Pruned(BaseException):
    """The trial does worse than the others did at its age, and was given up. No error, so not an Exception."""


@dataclass(frozen=True)
class Trial:
    """What a sweep wants of a run; the default is what a run by itself is."""

    tags: Mapping[str, str] = field(default_factory=dict)
    watchers: Sequence[pl.Callback] = ()
    """Callbacks that look on while the training part is fitted."""
    whole: bool = True
    """False: the run ends when it was fitted; ``resume`` takes it to its end."""


class Pruning(pl.Callback):
    """Tells the study of every epoch, and raises :class:`Pruned` when it finds the trial hopeless."""

    def __init__(self, trial: optuna.Trial) -> None:
        self.trial = trial

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        epoch, value = trainer.current_epoch, float(trainer.callback_metrics[OBJECTIVE])
        known = self.trial.study.get_trials(deepcopy=False)[self.trial.number].intermediate_values
        if epoch not in known:  # a resumed run may do its last epoch again
            self.trial.report(value, epoch)
        last = epoch + 1 == trainer.max_epochs or trainer.should_stop
        if not last and self.trial.should_prune():
            raise Pruned(f"{OBJECTIVE} {value:.4f} after {epoch + 1} epochs")
