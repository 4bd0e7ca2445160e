"""Retrain the champion on a newer log (warm start), and show whether the new model is better.

    python -m training.retrain from=models:/tillside@champion data=events data.path=LOG

The log is prepared as the champion's was. Training starts from the champion's weights, matched by item id, and takes
fewer epochs (trainer.max_epochs); both models are then evaluated on the newest sessions, which neither has learned
from. The result is a run like any other, alias challenger. After a kill resume with ``training.train resume=RUN_ID``.
"""

import tempfile
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from omegaconf import MISSING

from tillside.dataset import Dataset, load_dataset
from training.cli.command import command
from training.cli.console import say
from training.data.preparation.sessionising import Repeats
from training.data.preparation.splits import SplitBy, SplitConfig
from training.data.readers import LogConfig
from training.learning.fit import TrainerConfig
from training.learning.lightning_module import LossConfig, OptimizerConfig
from training.learning.warm_start import BaseModel, moment, refuse_leaks
from training.prepare import PrepareConfig, prepare
from training.tracking.store import TrackingConfig
from training.train import TrainConfig, train

PREPARED = "datasets"
"""Folder in ``tracking.runs`` for the prepared newer logs, each named by its digest."""


@dataclass
class RetrainConfig:
    """Which model to retrain, on which log."""

    from_: str | None = None
    """models:/NAME@champion or models:/NAME/VERSION; typed ``from=``. The result is registered as a version of NAME."""
    data: LogConfig = MISSING
    """The newer log: either whole, including what the champion learned from, or only what came since."""
    split: SplitConfig = field(default_factory=SplitConfig)
    """Default: the champion's split. The test part is the newest window."""
    seed: int = 0
    export: bool = True
    loss: LossConfig = field(default_factory=LossConfig)
    optimizer: OptimizerConfig = field(default_factory=OptimizerConfig)
    trainer: TrainerConfig = field(default_factory=TrainerConfig)
    """``max_epochs`` defaults to a third of what a first training on such a log takes, at least 2."""
    tracking: TrackingConfig = field(default_factory=TrackingConfig)

    def __post_init__(self) -> None:
        if self.from_ is None:
            raise ValueError("from must be given, as from=models:/NAME@champion")


def retrain(config: RetrainConfig) -> float:
    """Prepare, warm-start, train and compare; returns the best val/mrr@20.

    Raises:
        ValueError: there is no such model, or the log does not allow a fair comparison; no run is started then.
    """
    assert config.from_ is not None
    base = BaseModel.fetch(config.tracking, config.from_)
    dataset = newer_dataset(config, base)
    say(f"{base.uri} learned until {moment(base.learned_until)}; the newer log is prepared in {dataset.path}")
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
    return PrepareConfig(out=str(out), data=config.data, split=split, max_reject_share=share, seed=config.seed, **kept)


@command("retrain", RetrainConfig)
def main(config: RetrainConfig) -> float:
    """Entry point."""
    return retrain(config)


if __name__ == "__main__":
    main()
