"""Counts of pairs by hand: what follows what, what is compared, what weighs how much."""

from dataclasses import replace

import numpy as np
import pytest

from tests.datasets import START_MS, make_sessions
from training.data.engine import open_engine
from training.mining import counting
from training.mining.counting import DAY_MS, Pairs

TAKEN, CLICK = (1, 2), (0,)


def at(day: float) -> int:
    return START_MS + int(day * DAY_MS)


def of_users(rows, users=None, *, clock=True):
    sessions = make_sessions(rows, clock=clock)
    return sessions if users is None else replace(sessions, optional={"users": np.array(users, np.int32)})


@pytest.fixture
def engine(tmp_path):
    with open_engine(tmp_path) as engine:
        yield engine


def acts(engine, sessions, codes=TAKEN, *, weights=None, longest=100):
    weights = np.ones(len(sessions)) if weights is None else np.array(weights)
    wanted = np.isin(np.asarray(sessions.behaviours), codes)
    return counting.acts_of(engine, sessions, wanted, items=6, weights_S=weights, longest=longest)


def plain(pairs: Pairs) -> dict[tuple[int, int], int]:
    return dict(zip(zip(pairs.anchors.tolist(), pairs.items.tolist(), strict=True), pairs.counts.tolist(), strict=True))


def followed(engine, sessions, *, soon=7.0, **settings):
    return counting.followed(engine, acts(engine, sessions, **settings), soon_days=soon)


VISITS = [
    [0, (0, "cart", at(0)), (1, "cart", at(0.1)), (0, "purchase", at(0.2))],
    [(2, "purchase", at(2))],
    [(3, "purchase", at(9))],
    [(2, "purchase", at(2)), (0, "purchase", at(2.1))],
]
"""Three of one shopper, then an anonymous one."""


def test_an_item_follows_what_the_session_took_before_and_what_the_shopper_took_within_days(engine):
    # 0 then 1; 2 came two days after both; 3 came seven days after 2, and nine after the others; 2 then 0
    expected = {(0, 1): 1, (0, 2): 1, (1, 2): 1, (2, 3): 1, (2, 0): 1}
    assert plain(followed(engine, of_users(VISITS, [7, 7, 7, -1]))) == expected


def test_nothing_follows_from_an_unknown_shopper(engine):
    assert plain(followed(engine, of_users(VISITS, [-1] * 4))) == {(0, 1): 1, (2, 0): 1}
    assert plain(followed(engine, of_users(VISITS))) == {(0, 1): 1, (2, 0): 1}


def test_soon_is_counted_in_days(engine):
    assert (2, 3) not in plain(followed(engine, of_users(VISITS, [7, 7, 7, -1]), soon=6.9))
    assert (0, 3) in plain(followed(engine, of_users(VISITS, [7, 7, 7, -1]), soon=9.0))


def test_a_session_counts_once_for_a_pair_that_it_holds_and_the_shopper_takes_again(engine):
    rows = [[(0, "cart", at(0)), (1, "cart", at(0.1))], [(1, "purchase", at(1))], [(1, "purchase", at(2))]]
    assert plain(followed(engine, of_users(rows, [7, 7, 7]))) == {(0, 1): 1}


def test_what_was_taken_at_one_moment_follows_both_ways(engine):
    assert plain(followed(engine, of_users([[(0, "cart"), (1, "cart")]], clock=False))) == {(0, 1): 1, (1, 0): 1}


def test_recent_sums_the_weights_of_the_sessions_with_the_anchor(engine):
    rows = [[(0, "cart", at(0)), (1, "cart", at(0.1))], [(0, "cart", at(30)), (1, "cart", at(30.1))]]
    pairs = followed(engine, of_users(rows), weights=[0.25, 1.0])
    assert (pairs.counts.tolist(), pairs.recent.tolist()) == ([2], [1.25])


def test_what_is_looked_at_after_an_item_was_taken_and_not_taken_itself(engine):
    """0 is taken between looks at 1 and at 2, 3 and 4; 4 is taken too, and nothing is looked at after it."""
    rows = [[1, (0, "cart"), 1, 2, 3, 4, (4, "cart")], [2, 3]]
    sessions = make_sessions(rows)
    pairs = counting.looked(engine, acts(engine, sessions), acts(engine, sessions, CLICK))
    assert plain(pairs) == {(0, 2): 1, (0, 3): 1}


def test_a_look_weighs_as_its_session_does(engine):
    sessions = make_sessions([[(0, "cart"), 1, 1], [(0, "cart"), 1]])
    weighed = {"weights": [0.25, 1.0]}
    pairs = counting.looked(engine, acts(engine, sessions, **weighed), acts(engine, sessions, CLICK, **weighed))
    assert (pairs.counts.tolist(), pairs.recent.tolist()) == ([2], [1.25])


def test_a_session_is_worth_what_its_weight_does_to_the_spread_of_sums(engine):
    """(.25 * .25 + 1) / 1.25: acts of one session each, of weights a quarter and one."""
    found = acts(engine, make_sessions([[(0, "cart")], [(1, "cart")]]), weights=[0.25, 1.0])
    assert found.unit == pytest.approx(0.85)
    assert acts(engine, make_sessions([[0]])).unit == 1


def test_acts_are_items_by_session_without_the_longest_sessions(engine):
    rows = [[(0, "cart"), (0, "purchase"), (1, "cart"), 2], [(0, "cart"), (1, "cart"), (3, "cart")]]
    found = acts(engine, make_sessions(rows), weights=[0.5, 1.0])
    assert found.counts_N.tolist() == [2, 2, 0, 1, 0, 0]
    assert found.recent_N.tolist() == [1.5, 1.5, 0, 1, 0, 0]
    assert found.sizes.tolist() == [2, 3]
    assert acts(engine, make_sessions(rows), longest=2).counts_N.tolist() == [1, 1, 0, 0, 0, 0]


def test_compared_is_what_was_looked_at_right_before_or_after(engine):
    rows = [[0, 1, 1, (3, "cart"), 2, 1, 0]]  # 0 1, 1 2 (the cart is no look), 2 1, 1 0: each pair once a session
    sessions = make_sessions(rows)
    wanted = np.asarray(sessions.behaviours) == 0
    pairs = counting.compared(engine, sessions, wanted, weights_S=np.array([0.5]))
    assert plain(pairs) == {(0, 1): 1, (1, 0): 1, (1, 2): 1, (2, 1): 1}
    assert pairs.recent.tolist() == [0.5] * 4


def test_nobody_is_compared_across_sessions(engine):
    sessions = make_sessions([[0], [1]])
    assert not len(counting.compared(engine, sessions, np.ones(2, bool), weights_S=np.ones(2)))


def test_together_is_within_a_group(engine):
    found = acts(engine, make_sessions([[0, 1, 2, 3], [1, 0]]), CLICK)
    groups = np.array([0, 0, 1, -1, 1, -1])
    assert plain(counting.together(engine, found, groups)) == {(0, 1): 2, (1, 0): 2}
    everything = plain(counting.together(engine, found, np.zeros(6, np.int64)))
    assert everything[(0, 1)] == 2
    assert everything[(3, 2)] == 1
    assert len(everything) == 12


def test_a_session_a_half_life_older_counts_half():
    sessions = make_sessions([[(0, "click", at(0))], [(0, "click", at(10))], [(0, "click", at(20))]])
    np.testing.assert_allclose(counting.session_weights(sessions, half_life_days=10), [0.25, 0.5, 1])
    np.testing.assert_allclose(counting.session_weights(sessions, half_life_days=None), [0.25, 0.5, 1])
    assert counting.session_weights(make_sessions([[0], [1]], clock=False), half_life_days=1).tolist() == [1, 1]
