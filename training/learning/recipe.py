"""From a data set to a trained model, in three steps: fit, choose on validation, refit.

The model is fitted on the training part, with early stopping on validation. Validation then chooses how past sessions
(session kNN) are blended in and calibrates the purchase intent. Finally a fresh model is trained on the training *and*
the validation part for the best number of epochs, because the newest sessions, which validation held back, say most
about the next ones; the choices made on validation are kept, the level of the purchase intent among them. Each step
leaves a file in the run's folder, so a killed run resumes in the step it was in.

Shapes: N items, R rankable ones (trained, then cold).
"""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytorch_lightning as pl
import torch

from tillside.atomic import write_text_atomically
from tillside.dataset import Dataset
from tillside.recommenders import SessionNeighbours
from tillside.recommenders.blend import SessionMemory
from training.cli.console import say
from training.cli.progress import step
from training.evaluation.placements.observing import observed_of_model
from training.evaluation.scorers import ModelScorer
from training.inputs.cases import look_ahead_cases, together
from training.learning.blend import learn_memory
from training.learning.chosen import chosen_settings, validated
from training.learning.cold_items import learn_cold_factor
from training.learning.fit import fit, load_best, refuse_diverged
from training.learning.intent_head import Intent, learn_again, learn_intent
from training.learning.newest import NotLearned
from training.learning.training_setup import TrainingSetup
from training.model.checkpoint import TrainedModel
from training.tracking.tracker import Tracker
from training.tracking.unrecorded import Unrecorded

HISTORY_FILE = "history.json"
REFIT = "refit"
History = list[dict[str, float]]


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
