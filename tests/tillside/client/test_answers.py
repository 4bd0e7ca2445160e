"""An answer to a placement is read whole, one of an older or a later server too, and what is none is refused."""

import json

import pytest

from tests.tillside.client.sockets import ANSWER
from tillside.client import OfferedBundle, PlacedItem, PromotionHint
from tillside.client.answers import decode_page, decode_placed

ITEM = {
    "item_id": "case",
    "score": 1.5,
    "source": "complement",
    "because": "phone",
    "seen": False,
    "origin": "complement of phone",
    "rule": None,
    "reason_key": "complement",
    "reason": "Goes well with Phone",
    "parts": {"complement": 1.5},
}
PROMOTION = {"promotion": "tiers", "text": "1 more", "missing": 1, "percent": 10.0, "reached_percent": 0.0}
PLACED = {
    **ANSWER,
    "items": [ITEM],
    "placement": "checkout",
    "mode": "cross_sell",
    "why": ["intent 0.82"],
    "bundles": [{"items": ["phone", "case"], "missing": ["case"], "price": 520, "discounted_price": None}],
    "promotion": PROMOTION,
    "policy": "0123456789ab",
    "segment": "new",
    "notes": ["a note"],
    "removed": {"stock": 3},
}


def read(document: dict, placement: str = "checkout"):
    return decode_placed(json.dumps(document).encode(), placement)


def test_a_placement_s_answer_is_read_whole():
    answer = read({**PLACED, "of_a_later_version": [1]})
    assert answer.items == (
        PlacedItem(
            "case", 1.5, "complement", "phone", False, None, "complement of phone", None, "complement",
            "Goes well with Phone", {"complement": 1.5},
        ),
    )  # fmt: skip
    assert (answer.placement, answer.mode, answer.why) == ("checkout", "cross_sell", ("intent 0.82",))
    assert answer.bundles == (OfferedBundle(("phone", "case"), ("case",), 520.0),)
    assert answer.promotion == PromotionHint("tiers", "1 more", 1, 10.0, 0.0)
    assert (answer.policy, answer.segment, answer.notes) == ("0123456789ab", "new", ("a note",))
    assert answer.removed == {"stock": 3}
    assert (answer.tier, answer.model_version) == ("model", "b1")


def test_an_answer_that_no_policy_made_keeps_the_placement_that_was_asked_for():
    answer = read({**ANSWER, "items": [], "tier": "empty", "degraded_reason": "not_ready"}, "cart")
    assert (answer.placement, answer.items, answer.mode, answer.policy) == ("cart", (), None, None)


def test_a_page_is_one_answer_for_each_placement():
    page = json.dumps({"placements": [PLACED, {**ANSWER, "items": []}]}).encode()
    assert [answer.placement for answer in decode_page(page, ("checkout", "cart"))] == ["checkout", "cart"]
    for names in [("checkout",), ("checkout", "cart", "home")]:
        with pytest.raises(ValueError, match="not an answer"):
            decode_page(page, names)


@pytest.mark.parametrize(
    "wrong",
    [
        {"items": [{**ITEM, "reason": 5}]},
        {"items": [{**ITEM, "parts": {"model": "1"}}]},
        {"mode": 1},
        {"why": "intent"},
        {"bundles": [{"items": ["a"], "missing": [], "price": None}]},
        {"promotion": {"promotion": "x"}},
        {"promotion": {**PROMOTION, "percent": "10"}},
        {"segment": 5},
        {"removed": {"stock": "3"}},
    ],
    ids=str,
)
def test_what_is_no_answer_is_refused(wrong):
    with pytest.raises(ValueError, match="the body is not an answer"):
        read({**PLACED, **wrong})


def test_what_the_server_remembered_is_told():
    assert read(PLACED).remembered_events is None
    assert read({**PLACED, "remembered_events": 3}).remembered_events == 3
