"""How a run is trained, stage by stage: set up, learn, judge, ship, publish.

Shapes: N items, B behaviours.
"""

import contextlib
import json
from collections.abc import Collection, Iterator
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, Final, cast

import torch
from omegaconf import OmegaConf

from tillside.atomic import write_text_atomically
from tillside.dataset import Dataset, load_dataset
from training.bundle.latency import Latency, measure_latency
from training.bundle.write import export_run
from training.cli.command_lines import command_line, module_line
from training.cli.console import say
from training.cli.progress import silenced, step
from training.cli.stored import read_stored, stored_text
from training.evaluation.run import cases_to_judge, evaluate_run
from training.evaluation.tables import METRICS_FILE, brief_table
from training.learning import recipe
from training.learning.callbacks import RESUME_FILE
from training.learning.fit import refuse_machine
from training.learning.processes import ALONE, Processes, joined
from training.learning.recipe import History
from training.learning.training_setup import TrainingSetup
from training.learning.warm_start import BaseModel, refuse_leaks
from training.model.checkpoint import MODEL_FILE, TrainedModel, save_model
from training.review.champion import champion_if_there
from training.review.comparison import Compared, compare
from training.review.run_page import Page, case_by_case, describe_model, publish_page, search_tags
from training.settings.train import TrainConfig
from training.sweeps.trial import Trial
from training.tracking.ending import ending
from training.tracking.registry import BUNDLE, keep_and_register, name_base, named, promote_command
from training.tracking.run_names import run_name
from training.tracking.tracker import Tracker, flatten
from training.tracking.unrecorded import Unrecorded

MAY_CHANGE: Final = {"resume", "dataset", "tracking.runs", "tracking.uri"}
"""Keys that a resumed run may be given anew."""
PLAN_FILE: Final = "plan.json"


@dataclass
class Run:
    """A training run, handed from stage to stage; each adds what it made.

    Attributes:
        tracker: of the run; of several processes only the first records it, and goes on when it has learned.
        best: the best val/mrr@20.
        compared: with the base model it was retrained from; None for a first training.
        latency, version: of the exported bundle, and the model version it became; None where there is none.
    """

    config: TrainConfig
    trial: Trial
    dataset: Dataset
    base: BaseModel | None
    setup: TrainingSetup
    tracker: Tracker | Unrecorded
    processes: Processes = ALONE
    best: float = 0.0
    trained: TrainedModel = field(init=False, repr=False)
    history: History = field(init=False, repr=False)
    metrics: dict[str, Any] = field(init=False, repr=False)
    compared: Compared | None = None
    latency: Latency | None = None
    version: str | None = None

    @property
    def folder(self) -> Path:
        """Where the run's files lie."""
        return Path(self.config.tracking.runs) / self.tracker.run_id

    @property
    def own_tracker(self) -> Tracker:
        """The tracker, for the stages that only the first process goes through."""
        assert self.processes.leads
        return cast(Tracker, self.tracker)

    @property
    def ends_learned(self) -> bool:
        """Whether nothing follows once it has learned: in all processes but the first, and in a trial that is not
        whole."""
        return not self.processes.leads or not self.trial.whole


def train(config: TrainConfig, trial: Trial | None = None) -> float:
    """Train as :func:`train_run` does; returns the best val/mrr@20, the objective of sweeps."""
    return train_run(config, trial).best


def train_run(config: TrainConfig, trial: Trial | None = None, *, typed: Collection[str] = ()) -> Run:
    """Train, evaluate, export and record; returns the run.

    Args:
        trial: a sweep's tags, callbacks and extent of this run; default: a run of its own.
        typed: keys that were given, even if with their default; a run to resume must have them so.

    Raises:
        Pruned: the sweep pruned the trial.
        ValueError: a setting, the data set, the run to resume or the base is unusable.
    """
    with joined(config.trainer) as processes:
        if config.resume is not None:
            config = processes.from_first(partial(stored_config, config, typed))
        with silenced(not config.trainer.progress_bar), start(config, trial or Trial(), processes) as run:
            learn(run)
            run.processes.leave()
            if run.ends_learned:
                return run
            with step("judging on the test part"):
                judge(run)
            with step("exporting and registering"):
                ship(run)
            with step("drawing and sending the run's page"):
                publish(run)
    show(run)  # after the run has ended: a closed pipe does not make it a failure
    return run


@contextlib.contextmanager
def start(config: TrainConfig, trial: Trial, processes: Processes) -> Iterator[Run]:
    """Start or resume a run, and end it with the status of what came of it; a killed one says how to go on."""
    with step("setting up"):
        run = set_up(config, trial, processes)
    try:
        with ending(run.tracker):
            if run.processes.leads:
                with step("writing down what will be learned"):
                    record(run)
            yield run
    except BaseException as error:
        resumable = run.processes.leads and (run.folder / RESUME_FILE).is_file()
        if resumable and not isinstance(error, Exception) and not trial.tags:  # of its trials a sweep says it
            line = command_line("train", {"resume": run.own_tracker.run_id}, more=run.config.tracking.typed("runs"))
            say(f"go on with it:  {line}")
        raise


def set_up(config: TrainConfig, trial: Trial, processes: Processes = ALONE) -> Run:
    """Check settings, data set and base, set up the fit, and only then start or resume the MLflow run.

    Of several processes the first starts it.

    Raises:
        ValueError: one of them is unusable.
    """
    if config.dataset is None:
        raise ValueError("dataset must be given, as dataset=DIR, a folder that python -m training.prepare wrote")
    refuse_machine(config.trainer)
    dataset = load_dataset(Path(config.dataset))
    if dataset.forgets and config.resume is None:
        raise ValueError(
            f"dataset={config.dataset} was parted by leaving one out by an older tillside, and would forget sessions "
            "that were too short for it; prepare it again"
        )
    base = None if config.warm_start is None else BaseModel.fetch(config.tracking, config.warm_start)
    if base is not None:
        refuse_leaks(base, dataset)
    planned = None
    if config.resume is not None:
        planned = processes.from_first(partial(planned_targets, Path(config.tracking.runs) / config.resume, dataset))
    setup = TrainingSetup.prepare(config, dataset, base, targets=planned, processes=processes)
    config = replace(config, trainer=setup.config.trainer)
    cases_to_judge(dataset, setup.data.spec)  # fail now, not after hours of training, if there are none
    name = run_name(dataset.name, config.model.network.value if base is None else "retrained")
    started: list[Tracker] = []

    def record_one() -> str:
        resumed = config.resume
        started.append(
            Tracker.start(config.tracking, run_id=resumed, digest=dataset.digest, tags=trial.tags, name=name)
        )
        return started[0].run_id

    run_id = processes.from_first(record_one)
    if not processes.leads:
        return Run(config, trial, dataset, base, setup, Unrecorded(run_id), processes)
    [tracker] = started
    tracking = config.tracking if base is None else replace(config.tracking, model=config.tracking.model or base.name)
    config = replace(config, tracking=named(tracking, dataset, tracker.client, tracker.uri))
    return Run(config, trial, dataset, base, setup, tracker, processes)


def planned_targets(folder: Path, dataset: Dataset) -> int:
    """The targets that the run in ``folder`` was planned for; runs of before 30 November 2026, which did not write them
    down, took the events of the trained items for them."""
    if (folder / PLAN_FILE).is_file():
        return int(json.loads((folder / PLAN_FILE).read_text(encoding="utf-8"))["targets"])
    return int(dataset.catalogue.counts_NB[: dataset.catalogue.trained].sum())


def record(run: Run) -> None:
    """Write the config, log a new run's parameters, inputs and tags, and print what will be learned."""
    config, dataset, setup, tracker = run.config, run.dataset, run.setup, run.own_tracker
    run.folder.mkdir(parents=True, exist_ok=True)
    write_text_atomically(run.folder / "config.yaml", stored_text(config))
    write_text_atomically(run.folder / PLAN_FILE, json.dumps({"targets": setup.targets}))
    softmax = setup.module.softmax.value
    if config.resume is None:
        tracker.parameters(OmegaConf.to_container(OmegaConf.structured(config), enum_to_str=True))  # type: ignore[arg-type]
        tags = search_tags(dataset, softmax=softmax, model=config.model, seed=config.seed)
        # "parent" is the tag that searches of older runs use for the base model
        tracker.dataset(dataset, tags=tags if run.base is None else tags | {"parent": run.base.uri})
    tracker.parameters(setup.derived())
    judged = "" if setup.module.repeats else ", validated without what a session holds"
    say(
        f"run {tracker.run_id}: {setup.data.rows.targets:,} targets, {dataset.catalogue.trained:,} trained items, "
        f"{softmax} softmax, batches of {setup.data.batch_events} events, at most {setup.epochs} epochs, "
        f"dropout {setup.model.dropout:.2g}, of items {setup.model.item_dropout:.2g}{judged}, "
        f"{config.trainer.threads} thread(s)"
    )


def learn(run: Run) -> None:
    """Fit, choose, refit and save the model; a trial that is not whole stops after the fit."""
    folder, tracker, callbacks = run.folder, run.tracker, run.trial.callbacks
    if not run.trial.whole:
        run.best, _ = recipe.fit_until_best(run.setup, folder=folder, tracker=tracker, callbacks=callbacks)
        return
    run.best, run.trained, run.history = recipe.learn(
        run.setup, run.dataset, folder=folder, tracker=tracker, callbacks=callbacks
    )
    if run.processes.leads:
        with step("keeping the model"):
            save_model(folder / MODEL_FILE, run.trained, run.dataset)
            tracker.artifact(folder / MODEL_FILE)


def judge(run: Run) -> None:
    """Rank the test cases with the model and the baselines, and for a retrained model with its base too."""
    folder, seed, tracker = run.folder, run.config.seed, run.own_tracker
    run.metrics = evaluate_run(run.trained, run.dataset, folder=folder, seed=seed, tracker=tracker)
    if run.base is not None and run.setup.carried is not None:
        run.compared = compare(
            run.base, run.dataset, run.metrics, run.setup.carried, folder=folder, seed=seed, tracker=tracker
        )


def ship(run: Run) -> None:
    """Export the bundle, measure its latency and register it, if the config says so."""
    config, tracker, bundle = run.config, run.own_tracker, run.folder / BUNDLE
    if not config.export:
        return
    export_run(run.trained, run.dataset, bundle, metrics=run.metrics, run_id=tracker.run_id)
    run.latency = measure_latency(bundle, run.dataset)
    run.version = keep_and_register(tracker, bundle, config.tracking, place=BUNDLE)
    if run.version is not None and run.compared is not None:
        told, base = "\n".join(["Not judged yet.", "", *run.compared.markdown()]), run.compared.champion.version
        name_base(tracker, str(config.tracking.model), run.version, base=base, description=told)


def publish(run: Run) -> None:
    """Publish the run's page, compared with its base or else with the champion, and link the run as the latest."""
    tracker, seed = run.own_tracker, run.config.seed
    page = Page(
        run.dataset,
        model=describe_model(run.trained, softmax=run.setup.module.softmax.value, seed=seed, dataset=run.dataset),
        metrics=run.metrics,
        history=run.history,
        latency=run.latency,
        folder=run.folder,
    )
    if run.compared is not None:
        beside = run.compared.beside()
    else:
        beside = case_by_case(page, champion_if_there(tracker, str(run.config.tracking.model)), seed=seed)
    publish_page(tracker, page, beside)
    link_latest(run.folder)


def show(run: Run) -> None:
    """Print the metrics, and where the run can be looked at."""
    tracker, tracking = run.own_tracker, run.config.tracking
    brief_table(run.metrics, title=f"{run.dataset.name}: test part")
    if run.compared is not None:
        run.compared.show()
    said = "learned and judged" if run.version is None else f"learned, judged and registered as version {run.version}"
    say(f"run {tracker.run_id}, {run.dataset.name}, is {said}; it lies in {run.folder}, its figures in {METRICS_FILE}")
    own = {"run": tracker.run_id}
    say(f"every figure:  {command_line('evaluate', own, more=tracking.typed('runs', 'uri'))}")
    if run.latency is not None:
        say(f"serve it:  {module_line('serving', '--bundle', str(run.folder / BUNDLE))}")
    else:
        line = command_line("export", own | {"out": "bundle"}, more=tracking.typed("runs", "uri", "model"))
        say(f"export it:  {line}")
    if run.version is not None:
        say(f"judge it:  {promote_command(tracking, run.version)}")
    say(f"look at it:  {tracker.look}")
    say(f"all runs, the best on validation first:  {tracker.list_link(best_first=True)}")


def link_latest(folder: Path) -> None:
    """Point the symlink ``latest`` beside the run's folder at it, atomically."""
    fresh = folder.parent / f".latest-{folder.name}"
    fresh.unlink(missing_ok=True)
    fresh.symlink_to(folder.name)
    fresh.replace(folder.parent / "latest")


def stored_config(config: TrainConfig, typed: Collection[str] = ()) -> TrainConfig:
    """Config of the run to resume; only ``dataset``, ``tracking.runs`` and ``tracking.uri`` may be changed.

    Args:
        typed: keys that were given; of the others a default says nothing.

    Raises:
        ValueError: there is no such run here, it has no resume point, a file is damaged, or another setting differs.
    """
    folder = Path(config.tracking.runs) / str(config.resume)
    for name in ("config.yaml", RESUME_FILE):
        if not (folder / name).is_file():
            hint = "; of a sweep say -m resume=" if (folder / "sweep.yaml").is_file() else ""
            raise ValueError(
                f"resume={config.resume}: {folder / name} is missing, so there is nothing to go on from{hint}"
            )
    try:
        stored = OmegaConf.merge(OmegaConf.structured(TrainConfig), read_stored(folder / "config.yaml"))
        resumed = OmegaConf.to_object(stored)
        assert isinstance(resumed, TrainConfig)
        for point in (folder / RESUME_FILE, folder / recipe.REFIT / RESUME_FILE):
            if point.is_file():
                torch.load(point, map_location="cpu", weights_only=True)
    except Exception as error:  # YAML, OmegaConf and torch raise a dozen types for damaged files
        raise ValueError(f"resume={config.resume}: what lies in {folder} is damaged: {error}") from None
    resumed.resume, resumed.dataset = config.resume, config.dataset or resumed.dataset
    resumed.tracking.runs, resumed.tracking.uri = config.tracking.runs, config.tracking.anew(resumed.tracking.uri)
    default, given, kept = (flatten(asdict(each)) for each in (TrainConfig(), config, resumed))
    for key, value in given.items():
        if value != kept[key] and (value != default[key] or key in typed):
            raise ValueError(f"{key} cannot be changed by resume={config.resume}: it is {kept[key]} there, got {value}")
    return resumed


def run(config: TrainConfig, typed: Collection[str]) -> float:
    """Entry point; ``typed`` are the keys on the command line."""
    return train_run(config, typed=set(typed) - MAY_CHANGE).best
