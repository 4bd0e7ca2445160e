"""What a fit begins with: a fresh module, its data and its plan, from the config and the log.

Shapes: N items, B behaviours, E events.
"""

from dataclasses import dataclass, replace
from typing import Any, Final, Protocol

import numpy as np
import pytorch_lightning as pl
import torch

from tillside.dataset import Dataset, Sessions
from tillside.encoding.spec import EncodingSpec
from tillside.recommenders import Neighbourhood
from training.cli.progress import step
from training.evaluation.scorers import Scorer, popularity_of
from training.inputs.cases import cases_of
from training.inputs.datamodule import SessionData
from training.inputs.visits import refuse_history
from training.learning.accelerator import arithmetic, device_type
from training.learning.blend import choose_neighbours
from training.learning.chosen import derived_settings
from training.learning.fit import plan
from training.learning.lightning_module import NextItemModule
from training.learning.processes import ALONE, Processes
from training.learning.threads import choose_threads
from training.learning.warm_start import BaseModel, Carried
from training.model.checkpoint import build_model
from training.settings.loss import LossConfig
from training.settings.model import ModelConfig
from training.settings.optimizer import OptimizerConfig
from training.settings.trainer import TrainerConfig

RARE: Final = 0.05
"""Share of events that revisit an item of their session; below it, validation during fitting excludes the items that a
session holds from the ranking. The blend will rank those last, the model alone does not; with them in the ranking,
early stopping would stop too soon."""


class TrainingSettings(Protocol):
    """The parts of the training config that learning depends on."""

    seed: int
    model: ModelConfig
    loss: LossConfig
    optimizer: OptimizerConfig
    trainer: TrainerConfig


@dataclass
class TrainingSetup:
    """What is fitted: a fresh module (warm-started from ``base``, if any), its data, and the maximum of epochs.

    ``model`` is the config's, completed with the defaults that depend on the log; ``config`` holds the number of
    threads that was chosen on this machine, ``neighbourhood`` the settings of session kNN that rank validation best by
    themselves. Both are the first process's, and the same in the refit.
    """

    config: TrainingSettings
    model: ModelConfig
    data: SessionData
    module: NextItemModule
    fallback: Scorer
    neighbourhood: Neighbourhood
    epochs: int
    targets: int
    """The plan's: batch size, epochs and dropout follow from them."""
    base: BaseModel | None = None
    carried: Carried | None = None
    processes: Processes = ALONE

    @classmethod
    def prepare(
        cls,
        config: TrainingSettings,
        dataset: Dataset,
        base: BaseModel | None = None,
        *,
        targets: int | None = None,
        processes: Processes = ALONE,
    ) -> "TrainingSetup":
        """Set-up of the first fit, on the training part alone; limits this process's torch to the chosen threads.

        Args:
            targets: that a run to resume was planned for; None: those of the training part.
            processes: those that train together; what follows from the log is chosen by the first.

        Raises:
            ValueError: other processes were started than the config asks for, or the log has nothing to learn.
        """
        processes.refuse_others_than(config.trainer)
        refuse_history(config.model.history, dataset)
        spec, items = encoding(config, dataset), dataset.catalogue.rankable

        def chosen() -> Neighbourhood:
            cases = cases_of(dataset, "validation", spec=spec, limit=config.trainer.validation_cases)
            return choose_neighbours(dataset.part("train"), cases, items=items).settings

        with step("choosing neighbours among past sessions"):
            neighbourhood = processes.from_first(chosen)
        with step("setting up the model"):
            setup = cls.build(
                config, dataset, neighbourhood=neighbourhood, targets=targets, base=base, processes=processes
            )
            threads = processes.from_first(lambda: choose_threads(config.trainer, setup.module, setup.data))
            torch.set_num_threads(threads)
        setup.config = replace(config, trainer=replace(config.trainer, threads=threads))  # type: ignore[type-var]
        return setup

    @classmethod
    def build(
        cls,
        config: TrainingSettings,
        dataset: Dataset,
        *,
        neighbourhood: Neighbourhood,
        refit_epochs: int | None = None,
        targets: int | None = None,
        base: BaseModel | None = None,
        processes: Processes = ALONE,
    ) -> "TrainingSetup":
        """Seed everything and build; deterministic: the same config and data set give the same weights.

        Args:
            neighbourhood: of session kNN alone; sessions weigh less in the loss as fast as neighbours do there.
            refit_epochs: epochs of a refit on training and validation part; None: fit the training part alone.
            targets: of the plan of a fit that is resumed, or that a refit repeats, whose batches and dropout it keeps;
                None: those of its own rows.
            base: the model whose weights are the initial ones.
        """
        pl.seed_everything(config.seed, verbose=False)
        spec = encoding(config, dataset)
        counts_NB = dataset.catalogue.counts_NB[: dataset.catalogue.trained]
        fallback = popularity_of(dataset, refit=refit_epochs is not None)
        data = SessionData(
            dataset,
            spec=spec,
            batch_events=None,
            validation_cases=config.trainer.validation_cases,
            seed=config.seed,
            recency=neighbourhood.age_decay if config.loss.recency is None else config.loss.recency,
            refit=refit_epochs is not None,
        )
        targets = data.rows.targets if targets is None else targets
        model = config.model.suited(targets=targets, items=len(counts_NB))
        data.batch_events, epochs = plan(targets, config.trainer, warm=base is not None)
        module = NextItemModule(
            build_model(model, dataset, spec, data.sessions),
            loss=config.loss,
            optimizer=config.optimizer,
            counts_N=torch.from_numpy(counts_NB.sum(axis=1)),
            fallback=fallback,
            intent=teaches_intent(dataset, data),
            repeats=has_repeats(dataset),
            sparse_rows=device_type(config.trainer.accelerator) == "cpu"
            or config.trainer.devices * config.trainer.nodes == 1,
        )
        carried = base.hand_over(module.model, dataset.catalogue) if base is not None else None
        epochs = epochs if refit_epochs is None else refit_epochs
        return cls(config, model, data, module, fallback, neighbourhood, epochs, targets, base, carried, processes)

    def derived(self) -> dict[str, Any]:
        """What follows from the log instead of the config, as parameters for the run."""
        precision = arithmetic(self.config.trainer)
        return derived_settings(self.model, self.data, self.module, epochs=self.epochs, precision=precision)


def has_repeats(dataset: Dataset) -> bool:
    """Whether shoppers revisit items often enough (RARE) for validation to rank those among all others."""
    return repeat_share(dataset.part("train")) >= RARE


def repeat_share(sessions: Sessions) -> float:
    """Share of the events after a session's first one that revisit an item of the session."""
    offsets, items = np.asarray(sessions.offsets), np.asarray(sessions.items, np.int64)
    session_E = np.repeat(np.arange(len(sessions)), np.diff(offsets))
    different = len(np.unique(session_E * (items.max(initial=0) + 1) + items))
    return (len(items) - different) / max(len(items) - int((np.diff(offsets) > 0).sum()), 1)


def encoding(config: TrainingSettings, dataset: Dataset) -> EncodingSpec:
    """The encoding of sessions that follows from the config and the data set's preparation."""
    model = config.model
    return EncodingSpec(max_length=model.max_length, collapse_repeats=dataset.collapse_repeats, history=model.history)


def teaches_intent(dataset: Dataset, data: SessionData) -> bool:
    """Whether any training session reaches the goal, so that features that tell of it can be learned."""
    return len(dataset.behaviours) > 1 and data.rows.reaches_goal
