"""The commands as functions on tables in memory, for notebooks.

    from training.api import fit, load, prepare, relate

    dataset = prepare(events, out="dataset", settings={"data.columns.item_id": "sku"})
    model = fit(dataset, settings={"trainer.max_epochs": 5})
    model.evaluate()
    model.recommend([["p-000010", "p-000021"]], behaviour="purchase", k=5)
    model.export("bundle")

Each function composes the config of its command, from settings named by the command's own keys, and runs
the command's stage: nothing here computes. Answers come from the exported bundle by the server's code, as MLflow's
python_function gives them. Tables are whatever speaks Arrow: pandas, polars, pyarrow, DuckDB; or the path of a file.
"""

import importlib
import json
import tempfile
import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

import training.evaluate
import training.export
import training.prepare
import training.relate
import training.train  # noqa: F401 (each registers its command's settings)
from tillside.bundle import Bundle, open_bundle
from tillside.dataset import Dataset
from tillside.events import BEHAVIOUR, ITEM_ID, SESSION_ID, TIMESTAMP
from tillside.relations import Relations
from training.cli.command_lines import override
from training.cli.compose import composed, located, typed, without_files
from training.evaluation.run import evaluate_run, open_run
from training.evaluation.tables import METRICS_FILE
from training.mining.stored import FOLDER, relations_of
from training.settings.evaluate import Baseline
from training.settings.tracking import TrackingConfig
from training.stages import export as export_stage
from training.stages import prepare as prepare_stage
from training.stages import relate as relate_stage
from training.stages import train as train_stage
from training.tracking.finding import LATEST, find_run
from training.tracking.registry import BUNDLE, LOADER
from training.tracking.store import fetch_artifact

Table = Any
"""Any object with ``__arrow_c_stream__`` (pandas, polars, pyarrow, DuckDB), a mapping of columns, or a file's path."""
Settings = Mapping[str, Any]
"""A command's keys, dotted as on the command line, such as ``{"trainer.max_epochs": 5, "model": "small"}``."""
NAME: Final = "events"
METRICS: Final = ("recall@5", "recall@20", "mrr@20", "ndcg@20")


def prepare(events: Table, *, out: str | Path, items: Table | None = None, settings: Settings | None = None) -> Dataset:
    """Data set from a table of events, as ``training.prepare`` makes one from a file; prints its summary.

    Args:
        events: one row an event. Columns are matched by name: item_id, session_id or user_id, behaviour, timestamp;
            others are mapped with ``data.columns.NAME``.
        out: folder to write; it appears whole or not at all.
        items: one row an item: item_id, name, category, brand, price, further attributes.
        settings: keys of ``training.prepare``.

    Raises:
        ValueError: a table is none, a setting is wrong, or too many rows are bad; nothing is written then.
    """
    with tempfile.TemporaryDirectory() as scratch:
        given: dict[str, Any] = {"data.path": str(_file(events, Path(scratch) / "events.parquet", "events"))}
        if items is not None:
            given["data.items"] = str(_file(items, Path(scratch) / "items.parquet", "items"))
        return prepare_stage.prepare(_composed("prepare", {"name": NAME, **(settings or {}), **given, "out": str(out)}))


def relate(dataset: Dataset, *, settings: Settings | None = None) -> Relations:
    """Mine what goes with what, into ``DATASET/relations``, as ``training.relate`` does; prints the counts.

    Args:
        settings: keys of ``training.relate``.
    """
    config = _composed("relate", {**(settings or {}), "dataset": str(dataset.path)})
    relate_stage.run(config)
    relations = relations_of(dataset, Path(config.out or dataset.path / FOLDER))
    assert relations is not None  # a folder was named
    return relations


def fit(dataset: Dataset | str | Path, *, settings: Settings | None = None) -> "Recommender":
    """Train, judge, export and record a model, as ``training.train`` does.

    Args:
        settings: keys of ``training.train``.

    Raises:
        ValueError: a setting or the data set is unusable.
    """
    path = dataset.path if isinstance(dataset, Dataset) else dataset
    run = train_stage.train_run(_composed("train", {**(settings or {}), "dataset": str(path)}))
    return load(run.own_tracker.run_id, settings=settings)


def load(run: str = LATEST, *, settings: Settings | None = None) -> "Recommender":
    """The model of an earlier run.

    Args:
        run: its id, the beginning of one, or ``latest``.
        settings: where runs are recorded (``tracking.runs``, ``tracking.uri``); other keys are ignored.

    Raises:
        ValueError: there is no such run.
    """
    kept = {key: value for key, value in (settings or {}).items() if key.startswith("tracking.")}
    tracking: TrackingConfig = _composed("train", kept).tracking
    return Recommender(find_run(tracking, run), tracking)


@dataclass(frozen=True)
class Recommender:
    """A trained run: its data set, its metrics, and the bundle that answers.

    Attributes:
        run: id of the run in MLflow.
        tracking: where it is recorded.
        folder: the bundle that answers; default: the run's own.
    """

    run: str
    tracking: TrackingConfig
    folder: Path | None = None

    @cached_property
    def dataset(self) -> Dataset:
        """The data set that the run was trained on."""
        return open_run(self.run, self.tracking, None)[1]

    @cached_property
    def bundle(self) -> Bundle:
        """The bundle, verified."""
        local = self.folder or Path(self.tracking.runs) / self.run / BUNDLE
        if local.is_dir():
            return open_bundle(local)
        folder = Path(tempfile.mkdtemp(prefix="tillside-"))
        return open_bundle(fetch_artifact(self.tracking, self.run, BUNDLE, into=folder))

    @cached_property
    def _answers(self) -> Any:
        return importlib.import_module(LOADER)._load_pyfunc(str(self.bundle.path))

    def recommend(
        self, sessions: Table | Sequence[Sequence[Any]], *, behaviour: str | None = None, k: int = 10, **fields: Any
    ) -> pd.DataFrame:
        """Answers as the server gives them: a row for each item of each session's list, best first.

        Args:
            sessions: a list of sessions, each a list of item ids or of events (dicts with item_id, behaviour,
                timestamp); or a table of events with session_id and item_id, in time order within a session.
            behaviour: what is asked for; default: the log's weakest, a click.
            k: items of a list.
            fields: further fields of ``POST /v1/recommend``, such as ``exclude``, the same for every session.

        Returns:
            Columns session_id, rank, item_id, name, score, tier, purchase_intent.

        Raises:
            ValueError: a session or a field is not valid; the sentence names it.
        """
        named = _sessions(sessions)
        asked = {"k": k, "behaviour": behaviour, **fields}
        answers = self._answers.predict([{"session": events, **asked} for _, events in named])
        catalogue, rows = self.bundle.catalogue, []
        for (session, _), answer in zip(named, answers, strict=True):
            for rank, (item_id, score) in enumerate(zip(answer["items"], answer["scores"], strict=True), start=1):
                name = catalogue.label(catalogue.index_of[item_id])
                rows.append((session, rank, item_id, name, score, answer["tier"], answer["purchase_intent"]))
        columns = [SESSION_ID, "rank", ITEM_ID, "name", "score", "tier", "purchase_intent"]
        return pd.DataFrame(rows, columns=columns)

    def evaluate(self, baselines: Iterable[str] | None = None) -> pd.DataFrame:
        """Metrics on the test part: a row a system and part of the cases, with 95 % intervals.

        Args:
            baselines: judged beside the model now; default: what the run recorded when it ended.

        Raises:
            ValueError: there is no such baseline.
        """
        if baselines is None:
            with tempfile.TemporaryDirectory() as folder:
                file = fetch_artifact(self.tracking, self.run, METRICS_FILE, into=Path(folder))
                return _frame(json.loads(file.read_text(encoding="utf-8")))
        config = _composed("evaluate", {"run": self.run, "baselines": list(baselines)})
        trained, dataset = open_run(self.run, self.tracking, None)
        chosen: list[Baseline] = config.baselines
        return _frame(evaluate_run(trained, dataset, folder=None, seed=config.seed, baselines=chosen))

    def export(self, out: str | Path, *, settings: Settings | None = None) -> "Recommender":
        """Write a bundle, as ``training.export`` does, and answer from it.

        Args:
            settings: keys of ``training.export``, such as ``policy`` and ``relations``.

        Raises:
            ValueError: torch and onnxruntime differ, or a setting is wrong; nothing is written.
        """
        where = {f"tracking.{name}": value for name, value in vars(self.tracking).items()}
        export_stage.run(_composed("export", {**where, **(settings or {}), "run": self.run, "out": str(out)}))
        return replace(self, folder=Path(out))


def _composed(command: str, settings: Settings) -> Any:
    overrides, files = without_files([override(key, value) for key, value in settings.items()])
    config = composed(command, overrides)
    for key, path in located(files).items():
        config[key] = path
    return typed(config)


def _file(table: Table, place: Path, what: str) -> Path:
    """The table as a file, written to ``place`` unless it is one already."""
    if isinstance(table, str | Path):
        return Path(table)
    pq.write_table(_arrow(table, what), place)
    return place


def _arrow(table: Table, what: str) -> pa.Table:
    if isinstance(table, pa.Table):
        return table
    if not hasattr(table, "__arrow_c_stream__") and not isinstance(table, Mapping):
        allowed = "a pandas, polars or Arrow table, a mapping of columns, or the path of a file"
        raise ValueError(f"{what} must be {allowed}, got {type(table).__name__}")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # between pyarrow and pandas, of times with a zone
        return pa.table(table)


def _sessions(given: Any) -> list[tuple[Any, list[dict[str, Any]]]]:
    """Sessions by name, each a list of events as a request holds them."""
    if isinstance(given, list | tuple):
        return [(number, [_event(each) for each in session]) for number, session in enumerate(given)]
    table = _arrow(given, "sessions")
    if lacking := {SESSION_ID, ITEM_ID} - set(table.column_names):
        raise ValueError(f"sessions has no column {min(lacking)}; it has: {', '.join(table.column_names)}")
    columns = [name for name in (SESSION_ID, ITEM_ID, BEHAVIOUR, TIMESTAMP) if name in table.column_names]
    if TIMESTAMP in columns and pa.types.is_timestamp(table.schema.field(TIMESTAMP).type):
        place = table.column_names.index(TIMESTAMP)
        milliseconds = table[TIMESTAMP].cast(pa.timestamp("ms"), safe=False).cast(pa.int64())
        table = table.set_column(place, TIMESTAMP, milliseconds)
    named: dict[Any, list[dict[str, Any]]] = {}
    for row in table.select(columns).to_pylist():
        named.setdefault(row.pop(SESSION_ID), []).append(_event(row))
    return list(named.items())


def _event(event: Any) -> dict[str, Any]:
    return {**event, ITEM_ID: str(event[ITEM_ID])} if isinstance(event, Mapping) else {ITEM_ID: str(event)}


def _frame(metrics: Mapping[str, Any]) -> pd.DataFrame:
    rows = []
    for system, told in metrics["systems"].items():
        parts = {"all": told["all"], **told["by_behaviour"]}
        parts |= {name: told[name] for name in ("seen_items", "new_items", "openings") if name in told}
        parts |= {f"later {name}": values for name, values in told.get("look_ahead", {}).items()}
        for part, values in parts.items():
            row: dict[str, Any] = {"system": system, "cases of": part, "cases": values["cases"]}
            for name in METRICS:
                row |= {name: values[name]["value"]}
                row |= {f"{name} {end}": values[name][end] for end in ("low", "high")}
            rows.append(row)
    return pd.DataFrame(rows)
