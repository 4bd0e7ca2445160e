"""MLflow: one run's parameters, metrics, inputs and artifacts, sent in batches.

Surprising: one metric call costs tens of milliseconds, so an epoch's metrics go in one. And a run needs its store to
start, not to go on: everything is written into the run's journal first, and while the store is away it waits there.
"""

import json
import math
import random
import shlex
import time
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import mlflow
from mlflow.entities import Run

from tillside.dataset import PARTS, Dataset
from training.cli.console import say
from training.tracking.git import git_state
from training.tracking.journal import JOURNAL_FILE, KIND, Entry, Journal
from training.tracking.replay import ARTIFACT, BATCH, INPUTS, STATUS, perform
from training.tracking.store import (
    StoreAwayError,
    TrackingConfig,
    as_sentences,
    create_experiment,
    insist,
    open_store,
    patience,
)
from training.tracking.views import BEST, NEWEST, list_link, shared_views

DIGEST = "dataset.digest"
"""Tag of a run."""
PARAMETER_LIMIT = 6000
"""Characters of a parameter's value that MLflow keeps."""
CONTEXTS = dict(zip(PARTS, ("training", "validation", "test"), strict=True))
"""What MLflow calls the parts of a data set."""
PAUSE_SECONDS = 5.0
PAUSE_FACTOR = 20
"""A store that did not answer is let alone for 20 times as long as that took, so a run waits for at most 5 % of it."""
ANSWER_SECONDS, UPLOAD_SECONDS = 10, 120
"""How long a server may be silent; one that passes a large file on answers late."""


class Tracker:
    """Writes one MLflow run.

    Args:
        journal: takes what the store is too busy or too dead to take; without one that is an error.
    """

    def __init__(self, client: mlflow.MlflowClient, run: Run, uri: str, journal: Journal | None = None) -> None:
        self.client, self.run, self.uri, self.journal = client, run, uri, journal
        self._monitor: Any = None
        self._away, self._ask_again = False, 0.0
        if journal is not None and journal.torn:
            say(f"left out of {journal.path}: torn lines {', '.join(map(str, journal.torn))}")

    @property
    def run_id(self) -> str:
        """MLflow's id of the run."""
        return str(self.run.info.run_id)

    @classmethod
    def start(
        cls,
        config: TrackingConfig,
        *,
        run_id: str | None = None,
        digest: str | None = None,
        tags: Mapping[str, str] | None = None,
    ) -> "Tracker":
        """Start a run, with ``tags``, or go on with run ``run_id``, whose data set had ``digest``.

        Raises:
            ValueError: the store cannot be reached, or the run does not exist or had another data set.
        """
        client, uri = open_store(config)
        with as_sentences(uri):
            if run_id is not None:
                with patience():
                    recorded = client.get_run(run_id).data.tags.get(DIGEST)
                if digest is not None and recorded not in (None, digest):
                    raise ValueError(
                        f"run {run_id} was trained on the data set with digest {recorded[:12]}, not {digest[:12]}"
                    )
                tracker = cls(client, client.get_run(run_id), uri, Journal(journal_path(config, run_id)))
                tracker._write({KIND: STATUS, "status": "RUNNING"})  # after what still waited
                return tracker._monitored(config)
            with patience():
                experiment = client.get_experiment_by_name(config.experiment)
            experiment_id = experiment.experiment_id if experiment else create_experiment(client, config, uri)
            known = experiment.tags if experiment else {}
            for name, view in shared_views().items():
                if known.get(name) != view:
                    insist(uri, partial(client.set_experiment_tag, experiment_id, name, view))
            git = git_state()
            told = {f"git.{name}": value for name, value in git.items()} | dict(tags or {})
            told |= {"mlflow.source.name": "training.train", "mlflow.source.type": "LOCAL"}
            if git:
                told["mlflow.source.git.commit"] = git["commit"]  # the interface's column Version
            drawn = random.getstate()
            random.seed()  # MLflow draws a name where none is given, and runs of one seed would all get the same
            try:
                run = client.create_run(experiment_id, run_name=config.run_name, tags=told)
            finally:
                random.setstate(drawn)
            journal = Journal(journal_path(config, run.info.run_id))
            return cls(client, run, uri, journal)._monitored(config)

    @classmethod
    def open(cls, config: TrackingConfig, run_id: str, *, journal: Journal | None = None) -> "Tracker":
        """Add to a run that may have ended, and leave its state alone.

        Raises:
            ValueError: the store cannot be reached, or the run does not exist.
        """
        client, uri = open_store(config, create=False)
        with as_sentences(uri), patience():
            return cls(client, client.get_run(run_id), uri, journal)

    def parameters(self, config: Mapping[str, Any]) -> None:
        """Log a nested config as flat parameters."""
        items = [[key, str(value)[:PARAMETER_LIMIT]] for key, value in flatten(config).items()]
        for start in range(0, len(items), 100):
            self._write({KIND: BATCH, "params": items[start : start + 100]})

    def dataset(self, dataset: Dataset, *, tags: Mapping[str, str] | None = None) -> None:
        """Log the parts of the data set as the run's inputs (name, digest, where it lies, counts), and tags."""
        name, path = str(dataset.about.get("name", dataset.path.name)), str(dataset.path.absolute())
        parts, inputs = counts(dataset), {}
        for part, context in CONTEXTS.items():
            inputs[context] = {
                "name": f"{name}/{part}",  # MLflow keeps one entry for a name and digest
                "digest": dataset.digest[:36],
                "source_type": "local",
                "source": json.dumps({"path": path}),
                "profile": json.dumps(parts[context]),
            }
        self._write({KIND: INPUTS, "inputs": inputs})
        self.tags({DIGEST: dataset.digest, "dataset.name": name, "dataset.path": path} | dict(tags or {}))

    def metrics(self, values: Mapping[str, float], *, step: int = 0) -> None:
        """Log numbers at a step, all in one call; values that are not finite are left out."""
        finite = {name.replace("@", "_at_"): float(value) for name, value in values.items() if math.isfinite(value)}
        now = _now_ms()
        self._write({KIND: BATCH, "metrics": [[name, value, now, step] for name, value in finite.items()]})

    def publish(self, *, tags: Mapping[str, str], curves: Mapping[str, Mapping[int, float]]) -> None:
        """Set tags and log curves, each a metric by its steps, all in one call."""
        now = _now_ms()
        points = [[name, float(value), now, step] for name, curve in curves.items() for step, value in curve.items()]
        self._write({KIND: BATCH, "metrics": points, "tags": [list(tag) for tag in tags.items()]})

    def tags(self, values: Mapping[str, str]) -> None:
        """Set tags, all in one call."""
        self._write({KIND: BATCH, "tags": [list(tag) for tag in values.items()]})

    def artifact(self, path: Path, folder: str | None = None) -> None:
        """Keep a file, or everything in a directory, with the run.

        Args:
            path: what stays where it is: a journal knows its place only, as seen from the run's folder.
        """
        place = path.absolute()
        if self.journal is not None and place.is_relative_to(own := self.journal.path.parent.absolute()):
            place = place.relative_to(own)
        self._write({KIND: ARTIFACT, "path": str(place), "folder": folder})

    def end(self, status: str = "FINISHED") -> None:
        """Close the run, FINISHED, FAILED or KILLED, and say what the store does not have of it, if anything."""
        if self._monitor is not None:
            with patience():
                self._monitor.finish()
            self._monitor = None
        self._write({KIND: STATUS, "status": status, "time": _now_ms()}, retries=2 if status == "FINISHED" else 1)
        if self.unsent:
            say(self.unsent)

    @property
    def waiting(self) -> int:
        """How many entries the store does not have yet."""
        return 0 if self.journal is None else len(self.journal.waiting)

    @property
    def unsent(self) -> str | None:
        """A sentence for the end of a command: what waits, and how it is sent later; None where nothing does."""
        if self.journal is None or not self.waiting:
            return None
        entries = "1 entry waits" if self.waiting == 1 else f"{self.waiting} entries wait"
        return f"MLflow is away: {entries} in {self.journal.path}; send what waits with:  {self.send_command}"

    @property
    def send_command(self) -> str:
        """What a person types to have sent later what waits."""
        runs = TrackingConfig.runs if self.journal is None else str(self.journal.path.parent.parent)
        return f"python -m training.send run={self.run_id}{TrackingConfig(runs=runs).typed('runs')}"

    def flush(self, *, retries: int = 1) -> None:
        """Send what waits, in order, until the store is away.

        Raises:
            ValueError: the store refused an entry; it does not wait any more.
        """
        while self.journal is not None and self.journal.waiting:
            began, (_, entry) = time.monotonic(), self.journal.waiting[0]
            seconds = UPLOAD_SECONDS if entry[KIND] == ARTIFACT else ANSWER_SECONDS
            try:
                with patience(retries=retries, seconds=seconds):
                    insist(self.uri, partial(self._perform, entry))
            except StoreAwayError as error:
                now = time.monotonic()
                self._ask_again = now + max(PAUSE_SECONDS, PAUSE_FACTOR * (now - began))
                if not self._away:
                    say(f"{error}; the run goes on, and what it logs waits in {self.journal.path}")
                self._away = True
                return
            except ValueError as error:
                self.journal.done(refused=str(error))
                raise
            self.journal.done()
        if self._away:
            say(f"MLflow at {self.uri} answers again, and has all that waited")
        self._away = False

    def _write(self, entry: Entry, *, retries: int | None = None) -> None:
        """Write an entry and send it after those that wait; with ``retries`` even if the store was away just now."""
        if self.journal is None:
            insist(self.uri, partial(self._perform, entry))
            return
        self.journal.add(entry)
        if retries is not None or time.monotonic() >= self._ask_again:
            self.flush(retries=retries or 1)

    def _perform(self, entry: Entry) -> None:
        folder = Path() if self.journal is None else self.journal.path.parent  # without a journal paths are absolute
        perform(entry, self.client, self.run_id, folder=folder)

    @property
    def look(self) -> str:
        """What a person types and opens to look at the run."""
        if self.uri.startswith("sqlite:"):
            return f"mlflow server --backend-store-uri {shlex.quote(self.uri)} --port 5000   then {self.page}"
        return self.page

    @property
    def page(self) -> str:
        """The run's page, on the server that :attr:`look` starts or on the one that is there."""
        place = f"#/experiments/{self.run.info.experiment_id}/runs/{self.run_id}"
        return f"{self.server}/{place}?workflowType=machine_learning"

    def list_link(self, *, best_first: bool = False) -> str:
        """The list of the experiment's runs, with the columns that matter."""
        return list_link(self.server, str(self.run.info.experiment_id), BEST if best_first else NEWEST)

    @property
    def server(self) -> str:
        """Address of the interface."""
        return "http://127.0.0.1:5000" if self.uri.startswith("sqlite:") else self.uri.rstrip("/")

    def _monitored(self, config: TrackingConfig) -> "Tracker":
        if not config.system_metrics:
            return self
        try:
            from mlflow.system_metrics.system_metrics_monitor import SystemMetricsMonitor  # imports psutil
        except ImportError:
            self.end("FAILED")
            raise ValueError("tracking.system_metrics=true needs psutil, got none; pip install psutil") from None
        self._monitor = SystemMetricsMonitor(self.run_id, resume_logging=True, tracking_uri=self.uri)
        self._monitor.start()
        return self


def journal_path(config: TrackingConfig, run_id: str) -> Path:
    """Where the journal of a run lies."""
    return Path(config.runs) / run_id / JOURNAL_FILE


def counts(dataset: Dataset) -> dict[str, dict[str, int]]:
    """Sessions and events of each part, by MLflow's name for it."""
    parts = {context: dataset.part(part) for part, context in CONTEXTS.items()}
    return {context: {"sessions": len(part), "events": len(part.items)} for context, part in parts.items()}


def flatten(config: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested mappings to one with dotted keys."""
    flat: dict[str, Any] = {}
    for key, value in config.items():
        if isinstance(value, Mapping):
            flat |= flatten(value, f"{prefix}{key}.")
        else:
            flat[f"{prefix}{key}"] = value
    return flat


def _now_ms() -> int:
    return int(time.time() * 1000)
