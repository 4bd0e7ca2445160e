"""The tracker of a process that records nothing, because another one records the run that both train."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tillside.dataset import Dataset


class Unrecorded:
    """Takes what :class:`training.tracking.tracker.Tracker` takes, and drops it.

    Args:
        run_id: id of the run, as the process that records it was told by the store.
    """

    def __init__(self, run_id: str) -> None:
        self.run_id = run_id

    def parameters(self, config: Mapping[str, Any]) -> None:
        """Drop parameters."""

    def dataset(self, dataset: Dataset, *, tags: Mapping[str, str] | None = None) -> None:
        """Drop the run's inputs."""

    def metrics(self, values: Mapping[str, float], *, step: int = 0) -> None:
        """Drop metrics."""

    def artifact(self, path: Path, folder: str | None = None) -> None:
        """Drop a file."""

    def end(self, status: str = "FINISHED") -> None:
        """The run ends where it is recorded."""
