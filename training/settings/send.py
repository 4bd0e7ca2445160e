"""Settings of ``training.send``."""

from dataclasses import dataclass, field

from training.settings.tracking import TrackingConfig


@dataclass
class SendConfig:
    """Which run's journal to send, and to which store."""

    run: str = "???"
    """Id of the run whose journal is sent."""
    tracking: TrackingConfig = field(default_factory=TrackingConfig)
    """Only ``runs`` and ``uri`` are read; the rest, and by default the uri, comes from the run's own config."""
