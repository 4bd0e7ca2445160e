"""The items feed: two forms, strict, mistakes by line, item and field; and the facts it makes."""

import json
from pathlib import Path

import pytest

from tillside.policy import ConflictError, read_feed

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
        (LINES + '{"price": 1}', "line 5: item_id is missing; allowed: a string of 1 to 256 characters"),
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


@pytest.mark.parametrize("feed", [b"", b" \n"])
def test_an_empty_feed_is_told_to_be_one(feed: bytes) -> None:
    with pytest.raises(ValueError, match=r"^line 1: the feed is empty; allowed: an object with time_ms and items, or"):
        read_feed(feed)


@pytest.mark.parametrize("feed", [b"\xff\xfe", b'{"time_ms": 5}\n{"item_id": "\xff"}'])
def test_bytes_that_are_not_utf8_are_refused(feed: bytes) -> None:
    with pytest.raises(ValueError, match="line "):
        read_feed(feed)


@pytest.mark.parametrize(
    ("more", "conflict"), [('{"item_id": "a"}', True), ('{"item_id": "a"}\n{"item_id": "d", "stock": -1}', False)]
)
def test_an_item_that_stands_twice_is_a_conflict_unless_more_is_wrong(more: str, conflict: bool) -> None:
    with pytest.raises(ValueError) as caught:
        read_feed((LINES + more).encode())
    assert isinstance(caught.value, ConflictError) is conflict


def test_a_stock_of_nine_point_nought_is_nine_and_an_attribute_stays_as_it_was() -> None:
    """36.0 is an integer to JSON Schema, and some languages have no other numbers."""
    (item,) = read_feed(b'{"time_ms": 5.0}\n{"item_id": "a", "stock": 9.0, "attributes": {"size": 36.0}}').items
    assert (item.stock, item.attributes) == (9, {"size": 36.0})
    with pytest.raises(ValueError, match=r"stock: Expected `int \| null`, got `float`"):
        read_feed(LINES.encode() + b'{"item_id": "c", "stock": 9.5, "minimum_age": 18.0}')


@pytest.mark.parametrize("row", ['{"item_id": 5, "stock', '{"item_id": 5, "attributes": ' + "[" * 5000, "5.0", "[9.0]"])
def test_a_row_that_is_wrong_before_it_is_no_json_is_told_by_its_line(row: str) -> None:
    with pytest.raises(ValueError, match=r"^line 5: "):
        read_feed(LINES.encode() + row.encode())


def test_a_mistake_is_one_line_though_a_field_holds_a_line_break() -> None:
    with pytest.raises(ValueError) as caught:
        read_feed(LINES.encode() + b'{"item_id": "c", "st\\nock\\u2028": 1}')
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize(
    ("feed", "message"),
    [
        ('{"time_ms": 1, "items": [{"item_id": "a:b", "stock": 0}], "items": []}', "line 1: items stands twice"),
        ('{"time_ms": 1, "time_ms": 2, "items": []}', "line 1: time_ms stands twice"),
        ('{"time_ms": 1, "items": [{"item_id": "a", "stock": 0, "stock": 5}]}', "line 1: stock stands twice"),
        (LINES + '{"item_id": "c", "attributes": {"a\\u003a": 1, "b": 1, "b": 2}}', "line 5: b stands twice"),
        ('{"time_ms": 1, "time_ms": 2}', "line 1: time_ms stands twice"),
    ],
)
def test_a_key_that_stands_twice_is_refused_since_one_of_its_values_would_be_lost(feed: str, message: str) -> None:
    with pytest.raises(ValueError, match=f"^{message}; allowed: each key once"):
        read_feed(feed.encode())
    read_feed(LINES.encode() + rb'{"item_id": "x:y\u003a", "name": "a: b", "attributes": {"c:d": "e:f"}}')
