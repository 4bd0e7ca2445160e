"""What a promotion takes off, and what is missing to its next step."""

import re

import pytest

from tests.shops import Item, Shop

SHOP = Shop(
    [
        Item("coat", 100, "wear.coat"),
        Item("hat", 20, "wear.hat"),
        Item("bag", 60, "bag"),
        Item("odd", None, "wear.odd"),
    ],
    bundles=[(("coat", "hat", "bag"), 0.9), (("coat", "hat"), 0.8), (("coat", "odd"), 0.7)],
)
TIERS = """
promotions:
  - name: wear
    categories: [wear]
    until: 2027-01-01
    steps: [{items: 2, percent: 10, off: cheapest}, {items: 3, percent: 20}]
placements: {here: {sources: {popular: 1}, bundles: 5}}
"""


def test_of_several_promotions_the_best_counts() -> None:
    text = TIERS.replace("promotions:\n", "promotions:\n  - {name: all, steps: [{items: 2, percent: 50}]}\n")
    assert [bundle.discounted_price for bundle in SHOP.place(text, cart=["coat"]).bundles] == [90, 60]
    past = TIERS.replace("2027", "2026")
    assert [bundle.discounted_price for bundle in SHOP.place(past, cart=["coat"]).bundles] == [None, None]


@pytest.mark.parametrize(
    ("cart", "missing", "reached", "en", "zh"),
    [
        (["hat"], 1, 0, "1 more item of wear: 10 % off the cheapest of them", "再买1件活动商品:其中最低价一件9折"),
        (["hat", "hat"], 1, 10, "1 more item of wear: 20 % off all of them", "再买1件活动商品:全部8折"),
        (
            ["hat", "bag"],
            1,
            0,
            "1 more item of wear: 10 % off the cheapest of them",
            "再买1件活动商品:其中最低价一件9折",
        ),
        ([], 2, 0, "2 items of wear: 10 % off the cheapest of them", "买2件活动商品:其中最低价一件9折"),
    ],
)
def test_what_is_missing_to_the_next_step(cart: list[str], missing: int, reached: float, en: str, zh: str) -> None:
    for language, text in (("en", en), ("zh", zh)):
        hint = SHOP.place(TIERS, cart=cart, language=language).promotion
        assert hint is not None
        assert (hint.promotion, hint.missing, hint.reached_percent, hint.text) == ("wear", missing, reached, text)


@pytest.mark.parametrize("cart", [["bag"], ["hat", "hat", "coat"]])
def test_no_hint_where_nothing_takes_part_or_the_last_step_is_reached(cart: list[str]) -> None:
    assert SHOP.place(TIERS, cart=cart).promotion is None


def line(promotions: str, *cart: str, language: str = "en") -> str | None:
    text = f"promotions: [{promotions}]\nplacements: {{here: {{sources: {{popular: 1}}}}}}"
    hint = SHOP.place(text, cart=list(cart), language=language).promotion
    return None if hint is None else hint.text


def test_a_promotion_may_ask_for_a_sum_and_take_a_fixed_amount_off_or_give_something() -> None:
    """Of the 120 of coat and hat 30 are missing to 150."""
    off = "{name: p, steps: [{spend: 150, amount: 20}, {spend: 300, gift: bag}]}"
    assert line(off, "coat", "hat") == "30 more: 20 off"
    assert line(off, "coat", "bag") == "140 more: bag comes free"
    assert line(off) == "From 150: 20 off"
    assert line(off, "coat", "hat", language="zh") == "再消费30:立减20"
    assert line(off, "odd") is None  # its price is unknown, and so is the sum
    hint = SHOP.place(
        f"promotions: [{off}]\nplacements: {{here: {{sources: {{popular: 1}}}}}}", cart=["coat"]
    ).promotion
    assert hint is not None
    assert (hint.missing, hint.missing_spend, hint.percent, hint.amount, hint.gift) == (0, 50, 0, 20, None)


def test_a_sentence_uses_the_words_of_the_shop() -> None:
    called = "called: {one: accessory, many: accessories, zh: 配件}"
    tiers = f"{{name: p, categories: [wear], {called}, steps: [{{items: 3, percent: 20}}]}}"
    assert line(tiers, "hat", "hat") == "1 more accessory: 20 % off all of them"
    assert line(tiers, "hat") == "2 more accessories: 20 % off all of them"
    assert line(tiers, "hat", language="zh") == "再买2件配件:全部8折"
    spend = f"{{name: p, categories: [wear], {called}, steps: [{{spend: 50, percent: 20}}]}}"
    assert line(spend, "hat") == "30 more on accessories: 20 % off all of them"


def test_a_fixed_amount_lowers_a_bundles_price_by_no_more_than_the_items_cost() -> None:
    text = TIERS.replace("steps: [{items: 2, percent: 10, off: cheapest}, {items: 3, percent: 20}]", "steps: [{STEP}]")
    for step, prices in (("spend: 120, amount: 15", [165, 105]), ("items: 2, amount: 500", [60, 0])):
        found = SHOP.place(text.replace("STEP", step), cart=["coat"]).bundles
        assert [bundle.discounted_price for bundle in found] == prices


def test_promotions_add_up_only_where_they_say_so() -> None:
    """10 % of the cheaper one, 2, and 5 off; together 7 where both combine."""
    more = "promotions:\n  - {name: five, MORE steps: [{spend: 100, amount: 5}]}\n"
    for said, expected in (("", (115, "five")), ("combines: true,", (113, "five + wear"))):
        text = TIERS.replace("promotions:\n", more.replace("MORE", said)).replace(
            "categories:", f"{said.rstrip(',') or 'combines: false'}\n    categories:"
        )
        bundle = SHOP.place(text, cart=["coat"]).bundles[1]
        assert (bundle.discounted_price, bundle.promotion) == expected


def test_a_step_that_is_worth_less_than_what_applies_already_is_not_promised() -> None:
    """Half of everything holds already; a fifth of the wear would take its place, not come on top."""
    half = "{name: half, steps: [{items: 1, percent: 50}]}"
    fifth = "{name: fifth, COMBINES categories: [wear], steps: [{items: 2, percent: 20}]}"
    assert line(f"{half}, {fifth.replace('COMBINES', '')}", "coat") is None
    assert line(f"{half}, {fifth.replace('COMBINES', 'combines: true,')}", "coat") is not None
    assert line(fifth.replace("COMBINES", ""), "coat") == "1 more item of wear: 20 % off all of them"


def test_a_gift_that_is_gone_is_not_promised() -> None:
    gift = "{name: p, steps: [{items: 2, gift: GIFT}]}"
    assert line(gift.replace("GIFT", "hat"), "coat") == "1 more item: hat comes free"
    assert line(gift.replace("GIFT", "ghost"), "coat") is None
    gone = Shop([*SHOP.items[:1], Item("hat", 20, "wear.hat", stock=0)])
    text = f"promotions: [{gift.replace('GIFT', 'hat')}]\nplacements: {{here: {{sources: {{popular: 1}}}}}}"
    assert gone.place(text, cart=["coat"]).promotion is None


@pytest.mark.parametrize(
    ("steps", "message"),
    [
        ("{items: 2, spend: 3, percent: 5}", "exactly one of items, spend must be given, got items, spend"),
        ("{items: 2}", "exactly one of percent, amount, gift must be given, got none"),
        ("{items: 2, percent: 5}, {spend: 9, percent: 9}", "must all count items or all a spend, got both"),
        ("{spend: 9, percent: 5}, {spend: 8, percent: 9}", "the spend of the steps must rise, got [9.0, 8.0]"),
    ],
)
def test_a_mistake_in_a_step_is_said(steps: str, message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        line(f"{{name: p, steps: [{steps}]}}")


def test_no_discount_on_unknown_prices() -> None:
    assert SHOP.place(TIERS, cart=["odd"]).bundles == []


def test_a_sum_is_what_it_is_to_the_hundredth_and_is_said_in_plain_numbers() -> None:
    """The float32 prices of 10.9 and 589.1 add up to 599.99998; 1234567.5 - 600 = 1233967.5 is told as a whole."""
    shop = Shop([Item("cap", 10.9), Item("bed", 589.1)])
    text = "promotions: [{name: p, steps: [{spend: 600, amount: 30}, {spend: 1234567.5, amount: 1234.25}]}]\n"
    text += "placements: {here: {sources: {popular: 1}}}"
    both, one = (shop.place(text, cart=cart).promotion for cart in (["cap", "bed"], ["cap"]))
    assert both is not None
    assert one is not None
    assert (both.missing_spend, both.text) == (1_233_968, "1233968 more: 1234.25 off")
    assert (one.missing_spend, one.text) == (589.1, "589.1 more: 30 off")
