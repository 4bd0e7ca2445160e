"""Bundles around the anchors and those set by hand, with their prices."""

import re
from typing import Any

import pytest

from tests.shops import Item, Shop
from tests.tillside.policy.test_promotions import SHOP, TIERS
from tillside.policy import parse_policy


def test_bundles_have_the_sum_of_prices_and_what_a_promotion_takes_off() -> None:
    """coat + hat + bag = 180; coat and hat take part: 10 % off the cheaper, 20, is 2. The odd one has no price."""
    bundles = SHOP.place(TIERS, cart=["coat"]).bundles
    assert [SHOP.ids(bundle.items) for bundle in bundles] == [["coat", "bag", "hat"], ["coat", "hat"]]
    assert [SHOP.ids(bundle.missing) for bundle in bundles] == [["bag", "hat"], ["hat"]]
    assert [(bundle.price, bundle.discounted_price, bundle.promotion) for bundle in bundles] == [
        (180, 178, "wear"),
        (120, 118, "wear"),
    ]


def test_a_bundle_with_a_forbidden_item_is_not_offered() -> None:
    banned = TIERS.replace("bundles: 5", "bundles: 5, rules: {bans: [{name: b, item: bag}]}")
    assert [SHOP.ids(bundle.items) for bundle in SHOP.place(banned, cart=["coat"]).bundles] == [["coat", "hat"]]
    assert SHOP.place(TIERS, cart=["coat"], excluded=["hat"]).bundles == []


def test_a_bundle_may_hold_what_was_looked_at_unless_it_is_forbidden() -> None:
    viewed = TIERS.replace("bundles: 5", "bundles: 1, rules: {hide_viewed: last}")
    assert SHOP.ids(SHOP.place(viewed, session=["hat"]).bundles[0].items) == ["bag", "coat", "hat"]
    gone = Shop([*SHOP.items[:1], Item("hat", 20, "wear.hat", stock=0), *SHOP.items[2:]], bundles=SHOP.bundles)
    assert gone.place(viewed, session=["hat"]).bundles == []


def test_what_is_all_in_the_cart_is_no_offer() -> None:
    assert SHOP.place(TIERS, cart=["coat", "hat", "bag", "odd"]).bundles == []


OWN = """\
bundles:
  - {name: set, items: [hat, coat], price: 99, from: 2026-05-01, until: 2026-06-01}
  - {name: sum, items: [coat, bag]}
  - {name: past, items: [coat, bag], price: 1, until: 2026-05-01}
  - {name: gone, items: [coat, ghost], price: 1}
  - {name: odd, items: [coat, odd], price: 1}
placements: {here: {sources: {popular: 1}, bundles: 5}}
"""


def offers(text: str, **given: Any) -> list[tuple[list[str], float, float | None, str | None]]:
    return [
        (SHOP.ids(bundle.items), bundle.price, bundle.discounted_price, bundle.promotion)
        for bundle in SHOP.place(text, **given).bundles
    ]


def test_bundles_set_by_hand_come_first_with_their_own_price() -> None:
    """The mined set of coat and hat is the one set by hand; of the odd one's no price is known."""
    mined = (["coat", "bag", "hat"], 180, None, None)
    own = [(["coat", "hat"], 120, 99, "set"), (["coat", "bag"], 160, None, None)]
    assert offers(OWN, cart=["coat"]) == [*own, mined]
    assert offers(OWN.replace("bundles: 5", "bundles: 1"), cart=["coat"]) == own[:1]
    assert offers(OWN, cart=["coat"], excluded=["hat"]) == own[1:]
    assert offers(OWN, cart=["coat", "hat", "bag"]) == []


def test_prices_of_an_offer_are_told_to_the_hundredth() -> None:
    """In single precision 16.49 + 784.84 = 801.3300266, of which 30 % off leaves 560.93102; 99.999 is 100."""
    dear = Shop([Item("cap", 16.49), Item("bed", 784.84), Item("rug", 1)], bundles=[(("cap", "bed"), 0.9)])
    text = """
promotions: [{name: third, steps: [{items: 2, percent: 30}]}]
bundles: [{name: own, items: [cap, rug], price: 99.999}]
placements: {here: {sources: {popular: 1}, bundles: 2}}
"""
    own, mined = dear.place(text, cart=["cap"]).bundles
    assert (mined.price, mined.discounted_price) == (801.33, 560.93)
    assert (own.price, own.discounted_price) == (17.49, 100)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("items: [coat, bag]}", "items: [coat, coat]}", "policy:3: bundles[1]: the items of a bundle must differ"),
        ("items: [coat, bag]}", "items: [coat]}", "policy:3: bundles[1].items: got a list"),
        ("price: 99", "price: 0", "policy:2: bundles[0].price: got '0'"),
    ],
)
def test_a_mistake_in_a_bundle_is_named_by_its_line(old: str, new: str, message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        parse_policy(OWN.replace(old, new, 1))
