"""The latest visit of each shopper, in memory and bounded: so many shoppers, so many events of each, so long.

One thread writes, others read. Shoppers lie in the order of their latest event, so that whoever has been silent
longest makes room, and those whose visit has ended are found first. They are known by a digest of their key.

Surprising: what must be forgotten must not come back, however late its events are read. So an order to forget stands
until the log can no longer hold anything that it means; where there are too many such orders, the oldest become one for
all shoppers.
"""

import sys
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Callable, Collection, Sequence
from operator import attrgetter
from typing import Final

import msgspec
from msgspec import Struct

from serving.feedback.shoppers.limits import VisitLimits
from serving.protocol.messages import Event
from tillside.feedback.events import CART, CLICK, DISMISS, IMPRESSION, PURCHASE, RETURN
from tillside.feedback.forgetting import Order, digest_of

NO_BEHAVIOUR: Final = frozenset({IMPRESSION, RETURN, DISMISS})
"""Kinds that are no behaviour of a session, as for training."""
REMOVE: Final = "remove"
"""Takes an item out of the cart."""
AT_LEAST: Final = (CLICK, CART)
"""Kinds that say at least that an item was looked at."""
MOST_ORDERS: Final = 200_000


class KeptLine(Struct, gc=False):
    """The item of an order's line."""

    item: str


class KeptEvent(Struct, gc=False):
    """What a visit needs of an event that the collector kept."""

    kind: str
    time: int
    received: int = 0
    shopper: str | None = None
    item: str | None = None
    lines: list[KeptLine] | None = None
    consent: bool | None = None


decode_kept: Final[Callable[[bytes], KeptEvent]] = msgspec.json.Decoder(KeptEvent).decode


class _Visit(Struct, gc=False):
    """One shopper's.

    Attributes:
        received: when the latest event was received, UTC milliseconds.
    """

    events: list[Event]
    received: int


class Visits:
    """Latest visits by digest of the shopper's key.

    Attributes:
        events: of all shoppers.
        made_room: shoppers who were forgotten because there were too many.
        forgotten: shoppers who were forgotten because they, or a withdrawn consent, asked for it.
    """

    def __init__(self, limits: VisitLimits) -> None:
        self._limits = limits
        self._gap_ms = limits.gap_minutes * 60_000
        self._visits: OrderedDict[bytes, _Visit] = OrderedDict()
        self._orders: OrderedDict[bytes, int] = OrderedDict()
        self._floor = -1
        self.events = self.made_room = self.forgotten = 0

    def __len__(self) -> int:
        return len(self._visits)

    def find(self, digest: bytes, *, now_ms: int) -> list[Event] | None:
        """Events of the shopper's visit, oldest first, with their kinds as behaviours; None if there is none."""
        visit = self._visits.get(digest)
        if visit is None or now_ms - visit.received > self._gap_ms:
            return None
        return visit.events[:] or None

    def add(self, kept: KeptEvent) -> None:
        """Add an event to its shopper's visit, if it belongs to one."""
        received = kept.received or kept.time
        if kept.shopper is None or not belongs(kept, gap_ms=self._gap_ms):
            return
        digest = digest_of(kept.shopper)
        if received <= self._floor or (self._orders and received <= self._orders.get(digest, -1)):
            return
        visit = self._visits.get(digest)
        if visit is not None and kept.time - _time(visit.events[-1]) > self._gap_ms:
            self._remove(digest)
            visit = None
        if kept.kind == REMOVE:
            if visit is not None:
                self._take_out(digest, visit, kept.item)
            return
        new = events_of(kept)
        if not new:
            return
        if visit is None:
            self._visits[digest] = visit = _Visit([], received)
        before = len(visit.events)
        for event in new:
            _insert(visit.events, event)
        del visit.events[: -self._limits.events]
        self.events += len(visit.events) - before
        visit.received = max(received, visit.received)
        self._visits.move_to_end(digest)
        while len(self._visits) > self._limits.shoppers:
            self._remove(next(iter(self._visits)))
            self.made_room += 1

    def forget(self, order: Order) -> int:
        """Forget a shopper up to the order's time; returns how many events went."""
        went = 0
        for key in order.keys:
            digest = bytes.fromhex(key)
            if self._orders.get(digest, -1) >= order.time:
                continue
            self._orders[digest] = order.time
            self._orders.move_to_end(digest)
            visit = self._visits.get(digest)
            if visit is not None:
                went += self._remove(digest)
                self.forgotten += 1
        while len(self._orders) > MOST_ORDERS:
            _, time = self._orders.popitem(last=False)
            self._floor = max(self._floor, time)
        return went

    def expire(self, *, now_ms: int, orders_before_ms: int) -> None:
        """Let go of visits that have ended, and of orders from before a time, from which on alone events are added."""
        self._floor = max(self._floor, orders_before_ms)
        while self._visits:
            digest, visit = next(iter(self._visits.items()))
            if now_ms - visit.received <= self._gap_ms:
                break
            self._remove(digest)
        while self._orders and next(iter(self._orders.values())) < orders_before_ms:
            self._orders.popitem(last=False)

    def settle(self) -> None:
        """Nothing: all is done at once."""

    def _remove(self, digest: bytes) -> int:
        visit = self._visits.pop(digest)
        self.events -= len(visit.events)
        return len(visit.events)

    def _take_out(self, digest: bytes, visit: _Visit, item: str | None) -> None:
        left = taken_out(visit.events, item)
        self.events -= len(visit.events) - len(left)
        visit.events = left
        if not left:
            self._remove(digest)


def in_words_of(events: list[Event], behaviours: Collection[str]) -> list[Event]:
    """Events with behaviours of a bundle: of kinds that it lacks a purchase is its goal, a click or a cart its first
    behaviour, and others are left out.

    Args:
        behaviours: the bundle's, the goal last.
    """
    if all(event.behaviour in behaviours for event in events):
        return events
    first, *_, goal = [*behaviours, *behaviours]
    instead = dict.fromkeys(AT_LEAST, first) | {PURCHASE: goal}
    found = []
    for event in events:
        name = event.behaviour if event.behaviour in behaviours else instead.get(str(event.behaviour))
        if name is not None:
            found.append(Event(event.item_id, name, event.timestamp))
    return found


def belongs(kept: KeptEvent, *, gap_ms: int) -> bool:
    """Whether an event is part of a visit: a behaviour, with consent, and not sent long after it happened."""
    if kept.consent is False or kept.kind in NO_BEHAVIOUR:
        return False
    return not kept.received or abs(kept.received - kept.time) <= gap_ms


def events_of(kept: KeptEvent) -> list[Event]:
    """Events of a visit that an event of the log is: one, or one for each line of an order."""
    kind = sys.intern(kept.kind)
    if kept.kind == PURCHASE:
        return [Event(sys.intern(line.item), kind, kept.time) for line in kept.lines or ()]
    return [] if kept.item is None else [Event(sys.intern(kept.item), kind, kept.time)]


def latest_visit(events: Sequence[Event], *, gap_ms: int) -> list[Event]:
    """Of events by time those after the last gap, without what was taken out of the cart."""
    visit: list[Event] = []
    for event in events:
        if visit and _time(event) - _time(visit[-1]) > gap_ms:
            visit = []
        visit.append(event)
    found: list[Event] = []
    for event in visit:
        if event.behaviour == REMOVE:
            found = taken_out(found, event.item_id)
        else:
            found.append(event)
    return found


def taken_out(events: Sequence[Event], item: str | None) -> list[Event]:
    """The events without those that put an item into the cart."""
    return [event for event in events if event.item_id != item or event.behaviour != CART]


def _insert(events: list[Event], event: Event) -> None:
    """Put an event at its time; one that is there already, as after a failure of the disk, is not put again."""
    if events and _time(event) <= _time(events[-1]):
        if event not in events:
            events.insert(bisect_right(events, _time(event), key=_time), event)
    else:
        events.append(event)


_time: Final[Callable[[Event], int]] = attrgetter("timestamp")
