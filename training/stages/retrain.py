"""How the champion is retrained on a newer log: prepare and relate as its log was, go on from its weights, compare."""

import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from tillside.cli.shipped import shipped_directory, shipped_names
from tillside.dataset import Dataset, load_dataset
from training.cli.console import say
from training.learning.processes import refuse_several
from training.learning.warm_start import BaseModel, moment, refuse_leaks
from training.mining.stored import FOLDER
from training.settings.prepare import PrepareConfig, Repeats
from training.settings.relate import RelateConfig
from training.settings.retrain import RetrainConfig
from training.settings.split import SplitBy, SplitConfig
from training.settings.train import TrainConfig
from training.stages.prepare import prepare
from training.stages.relate import run as relate
from training.stages.train import train

RULES: Final = "compatibility"
PREPARED = "datasets"
"""Folder in ``tracking.runs`` for the prepared newer logs, each named by its digest."""


def retrain(config: RetrainConfig) -> float:
    """Prepare, warm-start, train and compare; returns the best val/mrr@20.

    Raises:
        ValueError: there is no such model, or the log does not allow a fair comparison; no run is started then.
    """
    assert config.from_ is not None
    refuse_several(config.trainer, "retraining")
    base = BaseModel.fetch(config.tracking, config.from_)
    dataset = newer_dataset(config, base)
    say(f"{base.uri} learned until {moment(base.learned_until)}; the newer log is prepared in {dataset.path}")
    if config.relate and base.relating is not None and not (dataset.path / FOLDER).exists():
        relate(related_like(base.relating, dataset))
    return train(
        TrainConfig(
            dataset=str(dataset.path),
            warm_start=base.uri,
            seed=config.seed,
            export=config.export,
            model=base.config,
            loss=config.loss,
            optimizer=config.optimizer,
            trainer=config.trainer,
            tracking=replace(config.tracking, model=base.name),
        )
    )


def newer_dataset(config: RetrainConfig, base: BaseModel) -> Dataset:
    """Prepare the newer log with the base model's settings.

    Raises:
        ValueError: a file or setting is bad, or a part overlaps with what the base learned from; nothing is written.
    """
    around = Path(config.tracking.runs).absolute() / PREPARED
    around.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=around, prefix=".preparing-") as scratch:
        fresh = prepare(like_base(config, base, out=Path(scratch) / "dataset"))
        refuse_leaks(base, fresh)
        place = around / fresh.digest[:12]
        if not place.exists():
            fresh.path.rename(place)
    return load_dataset(place)


def related_like(settings: Mapping[str, Any], dataset: Dataset) -> RelateConfig:
    """Settings of other relations, for a data set; those that this version does not know are passed over.

    Raises:
        ValueError: a file that they name is not there.
    """
    known = {name: value for name, value in settings.items() if name in RelateConfig.__dataclass_fields__}
    for name in ("rules", "manual"):
        path = known.get(name)
        if path is None or Path(path).is_file():
            continue
        ships = {each: shipped_directory() / RULES / f"{each}.yaml" for each in shipped_names(RULES)}
        if name != "rules" or Path(path).stem not in ships:
            raise ValueError(
                f"the champion's relations were mined with {name}={path}, which is not there: put it back, or give "
                "relate=false for a bundle without relations"
            )
        known[name] = str(ships[Path(path).stem])  # it was trained where tillside lies elsewhere
    return RelateConfig(dataset=str(dataset.path), **known)


def like_base(config: RetrainConfig, base: BaseModel, *, out: Path) -> PrepareConfig:
    """The base's preparation config, except for the log and, where given, the split."""
    kept: dict[str, Any] = {
        name: base.settings[name]
        for name in ("name", "session_gap_minutes", "max_session_length", "min_item_support", "min_session_length")
        if name in base.settings
    }
    if "repeats" in base.settings:
        kept["repeats"] = Repeats(base.settings["repeats"])
    split = config.split
    if split == SplitConfig() and "split" in base.settings:
        before = base.settings["split"]
        split = SplitConfig(SplitBy(before["by"]), before["validation"], before["test"])
    share = base.settings.get("max_reject_share", PrepareConfig.max_reject_share)
    log: dict[str, Any] = {"data": config.data, "feedback": config.feedback, "max_reject_share": share}
    return PrepareConfig(out=str(out), split=split, seed=config.seed, **log, **kept)


def run(config: RetrainConfig) -> float:
    """Entry point."""
    return retrain(config)
