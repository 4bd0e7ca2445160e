"""What goes over the wire, seen from the caller: a question checked before it is sent, an answer checked before use.

A caller's mistake is a ValueError here, before anything is sent. What only the server knows (its limits, the bundle's
behaviours) is left to the server.
"""

import json
import math
import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Final, NoReturn

DEFAULT_K: Final = 20
MOST_K: Final = 100_000
MOST_EVENTS: Final = 1000
"""Of a longer session the newest events are sent; the server refuses more by default, and no model reads as many."""
MOST_TEXT: Final = 256
LATEST_TIMESTAMP: Final = 253_402_300_799_999
"""The last millisecond of the year 9999, UTC."""
MOST_DEADLINE_MS: Final = 10_000
OWN_TIER: Final = "caller"


@dataclass(frozen=True, slots=True)
class Event:
    """One thing the shopper did.

    Attributes:
        behaviour: one of the bundle's behaviours; its first one when None.
        timestamp: UTC milliseconds, or None where there is no clock.
    """

    item_id: str
    behaviour: str | None = None
    timestamp: int | None = None


@dataclass(frozen=True, slots=True)
class RecommendedItem:
    """One recommended item.

    Attributes:
        score: higher is better; None for an item of the caller's own list.
        source: what proposed the item, as ``model``.
        because: the session's item that lies nearest to it, if the model proposed it.
    """

    item_id: str
    score: float | None
    source: str
    because: str | None = None


@dataclass(frozen=True, slots=True)
class Recommendation:
    """At most k items, best first, and who answered.

    Attributes:
        tier: the server's tier, or ``caller`` for the caller's own list.
        degraded_reason: why the answer is not what it could be, or None. The server's own word, or for the tier
            ``caller``: ``timeout``, ``connect``, ``status_503`` and so on, ``bad_answer`` (what came is not a complete,
            valid answer), ``refused`` (the server takes the request for a mistake), ``circuit_open``, ``closed`` (the
            client was), ``error`` (a fault of the client, logged).
        recommendation_id: names this answer in feedback; made here for the tier ``caller``.
        purchase_intent: probability that the session still buys, where the bundle knows it.
        unknown_items: ids of the request that the bundle does not know.
        bundle: version of the bundle that answered.
    """

    items: tuple[RecommendedItem, ...]
    tier: str
    degraded_reason: str | None
    recommendation_id: str
    behaviour: str | None = None
    purchase_intent: float | None = None
    unknown_items: tuple[str, ...] = ()
    bundle: str | None = None


class Question:
    """A request that was checked.

    Raises:
        ValueError: a field holds what is not allowed; the sentence names it, its value and what is allowed.
    """

    def __init__(
        self,
        session: Sequence[Event],
        *,
        behaviour: str | None,
        k: int | None,
        exclude: Collection[str],
        history: Sequence[Event] = (),
    ) -> None:
        document: dict[str, Any] = {"session": _events("session", session)}
        if earlier := _events("history", history):
            document["history"] = earlier
        if behaviour is not None:
            document["behaviour"] = _text("behaviour", behaviour)
        if k is not None:
            document["k"] = _integer("k", k, 1, MOST_K)
        if isinstance(exclude, str) or not isinstance(exclude, Collection):
            raise _refusal("exclude", exclude, "a collection of item ids")
        self.excluded = frozenset(_text("exclude", item_id) for item_id in exclude)
        if self.excluded:
            document["exclude"] = sorted(self.excluded)
        self.k = DEFAULT_K if k is None else k
        self.behaviour = behaviour
        try:
            self._body = json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()[:-1]
        except UnicodeEncodeError:
            raise ValueError("item ids and behaviours must be valid Unicode, got a lone surrogate") from None

    def body(self, *, deadline_ms: int) -> bytes:
        """The request as JSON."""
        return b'%b,"deadline_ms":%d}' % (self._body, min(max(deadline_ms, 1), MOST_DEADLINE_MS))

    def own_answer(self, item_ids: Sequence[str], *, reason: str) -> Recommendation:
        """The caller's own list as an answer: without what the request excludes, cut to k."""
        kept = [item_id for item_id in item_ids if item_id not in self.excluded][: self.k]
        items = tuple(RecommendedItem(item_id, None, OWN_TIER) for item_id in kept)
        return Recommendation(items, OWN_TIER, reason, uuid.uuid4().hex, behaviour=self.behaviour)


def decode_answer(body: bytes) -> Recommendation:
    """The server's answer; fields that this client does not know are passed over.

    Raises:
        ValueError: the body is not an answer.
    """
    try:
        document = json.loads(body, parse_constant=_refuse_constant)
        return Recommendation(
            items=tuple(_item(item) for item in _typed(document["items"], list)),
            tier=_typed(document["tier"], str),
            degraded_reason=_typed(document.get("degraded_reason"), str, type(None)),
            recommendation_id=_typed(document["recommendation_id"], str),
            behaviour=_typed(document.get("behaviour"), str, type(None)),
            purchase_intent=_number(document.get("purchase_intent")),
            unknown_items=tuple(_typed(item_id, str) for item_id in _typed(document.get("unknown_items", []), list)),
            bundle=_typed(document.get("bundle"), str, type(None)),
        )
    except (LookupError, TypeError, AttributeError, OverflowError, RecursionError) as error:
        raise ValueError(f"the body is not an answer: {type(error).__name__}") from None


def check_deadline(field: str, value: float) -> float:
    """``value`` in milliseconds as seconds.

    Raises:
        ValueError: it is not from 1 to 10000.
    """
    allowed = f"a number of milliseconds from 1 to {MOST_DEADLINE_MS}"
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 1 <= value <= MOST_DEADLINE_MS:
        raise _refusal(field, value, allowed)
    return value / 1000


def _events(field: str, events: object) -> list[dict[str, Any]]:
    """The newest events, as many as are sent."""
    if isinstance(events, str) or not isinstance(events, Sequence):
        raise _refusal(field, events, "a sequence of Event")
    first = max(0, len(events) - MOST_EVENTS)
    return [_event(f"{field}[{n}]", events[n]) for n in range(first, len(events))]


def _event(field: str, event: object) -> dict[str, Any]:
    if not isinstance(event, Event):
        raise _refusal(field, event, "an Event")
    document: dict[str, Any] = {"item_id": _text(f"{field}.item_id", event.item_id)}
    if event.behaviour is not None:
        document["behaviour"] = _text(f"{field}.behaviour", event.behaviour)
    if event.timestamp is not None:
        document["timestamp"] = _integer(f"{field}.timestamp", event.timestamp, 0, LATEST_TIMESTAMP)
    return document


def _item(document: Any) -> RecommendedItem:
    because = _typed(document.get("because"), str, type(None))
    score = _number(document.get("score"))
    return RecommendedItem(_typed(document["item_id"], str), score, _typed(document["source"], str), because)


def _text(field: str, value: object) -> str:
    if not isinstance(value, str) or not 0 < len(value) <= MOST_TEXT:
        raise _refusal(field, value, f"a string of 1 to {MOST_TEXT} characters")
    return value


def _integer(field: str, value: object, low: int, high: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise _refusal(field, value, f"an integer from {low} to {high}")
    return value


def _refusal(field: str, value: object, allowed: str) -> ValueError:
    return ValueError(f"{field} must be {allowed}, got {repr(value)[:60]}")


def _typed(value: Any, *kinds: type) -> Any:
    if not isinstance(value, kinds):
        raise TypeError
    return value


def _number(value: Any) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not math.isfinite(_typed(value, int, float)):
        raise TypeError
    return float(value)


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"the body holds {name}, which is not JSON")
