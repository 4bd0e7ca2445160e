"""Training without drawing, for tests of something else."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest


@contextlib.contextmanager
def figures_left_out() -> Iterator[None]:
    """A run's page has a file in the place of its figures: to draw them is half of a small training. What they show is
    asked by the tests of training.review."""

    def no_figures(metrics: Any, systems: Any, history: Any, folder: Path, **latency: Any) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "none.png").touch()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("training.review.run_page.run_figures", no_figures)
        yield
