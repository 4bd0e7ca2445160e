"""Tracking of one MLflow run: parameters, metrics, inputs and artifacts, sent in batches.

Surprising: a metric call costs tens of milliseconds, so an epoch's metrics are sent in one. And a run needs its store
to start, not to continue: every entry is written to the run's journal first, and queued there while the store is
unreachable.
"""

import json
import math
import random
import time
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import mlflow
from mlflow.entities import Run

from tillside.cli.secrets import stripped, without_secrets
from tillside.dataset import PARTS, Dataset
from training.cli.command_lines import command_line, module_line
from training.cli.console import say
from training.settings.tracking import TrackingConfig
from training.tracking.git import git_state
from training.tracking.journal import JOURNAL_FILE, KIND, Entry, Journal
from training.tracking.replay import ARTIFACT, BATCH, INPUTS, STATUS, perform
from training.tracking.store import (
    StoreAwayError,
    create_experiment,
    mlflow_errors,
    open_store,
    request_limits,
    retry_taken,
)
from training.tracking.views import BEST, NEWEST, list_link, shared_views

DIGEST = "dataset.digest"
"""Run tag: digest of its data set."""
RUN_NAME = "mlflow.runName"
"""Run tag: its name in MLflow."""
PARAMETER_LIMIT = 6000
"""Maximum characters of a parameter's value in MLflow."""
CONTEXTS = dict(zip(PARTS, ("training", "validation", "test"), strict=True))
"""Part of a data set to MLflow's input context."""
PAUSE_SECONDS = 5.0
PAUSE_FACTOR = 20
"""After a failed call the store is not retried for 20 times the call's duration, so a run waits at most 5 % of its
time."""
ANSWER_SECONDS, UPLOAD_SECONDS = 10, 120
"""Timeouts of calls and of uploads; a server that forwards a large file answers late."""


class Tracker:
    """Writes one MLflow run.

    Args:
        journal: queues entries while the store is busy or unreachable; without one that is an error.
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
        name: str | None = None,
    ) -> "Tracker":
        """Start a run with ``tags``, or resume run ``run_id``, whose data set must have ``digest``.

        Args:
            name: the run's name, unless ``tags`` or the config have one; a resumed run keeps its own.

        Raises:
            ValueError: the store cannot be reached, or the run does not exist or had another data set.
        """
        client, uri = open_store(config)
        with mlflow_errors(uri):
            if run_id is not None:
                with request_limits():
                    recorded = client.get_run(run_id).data.tags.get(DIGEST)
                if digest is not None and recorded not in (None, digest):
                    raise ValueError(
                        f"run {run_id} was trained on the data set with digest {recorded[:12]}, not {digest[:12]}"
                    )
                tracker = cls(client, client.get_run(run_id), uri, Journal(journal_path(config, run_id)))
                tracker._write({KIND: STATUS, "status": "RUNNING"})  # queued after unsent entries
                return tracker._monitored(config)
            with request_limits():
                experiment = client.get_experiment_by_name(config.experiment)
            experiment_id = experiment.experiment_id if experiment else create_experiment(client, config, uri)
            known = experiment.tags if experiment else {}
            for tag, view in shared_views().items():
                if known.get(tag) != view:
                    retry_taken(uri, partial(client.set_experiment_tag, experiment_id, tag, view))
            git = git_state()
            told = {f"git.{name}": value for name, value in git.items()} | dict(tags or {})
            told |= {"mlflow.source.name": "training.train", "mlflow.source.type": "LOCAL"}
            if git:
                told["mlflow.source.git.commit"] = git["commit"]  # column Version of MLflow's UI
            named = told.pop(RUN_NAME, None) or config.run_name or name
            drawn = random.getstate()
            random.seed()  # MLflow draws default run names from `random`; runs of one seed would share one
            try:
                run = client.create_run(experiment_id, run_name=stripped(named), tags=stripped(told))
            finally:
                random.setstate(drawn)
            journal = Journal(journal_path(config, run.info.run_id))
            return cls(client, run, uri, journal)._monitored(config)

    @classmethod
    def open(cls, config: TrackingConfig, run_id: str, *, journal: Journal | None = None) -> "Tracker":
        """Open an existing run, perhaps ended, without changing its status.

        Raises:
            ValueError: the store cannot be reached, or the run does not exist.
        """
        client, uri = open_store(config, create=False)
        with mlflow_errors(uri), request_limits():
            return cls(client, client.get_run(run_id), uri, journal)

    def parameters(self, config: Mapping[str, Any]) -> None:
        """Log a nested config as flat parameters; a resumed run keeps those that it has, which MLflow lets no one
        change."""
        held = self.run.data.params
        flat = {key: str(value)[:PARAMETER_LIMIT] for key, value in flatten(config).items()}
        items = [[key, value] for key, value in flat.items() if key not in held]
        for start in range(0, len(items), 100):
            self._write({KIND: BATCH, "params": items[start : start + 100]})

    def dataset(self, dataset: Dataset, *, tags: Mapping[str, str] | None = None) -> None:
        """Log the parts of the data set as the run's inputs (name, digest, path, counts), and tags."""
        name, path = dataset.name, str(dataset.path.absolute())
        parts, inputs = counts(dataset), {}
        for part, context in CONTEXTS.items():
            inputs[context] = {
                "name": f"{name}/{part}",  # MLflow keeps one entry per name and digest
                "digest": dataset.digest[:36],
                "source_type": "local",
                "source": json.dumps({"path": path}),
                "profile": json.dumps(parts[context]),
            }
        self._write({KIND: INPUTS, "inputs": inputs})
        self.tags({DIGEST: dataset.digest, "dataset.name": name, "dataset.path": path} | dict(tags or {}))

    def metrics(self, values: Mapping[str, float], *, step: int = 0) -> None:
        """Log metrics at a step in one call; non-finite values are dropped, ``@`` becomes ``_at_``."""
        finite = {name.replace("@", "_at_"): float(value) for name, value in values.items() if math.isfinite(value)}
        now = _now_ms()
        self._write({KIND: BATCH, "metrics": [[name, value, now, step] for name, value in finite.items()]})

    def publish(self, *, tags: Mapping[str, str], curves: Mapping[str, Mapping[int, float]]) -> None:
        """Set tags and log curves (metric name to value by step) in one call."""
        now = _now_ms()
        points = [[name, float(value), now, step] for name, curve in curves.items() for step, value in curve.items()]
        self._write({KIND: BATCH, "metrics": points, "tags": [list(tag) for tag in tags.items()]})

    def tags(self, values: Mapping[str, str]) -> None:
        """Set tags in one call."""
        self._write({KIND: BATCH, "tags": [list(tag) for tag in values.items()]})

    def artifact(self, path: Path, folder: str | None = None) -> None:
        """Log a file, or everything in a directory, as artifacts of the run.

        Args:
            path: must stay in place until sent: the journal stores only its path, relative to the run's folder.
            folder: artifact folder; default: the top level.
        """
        place = path.absolute()
        if self.journal is not None and place.is_relative_to(own := self.journal.path.parent.absolute()):
            place = place.relative_to(own)
        self._write({KIND: ARTIFACT, "path": str(place), "folder": folder})

    def end(self, status: str = "FINISHED") -> None:
        """Set the run's final status (FINISHED, FAILED or KILLED) and report entries that are still unsent."""
        if self._monitor is not None:
            with request_limits():
                self._monitor.finish()
            self._monitor = None
        self._write({KIND: STATUS, "status": status, "time": _now_ms()}, retries=2 if status == "FINISHED" else 1)
        if self.unsent:
            say(self.unsent)

    @property
    def waiting(self) -> int:
        """Number of unsent entries."""
        return 0 if self.journal is None else len(self.journal.waiting)

    @property
    def unsent(self) -> str | None:
        """Sentence for the end of a command: unsent entries and how to send them; None if there are none."""
        if self.journal is None or not self.waiting:
            return None
        entries = "1 entry waits" if self.waiting == 1 else f"{self.waiting} entries wait"
        return f"MLflow is away: {entries} in {self.journal.path}; send what waits with:  {self.send_command}"

    @property
    def send_command(self) -> str:
        """The shell command that sends unsent entries later."""
        runs = TrackingConfig.runs if self.journal is None else str(self.journal.path.parent.parent)
        return command_line("send", {"run": self.run_id}, more=TrackingConfig(runs=runs).typed("runs"))

    def flush(self, *, retries: int = 1) -> None:
        """Send unsent entries in order; stop where the store is unreachable, and back off before the next attempt.

        Raises:
            ValueError: the store refused an entry, which is then dropped from the queue.
        """
        while self.journal is not None and self.journal.waiting:
            began, (_, entry) = time.monotonic(), self.journal.waiting[0]
            seconds = UPLOAD_SECONDS if entry[KIND] == ARTIFACT else ANSWER_SECONDS
            try:
                with request_limits(retries=retries, seconds=seconds):
                    retry_taken(self.uri, partial(self._perform, entry))
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
        """Append an entry to the journal and flush it, unless backing off from an unreachable store; with ``retries``
        flush in any case."""
        entry = stripped(entry)
        if self.journal is None:
            retry_taken(self.uri, partial(self._perform, entry))
            return
        self.journal.add(entry)
        if retries is not None or time.monotonic() >= self._ask_again:
            self.flush(retries=retries or 1)

    def _perform(self, entry: Entry) -> None:
        folder = Path() if self.journal is None else self.journal.path.parent  # paths are absolute without a journal
        perform(entry, self.client, self.run_id, folder=folder)

    @property
    def look(self) -> str:
        """How to view the run: its URL, on a line below the command that starts a server if the store is a file."""
        if self.uri.startswith("sqlite:"):
            return f"{server_line(self.uri)}\nthen open:  {self.page}"
        return self.page

    @property
    def page(self) -> str:
        """URL of the run's page, on the tracking server or the one that :attr:`look` starts."""
        place = f"#/experiments/{self.run.info.experiment_id}/runs/{self.run_id}"
        return f"{self.server}/{place}?workflowType=machine_learning"

    def list_link(self, *, best_first: bool = False) -> str:
        """URL of the experiment's list of runs in the shared view, newest or best first."""
        return list_link(self.server, str(self.run.info.experiment_id), BEST if best_first else NEWEST)

    @property
    def server(self) -> str:
        """Base URL of MLflow's UI."""
        return "http://127.0.0.1:5000" if self.uri.startswith("sqlite:") else without_secrets(self.uri).rstrip("/")

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


def server_line(uri: str) -> str:
    """The shell command that starts MLflow's UI on a store in a file."""
    return module_line("mlflow", "server", "--backend-store-uri", uri, "--port", "5000")


def journal_path(config: TrackingConfig, run_id: str) -> Path:
    """Path of a run's journal."""
    return Path(config.runs) / run_id / JOURNAL_FILE


def counts(dataset: Dataset) -> dict[str, dict[str, int]]:
    """Numbers of sessions and events of each part, by MLflow's input context."""
    parts = {context: dataset.part(part) for part, context in CONTEXTS.items()}
    return {context: {"sessions": len(part), "events": len(part.items)} for context, part in parts.items()}


def flatten(config: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Flatten nested mappings into one with dotted keys."""
    flat: dict[str, Any] = {}
    for key, value in config.items():
        if isinstance(value, Mapping):
            flat |= flatten(value, f"{prefix}{key}.")
        else:
            flat[f"{prefix}{key}"] = value
    return flat


def _now_ms() -> int:
    return int(time.time() * 1000)
