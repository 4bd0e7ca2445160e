"""What may be said of a sweep: how many trials, of what, how hopeless ones are found; see ``configs/sweep``."""

from dataclasses import dataclass, field
from enum import Enum

from hydra.core.config_store import ConfigStore
from optuna.pruners import BasePruner, MedianPruner, NopPruner, SuccessiveHalvingPruner

from training.command import compose_typed, config_directory


class Pruner(Enum):
    """How hopeless trials are found."""

    none = "none"
    median = "median"
    """Worse than the median of the trials before at the same epoch."""
    halving = "halving"
    """Not among the better quarter of those that reached 1, 4, 16, ... epochs."""


@dataclass
class SweepConfig:
    """What is tried, and for how long."""

    trials: int | None = None
    """How many settings to try, drawn by Optuna. Default: a grid, every combination."""
    space: dict[str, str] = field(default_factory=dict)
    """What to vary, as Hydra's overrides: ``model.dim: 32,64`` or ``model.dropout: interval(0, 0.4)``."""
    fixed: list[str] = field(default_factory=list)
    """Overrides of every trial; what is typed comes after them."""
    whole: bool = True
    """Take every trial to the end of a run: refitted, judged on the test part. False: the best one alone."""
    seed: int = 0
    pruner: Pruner = Pruner.none
    startup_trials: int = 4
    """Trials drawn at random, and run to their end, before the study learns from them."""
    warmup_epochs: int = 1
    """Epochs of a trial in which it is not given up."""

    def __post_init__(self) -> None:
        for name, least in (("trials", 1), ("seed", 0), ("startup_trials", 1), ("warmup_epochs", 1)):
            value = getattr(self, name)
            if value is not None and value < least:
                raise ValueError(f"sweep.{name} must be at least {least}, got {value}")


ConfigStore.instance().store(name="sweep_schema", node=SweepConfig)


def read_config(overrides: list[str]) -> SweepConfig:
    """``sweep=NAME`` and ``sweep.KEY=VALUE``.

    Raises:
        ValueError: there is no such sweep, or a setting is wrong.
    """
    names = [each.partition("=")[2] for each in overrides if each.startswith("sweep=")]
    name = names[-1] if names else "grid"
    known = sorted(path.stem for path in (config_directory() / "sweep").glob("*.yaml"))
    if name not in known:
        raise ValueError(f"sweep={name} is not a sweep; allowed here: {', '.join(known)}")
    own = [each.removeprefix("sweep.") for each in overrides if each.startswith("sweep.")]
    config: SweepConfig = compose_typed(f"sweep/{name}", own)
    return config


def make_pruner(config: SweepConfig) -> BasePruner:
    """Optuna's."""
    if config.pruner is Pruner.median:
        return MedianPruner(config.startup_trials, n_warmup_steps=config.warmup_epochs)
    if config.pruner is Pruner.halving:
        return SuccessiveHalvingPruner(min_resource=config.warmup_epochs)
    return NopPruner()
