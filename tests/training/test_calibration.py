"""Platt scaling: a known distortion is undone, nothing is learned from one class, and twice is the same as once."""

import numpy as np
import pytest
import torch

from tests.datasets import make_sessions, random_rows
from tests.models import SPEC, make_model
from tillside.ranking import calibration_error, reliability
from tillside.recommenders import Popularity
from training.calibration import calibrate_intent, judge_intent, platt
from training.cases import make_cases
from training.evaluation import ModelScorer, rank


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


@pytest.mark.parametrize(("slope", "shift"), [(1.0, 0.0), (0.5, -1.0), (2.0, 0.7)])
def test_a_known_slope_and_shift_are_recovered(slope, shift):
    rng = np.random.default_rng(0)
    logits = rng.normal(0, 2, 40_000)
    labels = rng.random(40_000) < sigmoid(slope * logits + shift)
    assert platt(sigmoid(logits), labels) == pytest.approx((slope, shift), abs=0.06)


def test_smoothed_targets_by_hand():
    # one logit for all, 0: the answer is the mean of the smoothed targets, 3 buyers at 4/5 and 1 other at 1/3:
    # (12/5 + 1/3) / 4 = 41/60, so the shift is log(41/19)
    _, shift = platt(np.full(4, 0.5), np.array([True, True, True, False]))
    assert shift == pytest.approx(np.log(41 / 19), abs=1e-4)


@pytest.mark.parametrize("label", [True, False])
def test_one_class_teaches_nothing(label):
    assert platt(np.array([0.2, 0.9]), np.array([label, label])) == (1.0, 0.0)
    assert platt(np.zeros(0), np.zeros(0, bool)) == (1.0, 0.0)


def test_certain_and_separable_predictions_give_finite_numbers():
    slope, shift = platt(np.array([0.0, 0.0, 1.0, 1.0]), np.array([False, False, True, True]))
    assert np.isfinite([slope, shift]).all()
    assert slope > 0


@pytest.fixture
def calibrated():
    model = make_model()
    torch.nn.init.normal_(model.encoder.intent[-1].weight, std=0.5, generator=torch.Generator().manual_seed(0))
    scorer = ModelScorer.of(model, Popularity(np.zeros((3, 12), np.float32)))
    cases = make_cases(make_sessions(random_rows(80, items=12)), rule="every", spec=SPEC, items=12, goal=2)
    before = rank(scorer, cases, items=12).intent_C
    calibrate_intent(model, scorer, cases, items=12)
    return model, scorer, cases, before


def buffers(model) -> tuple[float, float]:
    return model.encoder.intent_slope.item(), model.encoder.intent_shift.item()


def test_calibration_is_stored_in_the_encoder_and_moves_the_answers(calibrated):
    model, scorer, cases, before = calibrated
    slope, shift = buffers(model)
    after = rank(scorer, cases, items=12).intent_C
    np.testing.assert_allclose(after, sigmoid(slope * np.log(before / (1 - before)) + shift), atol=1e-5)
    assert {"encoder.intent_slope", "encoder.intent_shift"} <= set(model.state_dict())


def test_calibrated_probabilities_mean_what_they_say(calibrated):
    _, scorer, cases, before = calibrated
    after = rank(scorer, cases, items=12).intent_C
    assert after.mean() == pytest.approx(cases.goal_later_C.mean(), abs=0.01)
    errors = [calibration_error(reliability(intent_C, cases.goal_later_C)) for intent_C in (before, after)]
    assert errors[1] < errors[0] / 2


def test_calibrating_twice_is_calibrating_once(calibrated):
    model, scorer, cases, _ = calibrated
    once = buffers(model)
    calibrate_intent(model, scorer, cases, items=12)
    assert buffers(model) == once
    assert once != (1.0, 0.0)


def test_intent_is_judged_over_the_cases_that_hold_a_known_item_beside_gradient_boosting():
    rows = [[0, (1, "cart"), (0, "purchase"), 2], [2, 7], [7, (1, "purchase")]]
    cases = make_cases(make_sessions(rows), rule="every", spec=SPEC, items=4, goal=2)
    # goal later: yes, yes, no, no, yes; the last one has no known item
    intent_C = np.array([0.9, 0.3, 0.4, 0.1, np.nan], np.float32)
    document = judge_intent(intent_C, cases, np.array([0.9, 0.8, 0.4, 0.1, 0.0]))["intent"]
    assert document["cases"] == 4
    assert document["base_rate"] == pytest.approx(1 / 2)
    # pairs: .9 > .4, .9 > .1, .3 < .4, .3 > .1
    assert document["auc"] == pytest.approx(3 / 4)
    # a bin a case: (0.1 + 0.7 + 0.4 + 0.1) / 4
    assert document["calibration_error"] == pytest.approx(1.3 / 4)
    # all pairs right; (0.1 + 0.2 + 0.4 + 0.1) / 4
    assert document["boosting"] == pytest.approx({"auc": 1.0, "calibration_error": 0.2})


def test_intent_is_not_judged_where_all_cases_are_of_one_kind():
    cases = make_cases(make_sessions([[0, 1], [1, 2]]), rule="every", spec=SPEC, items=4, goal=2)
    assert judge_intent(np.array([0.1, 0.2], np.float32), cases, None) == {}
