"""MLflow: one run's parameters, metrics, inputs and artifacts, sent in batches.

Surprising: one metric call costs tens of milliseconds, so an epoch's metrics go in one.
"""

import contextlib
import json
import math
import shlex
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import mlflow
from mlflow.entities import Dataset as MlflowDataset
from mlflow.entities import DatasetInput, InputTag, Metric, Param, Run, RunTag

from tillside.dataset import PARTS, Dataset
from training.store import TrackingConfig, as_sentences, create_experiment, no_patience, open_store
from training.views import BEST, NEWEST, list_link, shared_views

DIGEST = "dataset.digest"
"""Tag of a run."""
PARAMETER_LIMIT = 6000
"""Characters of a parameter's value that MLflow keeps."""
CONTEXTS = dict(zip(PARTS, ("training", "validation", "test"), strict=True))
"""What MLflow calls the parts of a data set."""


class Tracker:
    """Writes one MLflow run."""

    def __init__(self, client: mlflow.MlflowClient, run: Run, uri: str) -> None:
        self.client, self.run, self.uri = client, run, uri
        self._monitor: Any = None

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
                with no_patience():
                    recorded = client.get_run(run_id).data.tags.get(DIGEST)
                if digest is not None and recorded not in (None, digest):
                    raise ValueError(
                        f"run {run_id} was trained on the data set with digest {recorded[:12]}, not {digest[:12]}"
                    )
                client.update_run(run_id, status="RUNNING")
                return cls(client, client.get_run(run_id), uri)._monitored(config)
            with no_patience():
                experiment = client.get_experiment_by_name(config.experiment)
            experiment_id = experiment.experiment_id if experiment else create_experiment(client, config, uri)
            known = experiment.tags if experiment else {}
            for name, view in shared_views().items():
                if known.get(name) != view:
                    client.set_experiment_tag(experiment_id, name, view)
            git = git_state()
            told = {f"git.{name}": value for name, value in git.items()} | dict(tags or {})
            told |= {"mlflow.source.name": "training.train", "mlflow.source.type": "LOCAL"}
            if git:
                told["mlflow.source.git.commit"] = git["commit"]  # the interface's column Version
            run = client.create_run(experiment_id, run_name=config.run_name, tags=told)
            return cls(client, run, uri)._monitored(config)

    @classmethod
    def open(cls, config: TrackingConfig, run_id: str) -> "Tracker":
        """Add to a run that may have ended, and leave its state alone.

        Raises:
            ValueError: the store cannot be reached, or the run does not exist.
        """
        client, uri = open_store(config, create=False)
        with as_sentences(uri), no_patience():
            return cls(client, client.get_run(run_id), uri)

    def parameters(self, config: Mapping[str, Any]) -> None:
        """Log a nested config as flat parameters."""
        flat = {key: str(value)[:PARAMETER_LIMIT] for key, value in flatten(config).items()}
        items = list(flat.items())
        with as_sentences(self.uri):
            for start in range(0, len(items), 100):
                self.client.log_batch(self.run_id, params=[Param(*item) for item in items[start : start + 100]])

    def dataset(self, dataset: Dataset, *, tags: Mapping[str, str] | None = None) -> None:
        """Log the parts of the data set as the run's inputs (name, digest, where it lies, counts), and tags."""
        name, path = str(dataset.about.get("name", dataset.path.name)), str(dataset.path.absolute())
        inputs = []
        for part, context in CONTEXTS.items():
            entity = MlflowDataset(
                name=f"{name}/{part}",  # MLflow keeps one entry for a name and digest
                digest=dataset.digest[:36],
                source_type="local",
                source=json.dumps({"path": path}),
                profile=json.dumps(counts(dataset)[context]),
            )
            inputs.append(DatasetInput(entity, [InputTag("mlflow.data.context", context)]))
        with as_sentences(self.uri):
            self.client.log_inputs(self.run_id, inputs)
        self.tags({DIGEST: dataset.digest, "dataset.name": name, "dataset.path": path} | dict(tags or {}))

    def metrics(self, values: Mapping[str, float], *, step: int = 0) -> None:
        """Log numbers at a step, all in one call; values that are not finite are left out."""
        now = int(time.time() * 1000)
        finite = {name.replace("@", "_at_"): float(value) for name, value in values.items() if math.isfinite(value)}
        metrics = [Metric(name, value, now, step) for name, value in finite.items()]
        with as_sentences(self.uri):
            self.client.log_batch(self.run_id, metrics=metrics)

    def publish(self, *, tags: Mapping[str, str], curves: Mapping[str, Mapping[int, float]]) -> None:
        """Set tags and log curves, each a metric by its steps, all in one call."""
        now = int(time.time() * 1000)
        metrics = [Metric(name, value, now, step) for name, curve in curves.items() for step, value in curve.items()]
        with as_sentences(self.uri):
            self.client.log_batch(self.run_id, metrics=metrics, tags=[RunTag(*tag) for tag in tags.items()])

    def tags(self, values: Mapping[str, str]) -> None:
        """Set tags, all in one call."""
        with as_sentences(self.uri):
            self.client.log_batch(self.run_id, tags=[RunTag(name, value) for name, value in values.items()])

    def artifact(self, path: Path, folder: str | None = None) -> None:
        """Keep a file, or everything in a directory, with the run."""
        with as_sentences(self.uri):
            if path.is_dir():
                self.client.log_artifacts(self.run_id, str(path), folder)
            else:
                self.client.log_artifact(self.run_id, str(path), folder)

    def end(self, status: str = "FINISHED") -> None:
        """Close the run: FINISHED, FAILED or KILLED."""
        if self._monitor is not None:
            self._monitor.finish()
            self._monitor = None
        with as_sentences(self.uri), contextlib.nullcontext() if status == "FINISHED" else no_patience():
            self.client.set_terminated(self.run_id, status)

    @property
    def open_command(self) -> str:
        """What a person types to look at the run."""
        if self.uri.startswith("sqlite:"):
            return f"mlflow server --backend-store-uri {shlex.quote(self.uri)} --port 5000"
        return f"open {self.uri}"

    @property
    def page(self) -> str:
        """The run's page, on the server that :attr:`open_command` starts or on the one that is there."""
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


def git_state() -> dict[str, str]:
    """Commit of the checkout this code runs from and whether files differ from it; empty outside a checkout."""
    here = Path(__file__).parent
    try:
        commit = subprocess.run(["git", "rev-parse", "HEAD"], cwd=here, capture_output=True, text=True, check=True)
        status = subprocess.run(["git", "status", "--porcelain"], cwd=here, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return {}
    return {"commit": commit.stdout.strip(), "state": "dirty" if status.stdout.strip() else "clean"}
