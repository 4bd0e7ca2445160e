"""Settings of ``training.retrain``."""

from dataclasses import dataclass, field

from omegaconf import MISSING

from training.settings.data import LogConfig
from training.settings.loss import LossConfig
from training.settings.optimizer import OptimizerConfig
from training.settings.split import SplitConfig
from training.settings.tracking import TrackingConfig
from training.settings.trainer import TrainerConfig


@dataclass
class RetrainConfig:
    """Which model to retrain, on which log."""

    from_: str | None = None
    """models:/NAME@champion or models:/NAME/VERSION; typed ``from=``. The result is registered as a version of NAME."""
    data: LogConfig = MISSING
    """The newer log: either whole, including what the champion learned from, or only what came since."""
    feedback: str | None = None
    """The feedback folder, with ``data=feedback``: the newer log is what serving.collector has kept there."""
    split: SplitConfig = field(default_factory=SplitConfig)
    """Default: the champion's split. The test part is the newest window."""
    relate: bool = True
    """Mine the newer log's relations as the champion's were, where its bundle has any; false: the bundle has none."""
    seed: int = 0
    """Of the initial weights of new items, the order of sessions and the negatives drawn."""
    export: bool = True
    """Export the bundle at the end and log it to the run."""
    loss: LossConfig = field(default_factory=LossConfig)
    optimizer: OptimizerConfig = field(default_factory=OptimizerConfig)
    trainer: TrainerConfig = field(default_factory=TrainerConfig)
    """``max_epochs`` defaults to a third of what a first training on such a log takes, at least 2."""
    tracking: TrackingConfig = field(default_factory=TrackingConfig)

    def __post_init__(self) -> None:
        if self.from_ is None:
            raise ValueError("from must be given, as from=models:/NAME@champion")
