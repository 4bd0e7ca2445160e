"""Structured logs: one JSON object a line on stderr, written by a thread, so that a blocked pipe cannot stop an answer.

Ordinary requests are sampled; every kind of error and degradation is logged, at a bounded rate, with the number of
lines left out. A line has no place for item ids, shoppers or bodies: of an exception, its type and where it was raised.
"""

import contextlib
import datetime
import json
import logging
import queue
import random
import re
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from typing import Any, Final, TextIO

LINES_WAITING: Final = 10_000
"""Lines that wait for a slow reader of stderr; more are dropped, and a line says how many were."""
FLUSH_SECONDS: Final = 1.0
KINDS: Final = 256
"""Different kinds of request lines that are rate-limited apart from one another; more share one limit."""
IN_THE_REQUEST: Final = frozenset({"empty_session", "unknown_items"})
"""Reasons of a degraded answer that tell of the request, not of the server: such a request is an ordinary one."""
SANE_ID: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")
FIELDS: Final = "tillside_fields"
"""The attribute of a log record that holds the line's own fields."""


def request_id(header: str | None) -> str:
    """The id a request is logged under: ``x-request-id`` if it is sane, 1 to 64 of ``A-Za-z0-9._-``, else a new one."""
    if header is not None and SANE_ID.fullmatch(header):
        return header
    return f"{random.getrandbits(128):032x}"  # uuid4 takes ten times as long


def log_event(log: logging.Logger, level: int, event: str, **fields: object) -> None:
    """Log ``event`` with its fields, as members of the JSON object."""
    log.log(level, "%s", event, extra={FIELDS: fields})


class JsonFormatter(logging.Formatter):
    """A record as one line of JSON; a record of :func:`log_event` has an event and fields, any other a message."""

    def format(self, record: logging.LogRecord) -> str:
        """The line, without its end."""
        time_ = datetime.datetime.fromtimestamp(record.created, datetime.UTC)
        line: dict[str, Any] = {
            "time": f"{time_:%Y-%m-%dT%H:%M:%S}.{time_.microsecond // 1000:03d}Z",
            "level": record.levelname.lower(),
            "logger": record.name,
        }
        fields = getattr(record, FIELDS, None)
        if fields is None:
            line |= {"event": "message", "message": record.getMessage()}
        else:
            line |= {"event": record.getMessage(), **fields}
        if record.exc_info and record.exc_info[1] is not None:
            error = record.exc_info[1]
            line["error"] = type(error).__name__
            line["place"] = [f"{frame.filename}:{frame.lineno}" for frame in traceback.extract_tb(error.__traceback__)]
        return json.dumps(line, default=str, ensure_ascii=False, separators=(",", ":"))


class ThreadedHandler(logging.Handler):
    """Formats where it is called and writes in a thread; never waits, and drops lines rather than memory.

    Args:
        waiting: lines that may wait to be written.
    """

    def __init__(self, stream: TextIO, *, waiting: int = LINES_WAITING) -> None:
        super().__init__()
        self._stream = stream
        self._lines: queue.Queue[str | None] = queue.Queue(waiting)
        self._dropped = 0
        self._thread = threading.Thread(target=self._write, name="logs", daemon=True)
        self._thread.start()

    def emit(self, record: logging.LogRecord) -> None:
        """Hand the line over, or count it as dropped."""
        try:
            if self._dropped:
                fields = {"name": record.name, "levelname": "WARNING", "msg": "lines_dropped"}
                dropped = logging.makeLogRecord({**fields, FIELDS: {"lines": self._dropped}})
                self._lines.put_nowait(self.format(dropped))
                self._dropped = 0
            self._lines.put_nowait(self.format(record))
        except queue.Full:
            self._dropped += 1
        except Exception:
            self.handleError(record)

    def close(self) -> None:
        """Write what waits, for a second at most: a reader that is stuck does not keep the process from ending."""
        with contextlib.suppress(queue.Full):
            self._lines.put(None, timeout=FLUSH_SECONDS)
        self._thread.join(FLUSH_SECONDS)
        super().close()

    def _write(self) -> None:
        while (line := self._lines.get()) is not None:
            with contextlib.suppress(OSError, ValueError):  # a closed stderr; there is nobody to tell
                self._stream.write(line + "\n")
                self._stream.flush()


@contextlib.contextmanager
def json_logs(*, level: int = logging.INFO, stream: TextIO | None = None) -> Iterator[None]:
    """While it is open, everything logged goes to ``stream`` (stderr) as JSON; what waits is written at the end."""
    root = logging.getLogger()
    handler = ThreadedHandler(stream or sys.stderr)
    handler.setFormatter(JsonFormatter())
    before = root.level
    root.addHandler(handler)
    root.setLevel(level)
    try:
        yield
    finally:
        root.removeHandler(handler)
        root.setLevel(before)
        handler.close()


class RequestLog:
    """A line for a request, if it is its turn. For one thread, the event loop's.

    Args:
        sample: share of the ordinary requests that are logged, from 0 to 1.
        per_second: lines a second of each kind of error or degradation, and as many at once.
        clock: monotonic seconds.
        draw: uniform in [0, 1).

    Raises:
        ValueError: ``sample`` is not a share, or ``per_second`` is not positive.
    """

    def __init__(
        self,
        log: logging.Logger,
        *,
        sample: float = 0.0,
        per_second: float = 5.0,
        clock: Callable[[], float] = time.monotonic,
        draw: Callable[[], float] = random.random,
    ) -> None:
        if not 0 <= sample <= 1:
            raise ValueError(f"sample must be a share from 0 to 1, got {sample}")
        if not per_second > 0:
            raise ValueError(f"per_second must be positive, got {per_second}")
        self._log = log
        self._sample = sample
        self._per_second = per_second
        self._clock = clock
        self._draw = draw
        self._buckets: dict[tuple[int, str], _Bucket] = {}

    def request(
        self,
        *,
        request_id: str,
        status: int,
        milliseconds: float,
        recommendation_id: str | None = None,
        tier: str | None = None,
        reason: str | None = None,
    ) -> None:
        """One request that ended: an error from 500, a warning from 400 or with a reason of the server's."""
        fields: dict[str, object] = {}
        if status < 400 and (not reason or reason in IN_THE_REQUEST):
            if self._draw() >= self._sample:
                return
            level = logging.INFO
        else:
            level = logging.ERROR if status >= 500 else logging.WARNING
            kind = (status, reason or "")
            if kind not in self._buckets and len(self._buckets) >= KINDS:
                kind = (0, "")
            bucket = self._buckets.setdefault(kind, _Bucket(max(self._per_second, 1.0), self._clock()))
            if not bucket.take(self._clock(), per_second=self._per_second):
                return
            if bucket.left_out:
                fields["left_out"], bucket.left_out = bucket.left_out, 0
        known = {"recommendation_id": recommendation_id, "tier": tier, "reason": reason}
        log_event(
            self._log,
            level,
            "request",
            request_id=request_id,
            status=status,
            milliseconds=round(milliseconds, 3),
            **{name: value for name, value in known.items() if value is not None},
            **fields,
        )


class _Bucket:
    """Lines that one kind may still write, refilled by the clock."""

    def __init__(self, most: float, now: float) -> None:
        self._most = self._left = most
        self._at = now
        self.left_out = 0

    def take(self, now: float, *, per_second: float) -> bool:
        self._left = min(self._most, self._left + (now - self._at) * per_second)
        self._at = now
        if self._left < 1:
            self.left_out += 1
            return False
        self._left -= 1
        return True


def log_bug(error: Exception) -> None:
    """Log where a bug is; not its message, which may hold item ids."""
    place = "".join(traceback.format_list(traceback.extract_tb(error.__traceback__)))
    logging.getLogger("serving").error("request failed with %s at\n%s", type(error).__name__, place)
