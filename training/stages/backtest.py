"""How models of several ages are trained and judged, a child run for each window.

Shapes: C cases, S sessions, N items, B behaviours.
"""

import itertools
import json
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from omegaconf import OmegaConf

from tillside.atomic import write_text_atomically
from tillside.dataset import Dataset, load_dataset
from training.cli.console import print_table, say
from training.cli.progress import duration, silenced
from training.cli.stored import read_stored, stored_text
from training.evaluation.case_ranks import METRICS, Ranks, cases_digest
from training.evaluation.ranking import rank
from training.evaluation.run import cases_to_judge
from training.evaluation.scorers import ModelScorer, popularity_of
from training.learning.processes import refuse_several
from training.learning.recipe import learn
from training.learning.training_setup import TrainingSetup
from training.learning.warm_start import first_end, moment
from training.model.checkpoint import MODEL_FILE, TrainedModel, last_moment, save_model
from training.review.ageing import COLUMNS, Window, ageing, curves, decay, description, table
from training.review.markdown import NOTE
from training.settings.backtest import BacktestConfig
from training.settings.prepare import PrepareConfig
from training.settings.split import SplitBy, SplitConfig
from training.stages.prepare import prepare
from training.tracking.ending import ending
from training.tracking.run_names import part_name, run_name
from training.tracking.store import StoreAwayError
from training.tracking.tracker import Tracker, flatten
from training.tracking.views import child_of

BACKTEST_FILE = "backtest.json"
FIGURE_FILE = "quality-by-age.png"
CHILDREN_FILE = "children.json"
"""In the parent's folder: child run id by window number, from 1."""
PREPARED = "windows"


def backtest(config: BacktestConfig) -> dict[str, Any]:
    """Run all windows that have not finished; returns the document of ``backtest.json``.

    Raises:
        ValueError: a bad log or setting, or no such backtest to resume.
    """
    refuse_several(config.trainer, "a backtest")
    tracker = _begin(config) if config.resume is None else _resume(config)
    folder = Path(config.tracking.runs) / tracker.run_id
    try:
        with ending(tracker):
            datasets = [load_dataset(folder / PREPARED / str(number + 1)) for number in range(config.windows)]
            document = _age(config, datasets, tracker)
            name = datasets[0].name
            _publish(tracker, document, folder, name=name)
    except BaseException as error:
        if isinstance(error, StoreAwayError) or not isinstance(error, Exception):
            say(f"go on with it:  the same command and resume={tracker.run_id}")
        raise
    print_table(f"{name}: quality by the age of the model", COLUMNS, table(document), numbers=COLUMNS)
    say(f"{folder / FIGURE_FILE} draws it")
    say(f"look at the run:  {tracker.look}")
    return document


def windows_of(datasets: Sequence[Dataset]) -> list[Window]:
    """Windows from their data sets: each begins when the first session of its data set's test part ends.

    Raises:
        ValueError: a window holds no session.
    """
    begins = [first_end(dataset.part("test")) for dataset in datasets]
    last = last_moment(datasets[-1].part("test"))
    edges = [edge for edge in (*begins, None if last is None else last + 1) if edge is not None]
    if len(set(edges)) < len(begins) + 1:
        raise ValueError(
            f"windows={len(datasets)}: the log is too short to fill them all; lower windows or raise share"
        )
    return [Window(begin, end) for begin, end in itertools.pairwise(edges)]


def view(dataset: Dataset, window: Window) -> Dataset:
    """The data set with its test part cut to the sessions that end within a window."""
    test, (start, _) = dataset.part("test"), dataset.parts["test"]
    ends_S = np.asarray(test.times)[np.asarray(test.offsets)[1:] - 1]
    first, last = np.searchsorted(ends_S, [window.begins, window.ends]).tolist()
    return replace(dataset, parts={**dataset.parts, "test": (start + first, start + last)})


def judge(trained: TrainedModel, dataset: Dataset, windows: Sequence[Window]) -> list[Ranks]:
    """A model's ranks of the test cases of each window."""
    items = dataset.catalogue.rankable
    scorer, found = ModelScorer.of(trained.model, popularity_of(dataset, refit=trained.refitted), trained.memory), []
    for window in windows:
        seen = view(dataset, window)
        cases = cases_to_judge(seen, trained.spec)
        ranks_C = rank(scorer, cases, items=items, coverage=False).ranks_C
        digest, names = cases_digest(seen, cases), dataset.behaviours.names
        found.append(Ranks(digest, names, ranks_C, cases.sessions_C, cases.asked_C))
    return found


def _begin(config: BacktestConfig) -> Tracker:
    """Prepare all windows, then start the run, so that bad input leaves no run behind."""
    runs = Path(config.tracking.runs).absolute()
    runs.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=runs, prefix=".preparing-") as scratch:
        datasets: list[Dataset] = []
        support = config.min_item_support
        for number in range(config.windows):
            test = round(config.share * (config.windows - number), 12)  # 3 * 0.1 > 0.3 in floating point
            window = PrepareConfig(
                out=str(Path(scratch) / PREPARED / str(number + 1)),
                data=config.data,
                name=config.name,
                session_gap_minutes=config.session_gap_minutes,
                min_item_support=support,
                split=SplitConfig(SplitBy.fractions, config.validation, test),
                seed=config.seed,
            )
            datasets.append(prepare(window))
            support = datasets[0].about["config"]["min_item_support"]  # the same models, whatever suits a window
        for number, each in enumerate(windows_of(datasets)):
            say(f"window {number + 1} of {config.windows}: from {moment(each.begins)} to {moment(each.ends)}")
        tracker = Tracker.start(config.tracking, name=run_name(datasets[0].name, "backtest"))
        folder = runs / tracker.run_id
        folder.mkdir()
        (Path(scratch) / PREPARED).rename(folder / PREPARED)
    write_text_atomically(folder / CHILDREN_FILE, "{}")
    write_text_atomically(folder / "config.yaml", stored_text(_plain(config)))
    tracker.parameters(_plain(config))
    tracker.tags({"mlflow.source.name": "training.backtest", "dataset.name": datasets[0].name})
    return tracker


def _resume(config: BacktestConfig) -> Tracker:
    folder = Path(config.tracking.runs) / str(config.resume)
    try:
        stored = OmegaConf.to_container(read_stored(folder / "config.yaml"))
        json.loads((folder / CHILDREN_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ValueError(f"resume={config.resume} is no backtest in {config.tracking.runs}: {error}") from None
    assert isinstance(stored, dict)
    before = flatten({str(key): value for key, value in stored.items()})
    for key, value in flatten(_plain(config)).items():
        if before.get(key) != value:
            raise ValueError(
                f"{key} cannot be changed by resume={config.resume}: it is {before.get(key)} there, got {value}"
            )
    return Tracker.start(config.tracking, run_id=config.resume)


def _plain(config: BacktestConfig) -> dict[str, Any]:
    """All settings except ``tracking`` and ``resume``, as plain types."""
    held: Any = OmegaConf.to_container(OmegaConf.structured(config), enum_to_str=True)
    return {key: value for key, value in held.items() if key not in ("tracking", "resume")}


def _age(config: BacktestConfig, datasets: Sequence[Dataset], tracker: Tracker) -> dict[str, Any]:
    """Train a model before each window, and rank its own and all later windows with it."""
    windows, learned_until, ranks = windows_of(datasets), [], {}
    began = time.monotonic()
    for number, dataset in enumerate(datasets):
        with silenced(not config.trainer.progress_bar):
            until, found = _window(config, number, dataset, windows, tracker)
        if left := len(datasets) - number - 1:
            rest = (time.monotonic() - began) / (number + 1) * left
            say(f"window {number + 1} of {len(datasets)} is done; the rest takes about {duration(rest)}")
        assert until < windows[number].begins
        learned_until.append(until)
        ranks |= {(number, number + age): each for age, each in enumerate(found)}
    return ageing(windows, learned_until, ranks, seed=config.seed)


def _window(
    config: BacktestConfig, number: int, dataset: Dataset, windows: Sequence[Window], parent: Tracker
) -> tuple[int, list[Ranks]]:
    """Train a window's model, resume it, or load the results of its finished child run.

    Returns:
        Time of its last training event, UTC milliseconds, and its ranks on its own window and each later one.
    """
    runs = Path(config.tracking.runs)
    listed = runs / parent.run_id / CHILDREN_FILE
    children = json.loads(listed.read_text(encoding="utf-8"))
    later, known = range(number, len(windows)), children.get(str(number + 1))
    if known is not None and parent.client.get_run(known).info.status == "FINISHED":
        told = json.loads((runs / known / BACKTEST_FILE).read_text(encoding="utf-8"))
        return int(told["learned_until"]), [Ranks.load(runs / known / _ranks_file(each)) for each in later]
    named = replace(config.tracking, run_name=part_name(f"before window {number + 1}", str(parent.run.info.run_name)))
    tracker = Tracker.start(named, run_id=known, digest=dataset.digest)
    folder = runs / tracker.run_id
    with ending(tracker):
        if known is None:
            folder.mkdir(parents=True)
            tracker.tags({"mlflow.source.name": "training.backtest"} | child_of(parent.run_id))
            tracker.parameters({"window": number + 1, **_plain(config)})
            tracker.dataset(view(dataset, windows[number]))
            write_text_atomically(listed, json.dumps(children | {str(number + 1): tracker.run_id}))
        trained = _learn(config, number, dataset, folder, tracker)
        until = last_moment(trained.sessions(dataset))
        assert until is not None  # windows_of refuses a log without timestamps
        found = judge(trained, dataset, windows[number:])
        for each, ranks in zip(later, found, strict=True):
            ranks.save(folder / _ranks_file(each))
        write_text_atomically(folder / BACKTEST_FILE, json.dumps({"window": number + 1, "learned_until": until}))
        tracker.publish(tags={}, curves=_child_curves(found))
    return until, found


def _learn(config: BacktestConfig, number: int, dataset: Dataset, folder: Path, tracker: Tracker) -> TrainedModel:
    """Train a window's model on what precedes the window, or resume it, and keep it with its run."""
    setup = TrainingSetup.prepare(config, dataset)
    say(f"window {number + 1}, run {tracker.run_id}: {setup.data.rows.targets:,} targets")
    _, trained, _ = learn(setup, dataset, folder=folder, tracker=tracker)
    save_model(folder / MODEL_FILE, trained, dataset)
    tracker.artifact(folder / MODEL_FILE)
    return trained


def _ranks_file(window: int) -> str:
    return f"ranks-window-{window + 1}.npz"


def _child_curves(found: Sequence[Ranks]) -> dict[str, dict[int, float]]:
    """Metric curves by age in windows; the own window also under the names that all runs use."""
    drawn: dict[str, dict[int, float]] = {}
    for name, metric in METRICS.items():
        values = [float(metric(ranks.ranks_C, 20).mean()) for ranks in found]
        drawn[f"by_age/{name.replace('@', '_at_')}"] = dict(enumerate(values))
        drawn[f"test/{name.replace('@', '_at_')}"] = {0: values[0]}
    return drawn


def _publish(tracker: Tracker, document: dict[str, Any], folder: Path, *, name: str) -> None:
    write_text_atomically(folder / BACKTEST_FILE, json.dumps(document, indent=2) + "\n")
    decay(document).savefig(folder / FIGURE_FILE, dpi=120)
    tracker.publish(tags={NOTE: description(document, name=name)}, curves=curves(document))
    tracker.artifact(folder / BACKTEST_FILE)
    tracker.artifact(folder / FIGURE_FILE, "figures")


def run(config: BacktestConfig) -> None:
    """Entry point."""
    backtest(config)
