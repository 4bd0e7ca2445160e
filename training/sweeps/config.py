"""A sweep's config: number of trials, search space, pruning; see ``configs/sweep``.

The config and the typed overrides are stored in the sweep's folder, so that a killed sweep is resumed by its id alone.
"""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from omegaconf import OmegaConf
from optuna.pruners import BasePruner, MedianPruner, NopPruner, SuccessiveHalvingPruner

from tillside.atomic import lock_of, write_text_atomically
from training.cli.arguments import check
from training.cli.command import GRID, compose_typed, what_is_known
from training.cli.stored import read_stored, stored_text
from training.settings.sweep import Pruner, SweepConfig
from training.sweeps.space import Space

SWEEP_FILE: Final = "sweep.yaml"
"""File in the folder of the sweep's parent run."""


def read_config(overrides: list[str]) -> SweepConfig:
    """Compose the sweep's config from ``sweep=NAME`` and ``sweep.KEY=VALUE`` overrides.

    Raises:
        ValueError: there is no such sweep, or a setting is wrong.
    """
    check(what_is_known("train", overrides, sweeps=True), overrides, several=False)
    names = [each.partition("=")[2] for each in overrides if each.startswith("sweep=")]
    name = names[-1] if names else GRID
    own = [each.removeprefix("sweep.") for each in overrides if each.startswith("sweep.")]
    config: SweepConfig = compose_typed(f"sweep/{name}", own)
    return config


def refuse(config: SweepConfig, space: Space, base: Any) -> None:
    """Refuse an unusable sweep.

    Raises:
        ValueError: nothing is varied, a grid contains a range, or trials would run in more than this process.
    """
    if not space.searched:
        raise ValueError("a sweep needs something to vary, as in seed=0,1,2 or sweep=quick; got single values alone")
    if config.trials is None and space.combinations is None:
        raise ValueError("a range such as interval(0, 1) has no end of values: say how many to try, as sweep.trials=20")
    processes = max(base.trainer.devices * base.trainer.nodes, int(os.environ.get("WORLD_SIZE", "1")))
    if processes > 1:
        raise ValueError(f"a sweep runs each trial in one process, got {processes}; see hydra/launcher for others")


def sweep_settings(config: SweepConfig) -> dict[str, str]:
    """The sweep's settings as flat parameters of the parent run."""
    told = {"trials": config.trials or "all", "pruner": config.pruner.value, "whole": config.whole, "seed": config.seed}
    return {f"sweep.{key}": str(value) for key, value in told.items()}


def make_pruner(config: SweepConfig) -> BasePruner:
    """The Optuna pruner that the config names."""
    if config.pruner is Pruner.median:
        return MedianPruner(config.startup_trials, n_warmup_steps=config.warmup_epochs)
    if config.pruner is Pruner.halving:
        return SuccessiveHalvingPruner(min_resource=config.warmup_epochs)
    return NopPruner()


def write_order(file: Path, config: SweepConfig, given: list[str]) -> None:
    """Store config and overrides, so that ``resume`` needs only the sweep's id."""
    order = {"sweep": OmegaConf.to_container(OmegaConf.structured(config), enum_to_str=True), "given": given}
    write_text_atomically(file, stored_text(order))


def resumed_order(run_id: str, given: list[str], own: list[str]) -> tuple[SweepConfig, list[str]]:
    """Config and overrides of a sweep to resume; only ``dataset``, ``tracking.uri`` and ``tracking.runs`` may change.

    Raises:
        ValueError: there is no such sweep here, its file is damaged, or any other setting is given.
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
        order: Any = read_stored(file)
        config = OmegaConf.to_object(OmegaConf.merge(OmegaConf.structured(SweepConfig), order.sweep))
        before = [str(each) for each in order.given]
    except Exception as error:  # YAML and OmegaConf raise a dozen types for damaged files
        raise ValueError(f"resume={run_id}: {file} is damaged: {error}") from None
    assert isinstance(config, SweepConfig)
    return config, [*before, *moved]


@contextlib.contextmanager
def only_one(folder: Path) -> Iterator[None]:
    """Hold the exclusive lock of a sweep's folder.

    Raises:
        ValueError: another process runs this sweep.
    """
    held = lock_of(folder / ".lock")
    if held is None:
        raise ValueError(f"another process runs the sweep {folder.name}; wait for its end, or stop it")
    try:
        yield
    finally:
        os.close(held)
