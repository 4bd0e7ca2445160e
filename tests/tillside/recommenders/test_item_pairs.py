"""Pairs of items by hand, and that chunks change nothing."""

import numpy as np
import pytest

from tests.datasets import make_sessions, random_rows
from tillside.recommenders import ItemPairs, item_pairs


def dense(model: ItemPairs) -> np.ndarray:
    items = len(model.offsets) - 1
    weights_NN = np.zeros((items, items))
    weights_NN[model.sources, model.neighbours] = model.weights
    return weights_NN


def count(rows, *, items: int = 3, window: int = 10, both_ways: bool = False) -> ItemPairs:
    return ItemPairs.count(
        make_sessions(rows), items=items, window=window, weigh=lambda distance: 1.0 / distance, both_ways=both_ways
    )


def test_weights_are_summed_from_the_earlier_item_to_the_later_one():
    # 0 1 0 2: 0-1 at 1; 0-0 at 2; 0-2 at 3 and at 1; 1-0 at 1; 1-2 at 2. 2 1: at 1.
    expected = [[1 / 2, 1, 1 / 3 + 1], [1, 0, 1 / 2], [0, 1, 0]]
    np.testing.assert_allclose(dense(count([[0, 1, 0, 2], [2, 1]])), expected, rtol=1e-6)


def test_both_ways_is_the_sum_of_the_two_directions_without_the_items_themselves():
    expected = [[0, 2, 1 / 3 + 1], [2, 0, 1 / 2 + 1], [1 / 3 + 1, 1 / 2 + 1, 0]]
    np.testing.assert_allclose(dense(count([[0, 1, 0, 2], [2, 1]], both_ways=True)), expected, rtol=1e-6)


def test_unknown_items_take_up_a_place_and_have_no_pairs():
    np.testing.assert_allclose(dense(count([[0, 9, 1]])), [[0, 1 / 2, 0], [0] * 3, [0] * 3])
    assert dense(count([[0, 9, 1]], window=1)).sum() == 0


@pytest.mark.parametrize("chunk", [1, 7, 100])
def test_chunks_change_nothing(monkeypatch, chunk):
    rows = random_rows(50, items=6)
    whole = count(rows, items=6, window=3)
    monkeypatch.setattr(item_pairs, "CHUNK_PAIRS", chunk)
    np.testing.assert_allclose(dense(count(rows, items=6, window=3)), dense(whole), rtol=1e-6)


def test_the_strongest_pairs_of_each_item_stay_and_equal_ones_in_catalogue_order():
    model = ItemPairs(
        np.array([0, 4, 4, 5]), np.array([0, 1, 2, 3, 0]), np.array([1.0, 3.0, 1.0, 2.0, 0.5], np.float32)
    )
    two, three = model.strongest(2), model.strongest(3)
    assert (two.offsets.tolist(), two.neighbours.tolist(), two.weights.tolist()) == (
        [0, 2, 2, 3],
        [1, 3, 0],
        [3, 2, 0.5],
    )
    assert three.neighbours.tolist() == [0, 1, 3, 0]


def test_weights_are_added_to_rows_times_their_factor():
    model = ItemPairs(np.array([0, 2, 2, 3]), np.array([0, 2, 1]), np.array([1.0, 2.0, 4.0], np.float32))
    scores_BV = np.full((2, 3), 10, np.float32)
    rows, items, factors = np.array([0, 0, 1, 1]), np.array([0, 2, 1, 0]), np.array([1, 0.5, 9, 3], np.float32)
    model.add_to(scores_BV, rows, items, factors)
    # row 0: 1 * (1, 0, 2) + 0.5 * (0, 4, 0); row 1: item 1 points nowhere, 3 * (1, 0, 2)
    assert scores_BV.tolist() == [[11, 12, 12], [13, 10, 16]]


@pytest.mark.parametrize("rows", [[], [[]], [[0]], [[9, 9]]])
def test_without_pairs_all_is_empty(rows):
    model = count(rows).strongest(5)
    scores_BV = np.zeros((1, 3), np.float32)
    model.add_to(scores_BV, np.array([0]), np.array([0]), np.ones(1, np.float32))
    assert (len(model.weights), scores_BV.sum()) == (0, 0)


def test_what_a_session_points_to_is_summed_and_the_latest_item_counts_most():
    # 0 points to 1 by 3 and to 2 by 1, 1 to nothing, 2 to 0 by 1/2
    model = ItemPairs(np.array([0, 2, 2, 3]), np.array([1, 2, 0]), np.array([3.0, 1.0, 0.5], np.float32))
    for session, items, weights in (
        ([0], [1, 2], [3, 1]),
        ([0, 2], [0, 1, 2], [0.5, 3 / 4, 1 / 4]),  # 0 is one step back, at a decay of 1/4
        ([0, 1, 0], [1, 2], [3 + 3 / 16, 1 + 1 / 16]),
        ([1], [], []),
        ([], [], []),
    ):
        items_C, sums_C = model.evidence(np.array(session, np.int64), decay=0.25)
        assert items_C.tolist() == items
        assert sums_C.tolist() == pytest.approx(weights)


def test_pairs_come_back_from_a_folder_as_they_were(tmp_path):
    model = count(random_rows(50, items=6), items=6)
    model.save(tmp_path)
    again = ItemPairs.load(tmp_path, items=6)
    np.testing.assert_array_equal(dense(again), dense(model))
    (tmp_path / "none").mkdir()
    count([], items=3).save(tmp_path / "none")
    assert dense(ItemPairs.load(tmp_path / "none", items=3)).sum() == 0


@pytest.mark.parametrize(
    ("name", "array"),
    [
        ("offsets", np.array([0, 2, 3])),  # of two items
        ("offsets", np.array([0, 2, 1, 3])),
        ("offsets", np.array([1, 2, 2, 3])),
        ("offsets", np.array([0, 2, 2, 4])),
        ("offsets", np.array([0.0, 2, 2, 3])),
        ("neighbours", np.array([1, 3, 0], np.int32)),
        ("neighbours", np.array([1, -1, 0], np.int32)),
        ("neighbours", np.array([1, 2], np.int32)),
        ("neighbours", np.array([[1], [2], [0]], np.int32)),
        ("weights", np.array([1, np.nan, 1], np.float32)),
        ("weights", None),
    ],
)
def test_arrays_that_do_not_fit_are_refused(tmp_path, name, array):
    ItemPairs(np.array([0, 2, 2, 3]), np.array([1, 2, 0]), np.array([3.0, 1.0, 0.5], np.float32)).save(tmp_path)
    (tmp_path / f"{name}.npy").unlink()
    if array is not None:
        np.save(tmp_path / f"{name}.npy", array)
    with pytest.raises(ValueError, match=str(tmp_path)):
        ItemPairs.load(tmp_path, items=3)
