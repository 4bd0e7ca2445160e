"""Intent moves the weights: the curve, the signals, what the mode is called, and what segments change."""

from dataclasses import replace

import numpy as np
import pytest
from msgspec.structs import replace as replace_request

from tests.shops import CART, NOW_MS, VIEW, Item, Shop
from tillside.events import Behaviours
from tillside.policy import event_kinds, parse_policy, place
from tillside.policy.requests import GOAL
from tillside.relations.chances import Chances, Together

SHOP = Shop(
    [Item("dear", 400), Item("bag", 30), Item("value", 250)],
    pairs=[("complement", "dear", "bag", 0.8), ("downsell", "dear", "value", 0.8)],
)
CURVE = """
intent:
  curve: [{intent: 0.1, decided: 0.2}, {intent: 0.3, decided: 0.8}]
  repeat_views: {views: 2, price: 300, shift: -0.3}
  dwell: {seconds: 60, at_most_seconds: 600, shift: -0.1}
  cart: {grew: 0.2, shrank: -0.4}
placements: {here: {sources: {complement: 1, downsell: 1}, anchors: [session], fill: false, rules: {hide_viewed: all}}}
"""


@pytest.mark.parametrize(
    ("intent", "decided", "mode"),
    [
        (0.0, 0.2, "down_sell"),
        (0.1, 0.2, "down_sell"),
        (0.2, 0.5, "balanced"),
        (0.25, 0.65, "cross_sell"),
        (0.9, 0.8, "cross_sell"),
        (None, 0.5, "balanced"),
    ],
)
def test_the_curve(intent: float | None, decided: float, mode: str) -> None:
    answer = SHOP.place(CURVE, intent=intent)
    assert answer.decided == pytest.approx(decided)
    assert (answer.mode, answer.why) == (mode, (f"intent {intent:.2f}" if intent is not None else "intent unknown",))


def test_who_has_decided_gets_what_goes_with_it_who_compares_the_value_pick() -> None:
    """At .8 the weights are 1 + .6 and 1 - .6; at .2 the other way round."""
    scores = {}
    for intent in (0.1, 0.9):
        items = SHOP.place(CURVE, session=["dear"], intent=intent).items
        scores[intent] = dict(zip(SHOP.ids(item.item for item in items), [item.score for item in items], strict=True))
    assert scores[0.9] == pytest.approx({"bag": 0.8 * 1.6, "value": 0.8 * 0.4})
    assert scores[0.1] == pytest.approx({"value": 0.8 * 1.6, "bag": 0.8 * 0.4})


def test_who_hesitates_is_offered_nothing_dearer_and_who_has_decided_no_more_of_it() -> None:
    """At .2 the dearer model counts 1 - .6, at .8 as much as it is, where the bag counts 1 + .6."""
    shop = replace(SHOP, items=[*SHOP.items, Item("dearer", 500)], _number={})
    shop = replace(shop, pairs=[*SHOP.pairs, ("upsell", "dear", "dearer", 0.5)], _number={})
    policy = CURVE.replace("downsell: 1", "upsell: 1")
    shares = []
    for intent in (0.1, 0.9):
        answer = shop.place(policy, session=["dear"], intent=intent)
        scores = dict(
            zip(shop.ids(item.item for item in answer.items), [item.score for item in answer.items], strict=True)
        )
        shares.append((scores["dearer"], scores["bag"]))
    assert shares == [pytest.approx((0.5 * 0.4, 0.8 * 0.4)), pytest.approx((0.5, 0.8 * 1.6))]


def test_on_one_scale_intent_moves_what_an_item_is_sold_as_though_the_model_brings_it_too() -> None:
    """The model brings all, the rival a little more; decided at 0 and at .9 the factors are .4 and 1.6, or 1.6 and .4.

    So of two places the comparing shopper gets the value pick and the rival, the decided one the bag and the rival.
    """
    shop = Shop(
        [Item("dear", 400), Item("bag", 30), Item("value", 250), Item("rival", 300)],
        pairs=[("complement", "dear", "bag", 0.1), ("downsell", "dear", "value", 0.1)],
    )
    curves = Chances(together={"next": Together(-6.0, {"model": 0.6, "related": 0.02})})
    relations = replace(shop.relations(), about={"chances": curves.document()})
    policy = parse_policy(CURVE.replace("complement: 1", "complement: 1, model: 1").replace("[session]", "[last]"))
    shown = {}
    for intent in (0.0, 0.9):
        request = replace_request(shop.request(session=["dear"], k=2), intent=intent)
        model = shop.model({"rival": 0.2, "bag": 0.0, "value": 0.0})
        answer = place(policy, request, shelves=shop.shelves(), relations=relations, model=model)
        shown[intent] = [(shop.ids([item.item])[0], item.source) for item in answer.items]
    assert shown == {0.0: [("value", "downsell"), ("rival", "model")], 0.9: [("bag", "complement"), ("rival", "model")]}


@pytest.mark.parametrize(
    ("session", "cart", "times", "why"),
    [
        (["dear", "dear"], [], (), ("repeat_views -0.30",)),
        (["dear", "dear"], ["dear"], (), ()),
        (["value", "value"], [], (), ()),
        (["dear"], [], (NOW_MS - 60_000,), ("dwell -0.10",)),
        (["dear"], [], (NOW_MS - 59_000,), ()),
        (["dear"], [], (NOW_MS - 601_000,), ()),
        (["dear"], [], (-1,), ()),
        ([("bag", CART)], ["bag"], (), ("cart +0.20",)),
        ([("bag", CART)], [], (), ("cart -0.40",)),
        ([("bag", CART), ("bag", GOAL)], [], (), ("cart +0.20",)),  # bought, so it left the cart
        ([("bag", CART), ("value", CART), ("value", GOAL), ("bag", CART)], [], (), ("cart -0.40",)),
        ([("value", CART), ("bag", CART), "dear"], ["bag"], (), ("cart +0.20",)),
    ],
)
def test_signals(session: list, cart: list, times: tuple, why: tuple) -> None:
    answer = SHOP.place(CURVE, session=session, cart=cart, times_L=np.array(times, np.int64))
    assert answer.why == ("intent unknown", *why)
    assert answer.decided == pytest.approx(0.5 + sum(float(each.split()[1]) for each in why))


def test_steering_of_a_placement_can_be_off() -> None:
    off = CURVE.replace("fill: false", "fill: false, steering: 0")
    assert [item.score for item in SHOP.place(off, session=["dear"], intent=0.9).items] == pytest.approx([0.8, 0.8])


def test_a_segment_overrides_any_value_and_others_have_the_policy_of_all() -> None:
    text = CURVE + "segments: {new: {intent: {unknown: 1}, placements: {here: {slots: 1, sources: {complement: 3}}}}}"
    new, none = (SHOP.place(text, session=["dear"], segment=segment) for segment in ("new", "returning"))
    assert (new.decided, len(new.items), new.items[0].score) == (1, 1, pytest.approx(0.8 * 3 * 2))
    assert (none.decided, len(none.items)) == (0.5, 2)


def test_kinds_of_behaviours() -> None:
    assert event_kinds(Behaviours(("dwell", "like", "cart", "purchase"))).tolist() == [VIEW, VIEW, CART, 2]
    assert event_kinds(Behaviours(("click",))).tolist() == [2]


def test_of_a_source_that_the_mode_switches_off_the_note_says_so() -> None:
    """Decided at 1 the value pick's factor is 0, and it is said why it is lacking; at .9 it is .2, and there."""
    needs = CURVE.replace("decided: 0.8", "decided: D").replace("all}}}", "all, at_least: [{source: downsell}]}}}")
    sure, nearly = (SHOP.place(needs.replace("D", each), session=["dear"], intent=0.9) for each in ("1.0", "0.9"))
    assert SHOP.ids(item.item for item in sure.items) == ["bag"]
    assert sure.notes == ("at_least 1 of source downsell is not met: the mode switches it off",)
    assert (SHOP.ids(item.item for item in nearly.items), nearly.notes) == (["bag", "value"], ())
