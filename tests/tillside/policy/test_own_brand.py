"""Official accessories, by hand."""

import pytest

from tests.shops import Item, Shop
from tillside.fitting.rules import Rule, Side, Terms


@pytest.mark.parametrize("cart", [["phone", "case"], ["case", "phone"]])
def test_the_official_accessory_is_of_the_phone_s_maker_whatever_went_into_the_cart_last(cart: list[str]) -> None:
    """The cart's case is birk's, the phone aster's. Both films go with both; the laptop, which nothing brings but the
    model, is aster's too. A film scores 1 - .9 * (1 - .85 * .1) = .1765, the second anchor counting .85; aster's
    ten times that.
    """
    made = Terms((Rule("made for", Side("phone", "series"), Side("case", "series")),), ())
    series = {"attributes": {"series": "5"}}
    makers = {"phone": "aster", "case": "birk", "film a": "aster", "film b": "birk", "laptop": "aster"}
    items = [Item(name, category=name.split()[0], brand=brand, **series) for name, brand in makers.items()]
    pairs = [("complement", one, film, 0.1) for one in ("phone", "case") for film in ("film a", "film b")]
    shop = Shop(items, pairs=pairs, fitting=made)
    policy = (
        "placements: {here: {sources: {model: 0.5, complement: 1}, fusion: strengths, anchors: [cart], steering: 0,"
        " rules: {fits: none, hide_kind: {of: none}, boosts: {same_brand: 9, at_most: 10}}}}"
    )
    found = shop.place(policy, cart=cart, k=3, model={"laptop": 0.0}, explain=True)
    boosts = {shop.ids([item.item])[0]: item.parts["boost"] for item in found.items if item.parts}
    assert boosts == {"film a": 10.0, "film b": 1.0, "laptop": 1.0}
    assert found.items[0].score == pytest.approx(1.765)


def test_where_relations_are_asked_and_bring_nothing_nothing_is_official() -> None:
    """A film alone in the cart, of which no pair is known: its maker's laptop is no accessory."""
    shop = Shop([Item("film", brand="aster"), Item("laptop", brand="aster"), Item("charger", brand="birk")])
    policy = (
        "placements: {here: {sources: {model: 1, complement: 1}, anchors: [cart], rules: {boosts: {same_brand: 9}}}}"
    )
    assert shop.shown(policy, cart=["film"], k=2, model={"charger": 0.1, "laptop": 0.0}) == ["charger", "laptop"]


def test_where_no_relation_is_asked_the_first_anchor_s_brand_counts_for_all() -> None:
    shop = Shop([Item("phone", brand="aster"), Item("laptop", brand="aster"), Item("fan", brand="birk"), Item("bare")])
    policy = "placements: {here: {sources: {model: 1}, anchors: [cart], steering: 0, rules: {boosts: {same_brand: 1}}}}"
    liked = {"fan": 0.5, "laptop": 0.0, "bare": 0.4}
    assert shop.shown(policy, cart=["phone"], k=3, model=liked) == ["laptop", "fan", "bare"]
    assert shop.shown(policy, cart=["bare"], k=2, model=liked) == ["fan", "laptop"]
