"""What is set by hand lies over policy and relations, by hand on a small shop, and its mistakes are told row by row."""

import json
import re
from datetime import date

import pytest

from tests.shops import Item, Shop
from tillside.policy import parse_policy
from tillside.policy.file.offers import OwnBundle
from tillside.policy.merchandising import ByHand, Pair, PlacedBan, PlacedPin, Price, known_names, read_rows
from tillside.relations import ALWAYS, ManualPairs

POLICY = parse_policy("""
placements:
  cart: {sources: {model: 1}, rules: {pins: [{name: old, item: b}]}}
  home: {sources: {model: 1}}
segments:
  new: {placements: {home: {slots: 3}}}
""")
SHOP = Shop([Item("a", category="tech.phone", brand="Aster"), Item("b", category="tech.case")])


def test_pins_and_bans_lie_over_the_placements_they_name_in_every_segment():
    by_hand = ByHand(
        pins=(PlacedPin(name="mine", item="a", slot=2, placements=("cart",)),),
        bans=(PlacedBan(name="none", brand="Aster"),),
        bundles=(OwnBundle(name="duo", items=("a", "b")),),
    )
    policy = by_hand.over(POLICY)
    assert [pin.name for pin in policy.placements["cart"].rules.pins] == ["mine", "old"]
    assert policy.placements["home"].rules.pins == ()
    assert [ban.name for ban in policy.placements["home"].rules.bans] == ["none"]
    assert [ban.name for ban in policy.of("new").placements["home"].rules.bans] == ["none"]
    assert policy.of("new").placements["home"].slots == 3
    assert [bundle.name for bundle in policy.bundles] == ["duo"]
    assert ByHand().over(POLICY) is POLICY


def test_a_pair_takes_the_place_of_the_same_pair_and_begins_with_the_shop_s_day():
    index_of = {"a": 0, "b": 1}
    manual = ManualPairs.of([("complement", 0, 1, "ban", None, *ALWAYS), ("complement", 1, 0, "pin", None, *ALWAYS)])
    by_hand = ByHand(pairs=(Pair(item="a", other="b", since=date(2026, 1, 1)), Pair(item="a", other="later")))
    found = by_hand.relations_over(manual, index_of=index_of, utc_offset_hours=8)
    assert found.anchors.tolist() == [1]
    # midnight of 2026-01-01 at UTC+8 is 16:00 UTC of the day before: 1767225600000 - 8 * 3600 * 1000
    assert found.later == (
        ("complement", "a", "b", "pin", None, 1767196800000, ALWAYS[1]),
        ("complement", "a", "later", "pin", None, *ALWAYS),
    )
    arrived = found.arrived(index_of)
    assert arrived.anchors.tolist() == [1, 0]
    assert [row[2] for row in arrived.later] == ["later"]


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
        ("bans", b'[{"name": "b"}]', "bans[0]: exactly one of item, category, brand must be given, got none"),
        ("pairs", b'[{"item": "a", "other": "a"}]', "pairs[0]: other must be another item than item, got 'a' for both"),
        (
            "pairs",
            b'[{"item": "a", "other": "b", "action": "ban", "strength": 1}]',
            "strength must be left out of a ban",
        ),
        ("bundles", b'[{"name": "b", "items": ["a", "a"]}]', "bundles[0]: the items of a bundle must differ, got a, a"),
        ("prices", b'[{"item": "a", "price": 0}]', "prices[0].price: got 0; allowed: a number above 0, or nothing"),
        ("prices", b'[{"item": "a", "price": "12,50"}]', "allowed: a number above 0, or nothing; did you mean 12.50?"),
        ("pins", b'[{"nam": "p", "item": "a"}]', "placements; did you mean name?"),
        (
            "bans",
            b'[{"name": "b", "brand": "x", "from": "01.06.2026"}]',
            'bans[0].from: got "01.06.2026"; allowed: a date such as 2026-11-01, or nothing; did you mean 2026-06-01?',
        ),
        ("prices", b'[{"item": "a", "price": 1}, {"item": "a", "price": 2}]', "prices: an item stands twice"),
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


def test_names_that_shop_or_policy_lack_are_told():
    known = known_names(SHOP.facts())
    by_hand = ByHand(
        pins=(PlacedPin(name="p", item="c", placements=("carts",)),),
        bans=(PlacedBan(name="b", category="tech.phon"), PlacedBan(name="c", category="tech")),
        pairs=(Pair(item="a", other="z"),),
        bundles=(OwnBundle(name="d", items=("a", "y")),),
        prices=(Price(item="b", price=1.0),),
    )
    assert by_hand.mistakes(known, placements=["cart"]) == [
        "pins[0].item: 'c': no item has this id",
        "pins[0].placements: 'carts': no such placement; did you mean cart?",
        "bans[0].category: 'tech.phon': no item has this category; did you mean tech.phone?",
        "pairs[0].other: 'z': no item has this id",
        "bundles[0].items: 'y': no item has this id",
    ]


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
