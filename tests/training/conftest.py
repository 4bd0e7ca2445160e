"""What tests that train in their own process share."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch


@pytest.fixture
def one_thread(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Numbers do not depend on the machine's cores, and runs go to no store but the test's own."""
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture
def without_figures() -> Iterator[None]:
    """A run's page has a file in the place of its figures: to draw them is half of a small training. What they show is
    asked by the tests of training.review."""
    with figures_left_out():
        yield


@pytest.fixture(scope="module")
def module_without_figures() -> Iterator[None]:
    """The same for all of a module, its own fixtures too."""
    with figures_left_out():
        yield


@contextlib.contextmanager
def figures_left_out() -> Iterator[None]:
    def no_figures(metrics: Any, systems: Any, history: Any, folder: Path, **latency: Any) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "none.png").touch()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("training.review.run_page.run_figures", no_figures)
        yield
