"""Settings of ``training.backtest``."""

from dataclasses import dataclass, field

from omegaconf import MISSING

from training.settings.data import LogConfig
from training.settings.loss import LossConfig
from training.settings.model import ModelConfig
from training.settings.optimizer import OptimizerConfig
from training.settings.tracking import TrackingConfig
from training.settings.trainer import TrainerConfig


@dataclass
class BacktestConfig:
    """The log, its windows, and how each model is trained."""

    data: LogConfig = MISSING
    windows: int = 4
    """How many windows of time are tested; one model is trained before each."""
    share: float = 0.1
    """Fraction of all sessions, by end time, in each window."""
    validation: float = 0.05
    """Fraction of all sessions for validation: the last ones before each window."""
    name: str | None = None
    """What runs and reports call the data set. null: the kind of log, such as events."""
    min_item_support: int | None = None
    """An item needs this many training events to be trained, as in training.prepare."""
    session_gap_minutes: float | None = None
    """A pause of more minutes starts a new session, as in training.prepare."""
    resume: str | None = None
    """Run id of an interrupted backtest to continue; the other settings must equal those it was started with."""
    seed: int = 0
    """Of the initial weights, the order of sessions and the negatives drawn."""
    model: ModelConfig = field(default_factory=ModelConfig)
    loss: LossConfig = field(default_factory=LossConfig)
    optimizer: OptimizerConfig = field(default_factory=OptimizerConfig)
    trainer: TrainerConfig = field(default_factory=TrainerConfig)
    tracking: TrackingConfig = field(default_factory=TrackingConfig)

    def __post_init__(self) -> None:
        if self.windows < 2:
            raise ValueError(f"windows must be at least 2, for a model to grow old, got {self.windows}")
        if not 0 < self.share < 1 or not 0 < self.validation < 1:
            raise ValueError(f"share and validation must be above 0 and below 1, got {self.share}, {self.validation}")
        if self.windows * self.share + self.validation >= 1:
            raise ValueError(
                f"windows * share + validation must be below 1, so that the first model has something to learn from, "
                f"got {self.windows} * {self.share:g} + {self.validation:g}"
            )
