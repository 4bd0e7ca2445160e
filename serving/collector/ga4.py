"""Events in the shape of Google Analytics 4, as a shop's pages send them already: read as they are.

Both forms are read: ``{"name": ..., "params": {...}}`` of the Measurement Protocol, with what its envelope says of the
shopper, and ``{"event": ..., "ecommerce": {...}}`` of a data layer. Lists and items are those of its e-commerce events.
Events that say nothing of items, such as page_view, are passed over and counted.

Surprising: GA4 knows no event ids. One is taken from ``event_id``, from a purchase's ``transaction_id``, else made of
all that the event says, so that the same event sent again counts once. ``index`` counts from 0.
"""

import hashlib
from collections import ChainMap
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any, Final, cast

import msgspec

from tillside.feedback.events import CART, CLICK, IMPRESSION, PURCHASE, RETURN, Event

KINDS: Final = {
    "view_item_list": IMPRESSION,
    "select_item": CLICK,
    "add_to_cart": CART,
    "purchase": PURCHASE,
    "refund": RETURN,
    "view_item": "view",
    "add_to_wishlist": "wishlist",
    "remove_from_cart": "remove",
    "begin_checkout": "checkout",
}
"""What each of its events is here; others are passed over."""
PER_EVENT: Final = 200
"""Events that one in this shape may stand for: the items that its lists may have."""
_canonical: Final = msgspec.json.Encoder(order="deterministic").encode
_event: Final = msgspec.json.Decoder(Event, strict=False)


class Envelope:
    """What stands beside the events of a body. It is encoded once for all of them, as both can be large."""

    def __init__(self, members: Mapping[str, Any]) -> None:
        self.members = members

    @cached_property
    def _hash(self) -> "hashlib.blake2b":
        return hashlib.blake2b(b"[" + _canonical(self.members) + b",", digest_size=16)

    def event_id(self, document: Mapping[str, Any]) -> str:
        """The id of an event that has none: hash of all that is said of it."""
        own = self._hash.copy()
        own.update(_canonical(document) + b"]")
        return own.hexdigest()


def is_ga4(document: object) -> bool:
    """Whether a JSON value has the shape of such an event."""
    return isinstance(document, Mapping) and (
        isinstance(document.get("params"), Mapping) or isinstance(document.get("ecommerce"), Mapping)
    )


def events_of(document: Mapping[str, Any], envelope: Envelope) -> list[Event]:
    """Events of one such event: of a list one for each of its items; none of what says nothing of items.

    Args:
        envelope: of the Measurement Protocol.

    Raises:
        ValueError: the event is incomplete or out of bounds; the message says where.
    """
    name = document.get("name", document.get("event"))
    kind = KINDS.get(name) if isinstance(name, str) else None
    if kind is None:
        return []
    said: dict[str, Any] = {}
    for part in (document.get("params"), document.get("ecommerce")):
        said |= part if isinstance(part, Mapping) else {}
    whole = ChainMap(said, cast(dict[str, Any], document), cast(dict[str, Any], envelope.members))
    items = [item for item in _listed(said.get("items")) if isinstance(item, Mapping)]
    if not items:
        raise ValueError(f"items of {name} must be a list of at least one item")
    if len(items) > PER_EVENT and kind not in (PURCHASE, RETURN):
        raise ValueError(f"items must be at most {PER_EVENT}, got {len(items)}")
    shared = {
        "kind": kind,
        "time": _milliseconds(whole),
        "shopper": _text(whole.get("user_id", whole.get("client_id"))),
        "session": _text(whole.get("session_id", whole.get("ga_session_id"))),
        "recommendation_id": whole.get("recommendation_id"),
        "placement": whole.get("placement", whole.get("item_list_id", whole.get("item_list_name"))),
    }
    named = whole.get("event_id")
    own = _text(named) or envelope.event_id(document)
    if kind in (PURCHASE, RETURN):
        order = _text(whole.get("transaction_id"))
        if kind == PURCHASE and order and not named:
            own = f"{name}:{order}"
        lines = [{"item": _id(item), "quantity": item.get("quantity", 1), "price": item.get("price")} for item in items]
        return [_made({**shared, "event_id": own, "order_id": order, "lines": lines})]
    return [
        _made(
            {
                **shared,
                "event_id": own if len(items) == 1 else f"{own}/{number}",
                "item": _id(item),
                "position": _position(item),
                "recommendation_id": item.get("recommendation_id", shared["recommendation_id"]),
                "placement": item.get("item_list_id", item.get("item_list_name", shared["placement"])),
            }
        )
        for number, item in enumerate(items)
    ]


def _made(fields: Mapping[str, Any]) -> Event:
    """The event of its fields; numbers that are sent as strings, as pages do, are taken for numbers."""
    return _event.decode(_canonical({name: value for name, value in fields.items() if value is not None}))


def _listed(value: object) -> Sequence[Any]:
    return value if isinstance(value, list) else ()


def _id(item: Mapping[str, Any]) -> str | None:
    return _text(item.get("item_id", item.get("item_name")))


def _text(value: object) -> str | None:
    return str(value) if isinstance(value, (str, int)) and not isinstance(value, bool) and value != "" else None


def _position(item: Mapping[str, Any]) -> int | None:
    index = item.get("index")
    if isinstance(index, str) and index.isascii() and index.isdigit():
        index = int(index[:9])
    return index + 1 if isinstance(index, int) and not isinstance(index, bool) and index >= 0 else None


def _milliseconds(whole: Mapping[str, Any]) -> int | None:
    micros = whole.get("timestamp_micros")
    if isinstance(micros, str) and micros.isascii() and micros.isdigit():
        micros = int(micros[:20])
    return micros // 1000 if isinstance(micros, int) and not isinstance(micros, bool) else None
