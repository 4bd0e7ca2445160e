"""What a shop says of a shopper: the parts of a request, checked before anything is sent.

A caller's mistake is a ValueError. What only the server knows (its limits, the bundle's behaviours, the policy's
placements) the server checks.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from tillside.client.checks import each, flag, integer, one_of_kind, real, refusal, text, texts

MOST_K: Final = 100_000
MOST_EVENTS: Final = 1000
"""Longer sessions are cut to the newest events: the server rejects more by default, and no model reads as many."""
LATEST_TIMESTAMP: Final = 253_402_300_799_999
"""The last millisecond of the year 9999, UTC."""
MOST_PIECES: Final = 1_000_000
OLDEST: Final = 130
DEAREST: Final = 1e12
MOST_BOOST: Final = 100.0
SEGMENTS: Final = ("new", "returning", "dormant", "high_value")
LANGUAGES: Final = ("en", "zh")


@dataclass(frozen=True, slots=True)
class Event:
    """One event of a session.

    Attributes:
        behaviour: one of the bundle's behaviours; the first one if None.
        timestamp: UTC milliseconds, or None if unknown.
    """

    item_id: str
    behaviour: str | None = None
    timestamp: int | None = None


@dataclass(frozen=True, slots=True)
class CartLine:
    """One line of the cart."""

    item_id: str
    quantity: int = 1


@dataclass(frozen=True, slots=True)
class Impression:
    """How often an item was shown of late, and when last: UTC milliseconds, or None for now."""

    item_id: str
    count: int = 1
    timestamp: int | None = None


@dataclass(frozen=True, slots=True)
class Dismissal:
    """What the shopper waved away, one of the three; when: UTC milliseconds, or None for now."""

    item_id: str | None = None
    category: str | None = None
    placement: str | None = None
    timestamp: int | None = None


@dataclass(frozen=True, slots=True)
class Filter:
    """Items that meet all that is given.

    Attributes:
        categories: in one of these, those below included; all if empty.
        without: in none of these.
        at_least, at_most: bounds of the price, both inclusive, or None.
        attributes: values by name, of which the item has one.
    """

    categories: Sequence[str] = ()
    without: Sequence[str] = ()
    at_least: float | None = None
    at_most: float | None = None
    attributes: Mapping[str, Sequence[str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Boost:
    """A factor on the scores of the items that a filter matches, from 0.01 to 100."""

    where: Filter
    factor: float


@dataclass(frozen=True, slots=True)
class PagePlacement:
    """One placement of several; what is None is as the whole request says."""

    placement: str
    k: int | None = None
    candidates: Sequence[str] | None = None
    filter: Filter | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """Everything that a request may say; what is None or empty is not sent.

    Attributes:
        session: events, oldest first; None for what the server remembers of ``shopper_id``.
        history: events of earlier sessions, oldest first; an empty one says that the shopper is new, None nothing.
        candidates: the shop's own list, of which alone items are answered.
        filter: what alone is answered.
        cart: what is in the cart; None for what the session says.
        shopper_id: a key that stays the same from visit to visit; ``session_id``: a key of the visit.
        timestamp: now, UTC milliseconds; the server's clock if None.
        boosts, segment, age, impressions, dismissed, host, moment, scene, language, explain, timestamp: for placements.
    """

    session: Sequence[Event] | None = ()
    history: Sequence[Event] | None = None
    behaviour: str | None = None
    k: int | None = None
    exclude: Collection[str] = ()
    hide_seen: bool = False
    names: bool = False
    candidates: Sequence[str] | None = None
    filter: Filter | None = None
    cart: Sequence[CartLine] | None = None
    shopper_id: str | None = None
    session_id: str | None = None
    boosts: Sequence[Boost] = ()
    segment: Literal["new", "returning", "dormant", "high_value"] | None = None
    age: int | None = None
    impressions: Sequence[Impression] = ()
    dismissed: Sequence[Dismissal] = ()
    host: str | None = None
    moment: str | None = None
    scene: Sequence[str] = ()
    language: Literal["en", "zh"] | None = None
    explain: bool = False
    timestamp: int | None = None

    def document(self) -> dict[str, Any]:
        """The request as JSON types.

        Raises:
            ValueError: a field is invalid; the message names it, its value and what is allowed.
        """
        found: dict[str, Any] = {}
        if self.session is not None:
            found["session"] = _events("session", self.session)
        elif self.shopper_id is None:
            raise refusal("session", None, "a sequence of Event")
        if self.history is not None:
            found["history"] = _events("history", self.history)
        checked: dict[str, Callable[[str, Any], Any]] = {
            "behaviour": text,
            "k": lambda name, value: integer(name, value, 1, MOST_K),
            "candidates": texts,
            "filter": _filter,
            "cart": lambda name, value: each(name, value, CartLine, _line),
            "shopper_id": text,
            "session_id": text,
            "segment": lambda name, value: _choice(name, value, SEGMENTS),
            "age": lambda name, value: integer(name, value, 0, OLDEST),
            "host": text,
            "moment": text,
            "language": lambda name, value: _choice(name, value, LANGUAGES),
            "timestamp": _time,
        }
        for name, check in checked.items():
            value = getattr(self, name)
            if value is not None:
                found[name] = check(name, value)
        for name, listed in (
            ("exclude", sorted(set(texts("exclude", self.exclude)))),
            ("boosts", each("boosts", self.boosts, Boost, _boost)),
            ("impressions", each("impressions", self.impressions, Impression, _impression)),
            ("dismissed", each("dismissed", self.dismissed, Dismissal, _dismissal)),
            ("scene", texts("scene", self.scene)),
        ):
            if listed:
                found[name] = listed
        for name in ("hide_seen", "names", "explain"):  # older servers get a field only where it is needed
            if flag(name, getattr(self, name)):
                found[name] = True
        return found


def page_document(placements: Sequence["str | PagePlacement"]) -> list[dict[str, Any]]:
    """Several placements as JSON types; ValueError as in :meth:`Request.document`."""
    if isinstance(placements, str) or not isinstance(placements, Sequence) or not placements:
        raise refusal("placements", placements, "a sequence of at least one placement")
    whole = [PagePlacement(own) if isinstance(own, str) else own for own in placements]
    return each("placements", whole, PagePlacement, _page_placement)


def _page_placement(name: str, own: PagePlacement) -> dict[str, Any]:
    found: dict[str, Any] = {"placement": text(f"{name}.placement", own.placement)}
    if own.k is not None:
        found["k"] = integer(f"{name}.k", own.k, 1, MOST_K)
    if own.candidates is not None:
        found["candidates"] = texts(f"{name}.candidates", own.candidates)
    if own.filter is not None:
        found["filter"] = _filter(f"{name}.filter", own.filter)
    return found


def _events(name: str, events: object) -> list[Any]:
    """The newest MOST_EVENTS events."""
    if isinstance(events, str) or not isinstance(events, Sequence):
        raise refusal(name, events, "a sequence of Event")
    first = max(0, len(events) - MOST_EVENTS)
    return [_event(f"{name}[{n}]", one_of_kind(f"{name}[{n}]", events[n], Event)) for n in range(first, len(events))]


def _event(name: str, event: Event) -> dict[str, Any]:
    document: dict[str, Any] = {"item_id": text(f"{name}.item_id", event.item_id)}
    if event.behaviour is not None:
        document["behaviour"] = text(f"{name}.behaviour", event.behaviour)
    return document | _when(name, event.timestamp)


def _line(name: str, line: CartLine) -> dict[str, Any]:
    quantity = integer(f"{name}.quantity", line.quantity, 1, MOST_PIECES)
    return {"item_id": text(f"{name}.item_id", line.item_id), "quantity": quantity}


def _impression(name: str, own: Impression) -> dict[str, Any]:
    count = integer(f"{name}.count", own.count, 1, MOST_PIECES)
    return {"item_id": text(f"{name}.item_id", own.item_id), "count": count, **_when(name, own.timestamp)}


def _dismissal(name: str, own: Dismissal) -> dict[str, Any]:
    said = {part: getattr(own, part) for part in ("item_id", "category", "placement")}
    given = {part: text(f"{name}.{part}", value) for part, value in said.items() if value is not None}
    if len(given) != 1:
        raise refusal(name, own, "of one of item_id, category and placement")
    return given | _when(name, own.timestamp)


def _boost(name: str, own: Boost) -> dict[str, Any]:
    factor = real(f"{name}.factor", own.factor, 1 / MOST_BOOST, MOST_BOOST)
    return {"where": _filter(f"{name}.where", own.where), "factor": factor}


def _filter(name: str, own: Filter) -> dict[str, Any]:
    one_of_kind(name, own, Filter)
    found: dict[str, Any] = {}
    for part in ("categories", "without"):
        if values := texts(f"{name}.{part}", getattr(own, part)):
            found[part] = values
    price = {
        part: real(f"{name}.{part}", value, 0, DEAREST)
        for part in ("at_least", "at_most")
        if (value := getattr(own, part)) is not None
    }
    if price:
        found["price"] = price
    if not isinstance(own.attributes, Mapping):
        raise refusal(f"{name}.attributes", own.attributes, "a mapping of names to values")
    attributes = [
        {"name": text(f"{name}.attributes", key), "any_of": texts(f"{name}.attributes[{key!r}]", values)}
        for key, values in own.attributes.items()
    ]
    return found | ({"attributes": attributes} if attributes else {})


def _when(name: str, timestamp: int | None) -> dict[str, int]:
    return {} if timestamp is None else {"timestamp": _time(f"{name}.timestamp", timestamp)}


def _time(name: str, value: object) -> int:
    return integer(name, value, 0, LATEST_TIMESTAMP)


def _choice(name: str, value: object, choices: Sequence[str]) -> str:
    if value not in choices:
        raise refusal(name, value, f"one of {', '.join(choices)}")
    return str(value)
