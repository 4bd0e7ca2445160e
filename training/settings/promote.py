"""Settings of ``training.promote``."""

from dataclasses import dataclass, field

from training.settings.tracking import TrackingConfig


@dataclass
class PromoteConfig:
    """Which version to judge, and by which limits."""

    run: str | None = None
    """A run's id; its latest version is judged."""
    version: int | None = None
    """A registered version's number, in place of ``run``."""
    latency_ms: float = 10.0
    """Maximum median latency in milliseconds of an answer (encode and search) to a session of 20 events."""
    seed: int = 0
    """Seed of the bootstrap."""
    reject: str | None = None
    """A reviewer's reason to reject the version, whatever the gate says; nothing is promoted then."""
    experiment: str | None = None
    """What training.experiment read wrote, as out=FILE: an experiment that is broken or came out against the new arm
    refuses the version. Default: no experiment is asked."""
    tracking: TrackingConfig = field(default_factory=TrackingConfig)

    def __post_init__(self) -> None:
        if (self.run is None) == (self.version is None):
            raise ValueError("either run or version must be given, as run=RUN_ID or version=N")
        if not self.latency_ms > 0:
            raise ValueError(f"latency_ms must be above 0, got {self.latency_ms}")
        if self.seed < 0:
            raise ValueError(f"seed must not be negative, got {self.seed}")
        if self.reject is not None and not self.reject.strip():
            raise ValueError("reject must say why, as reject='shows what is sold out'")
