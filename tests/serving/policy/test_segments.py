"""A shopper's segment is what the history says by the policy's bounds, and what the request says before that."""

import pytest

from serving.policy.segments import segment_of
from serving.protocol.messages import Event
from tests.tills import NOW_MS
from tillside.policy.file.terms import SegmentBounds
from tillside.policy.file.values import DAY_MS

PRICES = {"phone": 500.0, "case": 20.0}
BOUNDS = SegmentBounds(dormant_after_days=30, high_value_purchases=3, high_value_spent=600.0)


def segment(*events: tuple[str, str, float | None], bounds: SegmentBounds = BOUNDS) -> str:
    """Of events by item, behaviour and days ago."""
    history = [
        Event(item, behaviour, None if days is None else NOW_MS - int(days * DAY_MS))
        for item, behaviour, days in events
    ]
    return segment_of(history, goal="purchase", now_ms=NOW_MS, bounds=bounds, price_of=PRICES.get)


def test_an_empty_history_is_a_new_shopper_and_any_other_is_none():
    assert segment() == "new"
    assert segment(("case", "click", 1)) == "returning"


@pytest.mark.parametrize(("days", "found"), [(30, "returning"), (30.001, "dormant")])
def test_the_latest_event_decides_who_is_dormant(days, found):
    assert segment(("case", "click", 900), ("case", "click", days)) == found


def test_events_without_a_time_make_nobody_dormant():
    assert segment(("case", "click", None)) == "returning"


def test_high_value_is_so_many_purchases_or_so_much_spent():
    assert segment(*[("case", "purchase", 1)] * 2) == "returning"
    assert segment(*[("case", "purchase", 1)] * 3) == "high_value"
    assert segment(("phone", "purchase", 1), ("case", "purchase", 1)) == "returning"  # 520
    assert segment(*[("phone", "purchase", 1)] * 2) == "high_value"  # 1,000
    assert segment(*[("phone", "purchase", 1)] * 2, bounds=SegmentBounds()) == "returning"
    assert segment(*[("phone", "cart", 1)] * 5) == "returning"
    assert segment(*[("no-longer-sold", "purchase", 1)] * 2) == "returning"


def test_of_high_value_and_dormant_it_is_the_latter():
    assert segment(*[("phone", "purchase", 400)] * 3) == "dormant"
