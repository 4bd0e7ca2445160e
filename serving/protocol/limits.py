"""Size limits of requests: those that the operator sets (:class:`Limits`), and constants of the protocol.

serving.protocol.fields says which field has which limit.
"""

from dataclasses import dataclass
from typing import Final

LONGEST_DEADLINE_MS: Final = 10_000
LATEST_TIMESTAMP: Final = 253_402_300_799_999
"""The last millisecond of the year 9999, UTC."""
OLDEST: Final = 130
"""Maximum age of a shopper, years."""
MOST_PIECES: Final = 1_000_000
"""Maximum quantity of a cart line, of which a placement counts fewer, and maximum count of impressions of one item."""

DEAREST: Final = 1e12
"""Maximum price in a filter."""
MOST_BOOST: Final = 100.0
"""Maximum factor of a boost; the least is its inverse."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Size limits of requests; one that exceeds a limit is refused, never truncated.

    Attributes:
        k: items asked for.
        session_events: events in ``session``, and likewise in ``history``.
        excluded_items: items in the exclusion list.
        cart_lines, impressions, scene_items, candidates, placements, boosts: entries of these lists.
        filter_values: entries of each list of a filter.
        text: characters of an item id or a behaviour.
        body_bytes: bytes of the body.
        body_seconds: time limit for receiving the headers, and again for the body.
        header_bytes: bytes of the request line and the headers.
        feed_bytes, feed_seconds: as ``body_bytes`` and ``body_seconds``, for an items feed on the admin port.
    """

    k: int = 1000
    session_events: int = 1000
    excluded_items: int = 1000
    cart_lines: int = 100
    impressions: int = 1000
    scene_items: int = 100
    candidates: int = 1000
    placements: int = 10
    boosts: int = 20
    filter_values: int = 100
    text: int = 256
    body_bytes: int = 1 << 20
    body_seconds: float = 10.0
    header_bytes: int = 1 << 15
    feed_bytes: int = 1 << 26
    feed_seconds: float = 60.0
