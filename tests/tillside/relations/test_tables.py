"""Tables of pairs and sets of items by hand: strongest first, ties in catalogue order, and no pair that is none."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tillside.relations.tables import Bundles, RelationTable


def table(*pairs: tuple[int, int, float], items: int = 5, most: int = 10) -> RelationTable:
    anchors, others, strengths = zip(*pairs, strict=True) if pairs else ((), (), ())
    return RelationTable.of(np.array(anchors, int), np.array(others, int), np.array(strengths), items=items, most=most)


def test_the_strongest_partners_are_kept_and_equal_ones_come_in_catalogue_order():
    made = table((0, 3, 0.2), (0, 4, 0.2), (0, 1, 0.5), (2, 0, 1.0), most=2)
    assert made.offsets.tolist() == [0, 2, 2, 3, 3, 3]
    assert made.items.tolist() == [1, 3, 0]
    assert made.anchors.tolist() == [0, 0, 2]
    assert len(made) == 3
    assert made.partners(1)[0].tolist() == made.partners(9)[0].tolist() == []


def test_an_empty_table_has_no_partners_and_no_fault():
    empty = RelationTable.empty(items=3)
    assert (len(empty), empty.fault(items=3)) == (0, None)
    assert empty.strongest(2, 1)[0].tolist() == []
    assert empty.fault(items=4) is not None  # of another catalogue


@pytest.mark.parametrize(
    ("sets", "fault"),
    [
        ([(0, 1), (1, 2, 3, 4)], None),
        ([(0,)], "a bundle must hold 2 to 4 items"),
        ([(0, 1, 2, 3, 4)], "a bundle must hold 2 to 4 items"),
        ([(1, 1)], "the items of a bundle must be distinct and ascending"),
    ],
)
def test_the_fault_of_a_bundle_is_named(sets, fault):
    assert Bundles.from_sets(sets, [0.5] * len(sets)).fault(items=5) == fault


def test_a_bundle_is_found_by_each_of_its_items_strongest_first():
    bundles = Bundles.from_sets([(3, 1), (0, 1, 2), (2, 4)], [0.1, 0.7, 0.3])
    assert [bundles[row].tolist() for row in range(3)] == [[0, 1, 2], [2, 4], [1, 3]]
    assert [bundles.of(item).tolist() for item in (0, 1, 2, 3, 4, 9)] == [[0], [0, 2], [0, 1], [2], [1], []]


@pytest.mark.parametrize(
    ("pairs", "message"),
    [
        ([(0, 0, 0.5)], "own partner"),
        ([(0, 1, 0.5), (0, 1, 0.4)], "twice"),
        ([(0, 1, 0.0)], "strength"),
        ([(0, 1, 1.5)], "strength"),
        ([(0, 5, 0.5)], "none of the 5 items"),
        ([(7, 1, 0.5)], "none of the 5 items"),
        ([(-1, 1, 0.5)], "none of the 5 items"),
    ],
)
def test_a_table_refuses_what_is_no_relation(pairs, message):
    with pytest.raises(ValueError, match=message):
        table(*pairs)


PAIRS = st.dictionaries(
    st.tuples(st.integers(0, 6), st.integers(0, 6)).filter(lambda pair: pair[0] != pair[1]),
    st.floats(0.015625, 1, width=32),
    max_size=30,
)


@given(PAIRS, st.integers(1, 7), st.randoms())
def test_a_table_is_the_sorted_pairs_whatever_their_order(pairs, most, random):
    rows = [(anchor, item, strength) for (anchor, item), strength in pairs.items()]
    random.shuffle(rows)
    made = table(*rows, items=7, most=most)
    for anchor in range(7):
        expected = sorted((-s, i) for (a, i), s in pairs.items() if a == anchor)[:most]
        items, strengths = made.partners(anchor)
        assert list(zip((-strengths).tolist(), items.tolist(), strict=True)) == expected
