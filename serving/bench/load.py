"""An open-loop load: requests go out when they are due, over a bounded number of connections.

Where every connection is busy a request waits in the generator, and its clock runs. The garbage collector sleeps
meanwhile: one of its passes is longer than an answer. And where it may, the process goes before all others: a shop's
shoppers do not come later because the server is busy, and a generator on the server's machine must not either.
"""

import asyncio
import contextlib
import gc
import os
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import Final, Generic, TypeVar
from urllib.parse import urlsplit

import msgspec
import numpy as np
import numpy.typing as npt

from serving.bench.alarm import Alarm
from serving.bench.connection import Slot
from serving.bench.ledger import Ledger

SWEEP_SECONDS: Final = 0.05
HEAD_START_SECONDS: Final = 0.02
PRIORITY: Final = -15
"""Niceness of the generator under load; only root may have it."""
CLOSING_TURNS: Final = 3
"""Turns of the event loop that it takes to close the connections for good."""
Connection = TypeVar("Connection")
Read = Callable[[bytes], tuple[str, str]]


class _Answer(msgspec.Struct):
    """The fields of an answer that are counted."""

    items: list[msgspec.Raw]
    tier: str
    degraded_reason: str | None = None


_decoder = msgspec.json.Decoder(_Answer)


def read_answer(body: bytes) -> tuple[str, str]:
    """Tier and degraded reason ("" for none) of an answer of ``POST /v1/recommend``.

    Raises:
        ValueError: it is no such answer.
    """
    answer = _decoder.decode(body)
    return answer.tier, answer.degraded_reason or ""


class Dispatcher(Generic[Connection]):
    """Which request goes over which connection, and when; knows no clock and no socket.

    Args:
        free: the connections, all of them free; the one that has been free for longest is taken first.
        send: sends a request over a connection.
    """

    def __init__(self, ledger: Ledger, free: Sequence[Connection], send: Callable[[Connection, int], None]) -> None:
        self._ledger, self._send = ledger, send
        self._free = deque(free)
        self._waiting: deque[int] = deque()
        self._due = ledger.due_R.tolist()
        self._next = 0

    def wake(self, now: float) -> float | None:
        """Take up what is due at ``now``; returns when the next request is due, None after the last one."""
        while self._next < len(self._due) and self._due[self._next] <= now:
            request, self._next = self._next, self._next + 1
            self._ledger.taken_R[request] = now
            if self._free:
                self._go(self._free.popleft(), request, now)
            else:
                self._waiting.append(request)
        return self._due[self._next] if self._next < len(self._due) else None

    def release(self, connection: Connection, now: float) -> None:
        """A connection is free again."""
        if self._waiting:
            self._go(connection, self._waiting.popleft(), now)
        else:
            self._free.append(connection)

    def give_up(self, now: float, *, due_before: float) -> None:
        """Fail the waiting requests that were due before a moment."""
        while self._waiting and self._due[self._waiting[0]] < due_before:
            self._ledger.failed(self._waiting.popleft(), at=now, error="timeout")

    def stop(self) -> None:
        """Take up nothing more; what waits still goes out."""
        self._next = len(self._due)

    @property
    def busy(self) -> bool:
        """Whether requests are to come or to be sent; those under way are not known here."""
        return self._next < len(self._due) or bool(self._waiting)

    def _go(self, connection: Connection, request: int, now: float) -> None:
        self._ledger.sent_R[request] = now
        self._send(connection, request)


class Load:
    """One load against one server; to be run once.

    Args:
        url: of the server; paths are in the payloads.
        payloads: whole HTTP requests; request number n sends payload n modulo their number.
        due_R: from :func:`serving.bench.schedule.due_times`.
        connections: so many at most.
        timeout: seconds from the moment it was due after which a request is given up.
        read: tier and degraded reason of the body of a 200.

    Attributes:
        ledger: fills as the load runs.
    """

    def __init__(
        self,
        url: str,
        payloads: Sequence[bytes],
        due_R: npt.NDArray[np.float64],
        *,
        connections: int = 64,
        timeout: float = 10.0,
        read: Read = read_answer,
    ) -> None:
        host, port = address_of(url)
        self.ledger = Ledger(due_R)
        self._payloads, self._timeout, self._read = payloads, timeout, read
        self._slots = [Slot(host, port, self) for _ in range(connections)]
        self._dispatcher = Dispatcher(self.ledger, self._slots, self._send)
        self._start = 0.0

    def now(self) -> float:
        """Seconds since the first moment of the schedule."""
        return time.monotonic() - self._start

    async def run(self) -> Ledger:
        """Send everything, wait for every answer, and return the ledger."""
        await asyncio.gather(*(slot.open() for slot in self._slots), return_exceptions=True)
        self._alarm = Alarm(self._wake)
        with _no_garbage_collection(), _first_in_line():
            self._start = time.monotonic() + HEAD_START_SECONDS  # not before garbage is out of the way
            self._wake()
            try:
                while self._dispatcher.busy or any(slot.request is not None for slot in self._slots):
                    await asyncio.sleep(SWEEP_SECONDS)
                    self._sweep()
            finally:
                self._alarm.close()
                for slot in self._slots:
                    slot.drop()
                for _ in range(CLOSING_TURNS):
                    await asyncio.sleep(0)
        return self.ledger

    def stop(self) -> None:
        """Take up no further request; :meth:`run` returns when those under way have ended."""
        self._dispatcher.stop()

    def answered(self, slot: Slot, request: int, status: int, body: bytes) -> None:
        """A slot's request has its answer."""
        now, tier, reason, error = self.now(), "", "", ""
        if status == 200:
            try:
                tier, reason = self._read(body)
            except ValueError:
                error = "invalid-answer"
        if error:
            self.ledger.failed(request, at=now, error=error, status=status)
        else:
            self.ledger.answered(request, at=now, status=status, tier=tier, reason=reason)
        self._dispatcher.release(slot, now)

    def failed(self, slot: Slot, request: int, error: str) -> None:
        """A slot's request will have none."""
        now = self.now()
        self.ledger.failed(request, at=now, error=error)
        self._dispatcher.release(slot, now)

    def _send(self, slot: Slot, request: int) -> None:
        slot.send(request, self._payloads[request % len(self._payloads)])

    def _wake(self) -> None:
        following = self._dispatcher.wake(self.now())
        if following is not None:
            self._alarm.ring_at(self._start + following)

    def _sweep(self) -> None:
        now = self.now()
        self._wake()  # what the alarm should have done; an error ends the load instead of hanging it
        self._dispatcher.give_up(now, due_before=now - self._timeout)
        for slot in self._slots:
            if slot.request is not None and self.ledger.due_R[slot.request] < now - self._timeout:
                slot.drop("timeout")


def address_of(url: str) -> tuple[str, int]:
    """Host and port of an ``http://`` URL.

    Raises:
        ValueError: it is no such URL.
    """
    parts = urlsplit(url)
    if parts.scheme != "http" or not parts.hostname:
        raise ValueError(f"url must be http://HOST:PORT, got {url!r}")
    return parts.hostname, parts.port or 80


@contextlib.contextmanager
def _no_garbage_collection() -> Iterator[None]:
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


@contextlib.contextmanager
def _first_in_line() -> Iterator[None]:
    before = os.getpriority(os.PRIO_PROCESS, 0)
    with contextlib.suppress(PermissionError):
        os.setpriority(os.PRIO_PROCESS, 0, PRIORITY)
    try:
        yield
    finally:
        os.setpriority(os.PRIO_PROCESS, 0, before)
