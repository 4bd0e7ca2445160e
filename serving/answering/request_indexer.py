"""Requests in the terms of one bundle: item ids to catalogue indices, behaviours to numbers, k clamped.

In a placement an item that came by feed is context too: the encoder reads vectors, so the row that its attributes make
stands where a known item's would. It is numbered behind the bundle's items there, and only there: past sessions and the
fallback tiers never see such a number.

Shapes: E events of history and session, N items that can be recommended, B behaviours, D dimensions, M cart pieces, L
events. A batch of ``tillside.encoding`` (``items_BL``, ``lengths_B``) has a single row here.
"""

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt
from msgspec import UNSET, UnsetType

from serving.answering.indexed_request import IndexedRequest
from serving.answering.scope import Scope, scope_of
from serving.policy.assortment import CART_NAME, Assortment
from serving.policy.placement_request import (
    PIECES_COUNTED,
    IndexedPlacement,
    index_placement,
    known_placement,
    segment_in,
)
from serving.policy.stockroom import Stockroom
from serving.protocol.errors import FieldError, shown
from serving.protocol.messages import DEFAULT_K, NOT_SENT, Event, RecommendRequest
from tillside.bundle import Bundle
from tillside.encoding.live import encode_session
from tillside.engine import FloatArray
from tillside.events import TIME_UNKNOWN
from tillside.policy.cold_items import ColdItems

UNKNOWN: Final = -1
LIKELY_SECONDS: Final = range(10**9, 10**10)
"""Timestamps that are days of the year 1970 in milliseconds, and the years 2001 to 2286 in seconds."""


class RequestIndexer:
    """Translates requests for one bundle.

    Raises:
        ValueError: the bundle's catalogue does not match its manifest, or holds an item id twice.
    """

    def __init__(self, bundle: Bundle) -> None:
        self._encoding = bundle.encoding
        self._items = items = len(bundle.items_ND)
        self._names = bundle.catalogue.names
        self._likely_id = bundle.catalogue.item_ids[0]
        self._behaviours = bundle.behaviours.names
        self._behaviour_index = {name: index for index, name in enumerate(self._behaviours)}
        counts_NB = bundle.catalogue.counts_NB[:items]
        if counts_NB.shape[1:] != (len(self._behaviours),):
            raise ValueError(
                f"bundle {bundle.path}: the catalogue counts {list(counts_NB.shape[1:])} behaviours, "
                f"the manifest names {len(self._behaviours)}"
            )
        self._index_of: Mapping[str, int] = {
            item_id: index for index, item_id in enumerate(bundle.catalogue.item_ids[:items])
        }
        if len(self._index_of) != items:
            raise ValueError(f"bundle {bundle.path}: the catalogue holds an item id twice")

    def index(
        self, request: RecommendRequest, assortment: Assortment | None = None, stockroom: Stockroom | None = None
    ) -> IndexedRequest:
        """Translate a request.

        Args:
            assortment: what placements are answered from; None without a policy.
            stockroom: limits what answers requests without a placement; None if nothing does.

        Raises:
            FieldError: the bundle lacks a behaviour, or the policy lacks the placement.
        """
        index_of, behaviour = self._index_of, request.behaviour
        rules, segment = None, None
        if request.placement is not UNSET:
            segment = None if assortment is None else segment_in(assortment, request)
            rules = known_placement(assortment, request, segment)
        if rules is not None and assortment is not None:
            index_of = assortment.facts.index_of
            if behaviour is UNSET:
                behaviour = rules.behaviour or self._behaviours[-1]
        unknown: dict[str, None] = {}
        items, behaviours, times = self._events("session", request.session, index_of, unknown)
        earlier = self._events("history", request.history or (), index_of, unknown)
        excluded = set()
        for item_id in request.exclude or ():
            index = index_of.get(item_id, UNKNOWN)
            if index == UNKNOWN:
                unknown[item_id] = None
            else:
                excluded.add(index)
        ask, placement = self._behaviour(behaviour), None
        if rules is not None and assortment is not None:
            placement = index_placement(
                assortment,
                request,
                session=(items, behaviours, times),
                excluded=frozenset(excluded),
                ask=ask,
                segment=segment,
                unknown=unknown,
            )
            if not items:  # a cart without a session: its lines become the session's cart events
                items = _carted(request, index_of)
                behaviours = [max(assortment.cart_behaviour, 0)] * len(items)
                times = [TIME_UNKNOWN] * len(items)
        seen_ids = frozenset([event.item_id for event in request.session])
        excluded_ids: Sequence[str] = request.exclude or ()
        if request.hide_seen is True and placement is None:  # in a placement the policy hides them
            excluded.update(index for index in items if index != UNKNOWN)
            excluded_ids = [*excluded_ids, *seen_ids]
        items_E = np.array([*earlier[0], *items], np.int64)
        if self._encoding.collapse_repeats and self._encoding.count_all:
            items_E = _told_apart(items_E, [*(request.history or ()), *request.session])
        late = None
        if placement is not None and assortment is not None and len(items_E) and int(items_E.max()) >= self._items:
            items_E, late = self._with_late(items_E, assortment.proposer.cold)
        scope = None
        if placement is None:
            if stockroom is not None:
                scope = scope_of(request, stockroom, index_of=index_of, items=self._items, unknown=unknown)
            if request.cart is not UNSET or scope is not None:
                taken = self._taken(request, fed=stockroom is not None and stockroom.fed)
                excluded.update(index_of[item_id] for item_id in taken if item_id in index_of)
                excluded_ids = [*excluded_ids, *taken]
        batch = encode_session(
            items_E,
            *(
                np.array([*before, *own], np.int64)
                for before, own in zip(earlier[1:], (behaviours, times), strict=True)
            ),
            spec=self._encoding,
            known_items=self._items + (0 if late is None else len(late[1])),
            earlier=len(earlier[0]),
        )
        hint = self._hint(times, seen_ids, unknown)
        if hint is UNSET and (scope is not None or placement is not None or request.history):
            hint = self._hint_of_new_fields(request, scope, placement)
        if placement is not None and not batch.lengths_B[0]:  # known to the feed, but nothing tells what they are like
            unknown |= dict.fromkeys(event.item_id for event in request.session)
        k = DEFAULT_K if request.k is UNSET else request.k
        if scope is not None:
            k = scope.listed or k if request.k is UNSET else k
        return IndexedRequest(
            batch=batch,
            ask=ask,
            k=k if placement is not None or scope is not None else min(k, self._items - len(excluded)),
            excluded=frozenset(excluded),
            excluded_ids=excluded_ids,
            unknown=list(unknown),
            empty=not request.session,
            seen_ids=seen_ids,
            names=request.names is True,
            hint=hint,
            placement=placement,
            scope=scope,
            late=late,
            not_sent=request.session is NOT_SENT,
        )

    def _with_late(
        self, items_E: npt.NDArray[np.int64], cold: ColdItems
    ) -> tuple[npt.NDArray[np.int64], tuple[int, FloatArray] | None]:
        """Items with those that came by feed numbered behind the bundle's (-1 without a row), and their rows."""
        late_E = items_E >= self._items
        if not len(cold):
            return np.where(late_E, UNKNOWN, items_E), None
        places_E = cold.items_A.searchsorted(items_E).clip(max=len(cold) - 1)
        found_E = cold.items_A[places_E] == items_E
        items_E = np.where(late_E, np.where(found_E, self._items + places_E, UNKNOWN), items_E)
        return items_E, (self._items, cold.rows_AD)

    def name_of(self, item_id: str) -> str | None:
        """Display name of an item; None if the catalogue does not have the item, or no name for it."""
        index = self._index_of.get(item_id)
        return None if index is None or not self._names else self._names[index] or None

    def _events(
        self, field: str, events: Sequence[Event], index_of: Mapping[str, int], unknown: dict[str, None]
    ) -> tuple[list[int], list[int], list[int]]:
        """Item indices (-1 if unknown), behaviours and timestamps; adds unknown ids to ``unknown``."""
        items, behaviours, times = [], [], []
        for number, event in enumerate(events):
            index = index_of.get(event.item_id, UNKNOWN)
            if index == UNKNOWN:
                unknown[event.item_id] = None
            items.append(index)
            behaviours.append(self._behaviour(event.behaviour, within=(field, number)))
            times.append(event.timestamp if isinstance(event.timestamp, int) else TIME_UNKNOWN)
        return items, behaviours, times

    def _taken(self, request: RecommendRequest, *, fed: bool) -> list[str]:
        """Ids of what is in the cart, and, where a feed came, of what the session bought or put into its cart."""
        goal, carted = self._behaviours[-1], CART_NAME if CART_NAME in self._behaviours[:-1] else None
        found = [line.item_id for line in request.cart or ()]
        if fed:
            inferred = (goal, carted) if request.cart is UNSET else (goal,)
            found += [event.item_id for event in request.session if event.behaviour in inferred]
        return list(dict.fromkeys(found))

    def _hint_of_new_fields(
        self, request: RecommendRequest, scope: Scope | None, placement: IndexedPlacement | None
    ) -> str | UnsetType:
        """A sentence on a filter that leaves no item, or on a history that the model passes over."""
        if scope is not None and scope.problem:
            return scope.problem
        if placement is not None and (among := placement.prepared.request.among) is not None and among.problem:
            return among.problem
        if request.history and not self._encoding.history:
            return "the model was trained without histories and passes over this one; a policy's segments still read it"
        return UNSET

    def _hint(self, times: Sequence[int], seen_ids: frozenset[str], unknown: Mapping[str, None]) -> str | UnsetType:
        """A sentence on ids of which the bundle knows none, or on a time that is in seconds."""
        if seen_ids and len(unknown) >= len(seen_ids) and seen_ids <= unknown.keys():
            return f"the bundle knows no item of the session; its ids look like {shown(self._likely_id)}"
        if times and times[-1] in LIKELY_SECONDS:
            return f"timestamps are UTC milliseconds, and {times[-1]} would be in 1970; multiply seconds by 1000"
        return UNSET

    def _behaviour(self, name: str | UnsetType, within: tuple[str, int] | None = None) -> int:
        if name is UNSET:
            return 0
        try:
            return self._behaviour_index[name]
        except KeyError:
            field = "behaviour" if within is None else f"{within[0]}[{within[1]}].behaviour"
            allowed = f"one of {', '.join(self._behaviours)}"
            raise FieldError.of_value(field, name, allowed=allowed, choices=self._behaviours) from None


def _carted(request: RecommendRequest, index_of: Mapping[str, int]) -> list[int]:
    """The cart's pieces; lines that are unknown are numbered below 0, each by itself."""
    found: list[int] = []
    for number, line in enumerate(request.cart or ()):
        found += [index_of.get(line.item_id, UNKNOWN - number)] * min(line.quantity or 1, PIECES_COUNTED)
    return found


def _told_apart(items_E: npt.NDArray[np.int64], events: Sequence[Event]) -> npt.NDArray[np.int64]:
    """The items, those that the model does not know numbered below 0 by their ids, so that a repeat is seen as one."""
    if len(items_E) != len(events):
        return items_E  # of a cart, which holds no item twice
    numbers: dict[str, int] = {}
    found = [
        index if index != UNKNOWN else UNKNOWN - numbers.setdefault(event.item_id, len(numbers))
        for index, event in zip(items_E.tolist(), events, strict=True)
    ]
    return np.array(found, np.int64)
