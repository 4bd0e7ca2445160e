"""Kinds of journal entries, and the MLflow calls that each one stands for."""

from pathlib import Path

import mlflow
from mlflow.entities import Dataset as MlflowDataset
from mlflow.entities import DatasetInput, InputTag, Metric, Param, RunTag

from training.tracking.journal import KIND, Entry

BATCH, INPUTS, ARTIFACT, STATUS = "batch", "inputs", "artifact", "status"
"""Kinds of entries."""


def perform(entry: Entry, client: mlflow.MlflowClient, run_id: str, *, folder: Path) -> None:
    """Apply an entry to the store; replay is idempotent.

    Args:
        folder: the run's folder, which relative artifact paths start from.
    """
    kind = entry[KIND]
    if kind == BATCH:
        metrics, params = entry.get("metrics", []), entry.get("params", [])
        client.log_batch(
            run_id,
            metrics=[Metric(*metric) for metric in metrics],
            params=[Param(*param) for param in params],
            tags=[RunTag(*tag) for tag in entry.get("tags", [])],
        )
    elif kind == INPUTS:
        inputs = [
            DatasetInput(MlflowDataset(**part), [InputTag("mlflow.data.context", context)])
            for context, part in entry["inputs"].items()
        ]
        client.log_inputs(run_id, inputs)
    elif kind == ARTIFACT:
        path = folder / entry["path"]
        log = client.log_artifacts if path.is_dir() else client.log_artifact
        log(run_id, str(path), entry["folder"])
    elif "time" in entry:
        client.set_terminated(run_id, entry["status"], entry["time"])
    else:
        client.update_run(run_id, entry["status"])
