"""Open-loop load: requests are sent when they are due, over a bounded number of connections.

When every connection is busy a request queues in the generator, and the wait counts as latency. Garbage collection is
disabled during the load, since one pass takes longer than an answer. If permitted, the process raises its own priority:
a busy server does not delay real shoppers, so it must not delay a generator on the same machine either.

Shapes: R requests of the schedule.
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
"""Niceness of the generator under load; needs root."""
CLOSING_TURNS: Final = 3
"""Event loop turns needed to close aborted connections completely."""
Connection = TypeVar("Connection")
Read = Callable[[bytes], tuple[str, str]]


class _Answer(msgspec.Struct):
    """Fields of an answer that are decoded and counted."""

    items: list[msgspec.Raw]
    tier: str
    degraded_reason: str | None = None


_decoder = msgspec.json.Decoder(_Answer)


def read_answer(body: bytes) -> tuple[str, str]:
    """Tier and degradation reason ("" for none) in a response body of ``POST /v1/recommend``.

    Raises:
        ValueError: the body is not such an answer.
    """
    answer = _decoder.decode(body)
    return answer.tier, answer.degraded_reason or ""


class Dispatcher(Generic[Connection]):
    """Assigns due requests to connections, first come first served; free of clocks and sockets.

    Args:
        free: all connections, initially idle; the one idle for longest is used first.
        send: sends a request over a connection.
    """

    def __init__(self, ledger: Ledger, free: Sequence[Connection], send: Callable[[Connection, int], None]) -> None:
        self._ledger, self._send = ledger, send
        self._free = deque(free)
        self._waiting: deque[int] = deque()
        self._due = ledger.due_R.tolist()
        self._next = 0

    def wake(self, now: float) -> float | None:
        """Take up the requests due at ``now``; returns when the next one is due, None after the last."""
        while self._next < len(self._due) and self._due[self._next] <= now:
            request, self._next = self._next, self._next + 1
            self._ledger.taken_R[request] = now
            if self._free:
                self._go(self._free.popleft(), request, now)
            else:
                self._waiting.append(request)
        return self._due[self._next] if self._next < len(self._due) else None

    def release(self, connection: Connection, now: float) -> None:
        """Mark a connection as idle, or send the next queued request over it."""
        if self._waiting:
            self._go(connection, self._waiting.popleft(), now)
        else:
            self._free.append(connection)

    def give_up(self, now: float, *, due_before: float) -> None:
        """Fail queued requests that were due before ``due_before`` with a timeout."""
        while self._waiting and self._due[self._waiting[0]] < due_before:
            self._ledger.failed(self._waiting.popleft(), at=now, error="timeout")

    def stop(self) -> None:
        """Take up no further request; queued ones are still sent."""
        self._next = len(self._due)

    @property
    def busy(self) -> bool:
        """Whether any request is still to be taken up or sent; requests in flight do not count."""
        return self._next < len(self._due) or bool(self._waiting)

    def _go(self, connection: Connection, request: int, now: float) -> None:
        self._ledger.sent_R[request] = now
        self._send(connection, request)


class Load:
    """One load against one server; runs once.

    Args:
        url: base URL of the server; paths are in the payloads.
        payloads: complete HTTP requests as bytes; request n sends payload n modulo their number.
        due_R: schedule from :func:`serving.bench.schedule.due_times`, seconds.
        connections: maximum number of connections.
        timeout: seconds after its due time at which a request fails.
        read: extracts tier and degradation reason from the body of a 200.

    Attributes:
        ledger: filled while the load runs.
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
        """Seconds since the start of the schedule."""
        return time.monotonic() - self._start

    async def run(self) -> Ledger:
        """Send all requests, wait for all responses, and return the ledger."""
        await asyncio.gather(*(slot.open() for slot in self._slots), return_exceptions=True)
        self._alarm = Alarm(self._wake)
        with _no_garbage_collection(), _first_in_line():
            self._start = time.monotonic() + HEAD_START_SECONDS  # after the garbage collection above
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
        """Take up no further request; :meth:`run` returns when the outstanding ones have ended."""
        self._dispatcher.stop()

    def answered(self, slot: Slot, request: int, status: int, body: bytes) -> None:
        """Record the response of a slot's request."""
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
        """Record the failure of a slot's request."""
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
        self._wake()  # back-up for the alarm: an exception in here ends the load instead of hanging it
        self._dispatcher.give_up(now, due_before=now - self._timeout)
        for slot in self._slots:
            if slot.request is not None and self.ledger.due_R[slot.request] < now - self._timeout:
                slot.drop("timeout")


def address_of(url: str) -> tuple[str, int]:
    """Host and port of an ``http://`` URL.

    Raises:
        ValueError: the URL has another scheme or no host.
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
