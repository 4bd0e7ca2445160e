"""What the context says of items, by hand, and what a placement makes of it."""

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from tests.shops import Item, Shop
from tillside.fitting.rules import NOTHING_SAID, Rule, Side, Terms
from tillside.policy import PlacementRequest, parse_policy, place
from tillside.policy.context import lifts_of, told_by
from tillside.policy.items.groups import Groups
from tillside.relations import Relations
from tillside.relations.chances import Chances, Evidence, Together
from tillside.relations.lifts import Lifts

PATHS = ("phone", "case", "fan")
LIFTS = Lifts(PATHS, np.log([[1, 8, 0.125], [2, 1, 0.5], [1, 1, 1]]).astype(np.float32))
CATEGORIES = Groups(np.array([1, 2, 3, 0]), ((), *((path,) for path in PATHS)))
RELATIONS = replace(Relations.empty(items=4), lifts=LIFTS)
ITEMS = np.arange(4)
LIKED = {"fan": 3.0, "lamp": 2.0, "case": 1.0}


def told(scale: Evidence, **given: Any) -> list[float] | None:
    given = {name: np.array(items, np.int64) for name, items in given.items()}
    says = told_by(scale, PlacementRequest(placement="here", now_ms=0, **given), CATEGORIES, RELATIONS)
    return None if says is None else says(ITEMS).tolist()


def test_the_lift_is_the_highest_of_the_cart_s_items() -> None:
    """With the phone a case is taken 8 times as often, with the case once: 8; a fan 1/8 and 1/2 times: 1/2."""
    scale = Evidence(0.0, np.zeros(1), lift=2.0)
    both = 2 * np.log([2, 8, 0.5, 1])
    assert told(scale, cart_M=[0, 1]) == pytest.approx(both.tolist())
    assert told(scale, cart_M=[0]) == pytest.approx((2 * np.log([1, 8, 0.125, 1])).tolist())
    assert told(scale, cart_M=[0, 0, 99, -1]) == told(scale, cart_M=[0])


def test_what_the_session_looked_at_gains_once() -> None:
    scale = Evidence(0.0, np.zeros(1), viewed=1.5)
    assert told(scale, session_L=[2, 1, 2, 99]) == [0, 1.5, 1.5, 0]


def test_without_cart_session_or_slopes_nothing_is_said() -> None:
    assert told(Evidence(0.0, np.zeros(1), lift=1.0, viewed=1.0)) is None
    assert told(Evidence(0.0, np.zeros(1)), cart_M=[0], session_L=[1]) is None
    request = PlacementRequest(placement="here", now_ms=0, cart_M=np.array([0]))
    assert lifts_of(request, CATEGORIES, Relations.empty(items=4)) is None


def test_an_item_of_a_kind_that_nobody_takes_along_is_noise_whatever_the_model_says() -> None:
    """The model likes the fan twice as well as the case, log odds of -6 + 4.8 and -6 + 4.2; with slope 1 the lifts make
    that -6 + 4.8 - 2.1 and -6 + 4.2 + 2.1, chances of .036 and .57.
    """
    shop = Shop([Item("phone", category="phone"), Item("fan", category="fan"), Item("case", category="case")])
    policy = parse_policy(
        "placements: {here: {sources: {model: 1}, steering: 0, anchors: [cart], least_chance: 0.05, slots: 4}}"
    )
    model = shop.model({"fan": math.log(2), "case": 0.0})

    def shown(cart: list[str], session: list[str], **slopes: float) -> list[str]:
        chances = Chances(together={"attach": Together(-6.0, {"model": 0.75, "related": 0.4, **slopes})})
        relations = replace(shop.relations(), about={"chances": chances.document()}, lifts=LIFTS)
        request = shop.request(cart=cart, session=session)
        found = place(policy, request, shelves=shop.shelves(), relations=relations, model=model)
        return shop.ids(item.item for item in found.items)

    assert shown(["phone"], []) == ["fan", "case"]
    assert shown(["phone"], [], lift=1.0) == ["case"]
    assert shown(["phone"], ["fan"], lift=1.0, viewed=4.0) == ["fan", "case"]


def test_what_goes_with_nothing_in_the_cart_comes_last_where_rules_say_what_does() -> None:
    """The model likes the fan best, and a lamp, whose kind goes with phones as often as not.

    The rule makes cases of a phone; a fan is taken with a phone 1/8 times as often as by chance, and stands behind all.
    """
    made = Terms((Rule("made for", Side("phone", "series"), Side("case", "series")),), ())
    items = [Item(each, category=each, attributes={"series": "5"}) for each in ("phone", "fan", "case")]
    shop = Shop([*items, Item("lamp", category="lamp")], pairs=[("complement", "phone", "case", 0.1)], fitting=made)
    lifts = Lifts(("phone", "case", "fan", "lamp"), np.log([[1, 8, 0.125, 1.5]] * 4).astype(np.float32))
    here = "placements: {here: {sources: {model: 1, complement: 0.01}, anchors: [cart], fill: false, rules: {R}}}"
    last = parse_policy(here.replace("R", "related_first: true, hide_kind: {of: none}"))
    plain = parse_policy(here.replace("R", "hide_kind: {of: none}"))

    def shown(policy: Any, cart: str, lifts: Lifts = lifts, fitting: Terms = made) -> list[str]:
        own = replace(shop, fitting=fitting, _number={})
        relations = replace(own.relations(), lifts=lifts)
        request = own.request(cart=[cart], k=4, explain=True)
        answer = place(policy, request, shelves=own.shelves(), relations=relations, model=own.model(LIKED))
        assert answer.dropped.get("unrelated", 0) == (own.ids([answer.items[-1].item]) == ["fan"])
        return own.ids(item.item for item in answer.items)

    assert shown(plain, "phone") == ["fan", "lamp", "case"]
    assert shown(last, "phone") == ["lamp", "case", "fan"]
    assert shown(last, "lamp") == ["fan", "case"]  # of a lamp no rule makes anything
    assert shown(last, "phone", fitting=NOTHING_SAID) == ["fan", "lamp", "case"]
    assert shown(last, "phone", lifts=Relations.empty(items=1).lifts) == ["fan", "lamp", "case"]
