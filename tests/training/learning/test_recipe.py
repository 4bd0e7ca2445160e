"""Fit, choose, refit: what each step learns from, and what of the first two the last one keeps."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tests.datasets import make_dataset, random_rows
from tillside.dataset import Dataset
from training.evaluation.intent_answers import intent_at
from training.inputs.cases import look_ahead_cases
from training.inputs.moments import moments_of
from training.learning import intent_head, recipe, training_setup
from training.learning.recipe import HISTORY_FILE, REFIT, learn
from training.learning.training_setup import TrainingSetup
from training.model.encoder import NOT_CALIBRATED
from training.settings.model import ModelConfig
from training.settings.train import TrainConfig
from training.settings.trainer import TrainerConfig

pytestmark = pytest.mark.usefixtures("one_thread")

ITEMS, TRAIN, VALIDATION = 6, 40, 20


class Figures:
    """Takes the place of MLflow: the names of what was measured."""

    def __init__(self) -> None:
        self.names: set[str] = set()

    def metrics(self, values: Mapping[str, float], *, step: int = 0) -> None:
        self.names |= values.keys()

    def parameters(self, config: Mapping[str, Any]) -> None:
        self.chosen = config


@pytest.fixture(scope="module")
def dataset(tmp_path_factory) -> Dataset:
    return make_dataset(
        tmp_path_factory.mktemp("learning") / "d",
        train=random_rows(TRAIN, items=ITEMS, seed=1),
        validation=random_rows(VALIDATION, items=ITEMS, seed=2),
        test=random_rows(4, items=ITEMS, seed=3),
        trained=ITEMS,
    )


def config(**trainer: Any) -> TrainConfig:
    settings = {"max_epochs": 3, "batch_events": 64, "patience": 3, "progress_bar": False, **trainer}
    model = ModelConfig(dim=8, layers=1, heads=2, max_length=8)
    return TrainConfig(model=model, trainer=TrainerConfig(**settings))


@pytest.fixture(scope="module")
def learned(dataset, tmp_path_factory):
    """The set-up, what came of it, its folder, the fits that were made, what was chosen and what was measured."""
    torch.set_num_threads(1)
    fits, chosen, figures, folder = [], [], Figures(), tmp_path_factory.mktemp("run")
    fit, load_best, choose = recipe.fit, recipe.load_best, recipe.choose

    def spy(*arguments: Any, epochs: int, stage: str = "train", **more: Any) -> Any:
        fits.append((stage, epochs))
        return fit(*arguments, epochs=epochs, stage=stage, **more)

    def choose_and_tell(*arguments: Any) -> Any:
        chosen.append(choose(*arguments))
        return chosen[-1]

    def second_is_best(*arguments: Any) -> tuple[float, int]:
        return load_best(*arguments)[0], 2

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(intent_head, "ENOUGH_GOALS", 1)
        patched.setattr(recipe, "fit", spy)
        patched.setattr(recipe, "load_best", second_is_best)
        patched.setattr(recipe, "choose", choose_and_tell)
        setup = TrainingSetup.prepare(config(), dataset)
        best, trained, history = learn(setup, dataset, folder=folder, tracker=figures)
    return setup, best, trained, history, folder, fits, chosen, figures


@pytest.mark.parametrize(("rare", "repeats"), [(0.3, True), (0.4, False)])
def test_validation_ranks_a_sessions_own_items_where_the_training_part_has_enough_repeats(
    tmp_path, monkeypatch, rare, repeats
):
    """One of three events returns; validation, whose events all do, is not asked."""
    rows = {"train": [[0, 1, 0], [1, 2]], "validation": [[2, 2, 2], [1, 1]], "test": [[0, 2]]}
    monkeypatch.setattr(training_setup, "RARE", rare)
    dataset = make_dataset(tmp_path / "d", **rows, trained=3)
    assert TrainingSetup.prepare(config(), dataset).module.repeats == repeats
    best, _, history = learn(TrainingSetup.prepare(config(), dataset), dataset, folder=tmp_path, tracker=Figures())
    assert (best > 0.4) == repeats
    assert repeats or best == pytest.approx(1 / 3)  # what returns stands behind the other two
    assert best == max(epoch["val/mrr@20"] for epoch in history)


def test_the_refit_takes_as_many_epochs_as_were_best(learned):
    assert learned[5] == [("train", 3), (REFIT, 2)]


def test_the_best_epoch_is_that_of_the_greatest_validation_figure(learned, dataset):
    _, best, _, history, folder, *_ = learned
    figures = [epoch["val/mrr@20"] for epoch in history]
    again = TrainingSetup.prepare(config(), dataset)
    assert recipe.load_best(again.module, folder) == (pytest.approx(max(figures)), int(np.argmax(figures)) + 1)
    assert best == pytest.approx(max(figures))


def test_the_refitted_model_is_another_one_with_the_calibration_and_the_level_that_validation_gave(learned, dataset):
    """Its answers differ; their mean at the training part's moments does not."""
    setup, _, trained, *_ = learned
    fitted, refitted = setup.module.model.encoder, trained.model.encoder
    assert trained.refitted
    assert trained.intent
    calibration = fitted.intent_calibration.tolist()
    assert tuple(calibration) != NOT_CALIBRATED
    assert refitted.intent_calibration.tolist() == calibration
    moments = moments_of(dataset, "train", spec=trained.spec)
    first, again = (intent_at(model, moments) for model in (setup.module.model, trained.model))
    assert np.abs(first - again).max() > 0.001
    assert again.mean() == pytest.approx(first.mean(), abs=1e-4)
    assert not torch.equal(refitted.log_temperature, fitted.log_temperature)
    assert not trained.model.training


def test_the_memory_keeps_the_blend_and_holds_the_validation_sessions_too(learned):
    _, _, trained, _, _, _, (chosen,), _ = learned
    assert trained.memory.document() == chosen.document()
    sessions = [len(memory.neighbours.session_offsets) - 1 for memory in (chosen, trained.memory)]
    assert sessions == [TRAIN, TRAIN + VALIDATION]


def test_the_refit_weighs_old_sessions_as_the_fit_that_was_validated_did(dataset, tmp_path, monkeypatch):
    """The blend has a neighbourhood of its own; the refit's recency is that of the neighbours alone, as in the fit."""
    built, build, learn_memory = [], TrainingSetup.build.__func__, recipe.learn_memory

    def spy(cls, *arguments, **named):
        built.append(build(cls, *arguments, **named))
        return built[-1]

    def another(scorer, neighbours, cases, **more):
        memory, trends = learn_memory(scorer, neighbours, cases, **more)
        settings = replace(neighbours.settings, age_decay=neighbours.settings.age_decay / 4 + 0.125)
        return replace(memory, neighbours=neighbours.under(settings)), trends

    monkeypatch.setattr(TrainingSetup, "build", classmethod(spy))
    monkeypatch.setattr(recipe, "learn_memory", another)
    setup = TrainingSetup.prepare(config(max_epochs=1), dataset)
    alone = setup.neighbourhood.age_decay
    figures = Figures()
    _, trained, _ = learn(setup, dataset, folder=tmp_path, tracker=figures)
    assert [each.data.recency for each in built] == [alone, alone]
    assert trained.alone == setup.neighbourhood  # which the row of session kNN alone is judged with
    assert trained.memory.neighbours.settings.age_decay == alone / 4 + 0.125 != alone
    assert figures.chosen["derived"]["neighbours"]["age_decay"] == alone / 4 + 0.125
    assert setup.derived()["derived"]["loss"]["recency"] == alone


def test_the_blend_is_judged_on_what_comes_next_and_on_carts_and_purchases_further_on(dataset, monkeypatch):
    asked, learn_memory = [], recipe.learn_memory

    def spy(scorer, neighbours, cases, **more):
        asked.append(cases)
        return learn_memory(scorer, neighbours, cases, **more)

    monkeypatch.setattr(recipe, "learn_memory", spy)
    setup = TrainingSetup.prepare(config(), dataset)
    recipe.choose(setup, dataset)
    following = setup.data.validation
    ahead = look_ahead_cases(dataset.part("validation"), following, goal=2)
    counts = [np.bincount(cases.asked_C, minlength=3) for cases in (asked[0], following, ahead)]
    assert counts[0].tolist() == (counts[1] + counts[2]).tolist()
    assert counts[2][0] == 0 < counts[2][1:].min()


def test_the_figures_of_the_refit_stand_beside_those_of_the_fit(learned):
    _, _, _, history, folder, _, _, figures = learned
    assert {"train/loss", "refit/loss", "val/mrr@20"} <= figures.names
    assert [epoch["epoch"] for epoch in history] == [0, 1, 2]  # the fit's alone
    assert (folder / HISTORY_FILE).is_file()


def test_without_a_refit_the_fitted_model_stays(dataset, tmp_path):
    setup = TrainingSetup.prepare(config(refit=False, max_epochs=1), dataset)
    _, trained, _ = learn(setup, dataset, folder=tmp_path, tracker=Figures())
    assert trained.model is setup.module.model
    assert not trained.refitted
    assert not (Path(tmp_path) / REFIT).exists()
    assert len(trained.memory.neighbours.session_offsets) - 1 == TRAIN
    assert len(trained.sessions(dataset)) == TRAIN
