"""Weights of the counts: by a prior where moments are few, by the moments themselves where they are many."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
import torch

from tests.datasets import make_dataset, make_sessions
from tests.models import SPEC
from tillside.dataset import Dataset, Whole
from tillside.recommenders.counted_intent import count_features
from training.inputs.moments import moments_of
from training.learning.count_weights import fit_counts, learn_counted_intent

pytestmark = pytest.mark.usefixtures("one_thread")

RARE = 4
"""Of an item that is too rare to be known."""
LEAVES, BUYS = [RARE], [RARE, (RARE, "purchase")]
FIRST_CLICK = np.array([[1, 0, 0]]), np.array([0])


def test_counts_are_weighed_as_a_logistic_regression_with_a_prior(tmp_path):
    """Three of four sessions go on to buy after their first event: log odds of log 3."""
    rows = [[0, (1, "purchase")]] * 300 + [[0]] * 100
    dataset = make_dataset(tmp_path / "d", train=rows, trained=4)
    moments = moments_of(dataset, "train", spec=SPEC)
    firsts = moments.only(moments.lengths_M == 1)
    weights_F = fit_counts(torch.ones(len(firsts), 1), firsts)
    assert weights_F.tolist() == pytest.approx([np.log(3)], abs=1e-3)
    marked = torch.stack([torch.ones(len(moments)), torch.from_numpy(moments.lengths_M == 1).float()], dim=1)
    constant, first = fit_counts(marked, moments).tolist()
    assert constant + first == pytest.approx(np.log(3), abs=0.15)
    assert 3 < first < 8  # after the second event nobody buys any more; the prior keeps the weight finite


@pytest.mark.parametrize(("sessions", "moved"), [(4, 0.2), (4000, 1.093)], ids=["few", "many"])
def test_weights_around_others_move_as_far_as_the_moments_say(tmp_path, sessions, moved):
    """Three of four buy, where one of two did: log 3 = 1.0986. The most likely w of n moments solves
    n (sigmoid(w) - 3/4) + w / .5**2 = 0: of 4 moments .2, since sigmoid(.2) = .55; of 4000 1.093, where it is .749."""
    rows = [[0, (1, "purchase")]] * (sessions * 3 // 4) + [[0]] * (sessions // 4)
    dataset = make_dataset(tmp_path / "d", train=rows, trained=4)
    moments = moments_of(dataset, "train", spec=SPEC)
    firsts = moments.only(moments.lengths_M == 1)
    (weight,) = fit_counts(torch.ones(len(firsts), 1), firsts, around_F=torch.zeros(1)).tolist()
    assert weight == pytest.approx(moved, abs=0.002)


def shop(folder, *parts: tuple[int, int]) -> Dataset:
    """Sessions of the rare item alone, in each part so many that leave and so many that buy."""
    rows = [[LEAVES] * left + [BUYS] * bought for left, bought in parts]
    kept = {name: [[0, 1]] for name in ("train", "validation", "test")}
    dataset = make_dataset(folder, **kept, trained=RARE, newcomers=1)
    ends = np.cumsum([0, *map(len, rows)]).tolist()
    ranges = dict(zip(kept, itertools.pairwise(ends), strict=True))
    return replace(dataset, stored_whole=Whole(make_sessions([row for part in rows for row in part]), ranges))


def learned(dataset: Dataset, *, level: float = 0.0, drift: float = 0.0):
    around_F = torch.zeros(count_features(3))
    around_F[0] = level
    return learn_counted_intent(around_F, dataset, spec=SPEC, drift=drift, learned_at=10_000, level_at=10_000)


def test_many_say_themselves_how_often_they_buy(tmp_path):
    """One in five at the first click, in the training part and in validation; nobody buys twice."""
    counted = learned(shop(tmp_path / "d", (4000, 1000), (800, 200), (1, 0)))
    assert counted.at(*FIRST_CLICK)[0] == pytest.approx(0.2, abs=0.01)
    assert counted.at(np.array([[1, 0, 1]]), np.array([2]))[0] < 0.05


def test_the_level_is_that_of_validation(tmp_path):
    """One in five in the training part, one in three in validation."""
    counted = learned(shop(tmp_path / "d", (4000, 1000), (2000, 1000), (1, 0)))
    assert counted.at(*FIRST_CLICK)[0] == pytest.approx(1 / 3, abs=0.02)


def test_where_there_are_none_the_others_speak_and_how_far_validation_moved_them(tmp_path):
    """Log odds of log(1/9), moved by log 3: log(1/3), one in four."""
    counted = learned(shop(tmp_path / "d", (0, 0), (0, 0), (1, 0)), level=np.log(1 / 9), drift=np.log(3))
    assert counted.at(*FIRST_CLICK)[0] == pytest.approx(0.25, abs=1e-3)


def test_a_single_session_that_left_moves_little(tmp_path):
    """At one in four, a session that leaves is no surprise: the level stays between one in five and one in four."""
    counted = learned(shop(tmp_path / "d", (1, 0), (1, 0), (1, 0)), level=np.log(1 / 3))
    assert 0.2 < counted.at(*FIRST_CLICK)[0] < 0.25
