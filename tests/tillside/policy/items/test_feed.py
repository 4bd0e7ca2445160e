"""The items feed: two forms, strict, mistakes by line, item and field; and the facts it makes."""

import json
from pathlib import Path

import numpy as np
import pytest

from tests.shops import Item, Shop
from tillside.policy import ItemFacts, Shelves, read_feed
from tillside.policy.items.facts import IN_STOCK, OUT_OF_STOCK, STOCK_UNKNOWN

LINES = '{"time_ms": 5}\n{"item_id": "a", "stock": 3, "price": 2.5}\n\n{"item_id": "b", "stock": null}\n'


def test_lines_and_a_document_say_the_same(tmp_path: Path) -> None:
    rows = [json.loads(line) for line in LINES.splitlines() if line]
    document = json.dumps({"time_ms": 5, "items": rows[1:]}, indent=2).encode()
    (tmp_path / "feed.jsonl").write_bytes(LINES.encode())
    assert read_feed(LINES.encode()) == read_feed(document) == read_feed(tmp_path / "feed.jsonl")
    assert read_feed(b'{"items": [], "time_ms": 7}').time_ms == 7


@pytest.mark.parametrize(
    ("feed", "message"),
    [
        (
            LINES + '{"item_id": "c", "price": -1}',
            "line 5: item 'c': price: Expected `float` > 0.0; allowed: a number above",
        ),
        (
            LINES + '{"item_id": "c", "prize": 1}',
            "line 5: item 'c': prize is not a field; allowed: item_id, stock, price",
        ),
        (LINES + '{"price": 1}', "line 5: item_id is missing; allowed: a string of at least one character"),
        (LINES + '{"item_id": "a"}', "line 5: item 'a': item_id was given in line 2 already"),
        (
            LINES + '{"item_id": "c", "stock": "3"}',
            "line 5: item 'c': stock: Expected `int | null`, got `str`; allowed: how",
        ),
        (LINES + '{"item_id": "c", "attributes": {"x": {}}}', "line 5: item 'c': attributes: "),
        (LINES + "[1]", "line 5: the line: Expected `object`, got `array`; allowed: an object with item_id"),
        (LINES + "nonsense", "line 5: JSON is malformed"),
        ('{"time": 5}\n', "line 1: time is not a field; allowed: time_ms"),
        ('{"time_ms": -5}\n', "line 1: time_ms: Expected `int` >= 0"),
        (
            '{"time_ms": 5,\n "items": [\n  {"item_id": "a"},\n  {"item_id": "b", "margin": 2}]}',
            "line 4: item 'b': margin",
        ),
        ('{"items": []}', "line 1: Object missing required field `time_ms`; allowed: an object with time_ms and items"),
        ("", "line 1: "),
        ("[]", "line 1: Expected `object`, got `array`"),
    ],
)
def test_a_mistake_is_named_by_line_item_and_field(feed: str, message: str) -> None:
    with pytest.raises(ValueError) as caught:
        read_feed(feed.encode())
    assert message in str(caught.value)


def test_all_mistakes_are_listed_up_to_a_bound() -> None:
    with pytest.raises(ValueError) as caught:
        read_feed(b'{"time_ms": 5}\n' + b'{"item_id": "a", "price": 0}\n' * 50)
    assert len(str(caught.value).splitlines()) == 21


@pytest.mark.parametrize("feed", [b"\xff\xfe", b'{"time_ms": 5}\n{"item_id": "\xff"}'])
def test_bytes_that_are_not_utf8_are_refused(feed: bytes) -> None:
    with pytest.raises(ValueError, match="line "):
        read_feed(feed)


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


def test_items_that_popularity_does_not_know_come_last_by_id() -> None:
    new = facts().with_feed(read_feed(b'{"time_ms": 5}\n{"item_id": "z"}\n{"item_id": "y"}'))
    assert [new.item_ids[item] for item in Shelves.of(new, popular_N=np.array([2, 0])).popular.items_P] == list("cabyz")


def test_attributes_of_a_known_item_are_replaced() -> None:
    new = facts().with_feed(read_feed(b'{"time_ms": 5}\n{"item_id": "a", "attributes": {"category": "z"}}'))
    assert new.categories.having(("z",))[new.categories.codes_N].tolist() == [True, False, False]
    assert not new.categories.having(("x",))[new.categories.codes_N].any()
    assert not new.brands.codes_N[0]


def test_an_item_in_two_categories_is_in_both() -> None:
    feed = b'{"time_ms": 5}\n{"item_id": "a", "attributes": {"category": ["x.y", "w"]}}'
    groups = facts().with_feed(read_feed(feed)).categories
    assert [bool(groups.having((path,))[groups.codes_N[0]]) for path in ("x", "x.y", "w", "y")] == [
        True,
        True,
        True,
        False,
    ]
