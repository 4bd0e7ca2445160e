"""Questions: a checked request, where it is sent, how its answer is read, and what answers in the server's place.

A caller's mistake is a ValueError, raised before anything is sent. What only the server knows (its limits, the bundle's
behaviours) is validated by the server.
"""

import abc
import json
import uuid
from collections.abc import Collection, Sequence
from typing import Any, Final, Generic, TypeVar

from tillside.client.answers import (
    PlacedItem,
    PlacedRecommendation,
    Recommendation,
    RecommendedItem,
    decode_answer,
    decode_page,
    decode_placed,
)
from tillside.client.checks import MOST_TEXT, refusal, text
from tillside.client.requests import LATEST_TIMESTAMP, MOST_EVENTS, Event, PagePlacement, Request, page_document

__all__ = [
    "LATEST_TIMESTAMP",
    "MOST_EVENTS",
    "MOST_TEXT",
    "AnyQuestion",
    "PageQuestion",
    "PlacementQuestion",
    "Question",
    "check_deadline",
    "decode_answer",
]

DEFAULT_K: Final = 20
MOST_DEADLINE_MS: Final = 10_000
OWN_TIER: Final = "caller"
RECOMMEND: Final = "/v1/recommend"
PAGE: Final = "/v1/page"
Answered = TypeVar("Answered")


class AnyQuestion(abc.ABC, Generic[Answered]):
    """A validated request, and the caller's own answer to it.

    Attributes:
        path: where it is sent.
        k: items of the own answer.
        hidden: ids that the own answer leaves out.
    """

    path: str = RECOMMEND

    def __init__(self, request: Request, **more: Any) -> None:
        document = {**request.document(), **more}
        self.k: int = document.get("k", DEFAULT_K)
        self.behaviour = request.behaviour
        self._candidates: list[str] | None = document.get("candidates")
        self._seen = frozenset(event.item_id for event in request.session or ())
        carted = (line.item_id for line in request.cart or ())
        self.hidden = frozenset(document.get("exclude", ())) | frozenset(carted)
        if request.hide_seen:
            self.hidden |= self._seen
        try:
            self._body = json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()[:-1]
        except UnicodeEncodeError:
            raise ValueError("item ids and behaviours must be valid Unicode, got a lone surrogate") from None

    def body(self, *, deadline_ms: int) -> bytes:
        """The request as JSON, UTF-8."""
        return b'%b,"deadline_ms":%d}' % (self._body, min(max(deadline_ms, 1), MOST_DEADLINE_MS))

    @abc.abstractmethod
    def decode(self, body: bytes) -> Answered:
        """The server's answer; ValueError if it is none."""

    @abc.abstractmethod
    def own_answer(self, item_ids: Sequence[str], *, reason: str) -> Answered:
        """The caller's own list as an answer, without excluded or hidden items, cut to k.

        A request's candidates are the list themselves, in their order.
        """

    def _own(self, item_ids: Sequence[str], *, k: int | None = None) -> list[str]:
        own = item_ids if self._candidates is None else self._candidates
        return [item_id for item_id in own if item_id not in self.hidden][: self.k if k is None else k]


class Question(AnyQuestion[Recommendation]):
    """A validated request without a placement.

    Raises:
        ValueError: a field is invalid; the message names it, its value and what is allowed.
    """

    def __init__(
        self,
        session: Sequence[Event],
        *,
        behaviour: str | None = None,
        k: int | None = None,
        exclude: Collection[str] = (),
        history: Sequence[Event] = (),
        hide_seen: bool = False,
        request: Request | None = None,
    ) -> None:
        if request is None:
            earlier = history or None if isinstance(history, (tuple, list)) else history
            request = Request(
                session=session, history=earlier, behaviour=behaviour, k=k, exclude=exclude, hide_seen=hide_seen
            )
        super().__init__(request)
        if request.candidates is not None and request.k is None:
            self.k = len(request.candidates)

    def decode(self, body: bytes) -> Recommendation:
        """The server's answer; ValueError if it is none."""
        return decode_answer(body)

    def own_answer(self, item_ids: Sequence[str], *, reason: str) -> Recommendation:
        """As :meth:`AnyQuestion.own_answer`."""
        items = tuple(
            RecommendedItem(item_id, None, OWN_TIER, seen=item_id in self._seen) for item_id in self._own(item_ids)
        )
        return Recommendation(items, OWN_TIER, reason, uuid.uuid4().hex, behaviour=self.behaviour)


class _Placing(AnyQuestion[Answered]):
    """What both questions for placements answer of their own."""

    def _own_placed(self, item_ids: Sequence[str], placement: str, *, reason: str) -> PlacedRecommendation:
        return PlacedRecommendation(
            tuple(PlacedItem(item_id, None, OWN_TIER, seen=item_id in self._seen) for item_id in item_ids),
            OWN_TIER,
            reason,
            uuid.uuid4().hex,
            behaviour=self.behaviour,
            placement=placement,
        )


class PlacementQuestion(_Placing[PlacedRecommendation]):
    """A validated request for a placement; ValueError as for :class:`Question`."""

    def __init__(self, placement: str, request: Request) -> None:
        self._placement = text("placement", placement)
        super().__init__(request, placement=placement)

    def decode(self, body: bytes) -> PlacedRecommendation:
        """The server's answer; ValueError if it is none."""
        return decode_placed(body, self._placement)

    def own_answer(self, item_ids: Sequence[str], *, reason: str) -> PlacedRecommendation:
        """As :meth:`AnyQuestion.own_answer`."""
        return self._own_placed(self._own(item_ids), self._placement, reason=reason)


class PageQuestion(_Placing[tuple[PlacedRecommendation, ...]]):
    """A validated request for several placements; ValueError as for :class:`Question`."""

    path = PAGE

    def __init__(self, placements: Sequence[str | PagePlacement], request: Request) -> None:
        self._parts = page_document(placements)
        super().__init__(request, placements=self._parts)

    def decode(self, body: bytes) -> tuple[PlacedRecommendation, ...]:
        """The server's answer; ValueError if it is none, or not one for each placement."""
        return decode_page(body, tuple(part["placement"] for part in self._parts))

    def own_answer(self, item_ids: Sequence[str], *, reason: str) -> tuple[PlacedRecommendation, ...]:
        """As :meth:`AnyQuestion.own_answer`, for each placement; none shows an item of one before it."""
        shown: set[str] = set()
        found = []
        for part in self._parts:
            own = part.get("candidates") or self._own(item_ids, k=len(item_ids) + len(self._candidates or ()))
            left = [item_id for item_id in own if item_id not in shown and item_id not in self.hidden]
            left = left[: part.get("k", self.k)]
            shown.update(left)
            found.append(self._own_placed(left, part["placement"], reason=reason))
        return tuple(found)


def check_deadline(field: str, value: float) -> float:
    """Convert a valid deadline from milliseconds to seconds.

    Raises:
        ValueError: ``value`` is not a number from 1 to 10000.
    """
    allowed = f"a number of milliseconds from 1 to {MOST_DEADLINE_MS}"
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 1 <= value <= MOST_DEADLINE_MS:
        raise refusal(field, value, allowed)
    return value / 1000
