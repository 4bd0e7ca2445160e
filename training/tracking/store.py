"""MLflow's store: where runs are recorded, how it is opened, and how its errors are told apart.

Surprising: a fresh SQLite store is created and migrated under a file lock before anyone writes to it, because
concurrent first writers break it for good.
"""

import contextlib
import fcntl
import logging
import os
import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from http import HTTPStatus
from pathlib import Path
from typing import Final, TypeVar

import mlflow
import mlflow.db
import requests
from mlflow.exceptions import MlflowException
from mlflow.protos.databricks_pb2 import (
    DEADLINE_EXCEEDED,
    INTERNAL_ERROR,
    REQUEST_LIMIT_EXCEEDED,
    RESOURCE_EXHAUSTED,
    TEMPORARILY_UNAVAILABLE,
    ErrorCode,
)
from sqlalchemy import Connection, Engine, event, make_url
from sqlalchemy.exc import OperationalError, SQLAlchemyError

from tillside.cli.secrets import without_secrets
from training.cli.cache import cache_folder, keep
from training.settings.tracking import TrackingConfig, not_recorded

BUSY = (INTERNAL_ERROR, TEMPORARILY_UNAVAILABLE, DEADLINE_EXCEEDED, REQUEST_LIMIT_EXCEEDED, RESOURCE_EXHAUSTED)
AWAY = {ErrorCode.Name(code) for code in BUSY}
"""MLflow's error codes for a store that may recover: the first is what it gives for an unreachable server, the second
for a locked SQLite file."""
TAKEN: Final = ("UNIQUE constraint failed", "violates unique constraint", "Duplicate entry")
"""Messages of SQLite, PostgreSQL and MySQL when another writer inserts the same row between MLflow's read and write."""
TRIES: Final = 5
"""Attempts at a write that races with other writers for the same rows."""
Answer = TypeVar("Answer")


class StoreAwayError(ValueError):
    """The store is unreachable or busy; the request itself is valid and can be retried later."""


def open_store(config: TrackingConfig, *, create: bool = True) -> tuple[mlflow.MlflowClient, str]:
    """Client and URI of the configured store; a missing SQLite store is created.

    Raises:
        ValueError: the store cannot be opened; where ``create`` is false, also if it does not exist or answer.
    """
    logging.getLogger("urllib3.connectionpool").setLevel(logging.ERROR)  # warns of every retry; we report the outcome
    uri = config.named_store() or f"sqlite:///{config.own_store()}"
    with mlflow_errors(uri):
        if uri.startswith("sqlite:") and (database := make_url(uri).database):
            if create:
                _create_sqlite(Path(database).absolute())
            elif not Path(database).exists():
                raise ValueError(not_recorded(uri))
        client = mlflow.MlflowClient(uri)
        if not create:
            with request_limits():  # a server that is away is told in seconds; MLflow's own patience is minutes
                client.search_experiments(max_results=1)
        return client, uri


class _TakenError(ValueError):
    """Lost a race with another writer; on retry MLflow finds the row that the other one wrote."""


def retry_taken(uri: str, call: Callable[[], Answer]) -> Answer:
    """Run an idempotent write, and retry it when another writer created its rows first (TRIES attempts).

    Raises:
        StoreAwayError: the store is unreachable or busy.
        ValueError: the store refuses, in a sentence.
    """
    for _ in range(TRIES - 1):
        with contextlib.suppress(_TakenError), mlflow_errors(uri):
            return call()
    with mlflow_errors(uri):
        return call()


@contextlib.contextmanager
def mlflow_errors(uri: str) -> Iterator[None]:
    """Convert a store's exceptions into one-sentence ValueErrors; StoreAwayError where it is unreachable or busy."""
    try:
        yield
    except (MlflowException, SQLAlchemyError, ImportError, OSError) as error:
        text = str(getattr(error, "message", error))
        lines = [line.strip() for line in text.splitlines() if line.strip()]
        sentence = lines[0] if lines else type(error).__name__
        if "Max retries exceeded" in sentence:  # of urllib3's chain only the last link is the reason
            sentence = "the server does not answer: " + sentence.rpartition(": ")[2].removesuffix('"))')
        raise _kind_of(error, text)(without_secrets(f"MLflow at {uri}: {sentence}")) from None


def _kind_of(error: Exception, text: str) -> type[ValueError]:
    if any(words in text for words in TAKEN):
        return _TakenError
    return StoreAwayError if _is_away(error) else ValueError


def _is_away(error: Exception) -> bool:
    """Whether the error is transient: an unreachable, busy or failing store, not a bad request."""
    if isinstance(error, MlflowException):
        return error.error_code in AWAY
    if isinstance(error, requests.HTTPError) and error.response is not None:
        return error.response.status_code >= 500 or error.response.status_code == HTTPStatus.TOO_MANY_REQUESTS
    return isinstance(error, requests.RequestException | OperationalError)


@contextlib.contextmanager
def request_limits(*, retries: int = 1, seconds: int = 10) -> Iterator[None]:
    """Set MLflow's timeout in seconds and its retries; by default it retries for minutes. One retry is the minimum,
    because a server may just have closed the connection kept alive from the last call."""
    limits = {"MLFLOW_HTTP_REQUEST_MAX_RETRIES": str(retries), "MLFLOW_HTTP_REQUEST_TIMEOUT": str(seconds)}
    before = {name: os.environ.get(name) for name in limits}
    os.environ.update(limits)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def fetch_artifact(config: TrackingConfig, run_id: str, path: str, *, into: Path) -> Path:
    """Download one artifact of a run into ``into``; returns its local path.

    Raises:
        ValueError: the store cannot be reached, there is no such run, or it has no such artifact.
    """
    client, uri = open_store(config, create=False)
    try:
        return Path(client.download_artifacts(run_id, path, str(into)))
    except (MlflowException, OSError) as error:
        message = getattr(error, "message", str(error))
        raise ValueError(without_secrets(f"run {run_id} at {uri} has no artifact {path}: {message}")) from None


def create_experiment(client: mlflow.MlflowClient, config: TrackingConfig, uri: str) -> str:
    """Create the configured experiment, or find it if another run created it meanwhile; returns its id."""
    artifacts = Path(config.runs).absolute() / "artifacts"
    try:
        return str(
            client.create_experiment(config.experiment, artifacts.as_uri() if uri.startswith("sqlite:") else None)
        )
    except MlflowException:
        experiment = client.get_experiment_by_name(config.experiment)  # lost the race with another run
        if experiment is None:
            raise
        return str(experiment.experiment_id)


def _create_sqlite(database: Path) -> None:
    database.parent.mkdir(parents=True, exist_ok=True)
    with _lock(database):
        if database.exists():
            return
        # Migrate aside, then rename: a migration killed half-way must not leave a store that looks finished.
        with tempfile.TemporaryDirectory(dir=database.parent, prefix=".mlflow-") as folder:
            fresh = Path(folder) / database.name
            _migrate(fresh)
            fresh.rename(database)


def _migrate(database: Path) -> None:
    """Make MLflow's tables, or copy them as an earlier process made them: some fifty migrations take two seconds."""
    kept = cache_folder() / f"mlflow-{mlflow.__version__}.db"
    if not _copied(kept, database):
        _make_tables(database)
        keep(kept, database.read_bytes())


def _copied(kept: Path, database: Path) -> bool:
    try:
        shutil.copyfile(kept, database)
        with contextlib.closing(sqlite3.connect(database)) as copy:
            return bool(copy.execute("PRAGMA quick_check").fetchone() == ("ok",))
    except (OSError, sqlite3.DatabaseError):
        database.unlink(missing_ok=True)
        return False


def _make_tables(database: Path) -> None:
    logging.getLogger("mlflow.store.db.utils").setLevel(logging.WARNING)
    assert mlflow.db.upgrade.callback is not None  # the command `mlflow db upgrade URI`
    with _engines_disposed():
        mlflow.db.upgrade.callback(f"sqlite:///{database}")


@contextlib.contextmanager
def _engines_disposed() -> Iterator[None]:
    """Close what the block leaves open: MLflow drops a migration's engine with connections still in its pool."""
    used: set[Engine] = set()

    def note(connection: Connection) -> None:
        used.add(connection.engine)

    event.listen(Engine, "engine_connect", note)
    try:
        yield
    finally:
        event.remove(Engine, "engine_connect", note)
        for engine in used:
            engine.dispose()


@contextlib.contextmanager
def store_lock(uri: str) -> Iterator[None]:
    """Exclusive inter-process lock on an SQLite store, for writers that take it; servers serialise on their own."""
    database = make_url(uri).database if uri.startswith("sqlite:") else None
    with _lock(Path(database).absolute()) if database else contextlib.nullcontext():
        yield


@contextlib.contextmanager
def _lock(database: Path) -> Iterator[None]:
    with (database.parent / f".{database.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
