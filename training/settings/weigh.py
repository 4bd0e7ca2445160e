"""Settings of ``training.weigh``."""

from dataclasses import dataclass, field

from training.settings.tracking import TrackingConfig


@dataclass
class WeighConfig:
    """Whose source weights to fit, with which model and relations."""

    run: str = "???"
    """A run's id; its model must not have learned from the validation part (trainer.refit=false)."""
    policy: str | None = None
    """Policy file with the placements and their sources."""
    relations: str | None = None
    """Folder written by training.relate validation=false; needed if a placement uses a relation."""
    dataset: str | None = None
    """Default: the data set that the run was trained on, at its path then."""
    items_feed: str | None = None
    """Items feed of the shop. Default: the catalogue, stock unknown."""
    k: int = 5
    """Items shown per placement (attach rate@k) when the strength of diversity is chosen."""
    tracking: TrackingConfig = field(default_factory=TrackingConfig)

    def __post_init__(self) -> None:
        if self.policy is None:
            raise ValueError("policy must be given, as policy=FILE")
        if not 1 <= self.k <= 100:
            raise ValueError(f"k must be from 1 to 100, got {self.k}")
