"""Train a model on a prepared data set and leave a run that can be judged, exported and resumed.

python -m training.train dataset=DIR [model.dim=128 trainer.max_epochs=20 ...]
python -m training.train resume=RUN_ID
torchrun --nproc-per-node 2 -m training.train dataset=DIR trainer.devices=2
"""

import logging
import warnings
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch
from omegaconf import OmegaConf
from pytorch_lightning.callbacks import EarlyStopping, ModelCheckpoint

from tillside.atomic import write_text_atomically
from tillside.dataset import Dataset, load_dataset
from tillside.encoding import EncodingSpec
from tillside.recommenders import Popularity, popularity
from training.calibration import calibrate_intent
from training.callbacks import RESUME_FILE, EpochMetrics, ResumePoint, TrainingBar
from training.checkpoint import MODEL_FILE, TrainedModel, build_model, save_model
from training.command import command
from training.datamodule import SessionData
from training.evaluate import evaluate_run
from training.evaluation import ModelScorer
from training.export import export_run
from training.figures import run_figures
from training.model import ModelConfig
from training.module import LossConfig, NextItemModule, OptimizerConfig
from training.sessionising import Repeats
from training.tables import metrics_table, say
from training.tracking import Tracker, TrackingConfig


class Precision(Enum):
    """Arithmetic of the trunk; the softmax is always fp32."""

    auto = "auto"
    fp32 = "fp32"
    bf16 = "bf16"


@dataclass
class TrainerConfig:
    """How long, in what batches and on what to train."""

    max_epochs: int | None = None
    """Default: as many as give about 4,000 steps, between 8 and 60."""
    batch_events: int | None = None
    """Padded events of a batch. Default: such that an epoch has about 800 batches, between 256 and 2,048."""
    patience: int = 2
    """Epochs without a better val/mrr@20 before training stops."""
    validation_cases: int = 20_000
    checkpoint_minutes: float = 5.0
    checkpoint_batches: int | None = None
    precision: Precision = Precision.auto
    """auto: bf16 on a GPU that has it, fp32 elsewhere; on CPUs without AMX bf16 is slower."""
    accelerator: str = "auto"
    devices: int = 1
    nodes: int = 1
    progress_bar: bool = True

    def __post_init__(self) -> None:
        for name in (
            "max_epochs",
            "batch_events",
            "patience",
            "validation_cases",
            "checkpoint_batches",
            "devices",
            "nodes",
        ):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise ValueError(f"trainer.{name} must be at least 1, got {value}")


@dataclass
class TrainConfig:
    """Everything a training run depends on."""

    dataset: str | None = None
    resume: str | None = None
    """A run's id: go on where it was stopped, with its own config."""
    seed: int = 0
    export: bool = True
    """Export the bundle at the end and keep it with the run."""
    model: ModelConfig = field(default_factory=ModelConfig)
    loss: LossConfig = field(default_factory=LossConfig)
    optimizer: OptimizerConfig = field(default_factory=OptimizerConfig)
    trainer: TrainerConfig = field(default_factory=TrainerConfig)
    tracking: TrackingConfig = field(default_factory=TrackingConfig)


def plan(targets: int, config: TrainerConfig) -> tuple[int, int]:
    """Batch size in events and number of epochs, from the size of the log.

    Small logs need small batches to see enough steps, and more passes; large ones neither.
    """
    batch_events = config.batch_events or int(
        min(2048, max(256, 2 ** round(torch.tensor(targets / 800).log2().item())))
    )
    steps = max(1, targets // batch_events)
    return batch_events, config.max_epochs or min(60, max(8, round(4000 / steps)))


def train(config: TrainConfig) -> float:
    """Train, evaluate, export, record; returns the best val/mrr@20, so that sweeps can compare."""
    runs = Path(config.tracking.runs)
    if config.resume is not None:
        config = stored_config(runs / config.resume, config)
    if config.dataset is None:
        raise ValueError("dataset must be given, as dataset=DIR, a folder that python -m training.prepare wrote")
    dataset = load_dataset(Path(config.dataset))
    pl.seed_everything(config.seed, verbose=False)
    collapse = dataset.about["config"]["repeats"] == Repeats.collapse.name
    spec = EncodingSpec(max_length=config.model.max_length, collapse_repeats=collapse)
    model = build_model(config.model, dataset, spec)
    counts_NB = dataset.catalogue.counts_NB[: dataset.catalogue.trained]
    fallback = Popularity(popularity(counts_NB))
    batch_events, epochs = plan(int(counts_NB.sum()), config.trainer)
    data = SessionData(
        dataset,
        spec=spec,
        batch_events=batch_events,
        validation_cases=config.trainer.validation_cases,
        seed=config.seed,
    )
    intent = teaches_intent(dataset, data)
    module = NextItemModule(
        model,
        loss=config.loss,
        optimizer=config.optimizer,
        counts_N=torch.from_numpy(counts_NB.sum(axis=1)),
        fallback=fallback,
        intent=intent,
    )

    main_process = int(torch.distributed.get_rank() if torch.distributed.is_initialized() else _environment_rank()) == 0
    tracker = Tracker.start(config.tracking, run_id=config.resume) if main_process else None
    folder = runs / (tracker.run_id if tracker else "worker")
    if tracker is not None:
        folder.mkdir(parents=True, exist_ok=True)
        write_text_atomically(folder / "config.yaml", OmegaConf.to_yaml(OmegaConf.structured(config)))
        if config.resume is None:
            tracker.parameters(OmegaConf.to_container(OmegaConf.structured(config), enum_to_str=True))  # type: ignore[arg-type]
            tracker.dataset(dataset)
        say(
            f"run {tracker.run_id}: {data.rows.targets:,} targets, {dataset.catalogue.trained:,} items, "
            f"{module.softmax.value} softmax, batches of {batch_events} events, at most {epochs} epochs"
        )
    try:
        epoch_metrics = fit(module, data, config, folder=folder, epochs=epochs, tracker=tracker)
        if tracker is None:
            return 0.0
        best = load_best(module, folder)
        scorer = ModelScorer.of(model, fallback)
        if intent:
            calibrate_intent(model, scorer, data.validation, items=dataset.catalogue.trained)
        trained = TrainedModel(model, config.model, spec, intent)
        save_model(folder / MODEL_FILE, trained, dataset)
        tracker.artifact(folder / MODEL_FILE)
        metrics = evaluate_run(trained, dataset, folder=folder, seed=config.seed, tracker=tracker)
        run_figures(metrics, epoch_metrics.history, folder / "figures", tracker=tracker)
        if config.export:
            export_run(trained, dataset, folder / "bundle", metrics=metrics, run_id=tracker.run_id)
            tracker.artifact(folder / "bundle", "bundle")
        tracker.end()
        link_latest(folder)
    except BaseException as error:
        if tracker is not None:
            tracker.end("KILLED" if isinstance(error, KeyboardInterrupt) else "FAILED")
        raise
    metrics_table(metrics, title=f"{dataset.about['name']}: test part")
    say(f"run {tracker.run_id} is in {folder}")
    say(f"look at it:  {tracker.open_command}   then {tracker.page}")
    return best


def teaches_intent(dataset: Dataset, data: SessionData) -> bool:
    """Whether the log shows sessions with and without the goal, so that purchase intent can be learned."""
    goal_later = data.rows.goal_later_K
    return len(dataset.behaviours) > 1 and bool(goal_later.any()) and not bool(goal_later.all())


def fit(
    module: NextItemModule,
    data: SessionData,
    config: TrainConfig,
    *,
    folder: Path,
    epochs: int,
    tracker: Tracker | None,
) -> EpochMetrics:
    """Run Lightning's trainer, from the resume point if there is one to go on from."""
    quiet_lightning()
    data_loader = data.train_dataloader()
    epoch_metrics = EpochMetrics(tracker, padding_share=data_loader.padding_share)
    callbacks: list[pl.Callback] = [
        ModelCheckpoint(folder, "best", monitor="val/mrr@20", mode="max", enable_version_counter=False),
        EarlyStopping("val/mrr@20", mode="max", patience=config.trainer.patience),
        epoch_metrics,
        ResumePoint(folder, minutes=config.trainer.checkpoint_minutes, batches=config.trainer.checkpoint_batches),
    ]
    if config.trainer.progress_bar:
        callbacks.append(TrainingBar())
    trainer = pl.Trainer(
        max_epochs=epochs,
        accelerator=config.trainer.accelerator,
        devices=config.trainer.devices,
        num_nodes=config.trainer.nodes,
        precision=lightning_precision(config.trainer.precision),
        gradient_clip_val=config.optimizer.clip_norm,
        callbacks=callbacks,
        logger=False,
        num_sanity_val_steps=0,
        enable_progress_bar=config.trainer.progress_bar,
        enable_model_summary=False,
    )
    resume = folder / RESUME_FILE
    trainer.fit(module, data, ckpt_path=resume if config.resume is not None else None, weights_only=True)
    return epoch_metrics


def link_latest(folder: Path) -> None:
    """Point ``latest`` beside the run's folder at it."""
    fresh = folder.parent / f".latest-{folder.name}"
    fresh.unlink(missing_ok=True)
    fresh.symlink_to(folder.name)
    fresh.replace(folder.parent / "latest")


def quiet_lightning() -> None:
    """Keep Lightning's advertisements and its notes on what it is meant to do here off the screen."""
    logging.getLogger("pytorch_lightning").setLevel(logging.WARNING)
    warnings.filterwarnings("ignore", r"Checkpoint directory .* exists and is not empty")
    warnings.filterwarnings("ignore", r"You're resuming from a checkpoint that ended before")  # ResumePoint sees to it
    warnings.filterwarnings("ignore", r"`isinstance\(treespec, LeafSpec\)` is deprecated")


def lightning_precision(precision: Precision) -> Any:
    """Lightning's name for a precision."""
    gpu = torch.cuda.is_available() and torch.cuda.is_bf16_supported()
    return "bf16-mixed" if precision is Precision.bf16 or (precision is Precision.auto and gpu) else "32-true"


def load_best(module: NextItemModule, folder: Path) -> float:
    """Put the weights of the best epoch into the module; returns its val/mrr@20."""
    checkpoint = torch.load(folder / "best.ckpt", map_location="cpu", weights_only=True)
    module.load_state_dict(checkpoint["state_dict"])
    module.eval()
    states = [state for name, state in checkpoint["callbacks"].items() if name.startswith("ModelCheckpoint")]
    return float(states[0]["best_model_score"])


def stored_config(folder: Path, config: TrainConfig) -> TrainConfig:
    """The config of the run to be resumed.

    Raises:
        ValueError: there is no such run here, or it has no resume point.
    """
    for name in ("config.yaml", RESUME_FILE):
        if not (folder / name).is_file():
            raise ValueError(f"resume={config.resume}: {folder / name} is missing, so there is nothing to go on from")
    stored = OmegaConf.merge(OmegaConf.structured(TrainConfig), OmegaConf.load(folder / "config.yaml"))
    resumed = OmegaConf.to_object(stored)
    assert isinstance(resumed, TrainConfig)
    resumed.resume = config.resume
    return resumed


def _environment_rank() -> int:
    import os

    return int(os.environ.get("RANK", os.environ.get("LOCAL_RANK", "0")))


@command("train", TrainConfig)
def main(config: TrainConfig) -> float:
    """Entry point."""
    return train(config)


if __name__ == "__main__":
    main()
