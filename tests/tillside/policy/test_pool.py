"""What is left of the candidates: without what is forbidden, pinned or too weak, what soft rules set back behind."""

import pytest

from tests.shops import Item, Shop
from tillside.policy import parse_policy, prepare
from tillside.policy.candidates import gather
from tillside.policy.pool import PINNED_PAIR, Pool, pins_of
from tillside.policy.telling import UNSURE

SHOP = Shop(
    [Item("a", price=10), Item("b", price=10), Item("c", price=99), Item("d", price=10)],
    pairs=[("complement", "a", "b", 0.5), ("complement", "a", "c", 0.4), ("complement", "a", "d", 0.001)],
    manual=[("complement", "a", "d", "pin")],
)
RULES = "price_band: {of: anchor, high: 2}, bans: [{name: no, item: b}], pins: [{name: yes, item: c, slot: 2}]"


def pool(rules: str, *, least: float = 0.0) -> tuple[dict[int, object], Pool]:
    policy = f"placements: {{here: {{sources: {{complement: 1}}, slots: 3, rules: {{{rules}}}}}}}"
    prepared = prepare(parse_policy(policy), SHOP.request(cart=["a"]), SHOP.facts())
    request, rulebook = prepared.request, prepared.rulebook
    found = gather(
        {"complement": 1.0}, request=request, anchors=prepared.anchors, shelves=SHOP.shelves(),
        relations=SHOP.relations(), model=None, fusion="strengths", scale=None,
    )  # fmt: skip
    pins = pins_of(3, rulebook, host=None)
    return dict(pins), Pool.of(found, rulebook, pins=pins, request=request, least=least)


def test_what_is_banned_or_pinned_is_no_candidate_and_is_counted() -> None:
    pins, found = pool(RULES)
    assert SHOP.ids(pins) == ["c"]
    assert SHOP.ids(found.items_P.tolist()) == ["d"]
    assert found.dropped["banned"] == 1


def test_a_soft_rule_sets_back_and_a_pair_set_by_hand_comes_first() -> None:
    """c costs 99 and the band ends at 20; d is pinned beside a."""
    _, found = pool("price_band: {of: anchor, high: 2}")
    levels = dict(zip(SHOP.ids(found.items_P.tolist()), found.levels_P.tolist(), strict=True))
    assert levels["d"] == PINNED_PAIR
    assert levels["b"] == 0
    assert levels["c"] > 0


def test_what_is_too_weak_is_left_out_but_not_what_was_pinned_by_hand() -> None:
    _, found = pool("", least=0.45)
    assert set(SHOP.ids(found.items_P.tolist())) == {"b", "d"}
    assert found.dropped[UNSURE] == 1


@pytest.mark.parametrize("slots", [0, 1])
def test_no_pin_beyond_the_slots(slots: int) -> None:
    policy = "placements: {here: {sources: {popular: 1}, rules: {pins: [{name: yes, item: c, slot: 2}]}}}"
    prepared = prepare(parse_policy(policy), SHOP.request(), SHOP.facts())
    assert pins_of(slots, prepared.rulebook, host=None) == {}
