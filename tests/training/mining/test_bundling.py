"""Item sets: counts against a plain count of all subsets, and which sets chance explains."""

from dataclasses import replace

import numpy as np

from tests.datasets import make_catalogue, make_sessions
from tillside.fitting.rules import Rule, Side
from training.data.engine import open_engine
from training.mining import counting
from training.mining.bundling import Sets, around_main_items, as_pairs, bundles, compatible, joined, of_one_kind
from training.mining.compatibility import Compatibility
from training.mining.counting import Pairs
from training.mining.pairing import Evidence, Mined
from training.mining.significance import chance_of_meeting
from training.mining.traits import Traits


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


def test_two_of_one_kind_are_no_bundle_unless_they_are_bought(tmp_path):
    """Phones 0 and 1 meet in carts only, lipsticks 2 and 3 are paid for; 4 and 5 are of two kinds."""
    traits = Traits(*(np.array([0, 0, 1, 1, 2, 3]),) * 2, *(np.full(6, -1),) * 2, np.ones(6))
    pairs = [(0, 1), (2, 3), (4, 5)]
    found = Sets(pairs, *(np.ones(3),) * 4)
    together, bought = (
        Pairs(*np.array([[a, b] for a, b in pairs]).T, np.array(counts), np.array(counts, float))
        for counts in ([40, 40, 40], [0, 30, 30])
    )
    wrong = of_one_kind(found, traits, bought, together, evidence=Evidence(0.01, 2))
    assert wrong.tolist() == [True, False, False]


def test_an_item_gets_the_set_of_what_goes_with_it_best():
    """Phone 0: case 1 (.4), not case 2 of the same kind, film 3 (.3): .12. Film 3 leads to no dearer case."""
    tokens = [
        ["category=phone", "series=a"], ["category=case"], ["category=case"], ["category=film", "fits=a"],
        ["category=film", "fits=b"], ["category=laptop"],
    ]  # fmt: skip
    catalogue = make_catalogue(make_sessions([]), trained=6, tokens=tokens)
    catalogue = replace(catalogue, prices_N=np.array([500, 20, 20, 10, 10, 900], np.float32))
    rule = Rule("made for", Side("phone", "series"), Side("film", "fits"), unknown="refused")
    fitting, traits = Compatibility.of([rule], catalogue), Traits.of(catalogue)
    complement = Mined(
        np.array([0, 0, 0, 0, 0, 3]), np.array([1, 2, 3, 4, 5, 1]), np.array([0.4, 0.35, 0.3, 0.32, 0.9, 0.5])
    )
    made = around_main_items(complement, traits, fitting)
    assert (made.sets, made.strengths.tolist()) == ([(0, 1, 3)], [0.4 * 0.3])
    mined = Sets([(0, 1, 3), (1, 3)], *(np.array([0.1, 0.2]),) * 4)
    assert joined(mined, made, most=9).sets == [(1, 3), (0, 1, 3)]
    assert joined(mined, made, most=1).sets == [(1, 3)]
