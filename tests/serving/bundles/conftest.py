"""A bundle to be broken."""

import shutil
from pathlib import Path

import pytest


@pytest.fixture
def bundle(orchard, tmp_path) -> Path:
    """A copy of the tiny bundle, to be broken."""
    return Path(shutil.copytree(orchard, tmp_path / "bundle"))
