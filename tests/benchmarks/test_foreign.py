"""The foreign checker, on answers that are wrong by hand."""

from typing import Any

import pytest

from benchmarks.foreign import ForeignChecker, merged

NOW_MS = 1_780_000_000_000
KINDS = {"a": "tech.phone", "b": "tech.phone", "c": "tech.case", "d": "drinks.wine", "e": "tech.film"}
ROWS: list[dict[str, Any]] = [
    {"time_ms": NOW_MS},
    *({"item_id": item, "price": 10.0 * (number + 1), "stock": 9, "attributes": {"category": kind, "brand": "x"}}
      for number, (item, kind) in enumerate(KINDS.items())),
    {"item_id": "sold", "price": 1.0, "stock": 0},
]  # fmt: skip
POLICY = """
placements:
  cart:
    sources: {model: 1}
    slots: 3
    rules:
      stock: {feed_max_age_minutes: 30, when_stale: hide_all}
      age_limits: [{category: drinks, years: 18}]
      at_least: [{n: 1, category: tech.film}]
      dismissals: {placement_after: 2}
      pins: [{name: p, item: e, slot: 1}]
"""
ASKED: dict[str, Any] = {
    "placement": "cart",
    "session": [{"item_id": "a", "behaviour": "cart"}],
    "cart": [{"item_id": "a", "quantity": 1}],
    "timestamp": NOW_MS + 1000,
}


def broken(*shown: str, notes: list[str] | None = None, **asked: Any) -> list[str]:
    items = [{"item_id": item, "source": "model"} for item in shown]
    return ForeignChecker(POLICY, ROWS, goal="purchase").broken(
        ASKED | asked, {"items": items, "notes": notes or [], "bundles": []}
    )


def test_an_answer_that_keeps_all_rules_passes():
    assert broken("e", "c") == []
    assert broken(notes=["nothing is shown: feed"], timestamp=NOW_MS + 31 * 60_000) == []


@pytest.mark.parametrize(
    ("shown", "asked", "said"),
    [
        ("ea", {}, "a: cart"),
        ("eb", {}, "b: kind"),
        ("ed", {"age": 17}, "d: age"),
        ("ec", {"exclude": ["c"]}, "c: excluded"),
        ("ec", {"candidates": ["e"]}, "c: candidates"),
        ("ec", {"filter": {"price": {"at_least": 40}}}, "c: filter"),
        ("ec", {"dismissed": [{"category": "tech.case", "timestamp": NOW_MS}]}, "c: dismissed"),
        ("ec", {"timestamp": NOW_MS + 31 * 60_000}, "c: stock"),
        ("ec", {"k": 1}, "2 items in 1 slots"),
        ("ecc", {}, "an item stands twice"),
        ("c", {}, "e is pinned and not shown"),
        ("c", {}, "at_least {'n': 1, 'category': 'tech.film'} is not met and nobody is told"),
        (
            "e",
            {"dismissed": [{"category": "z", "timestamp": NOW_MS}] * 2},
            "something is shown where nothing should be",
        ),
        ("", {"exclude": ["e"]}, "nothing is shown, and no note says why"),
    ],
)
def test_what_is_wrong_is_said(shown, asked, said):
    assert said in broken(*shown, **asked)


def test_a_bundle_holds_nothing_that_is_forbidden_and_costs_the_sum():
    bundle = {"items": ["a", "sold", "c"], "missing": ["sold", "c"], "price": 50.0, "discounted_price": 51.0}
    policy = POLICY.replace("slots: 3", "slots: 3\n    bundles: 1")
    said = ForeignChecker(policy, ROWS, goal="purchase").broken(
        ASKED, {"items": [{"item_id": "e", "source": "model"}], "notes": [], "bundles": [bundle]}
    )
    assert said == [
        "bundle with sold: stock",
        "bundle ['a', 'sold', 'c'] costs 41.0, not 50.0",
        "bundle ['a', 'sold', 'c'] costs more by its promotion",
    ]


def test_a_segment_is_laid_over_key_by_key():
    assert merged({"a": {"b": 1, "c": [2]}, "d": 3}, {"a": {"c": [4]}}) == {"a": {"b": 1, "c": [4]}, "d": 3}
