"""Lifts of categories: whose apply to which items, by hand, and that files come back equal or are refused."""

import math

import numpy as np
import pytest

from tillside.policy.items.groups import Groups
from tillside.relations.lifts import LOGS, NO_LIFTS, PATHS, Lifts

HALF, TWICE = math.log(0.5), math.log(2)
LIFTS = Lifts(("shop.phone", "shop.case", "shop"), np.log([[1, 8, 2], [1, 1, 1], [1, 4, 0.5]]).astype(np.float32))
CATEGORIES = Groups(
    np.array([0, 1, 2, 3, 4]), ((), ("shop", "shop.phone"), ("shop", "shop.case"), ("shop", "shop.toy"), ("garden",))
)


def test_a_category_that_was_not_counted_has_the_lifts_of_its_nearest_ancestor() -> None:
    """Nothing is known of what has no category, nor of the garden; a toy is an item of the shop."""
    bound = LIFTS.bound(CATEGORIES)
    assert bound.row(1).tolist() == pytest.approx([0, 0, math.log(8), TWICE, 0])
    assert bound.row(3).tolist() == pytest.approx([0, 0, math.log(4), HALF, 0])
    assert bound.row(0).tolist() == bound.row(4).tolist() == [0] * 5


def test_they_are_bound_once_to_the_same_categories() -> None:
    bound = LIFTS.bound(CATEGORIES)
    assert LIFTS.bound(CATEGORIES) is bound
    assert bound.row(1) is bound.row(1)
    other = LIFTS.bound(CATEGORIES.changed({4: ["shop", "shop.case"]}, items=5))
    assert other is not bound
    assert other.row(1).tolist()[2] == pytest.approx(math.log(8))


def test_they_survive_their_files_and_relations_made_before_have_none(tmp_path) -> None:
    LIFTS.save(tmp_path)
    found = Lifts.load(tmp_path)
    assert found.paths == LIFTS.paths
    np.testing.assert_array_equal(found.logs_PP, LIFTS.logs_PP)
    assert Lifts.load(tmp_path / "none") is NO_LIFTS
    assert len(NO_LIFTS) == 0
    assert NO_LIFTS.bound(CATEGORIES).row(1).tolist() == [0] * 5


@pytest.mark.parametrize(
    ("name", "content", "fault"),
    [
        (PATHS, b"[", "cannot be read"),
        (PATHS, b'["shop"]', "do not fit together"),
        (LOGS, b"no array", "cannot be read"),
    ],
)
def test_damaged_files_are_refused(tmp_path, name: str, content: bytes, fault: str) -> None:
    LIFTS.save(tmp_path)
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ValueError, match=rf"{fault}.*; relate again"):
        Lifts.load(tmp_path)


def test_a_number_that_is_none_is_refused(tmp_path) -> None:
    Lifts(("shop",), np.array([[np.nan]], np.float32)).save(tmp_path)
    with pytest.raises(ValueError, match="a logarithm is not from -20 to 20; relate again"):
        Lifts.load(tmp_path)
