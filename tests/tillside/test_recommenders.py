"""Popularity and co-visitation by hand."""

import numpy as np
import pytest

from tests.datasets import make_sessions
from tillside.encoding import EncodingSpec, encode_session
from tillside.recommenders import CoVisitation, Popularity, popularity


def batch_of(*items: int, known: int = 4):
    clicks, times = np.zeros(len(items), int), np.arange(len(items))
    return encode_session(np.array(items, int), clicks, times, spec=EncodingSpec(), known_items=known)


def test_popularity_counts_the_behaviour_asked_for_and_breaks_ties_by_all_events():
    # totals 4, 5, 5; the tie-break is total / (5 + 1)
    counts_NB = np.array([[4, 0, 0], [2, 2, 1], [4, 1, 0]])
    expected = [[4 + 4 / 6, 2 + 5 / 6, 4 + 5 / 6], [4 / 6, 2 + 5 / 6, 1 + 5 / 6], [4 / 6, 1 + 5 / 6, 5 / 6]]
    np.testing.assert_allclose(popularity(counts_NB), expected, rtol=1e-6)


def test_popularity_of_a_shop_without_events():
    assert popularity(np.zeros((2, 3), int)).tolist() == [[0, 0]] * 3
    assert popularity(np.zeros((0, 3), int)).shape == (3, 0)


def test_popularity_answers_each_row_for_its_own_behaviour_whatever_the_session():
    scores = np.array([[1, 2], [3, 4]], np.float32)
    assert Popularity(scores).score(batch_of(), np.array([1, 0, 1])).tolist() == [[3, 4], [1, 2], [3, 4]]


def fit(rows, *, window: int = 10, items: int = 4) -> np.ndarray:
    """Pair counts [items, items]."""
    model = CoVisitation.fit(make_sessions(rows), items=items, window=window)
    pairs_NN = np.zeros((items, items))
    for item in range(items):
        near = slice(model.pairs.offsets[item], model.pairs.offsets[item + 1])
        pairs_NN[item, model.pairs.neighbours[near]] += model.pairs.weights[near]
    return pairs_NN


def test_pairs_of_a_session_are_counted_both_ways_and_never_across_sessions():
    # session 1 pairs: 0-1, 1-2, 0-2; session 2: 1-2
    assert fit([[0, 1, 2], [2, 1]]).tolist() == [[0, 1, 1, 0], [1, 0, 2, 0], [1, 2, 0, 0], [0, 0, 0, 0]]


def test_pairs_further_apart_than_the_window_are_not_counted():
    assert fit([[0, 1, 2]], window=1).tolist() == [[0, 1, 0, 0], [1, 0, 1, 0], [0, 1, 0, 0], [0, 0, 0, 0]]


def test_an_item_is_never_its_own_neighbour_and_unknown_items_are_left_out():
    assert fit([[0, 0, 7, -1, 1]]).tolist() == [[0, 2, 0, 0], [2, 0, 0, 0], [0] * 4, [0] * 4]


def test_scores_are_the_last_items_neighbours_and_then_popularity():
    model = CoVisitation.fit(make_sessions([[0, 1, 2], [2, 1], [3]]), items=4)
    # events 1, 2, 2, 1: the tie-break is events / (2 + 1)
    tie_break = np.array([1, 2, 2, 1]) / 3
    np.testing.assert_allclose(
        model.score(batch_of(0, 1), np.array([0]))[0], tie_break + np.array([1, 0, 2, 0]), rtol=1e-6
    )
    np.testing.assert_allclose(model.score(batch_of(), np.array([0]))[0], tie_break, rtol=1e-6)
    assert model.score(batch_of(1), np.array([2])).tolist() == model.score(batch_of(1), np.array([0])).tolist()


@pytest.mark.parametrize("rows", [[], [[0]], [[0, 0]], [[9, 9]]])
def test_a_log_without_pairs_gives_popularity(rows):
    model = CoVisitation.fit(make_sessions(rows), items=4)
    assert model.score(batch_of(0), np.array([0])).shape == (1, 4)
    assert fit(rows).sum() == 0


@pytest.mark.parametrize("seed", range(3))
def test_counts_are_those_of_a_plain_double_loop(seed):
    rng = np.random.default_rng(seed)
    rows = [rng.integers(0, 6, rng.integers(1, 9)).tolist() for _ in range(30)]
    expected = np.zeros((6, 6))
    for row in rows:
        for place, left in enumerate(row):
            for right in row[place + 1 : place + 4]:
                if left != right:
                    expected[left, right] += 1
                    expected[right, left] += 1
    np.testing.assert_array_equal(fit(rows, window=3, items=6), expected)
