"""Hard rules forbid, soft rules rank behind; by hand, in whole answers and by the rulebook alone."""

from datetime import date

import numpy as np
import pytest

from tests.shops import NOW_MS, Item, Shop
from tests.tillside.policy.test_placing import HOUR_MS, PLAIN, SHOP, policy
from tillside.fitting.rules import Rule, Side, Terms
from tillside.policy import parse_policy
from tillside.policy.requests import GOAL
from tillside.policy.rules import CAPPED, HARD, OUTSIDE_BAND, Rulebook
from training.evaluation.placements.rule_check import forbidding


@pytest.mark.parametrize(
    ("rules", "request_", "hidden"),
    [
        ("categories: {never: [tech.case]}", {}, {"case"}),
        ("categories: {only: [tech]}", {}, {"kettle"}),
        ("bans: [{name: no, item: case}]", {}, {"case"}),
        ("bans: [{name: no, brand: other}]", {}, {"film", "cable", "kettle"}),
        ("bans: [{name: no, category: tech}]", {}, {"phone", "case", "film", "cable", "laptop"}),
        ("bans: [{name: no, item: case, from: 2026-05-28, until: 2026-05-29}]", {}, {"case"}),
        ("bans: [{name: no, item: case, from: 2026-05-29}]", {}, set()),
        ("bans: [{name: no, item: case, until: 2026-05-28}]", {}, set()),
        ("age_limits: [{category: home, years: 18}]", {}, {"kettle"}),
        ("age_limits: [{category: home, years: 18}]", {"age": 17}, {"kettle"}),
        ("age_limits: [{category: home, years: 18}]", {"age": 18}, set()),
        ("hide_viewed: last", {"session": ["film", "cable"]}, {"cable"}),
        ("hide_viewed: all", {"session": ["film", "cable"]}, {"film", "cable"}),
        ("hide_viewed: last", {"session": ["film", "cable"], "hide_seen": True}, {"film", "cable"}),
        ("", {"session": ["film", "cable"], "hide_seen": True}, {"film", "cable"}),
        ("", {"excluded": ["film"]}, {"film"}),
        ("price_band: {high: 0.05, hard: true}", {"cart": ["phone"]}, {"phone", "kettle", "laptop"}),  # up to 20
        (
            "price_band: {of: cart_total, low: 2, hard: true}",
            {"cart": ["phone"]},
            {"phone", "case", "film", "cable", "kettle"},
        ),
        (
            "price_band: {of: anchor, high: 1, hard: true}, hide_viewed: none",
            {"session": ["kettle"]},
            {"phone", "laptop"},
        ),
        ("price_band: {high: 0.05, hard: true}", {}, set()),  # nothing to compare with
    ],
)
def test_hard_rules(rules: str, request_: dict, hidden: set[str]) -> None:
    everything = {item.id: 1.0 for item in SHOP.items}
    assert set(everything) - set(SHOP.shown(policy(rules), model=everything, k=10, **request_)) == hidden


def test_a_ban_holds_by_the_shop_s_own_day() -> None:
    """NOW is 20:26 UTC on the 28th: in Shanghai already the 29th."""
    ban = policy("bans: [{name: no, item: case, from: 2026-05-29}]")
    assert "case" in SHOP.shown(ban, k=6)
    assert "case" not in SHOP.shown(f"utc_offset_hours: 8\n{ban}", k=6)


STOCKED = Shop([Item("in", stock=1), Item("out", stock=0), Item("unknown")])


@pytest.mark.parametrize(
    ("stock", "age_minutes", "shown"),
    [
        ("{}", 99, ["in", "unknown"]),
        ("{unknown: hide}", 1, ["in"]),
        ("{feed_max_age_minutes: 30}", 30, ["in", "unknown"]),
        ("{feed_max_age_minutes: 30}", 31, ["in"]),
        ("{feed_max_age_minutes: 30, when_stale: hide_all}", 30, ["in", "unknown"]),
        ("{feed_max_age_minutes: 30, when_stale: hide_all}", 31, []),
        ("{feed_max_age_minutes: 30}", None, []),  # no feed at all: everything is unknown
        ("{}", None, ["in", "out", "unknown"]),
    ],
)
def test_stock_and_the_age_of_the_feed(stock: str, age_minutes: int | None, shown: list[str]) -> None:
    shop = Shop(STOCKED.items, feed_age_ms=None if age_minutes is None else age_minutes * 60_000)
    pinned = f"stock: {stock}, pins: [{{name: p, item: out}}]" if age_minutes is not None else f"stock: {stock}"
    answer = shop.place(policy(pinned), k=3)
    assert shop.ids(item.item for item in answer.items) == shown
    assert answer.feed_stale == ("feed_max" in stock and age_minutes != 30)


def test_an_item_s_own_age_limit_needs_an_age() -> None:
    shop = Shop([Item("wine", minimum_age=18), Item("juice")])
    assert [shop.shown(PLAIN, k=2, age=age) for age in (None, 17, 18)] == [["juice"], ["juice"], ["wine", "juice"]]


def test_soft_rules_give_way_caps_first() -> None:
    """case was shown too often, film (10) is below the band 12 to 400: with room for all, film comes last."""
    rules = "cap: {shown: 2, within_hours: 1}, price_band: {low: 0.03}"
    seen = {"case": (2, NOW_MS - HOUR_MS + 1), "film": (9, NOW_MS - HOUR_MS)}
    asked = {"cart": ["phone"], "impressions": seen}
    assert SHOP.shown(policy(rules), k=1, **asked) == ["cable"]
    assert SHOP.shown(policy(rules), k=3, **asked) == ["cable", "case", "film"]
    assert SHOP.place(policy(rules), k=1, **asked).dropped == {"capped": 1, "outside_band": 1}


def book(rules: str, **asked: object) -> Rulebook:
    terms = parse_policy(policy(rules)).placement("here").rules
    facts = SHOP.facts()
    return Rulebook.of(terms, SHOP.request(**asked), facts, day=date(2026, 5, 28), anchors=[])


def test_a_rulebook_judges_many_items_as_it_judges_one() -> None:
    """Of phone, case, film, cable, kettle, laptop the cart comes before the ban, and both before what was viewed."""
    rules = "bans: [{name: no, item: phone}, {name: no, item: case}], hide_viewed: all, categories: {never: [home]}"
    rulebook = book(rules, cart=["phone"], excluded=["laptop"], session=["case", "film", "kettle"])
    found, levels = rulebook.judged(np.arange(6))
    assert [HARD[verdict] if verdict >= 0 else None for verdict in found.tolist()] == [
        "cart",
        "banned",
        "viewed",
        None,
        "categories",
        "excluded",
    ]
    assert [rulebook.verdict(item) for item in range(6)] == found.tolist()
    assert levels.tolist() == [0] * 6
    assert rulebook.named.tolist() == [0, 1, 2, 4, 5]


def test_of_two_soft_rules_an_item_breaks_the_one_that_gives_way_last_counts() -> None:
    """The band is 20 to 400 around the phone: film (10) and cable (15) are below, laptop (900) above."""
    seen = {"impressions": {"film": (2, NOW_MS), "case": (2, NOW_MS), "kettle": (1, NOW_MS)}}
    rulebook = book("cap: {shown: 2, within_hours: 1}, price_band: {low: 0.05, high: 1}", cart=["phone"], **seen)
    assert (rulebook.band, rulebook.band_hard) == ((20, 400), False)
    assert rulebook.judged(np.arange(6))[1].tolist() == [0, CAPPED, OUTSIDE_BAND, OUTSIDE_BAND, 0, OUTSIDE_BAND]


CASED = Shop(
    [
        Item("phone-1", 400, "tech.phone", "acme", attributes={"series": "p1"}),
        Item("phone-2", 500, "tech.phone.folding", "acme", attributes={"series": "p2"}),
        Item("case-1", 20, "tech.case", attributes={"fits": "p1"}),
        Item("case-2", 20, "tech.case", attributes={"fits": "p2"}),
        Item("lipstick-1", 9, "beauty.lipstick"),
        Item("lipstick-2", 9, "beauty.lipstick"),
    ],
    feed_age_ms=None,
    fitting=Terms(
        (Rule("made for", Side("tech.phone", "series"), Side("tech.case", "fits"), unknown="refused"),),
    ),
)


@pytest.mark.parametrize(
    ("placement", "rules", "request_", "hidden"),
    [
        # what does not fit the cart is shown nowhere, from no source: model, filler, pins
        ("here", "", {"cart": ["phone-1"]}, {"phone-1", "case-2"}),
        ("here", "pins: [{name: best, item: case-2}]", {"cart": ["phone-1"]}, {"phone-1", "case-2"}),
        ("here", "fits: none", {"cart": ["phone-1"]}, {"phone-1"}),
        ("here", "", {"cart": ["phone-1", "phone-2"]}, {"phone-1", "phone-2", "case-1"}),  # the latest decides
        ("here", "fits: anchors", {"cart": ["phone-2"], "session": ["phone-1"]}, {"phone-2", "case-1"}),
        ("here", "fits: anchors, hide_viewed: last", {"session": ["phone-2"]}, {"phone-2", "case-1"}),
        ("here", "", {"session": [("phone-1", GOAL)]}, {"case-2"}),  # no cart: what was bought
        ("here", "", {"session": ["phone-1"]}, set()),
        ("here", "fits: anchors", {"session": ["phone-1"]}, {"case-2"}),
        # the kind of what is in the cart: at checkout unless told otherwise, elsewhere if told
        ("checkout", "fits: none", {"cart": ["case-1"]}, {"case-1", "case-2"}),
        ("checkout", "fits: none", {"cart": ["phone-2"]}, {"phone-2"}),  # the other one does not fold
        ("checkout", "fits: none, hide_kind: {depth: 2}", {"cart": ["phone-2"]}, {"phone-1", "phone-2"}),
        ("checkout", "fits: none, hide_kind: {of: none}", {"cart": ["case-1"]}, {"case-1"}),
        ("checkout", "hide_kind: {but: [beauty]}", {"cart": ["lipstick-1"]}, {"lipstick-1"}),
        ("checkout", "", {"cart": ["lipstick-1"]}, {"lipstick-1", "lipstick-2"}),
        ("order_confirmed", "", {"session": [("lipstick-1", GOAL)]}, {"lipstick-1", "lipstick-2"}),
        ("here", "hide_kind: {of: cart}", {"cart": ["lipstick-1"]}, {"lipstick-1", "lipstick-2"}),
        ("here", "hide_kind: {of: anchors}", {"session": ["lipstick-1"]}, {"lipstick-1", "lipstick-2"}),
        # elsewhere of what the shopper has just put into the cart, until something else is looked at
        ("here", "", {"session": ["lipstick-1"], "cart": ["lipstick-1"]}, {"lipstick-1", "lipstick-2"}),
        ("here", "", {"session": ["lipstick-1", "case-1"], "cart": ["lipstick-1"]}, {"lipstick-1"}),
        ("here", "hide_kind: {of: none}", {"session": ["lipstick-1"], "cart": ["lipstick-1"]}, {"lipstick-1"}),
    ],
)
def test_what_is_shown_fits_the_basket_and_is_not_more_of_it(
    placement: str, rules: str, request_: dict, hidden: set[str]
) -> None:
    everything = {item.id: 1.0 for item in CASED.items}
    told = f"placements: {{{placement}: {{sources: {{model: 1}}, rules: {{{rules}}}}}}}"
    shown = CASED.shown(told, model=everything, k=10, placement=placement, **request_)
    assert set(everything) - set(shown) == hidden
    facts, asked = CASED.facts(), CASED.request(placement=placement, **request_)
    by_hand = {item for item in everything if forbidding(CASED._number[item], parse_policy(told), asked, facts)}
    assert by_hand == hidden  # the checker that shares no code says the same
