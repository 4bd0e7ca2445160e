"""Calibration: a known distortion is undone, nothing is learned from one class, few sessions move little."""

import numpy as np
import pytest
import torch

from training.learning.calibration import USUAL_SWING, Fitted, Prior, fit_calibration, level_swing
from training.model.encoder import NOT_CALIBRATED


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def logit(p):
    return np.log(p) - np.log(1 - p)


def by_hand(probabilities, low, high, shift):
    return sigmoid(low * np.log(probabilities) - high * np.log(1 - probabilities) + shift)


@pytest.mark.parametrize("known", [(1.0, 1.0, 0.0), (0.5, 0.5, -1.0), (2.0, 2.0, 0.7), (0.7, 1.6, -0.3)])
def test_known_slopes_and_a_known_shift_are_recovered(known):
    rng = np.random.default_rng(0)
    logits = rng.normal(0, 2, 100_000)
    labels = rng.random(100_000) < by_hand(sigmoid(logits), *known)
    assert fit_calibration(logits, labels).beta == pytest.approx(known, abs=0.12)


def test_smoothed_targets_by_hand():
    # one probability for all, 1/2: the answer is the mean of the smoothed targets, 3 buyers at 4/5 and 1 other at 1/3:
    # (12/5 + 1/3) / 4 = 41/60
    fitted = fit_calibration(np.zeros(4), np.array([True, True, True, False]))
    assert by_hand(0.5, *fitted.beta) == pytest.approx(41 / 60, abs=1e-4)


@pytest.mark.parametrize("label", [True, False])
def test_one_class_teaches_nothing(label):
    assert fit_calibration(logit(np.array([0.2, 0.9])), np.array([label, label])) == Fitted(NOT_CALIBRATED)
    assert fit_calibration(np.zeros(0), np.zeros(0, bool)) == Fitted(NOT_CALIBRATED)


def test_certain_and_separable_predictions_give_finite_numbers():
    fitted = fit_calibration(np.array([-40.0, -40.0, 40.0, 40.0]), np.array([False, False, True, True]))
    assert np.isfinite(fitted.beta).all()
    assert by_hand(0.9, *fitted.beta) > by_hand(0.1, *fitted.beta)


def test_what_stands_the_wrong_way_round_is_not_turned():
    rng = np.random.default_rng(0)
    probabilities = rng.random(2_000)
    low, high, shift = fit_calibration(logit(probabilities), rng.random(2_000) < 1 - probabilities).beta
    assert (low, high, shift) == pytest.approx((0, 0, 0), abs=0.1)
    assert min(low, high) >= 0


def answered(fitted: Fitted, head, counts, latest):
    moved = latest.numpy() @ np.array(fitted.moved_K)
    return by_hand(sigmoid(counts + moved + fitted.believed * head), *fitted.beta)


def drawn(size: int, *, real: float, kinds: tuple[float, float] = (0.0, 0.0), level: float = 0.0, seed: int = 0):
    """Labels by the counts' logits, ``real`` times the head's, a level for each of two behaviours and one for all."""
    rng = np.random.default_rng(seed)
    head, counts = rng.normal(0, 1.5, size), rng.normal(-1, 0.5, size)
    latest = torch.nn.functional.one_hot(torch.from_numpy(rng.integers(0, 2, size)), 2).float()
    labels = rng.random(size) < sigmoid(counts + real * head + latest.numpy() @ np.array(kinds) + level)
    return head, counts, latest, labels


def fit(head, counts, latest, labels, *, evidence: float = 1.0) -> Fitted:
    return fit_calibration(head, labels, by_counts_M=counts, latest_MK=latest, prior=Prior(evidence))


@pytest.mark.parametrize("real", [0.0, 0.4, 1.0])
def test_many_moments_say_how_much_of_the_head_is_true(real):
    """A slope of the sum times the factor: what the head's logits are multiplied by in the end."""
    head, counts, latest, labels = drawn(100_000, real=real)
    fitted = fit(head, counts, latest, labels)
    assert fitted.believed * fitted.beta[0] == pytest.approx(real, abs=0.06)
    said = answered(fitted, head, counts, latest)
    assert said.mean() == pytest.approx(labels.mean(), abs=0.002)
    sure = head > 2
    assert said[sure].mean() == pytest.approx(labels[sure].mean(), abs=0.02)


def test_each_latest_behaviour_gets_its_level():
    head, counts, latest, labels = drawn(100_000, real=0.5, kinds=(0.4, -0.6))
    said = answered(fit(head, counts, latest, labels), head, counts, latest)
    for kind in (0, 1):
        own = latest[:, kind].numpy() == 1
        assert said[own].mean() == pytest.approx(labels[own].mean(), abs=0.01)


def test_few_sessions_move_the_level_little_and_many_the_whole_way():
    """The goal is reached e times as often on validation; of a few moments that may be chance."""
    shares = {}
    for size in (40, 40_000):
        head, counts, latest, labels = drawn(size, real=0.25, level=1.0)
        before = sigmoid(counts + 0.25 * head).mean()
        said = answered(fit(head, counts, latest, labels), head, counts, latest).mean()
        shares[size] = (said - before) / (labels.mean() - before)
    assert shares[40] < 0.6
    assert shares[40_000] == pytest.approx(1, abs=0.02)


def test_moments_that_go_together_count_as_fewer():
    """Ten moments to a session, all with one label, are one piece of evidence."""
    given = drawn(40, real=0.25, level=1.0)
    once = fit(*given)
    head, counts, latest, labels = given
    often = fit(
        np.repeat(head, 10), np.repeat(counts, 10), latest.repeat_interleave(10, 0), np.repeat(labels, 10), evidence=0.1
    )
    assert often.believed == pytest.approx(once.believed, abs=0.02)
    assert often.beta == pytest.approx(once.beta, abs=0.05)


def swing(shares, *, moments: int, sessions_of: int = 1) -> float:
    """Of pieces with these shares of buyers, where the counts expect their mean of every moment."""
    labels = np.concatenate([np.arange(moments) < round(share * moments) for share in shares])
    sessions = np.arange(len(labels)) // sessions_of
    expected = np.full(len(labels), logit(labels.mean()))
    return level_swing(expected, labels, sessions, np.repeat(np.arange(len(shares)), moments))


def test_the_swing_is_what_the_log_shows_beyond_chance():
    """.4 and .6 in turn lie .4 below and above the level (.1 / .25), .496 and .504 by .016 (.004 / .25); by more, by
    1 / sqrt(4000 / 4) = .032, would 4,000 sessions differ anyhow."""
    assert swing([0.4, 0.6] * 20, moments=4000) == pytest.approx(0.4, abs=0.03)
    assert swing([0.496, 0.504] * 20, moments=4000) < 0.02


def test_of_a_few_sessions_nothing_is_known_but_what_is_usual():
    """Mean of half a normal distribution: .80 of its standard deviation."""
    assert swing([0.5, 0.5], moments=2) == pytest.approx(0.8 * USUAL_SWING, abs=0.03)


def test_the_swing_is_of_sessions_not_of_their_moments():
    """A hundred moments to a session, all alike: ten sessions of a piece differ by as much by chance."""
    shares = [0.4, 0.6] * 10
    assert swing(shares, moments=1000) > 0.3
    assert swing(shares, moments=1000, sessions_of=100) < 0.2


def test_a_level_that_never_swung_is_kept_though_validation_had_luck():
    head, counts, latest, labels = drawn(4000, real=0.25, level=0.5)
    expected = sigmoid(counts).mean()
    steady = fit_calibration(head, labels, by_counts_M=counts, latest_MK=latest, prior=Prior(1.0, level=0.01))
    assert answered(steady, head, counts, latest).mean() == pytest.approx(expected, abs=0.02)
    moving = fit_calibration(head, labels, by_counts_M=counts, latest_MK=latest, prior=Prior(1.0, level=1.0))
    assert answered(moving, head, counts, latest).mean() == pytest.approx(labels.mean(), abs=0.005)
