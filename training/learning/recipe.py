"""From a data set to a trained model, in three steps: fit, choose on validation, refit.

The model is fitted on the training part, with early stopping on validation. Validation then chooses how past sessions
(session kNN) are blended in and calibrates the purchase intent. Finally a fresh model is trained on the training *and*
the validation part for the best number of epochs, because the newest sessions, which validation held back, say most
about the next ones; the choices made on validation are kept, the level of the purchase intent among them. Each step
leaves a file in the run's folder, so a killed run resumes in the step it was in.

Shapes: N items, R rankable items (trained, then cold), B behaviours, E events.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import pytorch_lightning as pl
import torch

from tillside.atomic import write_text_atomically
from tillside.dataset import Dataset, Sessions
from tillside.encoding.spec import EncodingSpec
from tillside.recommenders import Neighbourhood, SessionNeighbours
from tillside.recommenders.blend import SessionMemory
from training.cli.console import say
from training.cli.progress import step
from training.evaluation.placements.observing import observed_of_model
from training.evaluation.scorers import ModelScorer, Scorer, popularity_of
from training.inputs.cases import cases_of, look_ahead_cases, together
from training.inputs.datamodule import SessionData
from training.inputs.visits import refuse_history
from training.learning.accelerator import arithmetic, device_type
from training.learning.blend import choose_neighbours, learn_memory
from training.learning.chosen import chosen_settings, derived_settings, validated
from training.learning.cold_items import learn_cold_factor
from training.learning.fit import fit, load_best, plan, refuse_diverged
from training.learning.intent_head import Intent, learn_again, learn_intent
from training.learning.lightning_module import NextItemModule
from training.learning.newest import NotLearned
from training.learning.processes import ALONE, Processes
from training.learning.threads import choose_threads
from training.learning.warm_start import BaseModel, Carried
from training.model.checkpoint import TrainedModel, build_model
from training.settings.loss import LossConfig
from training.settings.model import ModelConfig
from training.settings.optimizer import OptimizerConfig
from training.settings.trainer import TrainerConfig
from training.tracking.tracker import Tracker
from training.tracking.unrecorded import Unrecorded

HISTORY_FILE = "history.json"
REFIT = "refit"
RARE = 0.05
"""Share of events that revisit an item of their session; below it, validation during fitting excludes the items that a
session holds from the ranking. The blend will rank those last, the model alone does not; with them in the ranking,
early stopping would stop too soon."""
History = list[dict[str, float]]


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


def fit_until_best(
    setup: TrainingSetup, *, folder: Path, tracker: Tracker | Unrecorded, callbacks: Sequence[pl.Callback] = ()
) -> tuple[float, int]:
    """Run the first step alone and load its best weights; returns the best val/mrr@20 and the epochs it took.

    Of several processes only the first loads them.

    Args:
        callbacks: Lightning callbacks that observe the fit and may end it by raising.
    """
    processes = setup.processes
    if not processes.from_first((folder / HISTORY_FILE).is_file):
        trainer = setup.config.trainer
        fitted = fit(
            setup.module,
            setup.data,
            trainer,
            folder=folder,
            epochs=setup.epochs,
            tracker=tracker,
            callbacks=callbacks,
            processes=processes,
        )
        if processes.leads:
            write_text_atomically(folder / HISTORY_FILE, json.dumps(fitted.history))
    return processes.from_first(lambda: load_best(setup.module, folder))


def learn(
    setup: TrainingSetup,
    dataset: Dataset,
    *,
    folder: Path,
    tracker: Tracker | Unrecorded,
    callbacks: Sequence[pl.Callback] = (),
) -> tuple[float, TrainedModel, History]:
    """Fit, choose, refit, resuming from ``folder``; returns the best val/mrr@20, the model and each epoch's metrics.

    Of several processes the first alone chooses: only there the model is calibrated, has a memory and a history.

    Args:
        folder: of the run; of several processes all must be able to read it.
        callbacks: see :func:`fit_until_best`.
    """
    config, module, processes = setup.config, setup.module, setup.processes
    best, epochs = fit_until_best(setup, folder=folder, tracker=tracker, callbacks=callbacks)
    memory, history, learned = None, [], Intent("it was learned by another process")
    if processes.leads:
        history = json.loads((folder / HISTORY_FILE).read_text(encoding="utf-8"))
        with step("choosing on validation"):
            learned = learn_intent(module.model, dataset, spec=setup.data.spec, seed=config.seed)
            memory = choose(setup, dataset)
        say(memory_sentence(memory, dataset))
        trends = module.model.encoder.get_buffer("trend_weights").tolist()
        tracker.parameters(chosen_settings(memory, trends, dataset))
        tracker.metrics(learned.figures)
        if learned.unknown and dataset.goal:
            say(f"purchase intent is unknown: {learned.unknown}")
        blended = ModelScorer.of(module.model, setup.fallback, memory)
        tracker.metrics(validated(blended, setup.data.validation, items=dataset.catalogue.rankable))
    spec = setup.data.spec
    trained = TrainedModel(
        module.model,
        setup.model,
        spec,
        intent=not learned.unknown,
        intent_unknown=learned.unknown,
        counted_intent=learned.counted,
        memory=memory,
        alone=setup.neighbourhood,
    )
    if processes.leads and dataset.goal:
        with step("asking what the model's scores are worth at placements"):
            trained = replace(trained, observed=observed_of_model(trained, dataset))
    if not config.trainer.refit:
        return best, trained, history
    if processes.leads and (left_out := NotLearned.of(dataset).sentence()):
        say(left_out)
    with step("setting up the model again"):
        again = TrainingSetup.build(
            config,
            dataset,
            neighbourhood=setup.neighbourhood,
            refit_epochs=epochs,
            targets=setup.targets,
            base=setup.base,
            processes=processes,
        )
    place = folder / REFIT
    place.mkdir(parents=True, exist_ok=True)
    fit(
        again.module,
        again.data,
        config.trainer,
        folder=place,
        epochs=again.epochs,
        tracker=tracker,
        stage=REFIT,
        processes=processes,
    )
    refuse_diverged(again.module)
    again.module.model.encoder.get_buffer("trend_weights").copy_(module.model.encoder.get_buffer("trend_weights"))
    if processes.leads:
        learn_again(again.module.model, learned, dataset, spec=spec, seed=config.seed)
    if memory is not None:
        with step("indexing past sessions"):
            memory = SessionMemory.fit(
                dataset.learned(refit=True),
                items=dataset.catalogue.rankable,
                document=memory.document(),
                behaviours=len(dataset.behaviours),
                catalogue=dataset.catalogue,
            )
    refitted = replace(trained, model=again.module.model, config=again.model, memory=memory, refitted=True)
    return best, refitted, history


def choose(setup: TrainingSetup, dataset: Dataset) -> SessionMemory:
    """Tune on validation after fitting: the blend of past sessions and likeness (for cold items too), and the trend
    weights, which are written into the encoder; the blend is returned.

    A cart or purchase that is the very next event is nearly always of the item just seen, and shops also ask what will
    be bought later, so the blend is tuned on next-event and look-ahead cases together.
    """
    module, data, items = setup.module, setup.data, dataset.catalogue.rankable
    ahead = look_ahead_cases(dataset.part("validation"), data.validation, goal=dataset.goal)
    scorer = ModelScorer.of(module.model, setup.fallback)
    trend_N = module.model.items.get_buffer("trend").cpu().numpy()
    with step("choosing what past sessions weigh"):
        memory, trends = learn_memory(
            scorer,
            SessionNeighbours.fit(dataset.part("train"), items=items, settings=setup.neighbourhood),
            together(data.validation, ahead),
            trend_N=trend_N,
            behaviours=len(dataset.behaviours),
            catalogue=dataset.catalogue,
        )
    module.model.encoder.get_buffer("trend_weights").copy_(torch.tensor(trends))
    return learn_cold_factor(
        module.model,
        memory,
        dataset.part("train"),
        data.validation,
        fallback=setup.fallback,
        absent_R=held_out(dataset),
    )


def teaches_intent(dataset: Dataset, data: SessionData) -> bool:
    """Whether any training session reaches the goal, so that features that tell of it can be learned."""
    return len(dataset.behaviours) > 1 and data.rows.reaches_goal


def held_out(dataset: Dataset) -> npt.NDArray[np.bool_]:
    """Mask [R] of the rankable items that were held out (``holdout_items``) and so do not exist before the test part.

    They are never the target of a validation case; left in the ranking, they would count as items that nobody wants.
    """
    if not dataset.about["config"].get("holdout_items"):
        return np.zeros(dataset.catalogue.rankable, np.bool_)
    return dataset.new_items()[: dataset.catalogue.rankable]


def memory_sentence(memory: SessionMemory, dataset: Dataset) -> str:
    """What was chosen for past sessions to add to the model, in a sentence for people; the figures are in the run."""
    used = [name for name, weight in zip(dataset.behaviours.names, memory.blend.weights, strict=True) if weight]
    if not used:
        return "chosen on validation: past sessions add nothing, the model ranks alone"
    asked = "every behaviour" if len(used) == len(dataset.behaviours) else " and ".join(used)
    alike = ", and attributes help where past sessions are few" if memory.likeness and any(memory.blend.alike) else ""
    return f"chosen on validation: past sessions help the model to rank for {asked}{alike}"
