"""Lightning callbacks: the checkpoint a killed run resumes from, each epoch's metrics for MLflow, how far training is.

Surprising: the checkpoint is written *before* a batch, not after an epoch. At that point loop counters, weights,
optimizer state, random state and position in the data agree exactly, so a resumed run ends where an uninterrupted one
would have ended.

Shapes: B rows of a batch, L events of a row.
"""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch

from training.cli.console import say
from training.cli.progress import Step
from training.inputs.batches import TrainingBatch
from training.inputs.datamodule import SessionData
from training.learning.accelerator import GeneratorState, generator_state, set_generator_state
from training.tracking.tracker import Tracker
from training.tracking.unrecorded import Unrecorded

RESUME_FILE = "resume.ckpt"
VALIDATED = ("recall@20", "mrr@20")
LOSSES = {"next_item": "train/loss", "intent": "train/intent_loss"}
"""Losses that a training step returns, and what they are called in MLflow."""
TARGETS = "targets"


class ResumePoint(pl.Callback):
    """Writes ``resume.ckpt`` at the start of every epoch and every ``minutes`` (or ``batches``) within one."""

    def __init__(self, folder: Path, *, minutes: float, batches: int | None = None) -> None:
        self.path, self.minutes, self.batches = folder / RESUME_FILE, minutes, batches
        self._written = time.monotonic()
        self._loaded: Mapping[str, Any] | None = None

    def on_train_batch_start(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, batch: Any, batch_idx: int
    ) -> None:
        due = trainer.strategy.broadcast(time.monotonic() - self._written > 60 * self.minutes)  # clocks may differ
        if batch_idx == 0 or due or (self.batches is not None and batch_idx % self.batches == 0):
            trainer.save_checkpoint(self.path)
            self._written = time.monotonic()

    def on_save_checkpoint(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        done = trainer.fit_loop.epoch_loop.batch_progress.current.completed
        own = torch.get_rng_state(), generator_state(pl_module.device)
        drawn: list[tuple[torch.Tensor, GeneratorState]] = [own] * trainer.world_size
        if trainer.world_size > 1:
            torch.distributed.all_gather_object(drawn, own)
        checkpoint["tillside"] = {
            "random_states": [state for state, _ in drawn],
            "device_states": [state for _, state in drawn],
            "epoch": trainer.current_epoch,
            "batches_done": done,
            "threads": torch.get_num_threads(),
        }

    def on_load_checkpoint(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        self._loaded = checkpoint["tillside"]
        assert self._loaded is not None
        data = trainer.datamodule  # type: ignore[attr-defined]
        assert isinstance(data, SessionData)
        data.resume_at = (self._loaded["epoch"], self._loaded["batches_done"])
        torch.set_num_threads(self._loaded.get("threads", torch.get_num_threads()))  # another number rounds otherwise

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        if self._loaded is not None:
            states = self._loaded["random_states"]
            if len(states) != trainer.world_size:
                raise ValueError(
                    f"the run to resume had {len(states)} process(es), this one has {trainer.world_size}; use as many"
                )
            torch.set_rng_state(states[trainer.global_rank])
            drawn = self._loaded.get("device_states", [None] * len(states))  # older runs kept the CPU's alone
            set_generator_state(pl_module.device, drawn[trainer.global_rank])


class EpochMetrics(pl.Callback):
    """Collects each epoch's metrics and sends them to MLflow in one call.

    Args:
        stage: prefix of the training metrics' names in MLflow, in place of the module's own, ``train``.
    """

    def __init__(self, tracker: Tracker | Unrecorded, *, padding_share: float, stage: str = "train") -> None:
        self.tracker, self.padding_share, self.stage = tracker, padding_share, stage
        self.history: list[dict[str, float]] = []
        # A run resumed within an epoch never gets on_train_epoch_start for it.
        self._started, self._events, self._validation = time.monotonic(), 0, 0.0
        self._sums: dict[str, float] = {}
        """Of the epoch so far: targets of this process, and each loss times the targets it is a mean of."""

    def on_train_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self._started, self._events, self._validation = time.monotonic(), 0, 0.0
        self._sums = {}

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, outputs: Any, batch: TrainingBatch, batch_idx: int
    ) -> None:
        learned = int(batch.learn_BL.sum())
        self._events += learned * trainer.world_size
        # Lightning's own log() of a step's losses takes a tenth of a small model's training time
        losses = {name: learned * float(outputs[name]) for name in LOSSES.keys() & (outputs or {}).keys()}
        for name, value in ({TARGETS: learned} | losses).items():
            self._sums[name] = self._sums.get(name, 0.0) + value

    def on_validation_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self._validation = time.monotonic()

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        now = time.monotonic()
        trained = (self._validation or now) - self._started
        measured = {name: float(value) for name, value in trainer.callback_metrics.items()}
        for name, value in self._mean_losses().items():
            measured[name] = value
            pl_module.log(name, value, prog_bar=name == LOSSES["next_item"])
        measured |= {
            "train/events_per_second": self._events / max(trained, 1e-9),
            "train/padding_share": self.padding_share,
            "train/epoch_seconds": now - self._started,
            "train/temperature": float(pl_module.model.encoder.log_temperature.detach().exp()),
        }
        self.history.append({"epoch": trainer.current_epoch, **measured})
        if not trainer.is_global_zero:
            return
        named = {name.replace("train/", f"{self.stage}/"): value for name, value in measured.items()}
        self.tracker.metrics(named, step=trainer.current_epoch)
        ranked = [f"val {name} {measured[f'val/{name}']:.4f}" for name in VALIDATED if f"val/{name}" in measured]
        figures = [
            f"loss {measured['train/loss']:.3f}",
            *ranked,
            f"{measured['train/events_per_second']:,.0f} events/s",
            f"{now - self._started:.0f} s",
        ]
        again = "" if self.stage == "train" else f"{self.stage}, "
        say(f"{again}epoch {trainer.current_epoch + 1} of {trainer.max_epochs}: {', '.join(figures)}")

    def _mean_losses(self) -> dict[str, float]:
        """Mean loss per target of the epoch so far, over all processes, by its name in MLflow."""
        sums = _mean_over_processes(self._sums)
        return {told: sums[name] / max(sums[TARGETS], 1e-9) for name, told in LOSSES.items() if name in sums}

    def state_dict(self) -> dict[str, Any]:
        return {"history": self.history, "sums": _mean_over_processes(self._sums)}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.history = state_dict["history"]
        self._sums = state_dict.get("sums", {})


def _mean_over_processes(sums: dict[str, float]) -> dict[str, float]:
    """The sums themselves in a single process; of several, means that add up to the same total."""
    if not (torch.distributed.is_available() and torch.distributed.is_initialized()):
        return dict(sums)
    everywhere: list[dict[str, float]] = [{}] * torch.distributed.get_world_size()
    torch.distributed.all_gather_object(everywhere, sums)
    names = dict.fromkeys(name for each in everywhere for name in each)
    return {name: sum(each.get(name, 0.0) for each in everywhere) / len(everywhere) for name in names}


class TrainingProgress(pl.Callback):
    """Tells a step, which has as many units as there are epochs, how far training is."""

    def __init__(self, step: Step) -> None:
        self.step = step

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self.step.done = self.step.before = trainer.current_epoch  # of a resumed run

    def on_train_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self.step.part = f"epoch {trainer.current_epoch + 1} of {trainer.max_epochs}"

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, outputs: Any, batch: TrainingBatch, batch_idx: int
    ) -> None:
        self.step.within = (batch_idx + 1) / max(float(trainer.num_training_batches), 1.0)

    def on_validation_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self.step.part = f"validation of epoch {trainer.current_epoch + 1} of {trainer.max_epochs}"

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self.step.advance()
