"""Settings of ``training.train``."""

from dataclasses import dataclass, field

from training.settings.loss import LossConfig
from training.settings.model import ModelConfig
from training.settings.optimizer import OptimizerConfig
from training.settings.tracking import TrackingConfig
from training.settings.trainer import TrainerConfig


@dataclass
class TrainConfig:
    """Everything a training run depends on."""

    dataset: str | None = None
    """The folder that training.prepare wrote. Not needed with ``resume``."""
    resume: str | None = None
    """Id of a run to resume, with its own config."""
    warm_start: str | None = None
    """Registered version (models:/NAME/VERSION) whose weights initialise the model and which it is compared with at the
    end. See training.retrain, which prepares the newer log as well."""
    seed: int = 0
    """Of the initial weights, the order of sessions and the negatives drawn."""
    export: bool = True
    """Export the bundle at the end and log it to the run."""
    model: ModelConfig = field(default_factory=ModelConfig)
    loss: LossConfig = field(default_factory=LossConfig)
    optimizer: OptimizerConfig = field(default_factory=OptimizerConfig)
    trainer: TrainerConfig = field(default_factory=TrainerConfig)
    tracking: TrackingConfig = field(default_factory=TrackingConfig)

    def __post_init__(self) -> None:
        if not 0 <= self.seed < 2**32:
            raise ValueError(f"seed must be from 0 to {2**32 - 1}, got {self.seed}")
