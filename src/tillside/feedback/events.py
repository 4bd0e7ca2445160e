"""Events of a shop as the collector keeps them: seen, clicked, put into a cart, bought, sent back or waved away.

An event is one JSON object; what is absent is null. Times are UTC milliseconds. One ``event_id`` counts once for ever:
the same payload again is a duplicate, another payload under it a conflict, of which the first one stands.
"""

from collections.abc import Callable
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta, Struct, structs

IMPRESSION: Final = "impression"
CLICK: Final = "click"
CART: Final = "cart"
PURCHASE: Final = "purchase"
RETURN: Final = "return"
DISMISS: Final = "dismiss"
KINDS: Final = (IMPRESSION, CLICK, CART, PURCHASE, RETURN, DISMISS)
"""Kinds with a meaning of their own; any other is a behaviour of the shop's log."""
DismissReason = Literal["not_interested", "pushed", "wrong_fit"]

LONGEST: Final = 256
"""Characters of a key, an id or a name."""
LATEST: Final = 253_402_300_799_999
"""The last millisecond of the year 9999, UTC."""
MOST_LINES: Final = 1000

Text = Annotated[str, Meta(min_length=1, max_length=LONGEST)]
Kind = Annotated[str, Meta(min_length=1, max_length=64)]
Time = Annotated[int, Meta(ge=0, le=LATEST)]
Quantity = Annotated[int, Meta(ge=1, le=1_000_000)]
Price = Annotated[float, Meta(ge=0, le=1e12)]


class Line(Struct, frozen=True, gc=False, omit_defaults=True):
    """One line of an order or of a return; ``price`` is of one piece."""

    item: Text
    quantity: Quantity = 1
    price: Price | None = None


class Event(Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """One event. It holds nothing that could hold it, so that the garbage collector need not look at each.

    Attributes:
        kind: one of :data:`KINDS`, or a behaviour of the log.
        time: when it happened, by the shop's clock; where ``untimed``, when it was received, as the shop gave no time.
        received: when the collector took it.
        recommendation_id: of the answer that it belongs to; it may be one that no exposure has.
        position: slot of the item, counted from 1.
        lines: what was bought or sent back.
        reason: why it was dismissed.
        source: name of the token that brought it.
        consent: what the shopper said to being remembered; None where nobody asked.
    """

    event_id: Text
    kind: Kind
    time: Time = 0
    untimed: bool = False
    received: Time = 0
    shopper: Text | None = None
    session: Text | None = None
    recommendation_id: Text | None = None
    placement: Text | None = None
    item: Text | None = None
    position: Annotated[int, Meta(ge=1, le=100_000)] | None = None
    order_id: Text | None = None
    lines: Annotated[list[Line], Meta(max_length=MOST_LINES)] | None = None
    reason: DismissReason | None = None
    source: Text | None = None
    consent: bool | None = None

    @property
    def subject(self) -> str | None:
        """Whose event it is: the shopper's key, else the session's."""
        return self.session if self.shopper is None else self.shopper


encode_event: Final[Callable[[Event], bytes]] = msgspec.json.Encoder().encode
decode_event: Final[Callable[[bytes], Event]] = msgspec.json.Decoder(Event).decode
"""Of one JSON object; unknown members are passed over, so that older readers read newer logs.

Raises:
    msgspec.DecodeError: it is no event.
"""


def payload_of(event: Event) -> bytes:
    """What makes two events of one id the same: all that the shop said, without what the collector added."""
    time = 0 if event.untimed else event.time
    return encode_event(structs.replace(event, time=time, untimed=False, received=0, source=None))


def lacking(event: Event) -> str | None:
    """The field that an event of its kind needs and lacks, such as ``lines`` of a purchase; None if it has all."""
    if event.kind in (PURCHASE, RETURN):
        if not event.lines:
            return "lines"
        return "order_id" if event.order_id is None else None
    if event.kind == DISMISS:
        return None if event.item or event.placement or event.recommendation_id else "item"
    return None if event.item else "item"
