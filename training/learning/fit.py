"""Lightning's trainer as tillside uses it: epochs, batch size, early stopping, checkpoints, precision and devices."""

import logging
import math
import os
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import EarlyStopping, ModelCheckpoint
from pytorch_lightning.plugins.environments import LightningEnvironment
from pytorch_lightning.utilities.exceptions import MisconfigurationException

from training.cli.progress import silenced, step
from training.inputs.datamodule import SessionData
from training.learning.accelerator import lightning_precision
from training.learning.callbacks import RESUME_FILE, EpochMetrics, ResumePoint, TrainingProgress
from training.learning.checkpoint_files import AtomicCheckpoints
from training.learning.data_parallel import DataParallel
from training.learning.lightning_module import NextItemModule
from training.learning.processes import ALONE, Processes
from training.settings.trainer import TrainerConfig
from training.tracking.tracker import Tracker
from training.tracking.unrecorded import Unrecorded

WARM_SHARE: Final = 1 / 3
"""Epochs of a warm start from another model's weights, as a fraction of those of a cold start."""


def plan(targets: int, config: TrainerConfig, *, warm: bool = False) -> tuple[int, int]:
    """Batch size in events and number of epochs, from the number of training targets.

    Small logs need small batches for enough optimizer steps, and more epochs; large ones neither. A warm start needs
    fewer epochs.
    """
    nearest = 2 ** round(math.log2(max(targets, 1) / 400))
    batch_events = config.batch_events or int(min(2048, max(256, nearest)))
    epochs = min(60, max(3, round(8 * (700_000 / max(targets, 1)) ** 0.4)))
    return batch_events, config.max_epochs or (max(2, round(WARM_SHARE * epochs)) if warm else epochs)


def fit(
    module: NextItemModule,
    data: SessionData,
    config: TrainerConfig,
    *,
    folder: Path,
    epochs: int,
    tracker: Tracker | Unrecorded,
    stage: str = "train",
    callbacks: Sequence[pl.Callback] = (),
    processes: Processes = ALONE,
) -> EpochMetrics:
    """Run Lightning's trainer, from the checkpoint in ``folder`` if there is one.

    Args:
        stage: ``train`` ranks validation cases after each epoch, keeps the best one and stops early; ``refit`` runs
            all its epochs and keeps the last.
        callbacks: Lightning callbacks that run once an epoch's metrics are recorded.
        processes: those that run it together, each calling this.
    """
    quiet_lightning()
    data_loader = data.train_dataloader()
    epoch_metrics = EpochMetrics(tracker, padding_share=data_loader.padding_share, stage=stage)
    all_callbacks: list[pl.Callback] = [
        epoch_metrics,
        ResumePoint(folder, minutes=config.checkpoint_minutes, batches=config.checkpoint_batches),
        *callbacks,
    ]
    if stage == "train":
        best = ModelCheckpoint(folder, "best", monitor="val/mrr@20", mode="max", enable_version_counter=False)
        all_callbacks[:0] = [best, EarlyStopping("val/mrr@20", mode="max", patience=config.patience)]
    doing = "training" if stage == "train" else "training again, on the validation part too"
    resume_point = resume_point_in(folder, processes)
    with silenced(not config.progress_bar), step(doing, epochs) as opened:
        if config.progress_bar:
            all_callbacks.append(TrainingProgress(opened))
        _run(
            module, data, config, start=resume_point, epochs=epochs, callbacks=all_callbacks, validate=stage == "train"
        )
    return epoch_metrics


def resume_point_in(folder: Path, processes: Processes) -> Path | None:
    """The folder's resume point if the first process finds one, else None: all go on from it, or none.

    Raises:
        ValueError: another process does not find what the first one does.
    """
    path = folder / RESUME_FILE
    there = processes.from_first(path.is_file)
    if there and not processes.all(path.is_file()):
        raise ValueError(
            f"{path} is not there for all processes; tracking.runs must be a folder that all machines share"
        )
    return path if there else None


def _run(
    module: NextItemModule,
    data: SessionData,
    config: TrainerConfig,
    *,
    start: Path | None,
    epochs: int,
    callbacks: list[pl.Callback],
    validate: bool,
) -> None:
    try:
        trainer = make_trainer(
            config,
            epochs=epochs,
            callbacks=callbacks,
            clip_norm=module.optimizer.clip_norm,
            validate=validate,
        )
    except (MisconfigurationException, ImportError, ValueError) as error:
        machine = f"trainer.accelerator={config.accelerator}, trainer.devices={config.devices}"
        raise ValueError(f"{machine} cannot be had here: {error}") from None
    trainer.fit(module, data, ckpt_path=start, weights_only=True)


def make_trainer(
    config: TrainerConfig, *, epochs: int, callbacks: list[pl.Callback], clip_norm: float, validate: bool
) -> pl.Trainer:
    """Lightning's trainer, without what tillside does itself."""
    return pl.Trainer(
        max_epochs=epochs,
        accelerator=config.accelerator,
        devices=config.devices,
        strategy=DataParallel() if config.devices * config.nodes > 1 else "auto",
        num_nodes=config.nodes,
        precision=lightning_precision(config),
        gradient_clip_val=clip_norm,
        callbacks=callbacks,
        logger=False,
        num_sanity_val_steps=0,
        limit_val_batches=1.0 if validate else 0,
        enable_checkpointing=validate,
        plugins=[AtomicCheckpoints()],
        enable_progress_bar=False,
        enable_model_summary=False,
    )


def refuse_machine(config: TrainerConfig) -> None:
    """Check that Lightning can have the accelerator, devices and machines of the config.

    Raises:
        ValueError: it cannot.
    """
    quiet_lightning()
    try:
        trainer = make_trainer(config, epochs=1, callbacks=[], clip_norm=1.0, validate=False)
    except (MisconfigurationException, ImportError, ValueError) as error:
        machine = f"trainer.accelerator={config.accelerator}, trainer.devices={config.devices}"
        raise ValueError(f"{machine} cannot be had here: {error}") from None
    around = getattr(trainer.strategy, "cluster_environment", None)
    alone = isinstance(around, LightningEnvironment) and not around.creates_processes_externally
    if config.nodes > 1 and alone and "MASTER_ADDR" not in os.environ:
        raise ValueError(
            f"trainer.nodes={config.nodes} needs torchrun on each of the machines, as in torchrun "
            f"--nnodes={config.nodes} --nproc_per_node={config.devices} --rdzv_backend=c10d "
            f"--rdzv_endpoint=HOST:PORT -m training.train ..."
        )


def load_best(module: NextItemModule, folder: Path) -> tuple[float, int]:
    """Load the best epoch's weights into the module; returns its val/mrr@20 and number of epochs.

    Raises:
        ValueError: training diverged.
    """
    checkpoint = torch.load(folder / "best.ckpt", map_location="cpu", weights_only=True)
    module.load_state_dict(checkpoint["state_dict"])
    refuse_diverged(module)
    states = [state for name, state in checkpoint["callbacks"].items() if name.startswith("ModelCheckpoint")]
    return float(states[0]["best_model_score"]), int(checkpoint["epoch"]) + 1


def refuse_diverged(module: NextItemModule) -> None:
    """Put the module into evaluation mode and check its weights.

    Raises:
        ValueError: a weight is not finite.
    """
    module.eval()
    if not all(bool(parameter.isfinite().all()) for parameter in module.parameters()):
        raise ValueError("training diverged: the weights are no longer finite numbers; lower optimizer.learning_rate")


def quiet_lightning() -> None:
    """Silence Lightning's advertisements and its warnings about behaviour intended here."""
    logging.getLogger("pytorch_lightning").setLevel(logging.WARNING)
    warnings.filterwarnings("ignore", r"Checkpoint directory .* exists and is not empty")
    warnings.filterwarnings("ignore", r"It is recommended to use `self\.log\('(train|val)/")  # tillside sums over all
    warnings.filterwarnings("ignore", r"You're resuming from a checkpoint that ended before")  # ResumePoint handles it
    warnings.filterwarnings("ignore", r"`isinstance\(treespec, LeafSpec\)` is deprecated")
