"""Structured logs: one JSON object per line on stderr, written by a thread, so a blocked pipe cannot delay answers.

Ordinary requests are sampled; errors and degraded answers are logged with a rate limit per kind and a count of
suppressed lines. Lines never hold item ids, shoppers or bodies: of an exception, only its type and traceback location.
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

from tillside.cli.secrets import without_secrets

LINES_WAITING: Final = 10_000
"""Queue capacity for a slow reader of stderr; further lines are dropped and counted in a later line."""
FLUSH_SECONDS: Final = 1.0
KINDS: Final = 256
"""Kinds of request lines with a rate limit of their own; further kinds share one."""
IN_THE_REQUEST: Final = frozenset({"empty_session", "unknown_items"})
"""Degradation reasons caused by the request, not the server; such requests are logged as ordinary ones."""
SANE_ID: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")
FIELDS: Final = "tillside_fields"
"""Attribute of a log record that holds the line's additional fields."""


def request_id(header: str | None) -> str:
    """Request id for the log: the ``x-request-id`` header if it is 1 to 64 of ``A-Za-z0-9._-``, else a random one."""
    if header is not None and SANE_ID.fullmatch(header):
        return header
    return f"{random.getrandbits(128):032x}"  # uuid4 takes ten times as long


def log_event(log: logging.Logger, level: int, event: str, **fields: object) -> None:
    """Log ``event`` with ``fields`` as members of the JSON object."""
    log.log(level, "%s", event, extra={FIELDS: fields})


class JsonFormatter(logging.Formatter):
    """Formats a record as one line of JSON: event and fields for :func:`log_event`, a message for any other."""

    def format(self, record: logging.LogRecord) -> str:
        """The line, without its newline."""
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
        return without_secrets(json.dumps(line, default=str, ensure_ascii=False, separators=(",", ":")))


class ThreadedHandler(logging.Handler):
    """Formats in the calling thread and writes in another; never blocks, and drops lines when its queue is full.

    Args:
        waiting: queue capacity, in lines.
    """

    def __init__(self, stream: TextIO, *, waiting: int = LINES_WAITING) -> None:
        super().__init__()
        self._stream = stream
        self._lines: queue.Queue[str | None] = queue.Queue(waiting)
        self._dropped = 0
        self._thread = threading.Thread(target=self._write, name="logs", daemon=True)
        self._thread.start()

    def emit(self, record: logging.LogRecord) -> None:
        """Queue the line, or count it as dropped."""
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
        """Flush the queue for at most 2 * FLUSH_SECONDS, so that a stuck reader cannot keep the process alive."""
        with contextlib.suppress(queue.Full):
            self._lines.put(None, timeout=FLUSH_SECONDS)
        self._thread.join(FLUSH_SECONDS)
        super().close()

    def _write(self) -> None:
        while (line := self._lines.get()) is not None:
            with contextlib.suppress(OSError, ValueError):  # stderr is closed, so there is nowhere to report it
                self._stream.write(line + "\n")
                self._stream.flush()


@contextlib.contextmanager
def json_logs(*, level: int = logging.INFO, stream: TextIO | None = None) -> Iterator[None]:
    """Log to ``stream`` (default stderr) as JSON while the block runs; flush at its end."""
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
    """Sampled and rate-limited request log. Not thread-safe: for the event loop's thread.

    Args:
        sample: share of ordinary requests that are logged, from 0 to 1.
        per_second: lines per second for each kind of error or degradation, and its burst size.
        clock: monotonic seconds.
        draw: uniform in [0, 1).

    Raises:
        ValueError: ``sample`` is not in [0, 1], or ``per_second`` is not positive.
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
        self._draw = draw
        self._limit = LineLimit(per_second=per_second, burst=max(per_second, 1.0), clock=clock)

    def request(
        self,
        *,
        request_id: str,
        status: int,
        milliseconds: float,
        recommendation_id: str | None = None,
        tier: str | None = None,
        reason: str | None = None,
        field: str | None = None,
    ) -> None:
        """Log a finished request: error from status 500, warning from 400 or if the server degraded it, else info.

        Args:
            reason: why it was degraded or refused.
            field: path of the field that it was refused for.
        """
        fields: dict[str, object] = {}
        if status < 400 and (not reason or reason in IN_THE_REQUEST):
            if self._draw() >= self._sample:
                return
            level = logging.INFO
        else:
            level = logging.ERROR if status >= 500 else logging.WARNING
            admitted = self._limit.admit(status, reason or "" if status < 400 else "")
            if admitted is None:
                return
            fields = admitted
        known = {"recommendation_id": recommendation_id, "tier": tier, "field": field, "reason": reason}
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


class LineLimit:
    """How many lines of each kind may be written; kinds beyond KINDS share a limit. Not thread-safe.

    Args:
        per_second: lines of a kind.
        burst: lines of a kind at once.
        clock: monotonic seconds.
    """

    def __init__(self, *, per_second: float, burst: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._per_second = per_second
        self._burst = burst
        self._clock = clock
        self._buckets: dict[tuple[int, str], _Bucket] = {}

    def admit(self, status: int, word: str) -> dict[str, object] | None:
        """Fields that a line of this kind takes along, how many were left out before it; None if it is too much."""
        now, kind = self._clock(), (status, word)
        if kind not in self._buckets and len(self._buckets) >= KINDS:
            kind = (0, "")
        bucket = self._buckets.setdefault(kind, _Bucket(self._burst, now))
        if not bucket.take(now, per_second=self._per_second):
            return None
        left_out, bucket.left_out = bucket.left_out, 0
        return {"left_out": left_out} if left_out else {}


class _Bucket:
    """Token bucket of one kind of line.

    Attributes:
        left_out: lines refused since the caller reset it.
    """

    def __init__(self, most: float, now: float) -> None:
        self._most = self._left = most
        self._at = now
        self.left_out = 0

    def take(self, now: float, *, per_second: float) -> bool:
        """Whether one more line may be written at ``now``, seconds of a monotonic clock."""
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
