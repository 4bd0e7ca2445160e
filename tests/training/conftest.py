"""What tests that train in their own process share."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from training.tracking import store


@pytest.fixture(scope="session", autouse=True)
def one_migration(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """MLflow's tables are made once and copied: a store costs 2 s of processor time, and a hundred tests want one.

    The tests of the store itself undo this; processes that tests start make theirs in full.
    """
    made = tmp_path_factory.mktemp("store") / "mlflow.db"
    migrate = store._migrate

    def copy(database: Path) -> None:
        if not made.exists():
            migrate(made)
        shutil.copyfile(made, database)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(store, "_migrate", copy)
        yield


@pytest.fixture
def one_thread(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Numbers do not depend on the machine's cores, and runs go to no store but the test's own."""
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)
