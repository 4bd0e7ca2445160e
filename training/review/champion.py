"""The registered version a run is compared with, usually the one with the alias ``champion``."""

import json
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import mlflow
from mlflow.exceptions import MlflowException
from mlflow.protos.databricks_pb2 import INVALID_PARAMETER_VALUE, RESOURCE_DOES_NOT_EXIST, ErrorCode

from training.cli.console import say
from training.evaluation.case_ranks import RANKS_FILE, Ranks
from training.evaluation.run import MODEL
from training.evaluation.sample_sessions import TABLE_FILE, Shown, read_examples
from training.evaluation.tables import METRICS_FILE
from training.tracking.registry import CHAMPION
from training.tracking.store import StoreAwayError, mlflow_errors, request_limits
from training.tracking.tracker import Tracker

Read = TypeVar("Read")
NONE_THERE = {ErrorCode.Name(code) for code in (RESOURCE_DOES_NOT_EXIST, INVALID_PARAMETER_VALUE)}


@dataclass(frozen=True)
class Champion:
    """A registered version and its evaluation results; those its run no longer has are None or empty.

    Attributes:
        metrics: the metrics document of the run it came from.
        ranks: its rank of the target in every test case.
        shown: its top items in the sessions of :mod:`training.evaluation.sample_sessions`.
        role: its name in tables: ``champion``, or ``parent`` (the word of older pages too) where the run was retrained
            from a base model that is not the champion.
    """

    name: str
    version: str
    run_id: str
    metrics: Mapping[str, Any] | None
    ranks: Ranks | None = None
    shown: Sequence[Shown] = ()
    role: str = CHAMPION

    def tested_like(self, metrics: Mapping[str, Any]) -> bool:
        """Whether it was evaluated on the same test cases as ``metrics``, by digest."""
        its = {} if self.metrics is None else self.metrics.get("dataset", {})
        return bool(its) and its.get("test_digest") == metrics["dataset"]["test_digest"]

    @property
    def label(self) -> str:
        """Its name in tables and figures."""
        return f"{self.role} (version {self.version})"


def find_champion(client: mlflow.MlflowClient, model: str) -> Champion | None:
    """The registered model's champion; None if the registry has none."""
    try:
        version = client.get_model_version_by_alias(model, CHAMPION)
    except MlflowException as error:
        if error.error_code in NONE_THERE:
            return None
        raise
    run_id = str(version.run_id or "")
    return Champion(
        model,
        str(version.version),
        run_id,
        _artifact(client, run_id, METRICS_FILE, _document),
        _artifact(client, run_id, RANKS_FILE, Ranks.load),
        _artifact(client, run_id, TABLE_FILE, _shown) or (),
    )


def champion_if_there(tracker: Tracker, model: str) -> Champion | None:
    """The champion; None, with a printed sentence, while MLflow is unreachable, so that a run's page can omit it."""
    try:
        with mlflow_errors(tracker.uri), request_limits():
            return find_champion(tracker.client, model)
    except StoreAwayError:
        say("MLflow is away: the run's page is made without the champion's figures")
        return None


def _artifact(client: mlflow.MlflowClient, run_id: str, name: str, read: Callable[[Path], Read]) -> Read | None:
    with tempfile.TemporaryDirectory() as folder:
        try:
            return read(Path(client.download_artifacts(run_id, name, folder)))
        except (MlflowException, OSError, ValueError):
            return None


def _document(path: Path) -> dict[str, Any]:
    document = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(document, dict):
        raise ValueError(f"{path.name} is no JSON object")
    return document


def _shown(path: Path) -> list[Shown]:
    return [example.shown.get(MODEL, []) for example in read_examples(path)]
