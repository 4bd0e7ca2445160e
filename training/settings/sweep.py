"""Settings of a sweep: the keys ``sweep.*``, which ``sweep=NAME`` takes from ``configs/sweep/NAME.yaml``."""

from dataclasses import dataclass, field
from enum import Enum

from hydra.core.config_store import ConfigStore


class Pruner(Enum):
    """How unpromising trials are pruned."""

    none = "none"
    median = "median"
    """Prune a trial worse than the median of earlier trials at the same epoch."""
    halving = "halving"
    """Successive halving: keep the best quarter of the trials that reached 1, 4, 16, ... epochs."""


@dataclass
class SweepConfig:
    """Trials, search space and pruning of a sweep."""

    trials: int | None = None
    """Number of trials, sampled by Optuna (TPE). Default: the full grid."""
    space: dict[str, str] = field(default_factory=dict)
    """Search space as Hydra overrides: ``model.dim: 32,64`` or ``model.dropout: interval(0, 0.4)``."""
    fixed: list[str] = field(default_factory=list)
    """Overrides of every trial; typed overrides take precedence."""
    whole: bool = True
    """Complete every trial's run (refit, evaluation on the test part). False: only the best one's."""
    seed: int = 0
    """Of Optuna's sampler."""
    pruner: Pruner = Pruner.none
    """How unpromising trials are given up: median (worse than the median of earlier trials at the same epoch), halving
    (keep the best quarter of those that reached 1, 4, 16, ... epochs), none."""
    startup_trials: int = 4
    """Trials sampled at random before TPE learns from them; the median pruner prunes none of them."""
    warmup_epochs: int = 1
    """Epochs of a trial before it can be pruned."""

    def __post_init__(self) -> None:
        for name, least in (("trials", 1), ("seed", 0), ("startup_trials", 1), ("warmup_epochs", 1)):
            value = getattr(self, name)
            if value is not None and value < least:
                raise ValueError(f"sweep.{name} must be at least {least}, got {value}")


ConfigStore.instance().store(name="sweep_schema", node=SweepConfig)
