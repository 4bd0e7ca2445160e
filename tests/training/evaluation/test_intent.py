"""Purchase intent judged by hand, over moments, by prefix and by latest behaviour."""

import numpy as np
import pytest

from tests.datasets import make_sessions
from tests.models import SPEC
from training.evaluation.intent import auc_interval, judge_intent, observed, slices
from training.inputs.moments import Moments, make_moments

NAMES = ("click", "cart", "purchase")


def moments_of(rows) -> Moments:
    return make_moments(make_sessions(rows), spec=SPEC, items=8, goal=2)


@pytest.fixture
def moments() -> Moments:
    """Six moments; the goal comes later: yes, yes, no, no, no, yes; the last session's purchase is unknown here."""
    return moments_of([[0, (1, "cart"), (0, "purchase"), 2], [2], [7, (9, "purchase")]]).only(np.arange(6))


def test_intent_is_judged_at_every_moment_beside_gradient_boosting(moments):
    intent_M = np.array([0.9, 0.3, 0.4, 0.1, 0.2, 0.6])
    boosted_M = np.array([0.9, 0.8, 0.4, 0.1, 0.2, 0.7])
    document = judge_intent(intent_M, moments, boosted_M, behaviours=NAMES, seed=0)["intent"]
    assert (document["cases"], document["sessions"], document["goals"]) == (6, 3, 2)
    assert document["base_rate"] == document["mean_observed"] == pytest.approx(1 / 2)
    assert document["mean_predicted"] == pytest.approx(2.5 / 6)
    # of 9 pairs only .3 < .4 stands the wrong way round
    assert document["auc"] == pytest.approx(8 / 9)
    # a bin a moment: .1 + .7 + .4 + .1 + .2 + .4
    assert document["calibration_error"] == pytest.approx(1.9 / 6)
    boosting = document["boosting"]
    assert (boosting["auc"], boosting["mean_predicted"]) == (1.0, pytest.approx(3.1 / 6))
    assert boosting["calibration_error"] == pytest.approx((0.1 + 0.2 + 0.4 + 0.1 + 0.2 + 0.3) / 6)


def test_each_length_of_the_prefix_and_each_latest_behaviour_stands_alone(moments):
    document = judge_intent(np.array([0.9, 0.3, 0.4, 0.1, 0.2, 0.6]), moments, None, behaviours=NAMES, seed=0)["intent"]
    by_prefix = {
        name: (part["cases"], part["mean_predicted"], part["mean_observed"])
        for name, part in document["by_prefix"].items()
    }
    assert by_prefix == {
        "1": (3, pytest.approx(1.7 / 3), pytest.approx(2 / 3)),
        "2": (1, pytest.approx(0.3), 1.0),
        "3": (1, pytest.approx(0.4), 0.0),
        "4+": (1, pytest.approx(0.1), 0.0),
    }
    by_last = {name: (part["cases"], part["mean_predicted"]) for name, part in document["by_last"].items()}
    assert by_last == {
        "click": (4, pytest.approx(1.8 / 4)),
        "cart": (1, pytest.approx(0.3)),
        "purchase": (1, pytest.approx(0.4)),
    }


def test_moments_at_which_nothing_is_known_stand_alone_where_there_are_any(moments):
    intent_M = np.array([0.9, 0.3, 0.4, 0.1, 0.2, 0.6])
    assert "by_items" not in judge_intent(intent_M, moments, None, behaviours=NAMES, seed=0)["intent"]
    sessions = make_sessions([[9, 0, (0, "purchase")], [8]])
    mixed = make_moments(sessions, spec=SPEC, items=8, goal=2, known=None)
    document = judge_intent(np.array([0.9, 0.3, 0.4, 0.1]), mixed, None, behaviours=NAMES, seed=0)["intent"]
    (none,) = document["by_items"].values()
    assert (none["cases"], none["mean_predicted"], none["mean_observed"]) == (2, 0.5, 0.5)


def test_prefixes_of_four_and_more_are_judged_together():
    moments = moments_of([[0, 1, 2, 3, 4, 5]])
    assert slices(moments, NAMES)["by_prefix"]["4+"].tolist() == [False] * 3 + [True] * 3
    assert list(slices(moments, NAMES)["by_last"]) == ["click"]


def test_intent_is_not_judged_where_all_moments_are_of_one_kind():
    moments = moments_of([[0, 1], [1, 2]])
    assert judge_intent(np.full(4, 0.1), moments, None, behaviours=NAMES, seed=0) == {}


def test_intervals_are_over_sessions_not_moments():
    """Ten sessions of a hundred alike moments know as little as ten sessions of one."""
    few = moments_of([[0, (1, "purchase")], [0]] * 5)
    few = few.only(few.lengths_M == 1)
    once, often = observed(few, seed=0), observed(few.only(np.repeat(np.arange(10), 100)), seed=0)
    assert once == often
    assert once.value == 0.5
    assert once.high - once.low > 0.4


def test_the_interval_of_an_auc():
    rng = np.random.default_rng(0)
    labels_M, sessions_M = rng.random(4000) < 0.3, np.arange(4000)
    told = auc_interval(labels_M + rng.normal(0, 1, 4000), labels_M, sessions_M, seed=0)
    # two normals one standard deviation apart: the AUC is Phi(1 / sqrt 2) = .760
    assert told.low < 0.760 < told.high
    assert told.high - told.low < 0.05
    nothing = auc_interval(rng.random(4000), labels_M, sessions_M, seed=0)
    assert nothing.low < 0.5 < nothing.high
    alike = auc_interval(np.zeros(4000), labels_M, sessions_M, seed=0)
    assert (alike.value, alike.low, alike.high) == (0.5, 0.5, 0.5)
    assert np.isnan(auc_interval(np.zeros(2), np.zeros(2, bool), np.arange(2), seed=0).value)
