"""Frequent sets against a plain count of all subsets."""

import itertools
import tempfile
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

import ibis.expr.types as ir
import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from training.data.engine import QueryEngine, open_engine
from training.mining.columns import ITEM, SESSION
from training.mining.itemsets import frequent_sets


def taken_of(engine: QueryEngine, baskets: Sequence[Iterable[int]]) -> ir.Table:
    rows = [(number, item) for number, basket in enumerate(baskets) for item in sorted(basket)]
    return engine.given(dict(zip((SESSION, ITEM), np.array(rows, np.int64).reshape(-1, 2).T, strict=True)))


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.sets(st.integers(0, 6), min_size=1), min_size=1, max_size=12), st.integers(1, 4))
def test_frequent_sets_are_all_sets_of_up_to_four_items_in_enough_baskets(baskets, floor):
    counts: Counter[tuple[int, ...]] = Counter()
    for basket in baskets:
        for size in range(1, 5):
            counts.update(itertools.combinations(sorted(basket), size))
    with tempfile.TemporaryDirectory() as scratch, open_engine(Path(scratch)) as engine:
        found = frequent_sets(engine, taken_of(engine, baskets), floor=floor)
    assert found == {each: count for each, count in counts.items() if count >= floor}


def test_sets_by_hand_the_small_ones_first(tmp_path):
    # of five baskets 1 stands in 3, 2 in 3, 5 in 2; 1 2 in 2, 1 5 and 2 5 in one each
    with open_engine(tmp_path) as engine:
        found = frequent_sets(engine, taken_of(engine, [[1, 2], [1, 2, 5], [5], [1], [2]]), floor=2)
        assert list(found.items()) == [((1,), 3), ((2,), 3), ((5,), 2), ((1, 2), 2)]
        assert frequent_sets(engine, taken_of(engine, [[1]]), floor=2) == {}


class Counted:
    """An engine that counts by itself; it answers in no order."""

    def frequent_sets(self, taken, *, floor, longest):
        assert (taken, floor, longest) == ("taken", 3, 4)
        return {(1, 2): 3, (2,): 4, (1,): 5}


def test_an_engine_s_own_algorithm_goes_first_and_its_answer_is_put_in_order():
    assert list(frequent_sets(Counted(), "taken", floor=3).items()) == [((1,), 5), ((2,), 4), ((1, 2), 3)]
