"""Visitors: the same visit with and without a list, true position bias, and effects that are only the list's."""

import numpy as np
import pytest

from tillside.policy.exploring import Explorer
from tillside.policy.file.terms import Exploration
from training.experiments.metrics import BEFORE_SUMS, SUMS
from training.simulator.visitors import Habits, Visitors, best, chances_of, drawn

CROWD = Visitors(800, seed=3)
LISTS = best(CROWD.liking_VM, CROWD.slots)


def test_the_same_seed_makes_the_same_visits() -> None:
    again = Visitors(800, seed=3)
    for name, column in CROWD.lived(LISTS).items():
        assert (again.lived(LISTS)[name] == column).all()
    assert len(Visitors(800, seed=4)) != len(CROWD)


def test_sums_are_those_that_experiments_read() -> None:
    found = CROWD.by_shopper(CROWD.lived(LISTS)) | CROWD.before
    assert set(found) == {*SUMS, *BEFORE_SUMS}
    assert all(len(column) == 800 for column in found.values())


def test_who_is_shown_nothing_lives_as_without() -> None:
    """Half of the visits are shown the list: theirs are as if all were, the others' as if none was."""
    half = np.arange(len(CROWD)) % 2 == 0
    mixed, with_, without = CROWD.lived(LISTS, half), CROWD.lived(LISTS), CROWD.lived(None)
    for name in ("revenue", "orders", "clicks", "dismissed"):
        assert (mixed[name] == np.where(half, with_[name], without[name])).all()
    assert without["clicks"].sum() == without["seen"].sum() == 0


def test_position_bias_and_clicks_are_the_true_ones() -> None:
    """Slots are looked at with 1, 1/1.4, 1/1.8, 1/2.2; clicks come as often as they are expected, within 4 errors."""
    crowd = Visitors(4000, seed=5)
    lists = best(crowd.liking_VM, 4)
    assert crowd.looks_L == pytest.approx([1, 1 / 1.4, 1 / 1.8, 1 / 2.2])
    expected = crowd.expected_clicks_VL(lists).sum()
    assert abs(crowd.lived(lists)["clicks"].sum() - expected) < 4 * expected**0.5
    assert crowd.clicks_VL(lists).sum() == crowd.lived(lists)["clicks"].sum()
    assert crowd.lived(lists)["seen"].mean() == pytest.approx(crowd.looks_L.sum(), rel=0.02)


def test_what_is_bought_anyway_is_claimed_and_earns_nothing() -> None:
    """Without impulse, take and annoyance no list changes what is bought, though some of it is clicked before."""
    crowd = Visitors(3000, seed=6, habits=Habits(impulse=0, take=0, annoyance=0))
    lists = best(crowd.liking_VM, 4)
    with_, without = crowd.lived(lists), crowd.lived(None)
    assert (with_["revenue"] == without["revenue"]).all()
    assert with_["bought"].sum() > 0


def test_annoyance_costs_orders_and_nothing_else_does() -> None:
    angry = Visitors(3000, seed=7, habits=Habits(dismiss=0.5, annoyance=0.5, impulse=0))
    lists = best(-angry.liking_VM, 4)
    lost = angry.lived(None)["orders"] - angry.lived(lists)["orders"]
    assert lost.sum() > 0
    assert (lost[angry.lived(lists)["dismissed"] == 0] == 0).all()


def test_chances_are_those_of_a_placement_that_explores() -> None:
    """Three candidates, drawn by the policy's own explorer: what it says of its draw is what is said here."""
    scores = np.array([[0.9, 0.5, 0.2]])
    for seed in range(20):
        explorer, worth, picks = (
            Explorer(Exploration(share=1, temperature=2), np.random.default_rng(seed)),
            scores[0].copy(),
            [],
        )
        for _ in range(2):
            picks.append(explorer.pick(worth, np.arange(3)))
            worth[picks[-1]] = -np.inf
        assert chances_of(np.array([picks]), scores, temperature=2)[0] == pytest.approx(explorer.propensities)


def test_lists_are_drawn_as_often_as_their_chances_say() -> None:
    scores = np.tile([0.9, 0.5, 0.2], (20_000, 1))
    picks = drawn(scores, 2, temperature=1, rng=np.random.default_rng(8))
    first = chances_of(np.array([[0, 1]]), scores[:1], temperature=1)[0]
    share = ((picks[:, 0] == 0) & (picks[:, 1] == 1)).mean()
    assert share == pytest.approx(first.prod(), abs=4 * (0.25 / 20_000) ** 0.5)
