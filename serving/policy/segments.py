"""A shopper's segment from the history that a request sends, by the bounds of the policy.

Of what applies the first counts: new (a history was sent and is empty), dormant (nothing for as many days as the policy
says), high value (so many purchases, or so much spent), returning.
"""

from collections.abc import Callable, Sequence

from serving.protocol.messages import Event
from tillside.policy.file.terms import SegmentBounds, SegmentName
from tillside.policy.file.values import DAY_MS


def segment_of(
    history: Sequence[Event],
    *,
    goal: str,
    now_ms: int,
    bounds: SegmentBounds,
    price_of: Callable[[str], float | None],
) -> SegmentName:
    """Segment of a shopper.

    Args:
        history: events of earlier sessions, oldest first; those without a time tell nothing of how long ago they were.
        goal: the behaviour that is a purchase.
        price_of: price of an item; None if unknown.
    """
    if not history:
        return "new"
    latest_ms = max((event.timestamp for event in history if isinstance(event.timestamp, int)), default=None)
    if latest_ms is not None and now_ms - latest_ms > bounds.dormant_after_days * DAY_MS:
        return "dormant"
    bought = [event.item_id for event in history if event.behaviour == goal]
    if len(bought) >= bounds.high_value_purchases:
        return "high_value"
    if bounds.high_value_spent is not None:
        spent = sum(price for item_id in bought if (price := price_of(item_id)) is not None)
        if spent >= bounds.high_value_spent:
            return "high_value"
    return "returning"
