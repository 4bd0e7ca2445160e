"""The independent check finds each rule that is broken, and agrees with the policy about what may be shown."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from tests.shops import NOW_MS, Item, Shop
from tillside.policy import parse_policy
from training.evaluation.placements.rule_check import broken_rules, forbidding

SHOP = Shop(
    [
        Item("phone", 500, "tech.phone", "Aster", stock=9),
        Item("case", 20, "tech.case", "Aster", stock=9),
        Item("film", 15, "tech.film", "Birk", stock=0),
        Item("wine", 12, "food.wine", "Birk", stock=9),
        Item("knife", 30, "home.knife", stock=9, minimum_age=18),
        Item("coat", None, "fashion.coat", "Lune", stock=9),
        Item("scarf", 45, "fashion.scarf", "Lune", stock=None),
        Item("bare", 10, stock=9),
    ]
)


def broken(rules: str, item: str, *, shop: Shop = SHOP, **given) -> list[str]:
    """The rules that forbid an item under the rules of a policy file."""
    policy = parse_policy(f"placements: {{here: {{sources: {{popular: 1}}, anchors: [cart, last], rules: {rules}}}}}")
    (number,) = shop.numbers([item]).tolist()
    return forbidding(number, policy, shop.request(**given), shop.facts())


@pytest.mark.parametrize(
    ("rules", "item", "given", "expected"),
    [
        ("{}", "phone", {}, []),
        ("{}", "phone", {"cart": ["case", "phone"]}, ["cart"]),
        ("{}", "phone", {"excluded": ["phone"]}, ["excluded"]),
        ("{}", "film", {}, ["stock"]),
        ("{}", "scarf", {}, []),
        ("{stock: {unknown: hide}}", "scarf", {}, ["stock"]),
        ("{stock: {unknown: hide}}", "phone", {}, []),
        ("{}", "knife", {}, ["age"]),
        ("{}", "knife", {"age": 17}, ["age"]),
        ("{}", "knife", {"age": 18}, []),
        ("{age_limits: [{category: food, years: 16}]}", "wine", {"age": 15}, ["age"]),
        ("{age_limits: [{category: food, years: 16}]}", "wine", {"age": 16}, []),
        ("{bans: [{name: b, item: wine}]}", "wine", {}, ["banned"]),
        ("{bans: [{name: b, brand: Aster}]}", "case", {}, ["banned"]),
        ("{bans: [{name: b, category: tech}]}", "case", {}, ["banned"]),
        ("{bans: [{name: b, category: tec}]}", "case", {}, []),
        # NOW_MS is on 2026-05-28
        ("{bans: [{name: b, item: wine, until: 2026-05-28}]}", "wine", {}, []),
        ("{bans: [{name: b, item: wine, from: 2026-05-28}]}", "wine", {}, ["banned"]),
        ("{categories: {only: [tech]}}", "wine", {}, ["categories"]),
        ("{categories: {only: [tech]}}", "bare", {}, ["categories"]),
        ("{categories: {only: [tech.case]}}", "case", {}, []),
        ("{categories: {never: [food.wine]}}", "wine", {}, ["categories"]),
        # half of the dearest in the cart, 500: 250 at most
        ("{price_band: {high: 0.5, hard: true}}", "coat", {"cart": ["phone", "case"]}, ["price"]),
        ("{price_band: {high: 0.5, hard: true}}", "wine", {"cart": ["phone", "case"]}, []),
        ("{price_band: {low: 0.1, hard: true}}", "wine", {"cart": ["phone", "case"]}, ["price"]),
        ("{price_band: {high: 0.5}}", "coat", {"cart": ["phone"]}, []),
        ("{price_band: {high: 0.5, hard: true}}", "coat", {}, []),
        # 20 + 15 = 35; its 1.2th is 42
        ("{price_band: {of: cart_total, high: 1.2, hard: true}}", "scarf", {"cart": ["case", "film"]}, ["price"]),
        ("{price_band: {of: cart_total, high: 1.3, hard: true}}", "scarf", {"cart": ["case", "film"]}, []),
        # the anchor is the latest of the cart, the film of 15
        ("{price_band: {of: anchor, high: 1, hard: true}}", "knife", {"cart": ["phone", "film"], "age": 20}, ["price"]),
        ("{hide_viewed: last}", "wine", {"session": ["wine", "case"]}, []),
        ("{hide_viewed: last}", "wine", {"session": ["case", "wine"]}, ["viewed"]),
        ("{hide_viewed: all}", "wine", {"session": ["wine", "case"]}, ["viewed"]),
        ("{}", "wine", {"session": ["wine", "case"], "hide_seen": True}, ["viewed"]),
    ],
)
def test_each_rule_by_hand(rules, item, given, expected):
    assert broken(rules, item, **given) == expected


def test_a_stale_feed_hides_what_is_not_known_to_be_there():
    stale, never = replace(SHOP, feed_age_ms=11 * 60_000, _number={}), replace(SHOP, feed_age_ms=None, _number={})
    limit = "{stock: {feed_max_age_minutes: 10}}"
    assert broken(limit, "scarf", shop=SHOP) == []
    assert broken(limit, "scarf", shop=stale) == ["stock"]
    assert broken(limit, "case", shop=stale) == []
    assert broken("{stock: {feed_max_age_minutes: 10, when_stale: hide_all}}", "case", shop=stale) == ["stock"]
    assert broken("{stock: {feed_max_age_minutes: 12}}", "scarf", shop=stale) == []
    assert broken(limit, "case", shop=never) == ["stock"]


PLAIN = "placements: {here: {sources: {popular: 1}, slots: 3}}"


def test_planted_violations_are_counted():
    request, facts = SHOP.request(cart=["phone"]), SHOP.facts()
    planted = SHOP.numbers(["film", "phone", "case", "case"]).tolist()
    # sold out, in the cart, one item twice, and four in three slots
    assert broken_rules(planted, parse_policy(PLAIN), request, facts) == Counter(stock=1, cart=1, twice=1, too_many=1)
    assert broken_rules(planted[:1], parse_policy(PLAIN), request, facts) == Counter(stock=1)
    assert broken_rules([99], parse_policy(PLAIN), request, facts) == Counter(unknown=1)
    assert broken_rules([], parse_policy(PLAIN), request, facts) == Counter()


def test_what_a_segment_overrides_is_checked():
    policy = parse_policy(PLAIN + "\nsegments: {new: {placements: {here: {rules: {categories: {only: [food]}}}}}}")
    (case,) = SHOP.numbers(["case"]).tolist()
    assert forbidding(case, policy, SHOP.request(), SHOP.facts()) == []
    assert forbidding(case, policy, SHOP.request(segment="new"), SHOP.facts()) == ["categories"]


RULES = (
    "{stock: {feed_max_age_minutes: 30}, categories: {never: [home]}, bans: [{name: b, brand: Birk}],"
    " age_limits: [{category: fashion.scarf, years: 30}], price_band: {high: 0.9, hard: true}, hide_viewed: last}"
)


@pytest.mark.parametrize("given", [{}, {"age": 40}, {"cart": ["phone"]}, {"session": ["bare"], "excluded": ["coat"]}])
def test_the_check_and_the_policy_allow_the_same(given):
    text = f"placements: {{here: {{sources: {{popular: 1}}, slots: 99, rules: {RULES}}}}}"
    shown = set(SHOP.shown(text, **given))
    numbers = SHOP.numbers(item.id for item in SHOP.items).tolist()
    request, facts, policy = SHOP.request(**given), SHOP.facts(), parse_policy(text)
    allowed = {n for n in numbers if not forbidding(n, policy, request, facts)}
    assert shown == set(SHOP.ids(allowed))
    assert 0 < len(shown) < len(numbers)
    assert request.now_ms == NOW_MS
    assert np.isnan(facts.prices_N).sum() == 1
