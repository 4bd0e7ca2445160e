"""Filler, by hand: what is popular, soft rules kept where that can be."""

from tests.shops import NOW_MS
from tests.tillside.policy.test_placing import PLAIN, SHOP, policy


def test_filler_is_what_is_popular_and_fill_false_leaves_it_out() -> None:
    assert SHOP.shown(PLAIN, cart=["phone"], k=5) == ["case", "film", "cable", "kettle", "laptop"]
    assert SHOP.shown(policy("", more="fill: false"), cart=["phone"], k=5) == ["case", "film", "cable"]


def test_filler_keeps_soft_rules_as_long_as_it_can() -> None:
    rules = policy("cap: {shown: 1}", sources="complement: 1")
    assert SHOP.shown(rules, k=2, impressions={"phone": (1, NOW_MS)}) == ["case", "film"]
    assert SHOP.shown(rules, k=6, impressions={"phone": (1, NOW_MS)})[-1] == "phone"
