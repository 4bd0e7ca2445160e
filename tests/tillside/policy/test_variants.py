"""Sizes and colours of one thing: one is shown, none beside another that is held; things without an attribute apart."""

import pytest

from tests.shops import Item, Shop
from tests.tillside.policy.test_placing import policy
from tillside.policy import parse_policy
from training.evaluation.placements.rule_check import broken_rules

STYLES = {"coat-s": "coat", "coat-m": "coat", "coat-l": "coat", "boot-37": "boot", "boot-38": "boot"}
SHOP = Shop(
    [
        *(Item(item, category="clothes", attributes={"style": style}) for item, style in STYLES.items()),
        Item("hat", category="clothes"),
        Item("scarf", category="clothes"),
    ],
    pairs=[("scene", "coat-m", item, 0.9 - number / 10) for number, item in enumerate(STYLES) if item != "coat-m"],
)
ONE = "variants: style"
EVERYTHING = {item.id: 10.0 - number for number, item in enumerate(SHOP.items)}


def test_of_one_thing_the_best_variant_is_shown_and_what_is_no_variant_stands_alone() -> None:
    assert SHOP.shown(policy(ONE), model=EVERYTHING, k=9) == ["coat-s", "boot-37", "hat", "scarf"]
    assert SHOP.shown(policy(""), model=EVERYTHING, k=9) == list(EVERYTHING)


@pytest.mark.parametrize("held", [{"cart": ["coat-m"]}, {"session": ["coat-m"]}, {"host": "coat-m"}])
def test_no_other_size_of_what_is_in_the_cart_on_the_page_or_in_the_host_s_hand_is_shown(held: dict) -> None:
    text = f"placements: {{here: {{sources: {{model: 1, scene: 9}}, anchors: [cart, last, host], rules: {{{ONE}}}}}}}"
    shown = SHOP.shown(text, model=EVERYTHING, k=9, **held)
    own = [] if "cart" in held else ["coat-m"]  # the page's own item is no variant of itself
    assert sorted(shown) == sorted(["boot-37", "hat", "scarf", *own])


def test_what_the_session_came_to_is_hidden_where_another_size_of_it_is_in_the_cart() -> None:
    text = f"placements: {{here: {{sources: {{model: 1}}, anchors: [cart, last], rules: {{{ONE}}}}}}}"
    shown = SHOP.shown(text, model=EVERYTHING, k=9, cart=["coat-l"], session=["coat-m"])
    assert sorted(shown) == ["boot-37", "hat", "scarf"]


def test_pins_and_filler_keep_it_too_and_the_host_s_own_item_is_shown() -> None:
    pins = f"{ONE}, pins: [{{name: a, item: boot-38, slot: 2}}, {{name: b, item: boot-37, slot: 3}}]"
    assert SHOP.shown(policy(pins), model={"boot-37": 2.0, "coat-l": 1.0}, k=4) == ["coat-l", "boot-38", "hat", "scarf"]
    host = "placements: {here: {sources: {scene: 1}, anchors: [host], host_first: true, rules: {variants: style}}}"
    assert SHOP.shown(host, host="coat-m", k=9) == ["coat-m", "boot-37", "hat", "scarf"]


def test_what_it_removed_is_counted() -> None:
    """Of seven items coat-l and coat-m stand behind coat-s, boot-38 behind boot-37."""
    answer = SHOP.place(policy(ONE), model=EVERYTHING, k=9, explain=True)
    assert answer.removed == {"variant": 3}


def test_the_independent_checker_finds_two_sizes_of_one_thing() -> None:
    plan, request = parse_policy(policy(ONE)), SHOP.request(cart=["coat-m"])
    assert broken_rules(SHOP.numbers(["coat-s"]).tolist(), plan, request, SHOP.facts())["variant"] == 1
    assert broken_rules(SHOP.numbers(["boot-37", "boot-38"]).tolist(), plan, request, SHOP.facts())["variant"] == 1
    assert not broken_rules(SHOP.numbers(["boot-37", "hat", "scarf"]).tolist(), plan, request, SHOP.facts())


def test_items_whose_attribute_has_a_value_are_lifted() -> None:
    """The model's second counts 10 / 11, at most 3 times of it 30 / 11, the first 1; another value lifts nothing."""
    shop = Shop([Item("plain"), Item("licensed", attributes={"official": "yes"})])
    scores = {"plain": 2.0, "licensed": 1.0}
    lifted = "boosts: {{attributes: [{{attribute: official, value: {0}, boost: 9}}], at_most: 3}}"
    assert shop.shown(policy("", sources="model: 1"), model=scores, k=2) == ["plain", "licensed"]
    answer = shop.place(policy(lifted.format("yes"), sources="model: 1"), model=scores, k=2)
    assert shop.ids(item.item for item in answer.items) == ["licensed", "plain"]
    assert answer.items[0].score == pytest.approx(30 / 11)
    assert shop.shown(policy(lifted.format("no"), sources="model: 1"), model=scores, k=2) == ["plain", "licensed"]
