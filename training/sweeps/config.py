"""What may be said of a sweep: how many trials, of what, how hopeless ones are found; see ``configs/sweep``.

What was said lies in the sweep's folder, so that one that was killed goes on by its id alone.
"""

import contextlib
import fcntl
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any, Final

from hydra.core.config_store import ConfigStore
from omegaconf import OmegaConf
from optuna.pruners import BasePruner, MedianPruner, NopPruner, SuccessiveHalvingPruner

from tillside.atomic import write_text_atomically
from training.cli.command import compose_typed, config_directory
from training.sweeps.space import Space

SWEEP_FILE: Final = "sweep.yaml"
"""In the folder of the sweep's run."""


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


def refuse(config: SweepConfig, space: Space, base: Any) -> None:
    """ValueError if there is nothing to search, or no end to it, or the trials would not run in this process alone."""
    if not space.searched:
        raise ValueError("a sweep needs something to vary, as in seed=0,1,2 or sweep=quick; got single values alone")
    if config.trials is None and space.combinations is None:
        raise ValueError("a range such as interval(0, 1) has no end of values: say how many to try, as sweep.trials=20")
    processes = max(base.trainer.devices * base.trainer.nodes, int(os.environ.get("WORLD_SIZE", "1")))
    if processes > 1:
        raise ValueError(f"a sweep runs each trial in one process, got {processes}; see hydra/launcher for others")


def sweep_settings(config: SweepConfig) -> dict[str, str]:
    """How it searches, as the parent's parameters."""
    told = {"trials": config.trials or "all", "pruner": config.pruner.value, "whole": config.whole, "seed": config.seed}
    return {f"sweep.{key}": str(value) for key, value in told.items()}


def make_pruner(config: SweepConfig) -> BasePruner:
    """Optuna's."""
    if config.pruner is Pruner.median:
        return MedianPruner(config.startup_trials, n_warmup_steps=config.warmup_epochs)
    if config.pruner is Pruner.halving:
        return SuccessiveHalvingPruner(min_resource=config.warmup_epochs)
    return NopPruner()


def write_order(file: Path, config: SweepConfig, given: list[str]) -> None:
    """Keep what was asked for, so that ``resume`` needs no more than the sweep's id."""
    order = {"sweep": OmegaConf.to_container(OmegaConf.structured(config), enum_to_str=True), "given": given}
    write_text_atomically(file, OmegaConf.to_yaml(OmegaConf.create(order)))


def resumed_order(run_id: str, given: list[str], own: list[str]) -> tuple[SweepConfig, list[str]]:
    """What was asked of a sweep that is to go on; where things lie now may be given anew.

    Raises:
        ValueError: there is no such sweep here, or another setting is given.
    """
    moved = [each for each in given if each.startswith(("dataset=", "tracking.uri=", "tracking.runs="))]
    others = [each for each in (*given, *own) if each not in moved and not each.startswith("resume=")]
    if others:
        raise ValueError(
            f"{others[0]} cannot be given with -m resume={run_id}: the sweep goes on with its own settings"
        )
    file = Path(compose_typed("train", moved).tracking.runs) / run_id / SWEEP_FILE
    if not file.is_file():
        raise ValueError(f"resume={run_id}: {file} is missing, so there is no sweep to go on with")
    try:
        order: Any = OmegaConf.load(file)
        config = OmegaConf.to_object(OmegaConf.merge(OmegaConf.structured(SweepConfig), order.sweep))
        before = [str(each) for each in order.given]
    except Exception as error:  # YAML and OmegaConf raise a dozen kinds for damaged files
        raise ValueError(f"resume={run_id}: {file} is damaged: {error}") from None
    assert isinstance(config, SweepConfig)
    return config, [*before, *moved]


@contextlib.contextmanager
def only_one(folder: Path) -> Iterator[None]:
    """ValueError if another process runs the sweep of this folder."""
    with (folder / ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ValueError(f"another process runs the sweep {folder.name}; wait for its end, or stop it") from None
        yield
