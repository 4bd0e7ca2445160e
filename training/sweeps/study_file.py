"""The file in which a sweep's trials stand: an Optuna study in SQLite, in the folder of the sweep's own run."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from optuna.storages import RDBStorage

STUDY_FILE: Final = "study.db"


@contextlib.contextmanager
def storage_of(folder: Path) -> Iterator[RDBStorage]:
    """Storage in a run's folder, made where there is none; it is closed at the end, which Optuna leaves to chance."""
    storage = RDBStorage(f"sqlite:///{(folder / STUDY_FILE).absolute()}")
    try:
        yield storage
    finally:
        storage.remove_session()
        storage.engine.dispose()
