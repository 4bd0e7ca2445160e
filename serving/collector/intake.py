"""Intake: events are told apart from those that were seen, kept in groups, and answered once they are durable.

While one group is being synced the next gathers, so that a sync serves all that came during it (group commit). Ids are
looked up as a group begins, one group at a time: an event is never a duplicate of one that is not durable.
"""

import asyncio
import functools
import logging
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Final

from msgspec import structs

from serving.collector.seen import SeenIds, id_of, mark_of
from serving.collector.stores import Store
from serving.telemetry.logs import log_bug
from tillside.feedback.events import Event, encode_event
from tillside.feedback.forgetting import Order, digest_of, encode_order
from tillside.feedback.subjects import hashed

log = logging.getLogger("serving")

WAITING: Final = 50_000
"""Events that wait for a sync at most; those that come then are to be sent again."""
GROUP: Final = 4_000
"""Events of one group at most, which bounds how long the look-up holds up what arrives."""
REMEMBERED: Final = 1 << 14
"""Keys whose hash is remembered."""
MOST_WITHDRAWN: Final = 1 << 16
"""Shoppers of whom is known that their withdrawn consent was told."""


class FullError(Exception):
    """So many events wait that no more are taken for now."""


@dataclass(slots=True)
class Tally:
    """What became of a batch.

    Attributes:
        conflicts: numbers of the events of which another payload was seen before.
    """

    accepted: int = 0
    duplicates: int = 0
    conflicts: list[int] = field(default_factory=list)


@dataclass(slots=True)
class _Waiting:
    events: Sequence[Event]
    source: str | None
    done: asyncio.Future[Tally]
    tally: Tally = field(default_factory=Tally)


@dataclass(slots=True)
class _Group:
    """What one sync makes durable."""

    waiting: list[_Waiting]
    events: list[bytes] = field(default_factory=list)
    ids: list[tuple[bytes, int]] = field(default_factory=list)
    conflicts: list[bytes] = field(default_factory=list)
    withdrawn: list[str] = field(default_factory=list)


class Intake:
    """Takes events. :meth:`run` must run beside.

    Args:
        salt: hashes the keys of shoppers and sessions; None keeps them as they came.
        clock: seconds since the epoch.
    """

    def __init__(
        self,
        store: Store,
        seen: SeenIds,
        *,
        salt: bytes | None,
        most: int = WAITING,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._store = store
        self._seen = seen
        self._hashed = None if salt is None else functools.lru_cache(REMEMBERED)(functools.partial(hashed, salt=salt))
        self._most = most
        self._clock = clock
        self._waiting: list[_Waiting] = []
        self._count = 0
        self._ending = self._due = False
        self._withdrawn: dict[str, None] = {}
        self._some = asyncio.Event()
        self._disk = ThreadPoolExecutor(1, "events")
        self._settler = ThreadPoolExecutor(1, "seen")

    @property
    def waiting(self) -> int:
        """Number of events that wait for a sync."""
        return self._count

    async def take(self, events: Sequence[Event], source: str | None) -> Tally:
        """Keep events; returns when they are durable.

        Raises:
            FullError: too many wait; nothing was taken.
            OSError: they could not be kept.
        """
        if self._count and self._count + len(events) > self._most:  # alone any is taken: it would come again for ever
            raise FullError
        own = _Waiting(events, source, asyncio.get_running_loop().create_future())
        self._waiting.append(own)
        self._count += len(events)
        self._some.set()
        return await own.done

    async def run(self) -> None:
        """Keep what comes, group by group, until :meth:`end`."""
        while not self._ending or self._waiting:
            await self._some.wait()
            if self._due:
                await self._end_segments()
            if self._waiting:
                await self._keep_next()

    def end_segments(self) -> None:
        """Let :meth:`run` end the segments that are written, so that an order to forget can reach them."""
        self._due = True
        self._some.set()

    async def _end_segments(self) -> None:
        self._due = False
        if not self._waiting and not self._ending:
            self._some.clear()
        try:
            await self._roll(always=True)
            await self._in_thread(self._store.end_conflicts)
        except OSError as error:  # the next order, or the next start, ends them
            log.error("segments cannot be ended: %s", error.strerror or error)

    def end(self) -> None:
        """Let :meth:`run` keep what waits and return."""
        self._ending = True
        self._some.set()

    def close(self) -> None:
        """End the threads and the store."""
        self._disk.shutdown()
        self._settler.shutdown()
        self._store.close()

    async def _keep_next(self) -> None:
        group = _Group(self._next())
        try:
            await self._roll()
            received = int(self._clock() * 1000)
            self._tell_apart(group, received)
            if group.events or group.conflicts or group.withdrawn:
                orders = [encode_order(Order([digest_of(key).hex()], received)) for key in group.withdrawn]
                await self._in_thread(self._store.keep, group.events, group.ids, group.conflicts, orders)
        except Exception as error:
            for key in group.withdrawn:
                self._withdrawn.pop(key, None)
            self._seen.forget(key for key, _ in group.ids)
            if not isinstance(error, OSError):
                log_bug(error)
                error = OSError("the events could not be kept")
            for each in group.waiting:
                if not each.done.done():
                    each.done.set_exception(error)
            return
        for each in group.waiting:
            if not each.done.done():
                each.done.set_result(each.tally)

    def _next(self) -> list[_Waiting]:
        """The batches of the next group, from the first that waits on."""
        size = number = 0
        for number, each in enumerate(self._waiting):
            size += len(each.events)
            if size > GROUP and number:
                size -= len(each.events)
                break
        else:
            number = len(self._waiting)
        taken, self._waiting = self._waiting[:number], self._waiting[number:]
        self._count -= size
        if not self._waiting and not self._ending:
            self._some.clear()
        return taken

    async def _roll(self, *, always: bool = False) -> None:
        """Let the next segment begin where this one is full, and a run be made of its ids."""
        path = self._store.ids.path
        if path is not None and (always or self._store.ids.full):
            await self._in_thread(self._store.ids.close)
            self._seen.seal(path.name)
            self._settler.submit(self._settle)

    def _settle(self) -> None:
        try:
            self._seen.settle()
        except Exception as error:  # they stay in memory, and the next segment tries again
            log_bug(error)

    def _tell_apart(self, group: _Group, received: int) -> None:
        """Sort the events of a group: new ones, duplicates and conflicts."""
        flat = [event for each in group.waiting for event in each.events]
        if self._hashed is not None or self._withdrawn or any(event.consent is False for event in flat):
            flat = [self._private(event, group) for event in flat]
        payloads = list(map(encode_event, flat))
        keys = [id_of(event.event_id) for event in flat]
        marks = list(map(mark_of, payloads))
        known = self._seen.take(keys, marks)
        group.ids = [each for each, before in zip(zip(keys, marks, strict=True), known, strict=True) if before is None]
        begin = 0
        for each in group.waiting:
            source = b"" if each.source is None else b',"source":"%s"' % each.source.encode()
            tail = b',"received":%d%s}' % (received, source)
            untimed = b',"time":%d,"untimed":true%s' % (received, tail)
            own = slice(begin, begin + len(each.events))
            begin = own.stop
            before = known[own]
            kept = [
                payload[:-1] + (tail if event.time else untimed)
                for payload, event in zip(payloads[own], flat[own], strict=True)
            ]
            if before.count(None) == len(before):
                group.events += kept
                each.tally.accepted = len(kept)
            else:
                self._sort_out(group, each.tally, kept, before, marks[own])

    def _sort_out(
        self, group: _Group, tally: Tally, kept: Sequence[bytes], before: Sequence[int | None], marks: Sequence[int]
    ) -> None:
        """Of a batch that holds ids that were seen: ``before`` are the marks that they had."""
        for number, (record, mark, earlier) in enumerate(zip(kept, marks, before, strict=True)):
            if earlier is None:
                group.events.append(record)
                tally.accepted += 1
            elif earlier == mark:
                tally.duplicates += 1
            else:
                group.conflicts.append(record)
                tally.conflicts.append(number)

    def _private(self, event: Event, group: _Group) -> Event:
        """The event as it may be kept: keys hashed, and none of a shopper who does not consent."""
        shopper = event.shopper
        if shopper is not None:
            shopper = shopper if self._hashed is None else self._hashed(shopper)
            if event.consent is False:
                self._note_withdrawn(shopper, group)
            elif self._withdrawn:
                self._withdrawn.pop(shopper, None)  # a consent that is withdrawn again is told again
        if event.consent is False:
            return structs.replace(event, shopper=None, session=None)
        if self._hashed is None or (shopper is None and event.session is None):
            return event
        session = None if event.session is None else self._hashed(event.session)
        return structs.replace(event, shopper=shopper, session=session)

    def _note_withdrawn(self, shopper: str, group: _Group) -> None:
        if shopper not in self._withdrawn:
            group.withdrawn.append(shopper)
            self._withdrawn[shopper] = None
            if len(self._withdrawn) > MOST_WITHDRAWN:
                del self._withdrawn[next(iter(self._withdrawn))]

    async def _in_thread(self, work: Callable[..., None], *arguments: object) -> None:
        await asyncio.get_running_loop().run_in_executor(self._disk, work, *arguments)
