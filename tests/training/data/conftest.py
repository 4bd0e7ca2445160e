"""An engine for all tests of the data room."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from training.data.engine import QueryEngine, open_engine


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[QueryEngine]:
    """Its temporary files stand in a folder of their own, so that a test may write logs beside it."""
    (tmp_path / "scratch").mkdir()
    with open_engine(tmp_path / "scratch") as engine:
        yield engine
