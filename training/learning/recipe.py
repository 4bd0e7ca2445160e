"""From a data set to a trained model, in three steps: fit, choose on validation, refit.

The training part is fitted until validation stops improving. Validation then chooses how past sessions are blended in
and calibrates the purchase intent. At last a fresh model is trained for as many epochs as were best on the training
*and* the validation part, because the newest sessions, which validation held back, tell most about the next ones; what
validation chose is kept, and the level of the intent is set anew. Each step leaves a file in the run's folder, so that
a killed run goes on in the step it was in.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt
import pytorch_lightning as pl
import torch

from tillside.atomic import write_text_atomically
from tillside.dataset import Dataset, Sessions
from tillside.encoding import EncodingSpec
from tillside.recommenders import Popularity, SessionNeighbours, popularity
from tillside.recommenders.blend import SessionMemory
from training.cli.console import say
from training.data.preparation.sessionising import Repeats
from training.evaluation.scorers import ModelScorer, Scorer
from training.inputs.batches import TrainingLoader
from training.inputs.cases import cases_of, look_ahead_cases, together
from training.inputs.datamodule import SessionData
from training.inputs.visits import refuse_history
from training.learning.blend import choose_neighbours, learn_memory
from training.learning.calibration import calibrate_intent, level_intent
from training.learning.cold_items import learn_newness
from training.learning.fit import TrainerConfig, fit, load_best, plan, refuse_diverged
from training.learning.lightning_module import LossConfig, NextItemModule, OptimizerConfig
from training.learning.warm_start import Carried, Parent
from training.model.checkpoint import TrainedModel, build_model
from training.model.next_item import ModelConfig
from training.tracking.tracker import Tracker

HISTORY_FILE = "history.json"
REFIT = "refit"
RARE = 0.05
"""Where fewer of a log's events than this share return to an item of their session, validation ranks the other items
while a model is fitted. The model by itself does not put what a session holds behind all else, the blend will; judged
with those items in the way, training would end before its time."""
History = list[dict[str, float]]


class LessonConfig(Protocol):
    """The parts of the command's config that learning depends on."""

    seed: int
    model: ModelConfig
    loss: LossConfig
    optimizer: OptimizerConfig
    trainer: TrainerConfig


@dataclass
class Lesson:
    """What is fitted: a fresh module, perhaps with what its parent learned, its data, and for how long at most.

    ``model`` is the config's, with what follows from the log filled in.
    """

    config: LessonConfig
    model: ModelConfig
    data: SessionData
    module: NextItemModule
    fallback: Scorer
    neighbours: SessionNeighbours
    epochs: int
    parent: Parent | None = None
    carried: Carried | None = None

    @classmethod
    def prepare(cls, config: LessonConfig, dataset: Dataset, parent: Parent | None = None) -> "Lesson":
        """What is fitted first: the training part alone."""
        refuse_history(config.model.history, dataset)
        spec, items = encoding(config, dataset), dataset.catalogue.rankable
        cases = cases_of(dataset, "validation", spec=spec, limit=config.trainer.validation_cases)
        neighbours = choose_neighbours(dataset.part("train"), cases, items=items)
        return cls.build(config, dataset, neighbours=neighbours, parent=parent)

    @classmethod
    def build(
        cls,
        config: LessonConfig,
        dataset: Dataset,
        *,
        neighbours: SessionNeighbours,
        refit_epochs: int | None = None,
        parent: Parent | None = None,
    ) -> "Lesson":
        """Seed everything and build; the same config and data set give the same weights.

        Args:
            refit_epochs: learn from the validation part too, for so many epochs.
            parent: a model whose weights are the first ones.
        """
        pl.seed_everything(config.seed, verbose=False)
        spec = encoding(config, dataset)
        counts_NB = dataset.catalogue.counts_NB[: dataset.catalogue.trained]
        targets = int(counts_NB.sum())
        model = config.model.suited(targets=targets, items=len(counts_NB))
        fallback = Popularity(popularity(dataset.catalogue.popular_NB[: dataset.catalogue.rankable]))
        batch_events, epochs = plan(targets, config.trainer, warm=parent is not None)
        data = SessionData(
            dataset,
            spec=spec,
            batch_events=batch_events,
            validation_cases=config.trainer.validation_cases,
            seed=config.seed,
            recency=neighbours.settings.age_decay if config.loss.recency is None else config.loss.recency,
            refit=refit_epochs is not None,
        )
        module = NextItemModule(
            build_model(model, dataset, spec, data.sessions),
            loss=config.loss,
            optimizer=config.optimizer,
            counts_N=torch.from_numpy(counts_NB.sum(axis=1)),
            fallback=fallback,
            intent=teaches_intent(dataset, data),
            repeats=has_repeats(dataset),
            sparse_rows=not (torch.cuda.is_available() and config.trainer.devices * config.trainer.nodes > 1),
        )
        carried = parent.hand_over(module.model, dataset.catalogue) if parent is not None else None
        return cls(config, model, data, module, fallback, neighbours, refit_epochs or epochs, parent, carried)


def has_repeats(dataset: Dataset) -> bool:
    """Whether shoppers return to items often enough (RARE) for those to be ranked with all others."""
    return repeat_share(dataset.part("train")) >= RARE


def repeat_share(sessions: Sessions) -> float:
    """Which share of the events after a session's first one returns to an item of the session."""
    offsets, items = np.asarray(sessions.offsets), np.asarray(sessions.items, np.int64)
    session_E = np.repeat(np.arange(len(sessions)), np.diff(offsets))
    different = len(np.unique(session_E * (items.max(initial=0) + 1) + items))
    return (len(items) - different) / max(len(items) - int((np.diff(offsets) > 0).sum()), 1)


def encoding(config: LessonConfig, dataset: Dataset) -> EncodingSpec:
    """How sessions are read."""
    collapse = dataset.about["config"]["repeats"] == Repeats.collapse.name
    model = config.model
    return EncodingSpec(max_length=model.max_length, collapse_repeats=collapse, history=model.history)


def fit_until_best(
    lesson: Lesson, *, folder: Path, tracker: Tracker | None, watchers: Sequence[pl.Callback] = ()
) -> tuple[float, int]:
    """The first step alone: returns the best val/mrr@20 and how many epochs it took, and leaves those weights.

    Args:
        watchers: callbacks of Lightning's that look on, and may raise to end it.
    """
    if not (folder / HISTORY_FILE).is_file():
        trainer = lesson.config.trainer
        fitted = fit(
            lesson.module,
            lesson.data,
            trainer,
            folder=folder,
            epochs=lesson.epochs,
            tracker=tracker,
            watchers=watchers,
        )
        if tracker is not None:
            write_text_atomically(folder / HISTORY_FILE, json.dumps(fitted.history))
    return load_best(lesson.module, folder) if tracker is not None else (0.0, 0)


def learn(
    lesson: Lesson, dataset: Dataset, *, folder: Path, tracker: Tracker | None, watchers: Sequence[pl.Callback] = ()
) -> tuple[float, TrainedModel, History]:
    """Fit, choose, refit, going on from what lies in the folder; returns val/mrr@20, the model and the epochs' figures.

    Args:
        tracker: None in all processes but the first; what they return beside is of no use.
        watchers: see :func:`fit_until_best`.
    """
    config, module = lesson.config, lesson.module
    best, epochs = fit_until_best(lesson, folder=folder, tracker=tracker, watchers=watchers)
    memory, history = None, []
    if tracker is not None:
        history = json.loads((folder / HISTORY_FILE).read_text(encoding="utf-8"))
        memory = choose(lesson, dataset)
        say(memory_sentence(memory, module.model.encoder.get_buffer("trend_weights").tolist(), dataset))
    spec, intent = lesson.data.spec, module.intent
    trained = TrainedModel(module.model, lesson.model, spec, intent, memory)
    if not config.trainer.refit:
        return best, trained, history
    again = Lesson.build(
        config,
        dataset,
        neighbours=lesson.neighbours,
        refit_epochs=_from_first(epochs),
        parent=lesson.parent,
    )
    place = folder / REFIT
    if tracker is not None:
        place.mkdir(exist_ok=True)
    fit(again.module, again.data, config.trainer, folder=place, epochs=again.epochs, tracker=tracker, stage=REFIT)
    refuse_diverged(again.module)
    for name in ("intent_calibration", "trend_weights"):
        again.module.model.encoder.get_buffer(name).copy_(module.model.encoder.get_buffer(name))
    if intent and tracker is not None:
        batches = TrainingLoader(again.data.rows, budget=again.data.batch_events, seed=config.seed)
        level_intent(again.module.model, batches)
    if memory is not None:
        memory = SessionMemory.fit(
            dataset.before_test(),
            items=dataset.catalogue.rankable,
            document=memory.document(),
            behaviours=len(dataset.behaviours),
            catalogue=dataset.catalogue,
        )
    return best, TrainedModel(again.module.model, again.model, spec, intent, memory, refitted=True), history


def choose(lesson: Lesson, dataset: Dataset) -> SessionMemory:
    """What validation decides after fitting: the calibration of the intent, how past sessions and likeness are blended
    in, also for an item that has no past, and what trends are worth, which goes into the encoder.

    A cart or a purchase is nearly always of the item just seen where it is the very next event, and shops ask what will
    be bought later as well, so the blend is judged on both.
    """
    module, data, items = lesson.module, lesson.data, dataset.catalogue.rankable
    ahead = look_ahead_cases(dataset.part("validation"), data.validation, goal=len(dataset.behaviours) - 1)
    scorer = ModelScorer.of(module.model, lesson.fallback)
    if module.intent:
        calibrate_intent(module.model, scorer, data.validation, items=items)
    trend_N = module.model.items.get_buffer("trend").cpu().numpy()
    memory, trends = learn_memory(
        scorer,
        lesson.neighbours,
        together(data.validation, ahead),
        trend_N=trend_N,
        behaviours=len(dataset.behaviours),
        catalogue=dataset.catalogue,
    )
    module.model.encoder.get_buffer("trend_weights").copy_(torch.tensor(trends))
    return learn_newness(
        module.model,
        memory,
        dataset.part("train"),
        data.validation,
        fallback=lesson.fallback,
        absent_R=held_out(dataset),
    )


def teaches_intent(dataset: Dataset, data: SessionData) -> bool:
    """Whether the log shows sessions that reach the goal, so that purchase intent can be learned."""
    return len(dataset.behaviours) > 1 and data.rows.reaches_goal


def held_out(dataset: Dataset) -> npt.NDArray[np.bool_]:
    """Which rankable items were held out (``holdout_items``), and so are not in the shop before the test part [R].

    Validation cannot ask for them as it does for other new items; left in, they would be wares that nobody wants.
    """
    if not dataset.about["config"].get("holdout_items"):
        return np.zeros(dataset.catalogue.rankable, np.bool_)
    return dataset.new_items()[: dataset.catalogue.rankable]


def memory_sentence(memory: SessionMemory, trends: list[float], dataset: Dataset) -> str:
    """The chosen blend in words."""
    blend, settings = memory.blend, memory.neighbours.settings
    told = [
        f"{name} {weight:g}, again {'/'.join(f'{bonus:g}' for bonus in repeats)}, trend {trend:g}"
        for name, weight, repeats, trend in zip(
            dataset.behaviours.names, blend.weights, blend.repeats, trends, strict=True
        )
    ]
    if blend.earlier:
        told = [f"{each}, earlier {pull:g}" for each, pull in zip(told, blend.earlier, strict=True)]
    decays = f"item_decay {settings.item_decay:g}, age_decay {settings.age_decay:g}, reach {settings.reach:g}"
    if memory.likeness is not None:
        decays += ", likeness {:g}, of new items {:g}".format(*blend.alike)
    return f"past sessions weigh: {'; '.join(told)} (floor {blend.floor:g}, {decays})"


def _from_first(epochs: int) -> int:
    """The first process's number, in all of them."""
    if not torch.distributed.is_initialized():
        return epochs
    shared: list[int] = [epochs]
    torch.distributed.broadcast_object_list(shared)
    return shared[0]
