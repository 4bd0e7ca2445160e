"""The explaining item by hand: greatest cosine, whatever the length and the trend; the latest of level ones."""

import numpy as np

from serving.answering.nearest_item import NearestItem

ITEMS_ND = np.array([[1, 0, 9], [10, 10, -9], [0, 2, 0], [3, 1, 5], [0, 0, 7], [2, 0, -3]], np.float32)
"""The last column is the trend: 9 of the first item must make it no more like the fourth."""


def nearest(items: list[int], seen: list[int]) -> list[int]:
    return NearestItem(ITEMS_ND).among(np.array(items), np.array(seen)).tolist()


def test_the_greatest_cosine_explains() -> None:
    # of (3, 1): .95 to (1, 0), .89 to (10, 10), .32 to (0, 2)
    assert nearest([3], [0, 1, 2]) == [0]
    assert nearest([3], [2, 1]) == [1]
    assert nearest([2, 3], [0, 1, 2]) == [2, 0]


def test_of_level_ones_the_latest_explains() -> None:
    assert nearest([3], [0, 5]) == [5]  # (1, 0) and (2, 0) point the same way
    assert nearest([3], [5, 0]) == [0]
    assert nearest([4], [1, 2, 0]) == [0]  # an item without a direction is like none


def test_its_length_is_the_number_of_items() -> None:
    assert len(NearestItem(ITEMS_ND)) == 6
