"""Item sets: counts against a plain count of all subsets, and which sets chance explains."""

import numpy as np

from tests.datasets import make_sessions
from training.data.engine import open_engine
from training.mining import counting
from training.mining.bundling import Sets, as_pairs, bundles, compatible
from training.mining.pairing import Evidence
from training.mining.significance import chance_of_meeting


def taken_of(engine, baskets, *, items=8):
    sessions = make_sessions([[(item, "purchase") for item in basket] for basket in baskets])
    wanted = np.ones(len(sessions.items), bool)
    return counting.acts_of(engine, sessions, wanted, items=items, weights_S=np.ones(len(sessions)), longest=50)


BASKETS = [*[[0, 1]] * 30, *[[0, 1, 2]] * 10, *[[2, 3]] * 50, *[[4, 5, 6]] * 20, *[[3], [7]] * 40]
"""0 and 1 go together, and 2, which everybody buys, only happens to be there; 4, 5 and 6 are a set."""


def found_in(baskets, tmp_path, **options) -> Sets:
    settings = {"evidence": Evidence(0.01, 2), "most": 10} | options
    with open_engine(tmp_path) as engine:
        taken = taken_of(engine, baskets)
        bought = counting.together(engine, taken, np.zeros(8, np.int64))
        chance = chance_of_meeting(taken.sizes, taken.counts_N)
        return bundles(engine, taken, bought, chance_of_meeting=chance, **settings)


def test_a_bundle_is_more_than_its_parts(tmp_path):
    found = found_in(BASKETS, tmp_path)
    strengths = dict(zip(found.sets, found.strengths.tolist(), strict=True))
    # all-confidence: 4 5 6 stand in 20 of 20; 0 1 in 40 of 40; 2 3 in 50 of the 90 with 3
    assert strengths == {(4, 5): 1, (4, 6): 1, (5, 6): 1, (4, 5, 6): 1, (0, 1): 1, (2, 3): 50 / 90}
    counts = dict(zip(found.sets, found.counts.tolist(), strict=True))
    assert (counts[(0, 1)], counts[(4, 5, 6)], counts[(2, 3)]) == (40, 20, 50)


def test_the_strongest_are_kept_and_the_order_of_the_baskets_is_nothing(tmp_path):
    one, other = found_in(BASKETS, tmp_path, most=4), found_in(BASKETS[::-1], tmp_path, most=4)
    assert one.sets == other.sets
    assert one.sets[0] == (0, 1)  # as strong as the others, and in more sessions
    assert len(one) == 4


def test_no_baskets_have_no_bundles(tmp_path):
    assert len(found_in([], tmp_path)) == 0
    assert len(as_pairs(found_in([], tmp_path))) == 0


def test_a_pair_is_as_strong_as_the_strongest_set_that_holds_it():
    zeros = np.zeros(3)
    sets = Sets([(0, 1), (0, 1, 2), (1, 2)], np.array([0.2, 0.6, 0.4]), np.array([9, 3, 5]), zeros, zeros)
    pairs = as_pairs(sets)
    rows = zip(pairs.anchors.tolist(), pairs.items.tolist(), pairs.strengths.tolist(), strict=True)
    assert sorted(rows) == [(a, b, 0.6) for a in range(3) for b in range(3) if a != b]
    assert compatible(sets, np.array([True, False, True])).sets == [(0, 1), (1, 2)]
