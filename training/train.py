"""Train a model on a prepared data set; the result is a run that can be evaluated, exported and resumed.

python -m training.train dataset=DIR [model.dim=128 trainer.max_epochs=20 ...]
python -m training.train resume=RUN_ID
python -m training.train -m dataset=DIR sweep=quick               (see training/sweeps/sweep.py)
torchrun --nproc-per-node 2 -m training.train dataset=DIR trainer.devices=2
"""

import contextlib
from dataclasses import asdict, dataclass, field
from pathlib import Path

import torch
from omegaconf import OmegaConf
from pytorch_lightning.utilities import rank_zero_only

from tillside.atomic import write_text_atomically
from tillside.dataset import load_dataset
from training.bundle.latency import measure_latency
from training.bundle.write import export_run
from training.cli.command import command
from training.cli.console import say
from training.evaluation.run import cases_to_judge, evaluate_run
from training.evaluation.tables import metrics_table
from training.learning.callbacks import RESUME_FILE
from training.learning.fit import TrainerConfig
from training.learning.lightning_module import LossConfig, OptimizerConfig
from training.learning.recipe import TrainingSetup, fit_until_best, learn
from training.learning.warm_start import BaseModel, refuse_leaks
from training.model.checkpoint import MODEL_FILE, save_model
from training.model.next_item import ModelConfig
from training.review.champion import champion_if_there
from training.review.comparison import compare
from training.review.run_page import describe_model, publish_page, search_tags
from training.sweeps.sweep import sweep
from training.sweeps.trial import Trial
from training.tracking.registry import BUNDLE, keep_and_register, name_base, promote_command
from training.tracking.store import TrackingConfig
from training.tracking.tracker import Tracker, flatten


@dataclass
class TrainConfig:
    """Everything a training run depends on."""

    dataset: str | None = None
    resume: str | None = None
    """Id of a run to resume, with its own config."""
    warm_start: str | None = None
    """Registered version (models:/NAME/VERSION) whose weights initialise the model and which it is compared with at the
    end. See training.retrain, which prepares the newer log as well."""
    seed: int = 0
    export: bool = True
    """Export the bundle at the end and log it to the run."""
    model: ModelConfig = field(default_factory=ModelConfig)
    loss: LossConfig = field(default_factory=LossConfig)
    optimizer: OptimizerConfig = field(default_factory=OptimizerConfig)
    trainer: TrainerConfig = field(default_factory=TrainerConfig)
    tracking: TrackingConfig = field(default_factory=TrackingConfig)

    def __post_init__(self) -> None:
        if not 0 <= self.seed < 2**32:
            raise ValueError(f"seed must be from 0 to {2**32 - 1}, got {self.seed}")


def train(config: TrainConfig, trial: Trial | None = None) -> float:
    """Train, evaluate, export and record; returns the best val/mrr@20, the objective of sweeps.

    Args:
        trial: a sweep's tags, callbacks and extent of this run; default: a run of its own.

    Raises:
        Pruned: the sweep pruned the trial.
        ValueError: a setting, the data set, the run to resume or the base is unusable.
    """
    runs, trial = Path(config.tracking.runs), trial or Trial()
    if config.resume is not None:
        config = stored_config(runs / config.resume, config)
    if config.dataset is None:
        raise ValueError("dataset must be given, as dataset=DIR, a folder that python -m training.prepare wrote")
    dataset = load_dataset(Path(config.dataset))
    base = None if config.warm_start is None else BaseModel.fetch(config.tracking, config.warm_start)
    if base is not None:
        refuse_leaks(base, dataset)
    setup = TrainingSetup.prepare(config, dataset, base)
    cases_to_judge(dataset, setup.data.spec)  # fail now, not after hours of training, if there are none

    first = rank_zero_only.rank == 0  # of the ranks that torchrun or a cluster started
    tracker = (
        Tracker.start(config.tracking, run_id=config.resume, digest=dataset.digest, tags=trial.tags) if first else None
    )
    folder = runs / (tracker.run_id if tracker else "worker")
    try:
        if tracker is not None:
            folder.mkdir(parents=True, exist_ok=True)
            write_text_atomically(folder / "config.yaml", OmegaConf.to_yaml(OmegaConf.structured(config)))
            if config.resume is None:
                tracker.parameters(OmegaConf.to_container(OmegaConf.structured(config), enum_to_str=True))  # type: ignore[arg-type]
                tags = search_tags(dataset, softmax=setup.module.softmax.value, model=config.model, seed=config.seed)
                tracker.dataset(dataset, tags=tags if base is None else tags | {"parent": base.uri})
            judged = "" if setup.module.repeats else ", validated without what a session holds"
            say(
                f"run {tracker.run_id}: {setup.data.rows.targets:,} targets, {dataset.catalogue.trained:,} items, "
                f"{setup.module.softmax.value} softmax, batches of {setup.data.batch_events} events, "
                f"at most {setup.epochs} epochs, "
                f"dropout {setup.model.dropout:.2g}, of items {setup.model.item_dropout:.2g}{judged}"
            )
        if not trial.whole and tracker is not None:
            best, _ = fit_until_best(setup, folder=folder, tracker=tracker, callbacks=trial.callbacks)
            tracker.end()
            return best
        best, trained, history = learn(setup, dataset, folder=folder, tracker=tracker, callbacks=trial.callbacks)
        if tracker is None:
            return 0.0
        save_model(folder / MODEL_FILE, trained, dataset)
        tracker.artifact(folder / MODEL_FILE)
        metrics = evaluate_run(trained, dataset, folder=folder, seed=config.seed, tracker=tracker)
        latency, version, compared = None, None, None
        if base is not None and setup.carried is not None:
            compared = compare(base, dataset, metrics, setup.carried, folder=folder, seed=config.seed, tracker=tracker)
        if config.export:
            export_run(trained, dataset, folder / BUNDLE, metrics=metrics, run_id=tracker.run_id)
            latency = measure_latency(folder / BUNDLE, dataset)
            version = keep_and_register(tracker, folder / BUNDLE, config.tracking, place=BUNDLE)
            if version is not None and compared is not None:
                told = "\n".join(["Not judged yet.", "", *compared.markdown()])
                name_base(tracker, config.tracking.model, version, base=compared.champion.version, description=told)
        told = describe_model(trained, softmax=setup.module.softmax.value, seed=config.seed)
        publish_page(
            tracker,
            metrics,
            history,
            dataset,
            folder=folder,
            model=told,
            champion=compared.champion if compared else champion_if_there(tracker, config.tracking.model),
            latency=latency,
            compared=compared,
            seed=config.seed,
        )
        tracker.end()
        link_latest(folder)
    except BaseException as error:
        if tracker is not None:
            with contextlib.suppress(ValueError):  # an unreachable store must not mask why the run ended
                tracker.end("FAILED" if isinstance(error, Exception) else "KILLED")
            if not isinstance(error, Exception) and not trial.tags and (folder / RESUME_FILE).is_file():
                say(f"go on with it:  python -m training.train resume={tracker.run_id}{config.tracking.typed('runs')}")
        raise
    metrics_table(metrics, title=f"{dataset.name}: test part")
    if compared is not None:
        compared.show()
    say(f"run {tracker.run_id} is in {folder}")
    say(f"look at it:  {tracker.look}")
    say(f"all runs:  {tracker.list_link()}   the best first:  {tracker.list_link(best_first=True)}")
    if version is not None and compared is not None:
        say(f"judge it:  {promote_command(config.tracking, version)}")
    return best


def link_latest(folder: Path) -> None:
    """Point the symlink ``latest`` beside the run's folder at it, atomically."""
    fresh = folder.parent / f".latest-{folder.name}"
    fresh.unlink(missing_ok=True)
    fresh.symlink_to(folder.name)
    fresh.replace(folder.parent / "latest")


def stored_config(folder: Path, config: TrainConfig) -> TrainConfig:
    """Config of the run to resume; only ``dataset``, ``tracking.runs`` and ``tracking.uri`` may be changed.

    Raises:
        ValueError: there is no such run here, it has no resume point, a file is damaged, or another setting differs.
    """
    for name in ("config.yaml", RESUME_FILE):
        if not (folder / name).is_file():
            hint = "; of a sweep say -m resume=" if (folder / "sweep.yaml").is_file() else ""
            raise ValueError(
                f"resume={config.resume}: {folder / name} is missing, so there is nothing to go on from{hint}"
            )
    try:
        stored = OmegaConf.merge(OmegaConf.structured(TrainConfig), OmegaConf.load(folder / "config.yaml"))
        resumed = OmegaConf.to_object(stored)
        assert isinstance(resumed, TrainConfig)
        torch.load(folder / RESUME_FILE, map_location="cpu", weights_only=True)
    except Exception as error:  # YAML, OmegaConf and torch raise a dozen types for damaged files
        raise ValueError(f"resume={config.resume}: what lies in {folder} is damaged: {error}") from None
    resumed.resume, resumed.dataset = config.resume, config.dataset or resumed.dataset
    resumed.tracking.runs, resumed.tracking.uri = config.tracking.runs, config.tracking.uri or resumed.tracking.uri
    default, given, kept = (flatten(asdict(each)) for each in (TrainConfig(), config, resumed))
    for key, value in given.items():
        if value not in (default[key], kept[key]):
            raise ValueError(f"{key} cannot be changed by resume={config.resume}: it is {kept[key]} there, got {value}")
    return resumed


@command("train", TrainConfig, multirun=lambda arguments: sweep(arguments, train=train))
def main(config: TrainConfig) -> float:
    """Entry point."""
    return train(config)


if __name__ == "__main__":
    main()
