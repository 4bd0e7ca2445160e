"""The largest request that a server takes: numbers that an operator sets, and numbers that are the protocol's own.

Which field has which limit stands in serving.protocol.fields.
"""

from dataclasses import dataclass
from typing import Final

LONGEST_DEADLINE_MS: Final = 10_000
LATEST_TIMESTAMP: Final = 253_402_300_799_999
"""The last millisecond of the year 9999, UTC."""
OLDEST: Final = 130
"""Years."""
MOST_PIECES: Final = 1_000_000
"""Of one item in a cart, and impressions of one item."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Size limits of requests; one that exceeds a limit is refused, never truncated.

    Attributes:
        k: items asked for.
        session_events: events in the session, and as many of the shopper's earlier ones.
        excluded_items: items in the exclusion list.
        cart_lines, impressions, scene_items: entries of these lists.
        text: characters of an item id or a behaviour.
        body_bytes: bytes of the body.
        body_seconds: time the client may take to send its body, and before that its headers.
        header_bytes: bytes of the request line and the headers.
        feed_bytes, feed_seconds: the same of an items feed on the admin port.
    """

    k: int = 1000
    session_events: int = 1000
    excluded_items: int = 1000
    cart_lines: int = 100
    impressions: int = 1000
    scene_items: int = 100
    text: int = 256
    body_bytes: int = 1 << 20
    body_seconds: float = 10.0
    header_bytes: int = 1 << 15
    feed_bytes: int = 1 << 26
    feed_seconds: float = 60.0
