"""The thread that follows the log of events, and the orders to forget, into the visits of shoppers.

It reads a few records at a time and lets go of the interpreter between them: it would else hold up an answer for so
long. At its start it reads the log back for several visits' time, the orders first.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final, Protocol

import msgspec
from prometheus_client import CollectorRegistry, Counter

from serving.feedback.shoppers.visits import KeptEvent, decode_kept
from serving.telemetry.logs import log_bug
from tillside.feedback.following import FolderTail
from tillside.feedback.forgetting import FORGOTTEN, WITHDRAWN, Order, decode_order
from tillside.feedback.segments import EVENTS

log = logging.getLogger("serving")

TICK_SECONDS: Final = 0.25
"""Time between two looks at the log: how late an event may be."""
AT_ONCE: Final = 8
"""Records that are read before the interpreter is let go of."""
VISITS_BACK: Final = 2
"""The log is read back for so many visits' time: one that has gone on for longer begins later after a restart."""
STOP_SECONDS: Final = 5.0


class KeptVisits(Protocol):
    """What follows the log: visits in memory, or elsewhere."""

    def add(self, kept: KeptEvent) -> None:
        """Add an event to its shopper's visit, if it belongs to one."""

    def forget(self, order: Order) -> int:
        """Forget a shopper up to the order's time; returns how many events went."""

    def expire(self, *, now_ms: int, orders_before_ms: int) -> None:
        """Let go of visits that have ended, and of orders from before a time."""

    def settle(self) -> None:
        """Do what was put off; OSError if it still is."""


class Follower:
    """Keeps visits up to date; use it as a context manager, or call :meth:`close`.

    Args:
        feedback: folder that the collector writes; it need not be there yet.
        gap_minutes: see :class:`serving.feedback.shoppers.limits.VisitLimits`.
        registry: takes the metrics.
        clock: seconds since the epoch.

    Attributes:
        caught_up: set once the log has been read as it was at the start.
    """

    def __init__(
        self,
        visits: KeptVisits,
        feedback: Path,
        *,
        gap_minutes: int,
        registry: CollectorRegistry,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._visits = visits
        self._clock = clock
        self._back_seconds = VISITS_BACK * gap_minutes * 60
        since = clock() - self._back_seconds
        self._orders = [FolderTail(feedback / name, since=since) for name in (FORGOTTEN, WITHDRAWN)]
        self._events = FolderTail(feedback / EVENTS, since=since)
        self._lock = threading.Lock()
        self._failing = False
        self.caught_up = threading.Event()
        self._read = Counter(
            "tillside_shoppers_read", "Events of the log that were read for visits.", registry=registry
        )
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="shoppers", daemon=True)
        self._thread.start()

    def forget(self, order: Order) -> int:
        """Forget a shopper at once; returns how many events went. May be called by another thread."""
        with self._lock:
            return self._visits.forget(order)

    def close(self) -> None:
        """End the thread."""
        self._stopping.set()
        self._thread.join(STOP_SECONDS)
        for tail in (*self._orders, self._events):
            tail.close()

    def _run(self) -> None:
        while True:
            try:
                self._turn()
                self.caught_up.set()
                self._failing = False
            except OSError as error:
                if not self._failing:
                    log.error("the log of events cannot be followed: %s", error.strerror or error)
                self._failing = True
            except Exception as error:  # a bug must not end the thread
                log_bug(error)
            if self._stopping.wait(TICK_SECONDS):
                return

    def _turn(self) -> None:
        """Read what has come: orders before the events that they may mean."""
        now_ms = int(self._clock() * 1000)
        back_ms = int(self._back_seconds * 1000)
        with self._lock:
            self._visits.expire(now_ms=now_ms, orders_before_ms=now_ms - back_ms)
        for tail in self._orders:
            for record in self._slices(tail.read()):
                with self._lock:
                    self._visits.forget(decode_order(record))
        for record in self._slices(self._events.read()):
            self._read.inc()
            try:
                kept = decode_kept(record)
            except (msgspec.DecodeError, UnicodeDecodeError):
                continue
            with self._lock:
                self._visits.add(kept)
        self._visits.settle()

    def _slices(self, records: Iterator[bytes]) -> Iterator[bytes]:
        for number, record in enumerate(records, 1):
            yield record
            if number % AT_ONCE == 0:
                time.sleep(0)
                if self._stopping.is_set():
                    return
