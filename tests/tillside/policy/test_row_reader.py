"""Rows set by hand are read strictly: every mistake is told with its row, its field and what is allowed there."""

import json
import re
from datetime import date

import msgspec
import pytest

from tillside.policy.file.values import ConflictError, TermError
from tillside.policy.merchandising import Price
from tillside.policy.row_reader import mistake_of, read_rows


def test_rows_are_read_from_a_list_or_an_object_of_it():
    body = b'[{"name": "p", "item": "a", "slot": 2, "from": "2026-01-01"}]'
    (pin,) = read_rows("pins", body)
    assert (pin.item, pin.slot, pin.since) == ("a", 2, date(2026, 1, 1))
    assert read_rows("pins", b'{"pins": ' + body + b"}") == (pin,)
    assert read_rows("prices", b'[{"item": "a", "price": null}]') == (Price(item="a", price=None),)


@pytest.mark.parametrize(
    ("part", "body", "said"),
    [
        ("pins", b"nonsense", "pins: JSON is malformed"),
        ("pins", b'{"pin": []}', "pins: got dict; allowed: a list of objects with from, until, name, item, slot"),
        (
            "pins",
            b'[{"name": "p", "itm": "a"}]',
            "pins[0]: Object contains unknown field `itm`; allowed: an object with",
        ),
        (
            "pins",
            b'[{"name": "p", "item": "a", "slot": 0}]',
            "pins[0].slot: got 0; allowed: an integer of at least 1 and at most 1000",
        ),
        (
            "bans",
            b'[{"name": "b"}]',
            "exactly one of item, category, brand must be given, got none; allowed: item, category or brand alone",
        ),
        (
            "pairs",
            b'[{"item": "a", "other": "a"}]',
            "pairs[0]: other must be another item than item, got 'a' for both; allowed: any item but 'a'",
        ),
        (
            "pairs",
            b'[{"item": "a", "other": "b", "action": "ban", "strength": 1}]',
            "strength must be left out of a ban, got 1; allowed: nothing where action is ban",
        ),
        (
            "bundles",
            b'[{"name": "b", "items": ["a", "a"]}]',
            "bundles[0]: the items of a bundle must differ, got a, a; allowed: each item once",
        ),
        ("prices", b'[{"item": "a", "price": 0}]', "prices[0].price: got 0; allowed: a number above 0, or nothing"),
        ("prices", b'[{"item": "a", "price": "12,50"}]', "allowed: a number above 0, or nothing; did you mean 12.50?"),
        ("pins", b'[{"nam": "p", "item": "a"}]', "placements; did you mean name?"),
        (
            "bans",
            b'[{"name": "b", "brand": "x", "from": "01.06.2026"}]',
            'bans[0].from: got "01.06.2026"; allowed: a date such as 2026-11-01, or nothing; did you mean 2026-06-01?',
        ),
        (
            "prices",
            b'[{"item": "a", "price": 1}, {"item": "b", "price": 1}, {"item": "a", "price": 2}]',
            "prices[2].item: 'a' stands in prices[0] too; allowed: each item once",
        ),
        (
            "bundles",
            b'[{"name": "b", "items": ["a"]}]',
            "bundles[0].items: got a list of 1; allowed: a list of 2 to 8, each: text",
        ),
        (
            "bundles",
            b'[{"name": "b", "items": ["a", 3]}]',
            "bundles[0].items[1]: got 3; allowed: text",
        ),
        ("pins", b'[{"name": "p", "item": ["a", "b"]}]', "pins[0].item: got a list of 2; allowed: text"),
        ("pins", b'[{"name": "p", "item": {}}]', "pins[0].item: got an object; allowed: text"),
        (
            "pins",
            b'[{"name": "p", "item": "a", "placements": "cart"}]',
            'pins[0].placements: got "cart"; allowed: a list',
        ),
        ("pins", b'["a"]', 'pins[0]: got "a"; allowed: an object with from, until, name, item, slot, placements'),
        (
            "pins",
            b'[{"name": "p", "item": "a", "from": "2026-06-02", "until": "2026-06-01"}]',
            "until must be after from (2026-06-02), got 2026-06-01; allowed: a date after 2026-06-02, or nothing",
        ),
        ("pins", b"", "pins: the body is empty; allowed: a list of objects with from, until, name, item, slot, "),
        ("bans", b" \r\n", "bans: the body is empty; allowed: a list of objects with "),
        ("bans", b"", "placements, in JSON, or [] for none"),
    ],
)
def test_a_mistake_is_told_with_its_row_and_what_is_allowed(part, body, said):
    with pytest.raises(ValueError, match="allowed") as refused:
        read_rows(part, body)
    assert said in str(refused.value)


def test_mistakes_end_somewhere():
    with pytest.raises(ValueError, match="and perhaps more; reading ended after 20 mistakes") as refused:
        read_rows("pins", b"[" + b",".join([b"{}"] * 50) + b"]")
    assert len(str(refused.value).splitlines()) == 21


@pytest.mark.parametrize(
    "body",
    [
        b'[{"name": "a", "item": "x", "item": "y"}]',
        b'{"pins": [], "pins": [{"name": "a", "item": "x"}]}',
        b'[{"name": "a\\u003a", "item": "x", "item": "y"}]',
    ],
)
def test_a_key_that_stands_twice_is_refused(body: bytes) -> None:
    with pytest.raises(ValueError, match="stands twice in one object"):
        read_rows("pins", body)


def test_a_text_of_letters_that_yaml_does_not_read_is_refused_as_any_other_wrong_value() -> None:
    with pytest.raises(ValueError, match=re.escape("bans[0].from: got ") + ".*; allowed: a date such as 2026-11-01"):
        read_rows("bans", json.dumps([{"name": "recall", "from": "\x8e\x01x"}]).encode())


@pytest.mark.parametrize(
    ("part", "body", "kind", "field", "allowed"),
    [
        ("pins", b'[{"item": "a"}, {"name": "p", "item": "a", "slot": 0}]', TermError, "pins[0]", "from, until, name"),
        ("pins", b'[{"nme": "p"}]', TermError, "pins[0].nme", "from, until, name"),
        ("pins", b'[{"name": "p", "item": "a", "slot": 0}]', TermError, "pins[0].slot", "an integer of at least 1"),
        ("pairs", b'[{"item": "a", "other": "a"}]', ConflictError, "pairs[0].other", "any item but 'a'"),
        ("bans", b'[{"name": "b"}]', TermError, "bans[0]", "item, category or brand alone"),
        ("prices", b'[{"item": "a", "price": 1}, {"item": "a", "price": 2}]', ConflictError, "prices[1].item", "each"),
        ("prices", b"{", TermError, "prices", "a list of objects with item, price, in JSON"),
        ("prices", b"3", TermError, "prices", "a list of objects with item, price"),
    ],
)
def test_field_and_allowed_are_those_of_the_first_mistake(part, body, kind, field, allowed) -> None:
    with pytest.raises(ValueError) as refused:
        read_rows(part, body)
    assert type(refused.value) is kind
    assert refused.value.field == field
    assert refused.value.allowed.startswith(allowed)


def test_each_price_of_an_item_that_has_one_is_told() -> None:
    rows = [{"item": item, "price": 1} for item in "abab"]
    with pytest.raises(ConflictError) as refused:
        read_rows("prices", json.dumps(rows).encode())
    assert [line.partition(" too")[0] for line in str(refused.value).splitlines()] == [
        "prices[2].item: 'a' stands in prices[0]",
        "prices[3].item: 'b' stands in prices[1]",
    ]


def test_a_document_of_another_kind_is_told_in_the_same_words() -> None:
    class Order(msgspec.Struct, forbid_unknown_fields=True):
        revision: int | None = None

    def told(document: object) -> tuple[str, str, str]:
        with pytest.raises(msgspec.ValidationError) as caught:
            msgspec.convert(document, Order)
        return mistake_of(caught.value, document, Order, at="")[:3]

    wanted = "an integer, or nothing"
    assert told({"revision": "3"}) == (
        f'revision: got "3"; allowed: {wanted}; did you mean 3, without quotes?',
        "revision",
        wanted,
    )
    assert told({"rev": 1})[1:] == ("rev", "revision")
    assert told([])[0] == "got a list of 0; allowed: an object with revision"
