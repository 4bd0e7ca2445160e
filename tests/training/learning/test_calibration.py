"""Beta calibration: a known distortion is undone, nothing is learned from one class, calibration is idempotent."""

import numpy as np
import pytest
import torch

from tests.datasets import make_sessions, random_rows
from tests.models import SPEC, make_model
from tillside.ranking import calibration_error, reliability
from tillside.recommenders import Popularity
from training.evaluation.ranking import rank
from training.evaluation.scorers import ModelScorer
from training.inputs.batches import TrainingLoader, TrainingRows
from training.inputs.cases import make_cases
from training.learning.calibration import calibrate_intent, fit_calibration, level_intent
from training.model.next_item import NOT_CALIBRATED


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def by_hand(probabilities, low, high, shift):
    return sigmoid(low * np.log(probabilities) - high * np.log(1 - probabilities) + shift)


@pytest.mark.parametrize("known", [(1.0, 1.0, 0.0), (0.5, 0.5, -1.0), (2.0, 2.0, 0.7), (0.7, 1.6, -0.3)])
def test_known_slopes_and_a_known_shift_are_recovered(known):
    rng = np.random.default_rng(0)
    probabilities = sigmoid(rng.normal(0, 2, 100_000))
    labels = rng.random(100_000) < by_hand(probabilities, *known)
    assert fit_calibration(probabilities, labels) == pytest.approx(known, abs=0.12)


def test_smoothed_targets_by_hand():
    # one probability for all, 1/2: the answer is the mean of the smoothed targets, 3 buyers at 4/5 and 1 other at 1/3:
    # (12/5 + 1/3) / 4 = 41/60
    fitted = fit_calibration(np.full(4, 0.5), np.array([True, True, True, False]))
    assert by_hand(0.5, *fitted) == pytest.approx(41 / 60, abs=1e-4)


@pytest.mark.parametrize("label", [True, False])
def test_one_class_teaches_nothing(label):
    assert fit_calibration(np.array([0.2, 0.9]), np.array([label, label])) == NOT_CALIBRATED
    assert fit_calibration(np.zeros(0), np.zeros(0, bool)) == NOT_CALIBRATED


def test_certain_and_separable_predictions_give_finite_numbers():
    fitted = fit_calibration(np.array([0.0, 0.0, 1.0, 1.0]), np.array([False, False, True, True]))
    assert np.isfinite(fitted).all()
    assert by_hand(0.9, *fitted) > by_hand(0.1, *fitted)


def test_what_stands_the_wrong_way_round_is_not_turned():
    rng = np.random.default_rng(0)
    probabilities = rng.random(2_000)
    low, high, shift = fit_calibration(probabilities, rng.random(2_000) < 1 - probabilities)
    assert (low, high, shift) == pytest.approx((0, 0, 0), abs=0.1)
    assert min(low, high) >= 0


@pytest.fixture
def calibrated():
    model = make_model()
    torch.nn.init.normal_(model.encoder.intent[-1].weight, std=0.5, generator=torch.Generator().manual_seed(0))
    scorer = ModelScorer.of(model, Popularity(np.zeros((3, 12), np.float32)))
    cases = make_cases(make_sessions(random_rows(80, items=12)), rule="every", spec=SPEC, items=12, goal=2)
    before = rank(scorer, cases, items=12).intent_C
    calibrate_intent(model, scorer, cases, items=12)
    return model, scorer, cases, before


def stored(model) -> tuple[float, ...]:
    return tuple(model.encoder.intent_calibration.tolist())


def test_calibration_is_stored_in_the_encoder_and_moves_the_answers(calibrated):
    model, scorer, cases, before = calibrated
    after = rank(scorer, cases, items=12).intent_C
    np.testing.assert_allclose(after, by_hand(before, *stored(model)), atol=1e-5)
    assert "encoder.intent_calibration" in model.state_dict()


def test_calibrated_probabilities_mean_what_they_say(calibrated):
    _, scorer, cases, before = calibrated
    after = rank(scorer, cases, items=12).intent_C
    assert after.mean() == pytest.approx(cases.goal_later_C.mean(), abs=0.01)
    errors = [calibration_error(reliability(intent_C, cases.goal_later_C)) for intent_C in (before, after)]
    assert errors[1] < errors[0] / 2


def test_calibration_is_idempotent(calibrated):
    model, scorer, cases, _ = calibrated
    once = stored(model)
    calibrate_intent(model, scorer, cases, items=12)
    assert stored(model) == once
    assert once != NOT_CALIBRATED


@pytest.mark.parametrize("recency", [0.0, 0.3])
def test_the_level_is_that_of_what_was_learned_and_the_slopes_stay(calibrated, recency):
    model, *_ = calibrated
    sessions, slopes = make_sessions(random_rows(300, items=12, seed=1)), stored(model)[:2]
    rows = TrainingRows(sessions, spec=SPEC, items=12, goal=2, recency=recency)
    level_intent(model, TrainingLoader(rows, budget=64, seed=0))
    assert stored(model)[:2] == slopes
    # by the way cases are asked: every place after the first event of a session, whose row has its weight
    cases = make_cases(sessions, rule="every", spec=SPEC, items=12, goal=2)
    said = rank(ModelScorer.of(model, Popularity(np.zeros((3, 12), np.float32))), cases, items=12).intent_C
    weights = rows.weights[np.searchsorted(np.unique(cases.sessions_C), cases.sessions_C)]
    mean, share = np.average(said, weights=weights), np.average(cases.goal_later_C, weights=weights)
    assert mean == pytest.approx(share, abs=1e-5)


def test_where_all_sessions_reach_the_goal_the_level_stays(calibrated):
    model, *_ = calibrated
    rows = TrainingRows(make_sessions([[0, (1, "purchase")]] * 3), spec=SPEC, items=12, goal=2)
    before = stored(model)
    level_intent(model, TrainingLoader(rows, budget=64, seed=0))
    assert stored(model) == before
