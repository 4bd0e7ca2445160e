"""Facts of items, from the catalogue and changed by feeds; their vectors."""

import json

import numpy as np
import pytest

from tests.shops import Item, Shop
from tests.tillside.policy.items.test_feed import LINES
from tillside.policy import ItemFacts, Shelves, read_feed
from tillside.policy.items.facts import IN_STOCK, NO_VECTORS, OUT_OF_STOCK, STOCK_UNKNOWN, ItemVectors


def facts() -> ItemFacts:
    return Shop([Item("a", 1, "x.y", "m"), Item("b", None), Item("c", 3)], feed_age_ms=None).facts()


def test_a_feed_makes_new_facts_and_leaves_the_old_ones_alone() -> None:
    old = facts()
    new = old.with_feed(read_feed(LINES.encode() + b'{"item_id": "c", "stock": 0, "price": null}'))
    assert old.stock_N.tolist() == [STOCK_UNKNOWN] * 3
    assert new.stock_N.tolist() == [IN_STOCK, STOCK_UNKNOWN, OUT_OF_STOCK]
    np.testing.assert_array_equal(new.prices_N, np.array([2.5, np.nan, np.nan], np.float32))
    assert (old.feed_time_ms, new.feed_time_ms) == (None, 5)


def test_what_a_feed_leaves_out_stays() -> None:
    once = facts().with_feed(read_feed(LINES.encode()))
    twice = once.with_feed(read_feed(b'{"time_ms": 6}\n{"item_id": "a", "clearance": 0.5}'))
    assert (twice.stock_N[0], twice.prices_N[0], twice.clearance_N[0]) == (IN_STOCK, 2.5, 0.5)


def test_new_items_stand_behind_and_are_found_by_their_attributes() -> None:
    line = {
        "item_id": "0new",
        "price": 7,
        "name": "New",
        "new_until_ms": 9,
        "attributes": {"category": "x.y", "brand": "m"},
    }
    feed = read_feed(f'{{"time_ms": 5}}\n{json.dumps(line)}'.encode())
    new = facts().with_feed(feed)
    assert (new.item_ids, new.index_of["0new"], new.name(3)) == (["a", "b", "c", "0new"], 3, "New")
    assert new.rank_N.tolist() == [1, 2, 3, 0]
    assert new.tokens_of(3) == ["category=x", "category=x.y", "brand=m"]
    assert new.categories.codes_N[3] == new.categories.codes_N[0]
    assert new.with_feed(feed).item_ids == new.item_ids
    shelves = Shelves.of(new, popular_N=np.array([2, 0, 1]))
    assert shelves.popular.items_P.tolist() == [2, 0, 1, 3]  # popularity does not know it yet
    assert shelves.new.category(int(new.categories.codes_N[0])).tolist() == [3]


def test_vectors_of_items_that_came_later():
    vectors = ItemVectors(
        np.array([[1, 2, 0.5]], np.float32), np.array([3, 7]), np.array([[3, 4, 0], [7, 8, 0]], np.float32)
    )
    assert vectors.of(np.array([7, 0, 5, 3])).tolist() == [[7, 8], [1, 2], [0, 0], [3, 4]]
    assert NO_VECTORS.of(np.array([2, 0])).shape == (2, 0)


def test_cosines_are_of_what_has_a_vector_and_never_below_0() -> None:
    """(3, 4) and (0, 2): 8 / (5 * 2); (-1, 0) points away from both; the last item has none."""
    rows = np.array([[3, 4, 9], [0, 2, 9], [-1, 0, 9]], np.float32)
    shop = Shop([Item("a", vector=(3, 4)), Item("b", vector=(0, 2)), Item("c", vector=(-1, 0)), Item("d")])
    assert shop.facts().vectors.of(np.array([0, 2])).tolist() == rows[[0, 2], :2].tolist()
    expected = [[1, 0.8, 0, 0], [0.8, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 0]]
    assert shop.facts().cosines(np.arange(4)).tolist() == expected


def test_numbers_outside_the_catalogue_are_not_known() -> None:
    assert [facts().knows(item) for item in (-1, 0, 2, 3)] == [False, True, True, False]


def test_an_age_limit_must_be_years() -> None:
    shop = Shop([Item("a")])
    catalogue = shop.facts().catalogue
    tokens = {"vocabulary": ["minimum_age=121"], "token_ids": np.array([0]), "token_offsets": np.array([0, 1])}
    for name, value in tokens.items():
        object.__setattr__(catalogue, name, value)
    with pytest.raises(ValueError, match="minimum_age must be years from 0 to 120, got 121"):
        ItemFacts.of_catalogue(catalogue)


def test_numbers_of_items_that_are_here_are_told_from_what_changes_who_they_are() -> None:
    told = {
        '{"item_id": "a", "stock": 0, "price": null, "clearance": 1, "margin": 0.1, "minimum_age": 18}': True,
        '{"item_id": "a", "name": "A"}': False,
        '{"item_id": "a", "attributes": {}}': False,
        '{"item_id": "z", "stock": 1}': False,
    }
    for row, only in told.items():
        assert facts().only_counted_by(read_feed(b'{"time_ms": 5}\n' + row.encode())) is only, row
    counted = facts().with_feed(read_feed(b'{"time_ms": 5}\n{"item_id": "a", "stock": 1}'))
    assert counted.categories.codes_N.tolist() == facts().categories.codes_N.tolist()
