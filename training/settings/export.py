"""Settings of ``training.export``."""

from dataclasses import dataclass, field

from training.settings.tracking import TrackingConfig


@dataclass
class ExportConfig:
    """Which run to export, and where to."""

    run: str = "???"
    """A run's id; its model is exported."""
    out: str = "???"
    """The folder to write the bundle to."""
    dataset: str | None = None
    """Default: the data set the run was trained on, at its path of then."""
    relations: str | None = None
    """Folder that training.relate wrote. Default: the data set's own, if it has any."""
    policy: str | None = None
    """Policy file to include in the bundle; the server may be given another one."""
    tracking: TrackingConfig = field(default_factory=TrackingConfig)
