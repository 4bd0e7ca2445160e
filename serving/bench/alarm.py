"""Timer with microsecond resolution: event loops round theirs up to whole milliseconds, as long as the latencies to be
measured."""

import asyncio
import ctypes
import os
import sys
import time
from collections.abc import Callable

CLOCK_MONOTONIC, TFD_TIMER_ABSTIME = 1, 1


class _Spec(ctypes.Structure):
    """``struct itimerspec``: interval, then expiry time, each in seconds and nanoseconds."""

    _fields_ = tuple((name, ctypes.c_long) for name in ("interval_s", "interval_ns", "value_s", "value_ns"))


class Alarm:
    """One-shot timer that calls back once per :meth:`ring_at`: a timerfd on Linux, elsewhere the event loop's timer."""

    def __init__(self, callback: Callable[[], None]) -> None:
        self._loop = asyncio.get_running_loop()
        self._callback = callback
        self._handle: asyncio.TimerHandle | None = None
        self._file = -1
        if sys.platform == "linux":
            self._libc = ctypes.CDLL(None, use_errno=True)
            self._file = self._libc.timerfd_create(CLOCK_MONOTONIC, os.O_NONBLOCK | os.O_CLOEXEC)
        if self._file >= 0:
            self._loop.add_reader(self._file, self._ring)

    def ring_at(self, moment: float) -> None:
        """Fire at ``moment`` of ``time.monotonic()``, at once if it has passed; replaces a pending alarm."""
        if self._file < 0:
            if self._handle is not None:
                self._handle.cancel()
            self._handle = self._loop.call_later(max(0.0, moment - time.monotonic()), self._callback)
            return
        seconds, nanoseconds = divmod(int(moment * 1e9), 1_000_000_000)
        spec = _Spec(0, 0, seconds, nanoseconds)
        self._libc.timerfd_settime(self._file, TFD_TIMER_ABSTIME, ctypes.byref(spec), None)

    def close(self) -> None:
        """Cancel a pending alarm and close the timer."""
        if self._handle is not None:
            self._handle.cancel()
        if self._file >= 0:
            self._loop.remove_reader(self._file)
            os.close(self._file)
            self._file = -1

    def _ring(self) -> None:
        try:
            os.read(self._file, 8)
        except BlockingIOError:  # rearmed after it expired
            return
        self._callback()
