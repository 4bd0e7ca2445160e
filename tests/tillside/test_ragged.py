"""Ragged arrays by hand, and sums by key against a plain dictionary."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tillside.ragged import entries, summed


def test_the_entries_of_some_rows_come_in_the_order_asked_for():
    # rows of 2, 0, 3 and 1 entries: flat 0 1 | | 2 3 4 | 5
    bounds = np.array([0, 2, 2, 5, 6])
    places, sizes = entries(bounds, np.array([3, 1, 2, 3]))
    assert places.tolist() == [5, 2, 3, 4, 5]
    assert sizes.tolist() == [1, 0, 3, 1]
    assert [each.tolist() for each in entries(bounds, np.array([], int))] == [[], []]


@given(keys=st.lists(st.integers(0, 9), min_size=1, max_size=30), spare=st.sampled_from([0, 10_000]))
def test_sums_by_key_are_the_same_sorted_and_in_a_table(keys, spare):
    weights = np.arange(len(keys), dtype=np.float64) / 4  # exact in binary; the first is 0 and its key still counts
    distinct, sums = summed(np.array(keys, np.int32), weights, below=10 + spare)
    expected = {key: sum(weight for each, weight in zip(keys, weights, strict=True) if each == key) for key in keys}
    assert dict(zip(distinct.tolist(), sums.tolist(), strict=True)) == expected
    assert distinct.tolist() == sorted(expected)
