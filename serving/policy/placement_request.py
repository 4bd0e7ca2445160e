"""Requests of a placement in the policy's terms: item ids to indices of the facts.

The model and every fallback tier only propose candidates; ``tillside.policy.place`` alone decides what is shown.

Shapes: B behaviours, V eligible items, L session events, M cart pieces.
"""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from msgspec import UNSET

from serving.policy.assortment import Assortment
from serving.policy.segments import segment_of
from serving.protocol import messages
from serving.protocol.errors import FieldError, shown
from serving.protocol.messages import RecommendRequest
from tillside.policy import (
    ModelCandidates,
    Placement,
    PlacementPolicy,
    PlacementRequest,
    PreparedPlacement,
    prepare,
)
from tillside.policy.file.terms import SegmentName
from tillside.policy.items.filters import Among
from tillside.policy.requests import GOAL, Dismissed

PIECES_COUNTED: Final = 100
"""Maximum pieces of one cart line that the policy sees; the request may say more, up to serving.protocol.limits."""

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class IndexedPlacement:
    """A placement request prepared in item indices, and the assortment that those indices refer to.

    Attributes:
        prepared: everything but the purchase intent, which the model adds later.
        eligible_V: items that the model may propose; None for all.
    """

    assortment: Assortment
    prepared: PreparedPlacement
    ask: int
    eligible_V: Ints | None

    def place(
        self, model: ModelCandidates | None, intent: float | None, rng: np.random.Generator | None = None
    ) -> Placement:
        """Run the policy on the candidates of the model or a fallback tier, or on none; ``rng`` is for exploration."""
        shelves, relations = self.assortment.shelves_B[self.ask], self.assortment.placed_relations
        return self.prepared.place(shelves=shelves, relations=relations, model=model, intent=intent, rng=rng)


def segment_in(assortment: Assortment, request: RecommendRequest) -> SegmentName | None:
    """Segment of the shopper: the request's, else by the history that it sends; None if it sends neither."""
    if request.segment is not UNSET:
        return request.segment
    if request.history is UNSET:
        return None
    return segment_of(
        request.history,
        goal=assortment.behaviours[-1],
        now_ms=now_ms_of(request),
        bounds=assortment.loaded.policy.segment_bounds,
        price_of=assortment.stockroom.price,
    )


def known_placement(
    assortment: Assortment | None, request: RecommendRequest, segment: SegmentName | None
) -> PlacementPolicy:
    """Policy of the placement that a request names, for a segment.

    Raises:
        FieldError: the policy has no such placement, or the server has no policy.
    """
    name = request.placement
    assert name is not UNSET
    if assortment is None:
        sentence = (
            f"placement must be left out, as the server has no policy; got {shown(name)}. Placements come with "
            "python -m serving --policy FILE, or in the bundle by training.export policy=FILE"
        )
        raise FieldError("placement", sentence, allowed="nothing: the server has no policy")
    policy = assortment.loaded.policy.of(segment)
    found = policy.placements.get(name)
    if found is None:
        names = sorted(policy.placements)
        raise FieldError.of_value("placement", name, allowed=f"one of {', '.join(names)}", choices=names)
    return found


def index_placement(
    assortment: Assortment,
    request: RecommendRequest,
    *,
    session: tuple[Sequence[int], Sequence[int], Sequence[int]],
    excluded: frozenset[int],
    ask: int,
    segment: SegmentName | None,
    unknown: dict[str, None],
) -> IndexedPlacement:
    """Translate a request for the policy; its placement must be a :func:`known_placement`.

    Args:
        segment: of the shopper, as :func:`segment_in` says.
        session: item indices (-1 if unknown to the facts), behaviours and timestamps of its events.
        unknown: receives the item ids unknown to the facts.
    """
    facts = assortment.facts

    def numbers(ids: Iterable[str]) -> list[int]:
        found = []
        for item_id in ids:
            number = facts.index_of.get(item_id)
            if number is None:
                unknown[item_id] = None
            else:
                found.append(number)
        return found

    items, behaviours, times = session
    if min(items, default=0) < 0:
        known = [place for place, item in enumerate(items) if item >= 0]
        items, behaviours, times = ([column[place] for place in known] for column in session)
    kinds = [assortment.kinds[behaviour] for behaviour in behaviours]
    now_ms = now_ms_of(request)
    host = numbers([request.host]) if request.host is not UNSET else []
    cart: list[int] = []
    if request.cart is UNSET:
        cart = cart_of_session(items, behaviours, kinds, assortment.cart_behaviour)
    else:
        for line in request.cart:
            cart += numbers((line.item_id,)) * min(line.quantity or 1, PIECES_COUNTED)
    placed = PlacementRequest(
        placement=str(request.placement),
        now_ms=now_ms,
        k=None if request.k is UNSET else request.k,
        session_L=np.array(items, np.int64),
        kinds_L=np.array(kinds, np.int64),
        times_L=np.array(times, np.int64),
        cart_M=np.array(cart, np.int64),
        segment=segment,
        age=None if request.age is UNSET else request.age,
        impressions=_impressions(request.impressions or (), now_ms, facts.index_of),
        dismissed=tuple(
            _dismissed(row, number, now_ms, facts.index_of) for number, row in enumerate(request.dismissed or ())
        ),
        moment=None if request.moment is UNSET else request.moment,
        excluded=excluded,
        hide_seen=request.hide_seen is True,
        host=host[0] if host else None,
        scene=tuple(numbers(request.scene or ())),
        explain=request.explain is True,
        language="en" if request.language is UNSET else request.language,
        among=_among(assortment, request, numbers),
        boosts=tuple((assortment.stockroom.among(boost.where), boost.factor) for boost in request.boosts or ()),
    )
    prepared = prepare(assortment.loaded.policy, placed, facts)
    return IndexedPlacement(assortment, prepared, ask, assortment.proposer.eligible(prepared.rulebook))


def now_ms_of(request: RecommendRequest) -> int:
    """When a request is made: what it says, else now; UTC milliseconds."""
    return int(time.time() * 1000) if request.timestamp is UNSET else request.timestamp


def _among(
    assortment: Assortment, request: RecommendRequest, numbers: Callable[[Iterable[str]], list[int]]
) -> Among | None:
    """The only items that a request allows: its candidates, and what meets its filter; None for all."""
    among = None if request.filter is UNSET else assortment.stockroom.among(request.filter)
    return among if request.candidates is UNSET else Among.of(numbers(request.candidates)).also(among)


def cart_of_session(items: Sequence[int], behaviours: Sequence[int], kinds: Sequence[int], cart: int) -> list[int]:
    """Cart inferred from session events: items added and not purchased since, unique, latest last."""
    found: dict[int, None] = {}
    for item, behaviour, kind in zip(items, behaviours, kinds, strict=True):
        if behaviour == cart or kind == GOAL:
            found.pop(item, None)
        if behaviour == cart:
            found[item] = None
    return list(found)


def _impressions(
    rows: Sequence[messages.Impression], now_ms: int, index_of: Mapping[str, int]
) -> dict[int, tuple[int, int]]:
    """Impression count and latest timestamp by item; rows of the same item add up, unknown items are ignored."""
    found: dict[int, tuple[int, int]] = {}
    for row in rows:
        number = index_of.get(row.item_id)
        if number is not None:
            own = (row.count or 1, now_ms if row.timestamp is UNSET else row.timestamp)
            before = found.get(number)
            found[number] = own if before is None else (before[0] + own[0], max(before[1], own[1]))
    return found


def _dismissed(row: messages.Dismissal, number: int, now_ms: int, index_of: Mapping[str, int]) -> Dismissed:
    """A dismissal in item numbers; an unknown item dismisses nothing.

    Raises:
        FieldError: it does not name one thing.
    """
    named = [name for name in ("item_id", "category", "placement") if getattr(row, name) is not UNSET]
    if len(named) != 1:
        allowed, got = "exactly one of item_id, category, placement", " and ".join(named) or "none of them"
        raise FieldError(f"dismissed[{number}]", f"dismissed[{number}] must name {allowed}, got {got}", allowed=allowed)
    return Dismissed(
        time_ms=now_ms if row.timestamp is UNSET else row.timestamp,
        item=None if row.item_id is UNSET else index_of.get(row.item_id),
        category=row.category or None,
        placement=row.placement or None,
    )
