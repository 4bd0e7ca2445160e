"""What is set by hand lies over policy and relations, by hand on a small shop; names that the shop lacks are told."""

from datetime import date

from tests.shops import Item, Shop
from tillside.policy import parse_policy
from tillside.policy.file.offers import OwnBundle
from tillside.policy.merchandising import ByHand, Pair, PlacedBan, PlacedPin, Price, known_names
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
