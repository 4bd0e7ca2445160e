"""The log of exposures: each answer that was given, written by a thread of its own.

The answering thread encodes the answer, appends it to a queue and goes on. The queue is bounded: what it cannot hold is
left out and counted, and so is all else that is lost, so that nobody takes the log for whole when it is not.

Surprising: the encoding is not left to the writer. Where the answer was made all that is read lies in the core's cache
(5 us for 20 items); fetched by the writer's core it took five times as long, and the interpreter with it. And after a
failure the writer keeps what was not yet synced and writes it again, elsewhere; the sink promises that nothing of the
failed attempt will be read.
"""

import functools
import logging
import threading
import time
from collections import deque
from typing import Final

from msgspec import UNSET
from prometheus_client import CollectorRegistry, Counter

from serving.answering.outcome import Outcome
from serving.feedback.answered import Answered, exposure_of
from serving.feedback.sinks import Sink
from serving.protocol.messages import RecommendRequest
from serving.telemetry.logs import log_bug
from tillside.feedback.exposures import encode_exposure
from tillside.feedback.subjects import as_kept

log = logging.getLogger("serving")

WAITING: Final = 20_000
"""Answers that wait for the writer at most: 20 seconds of a thousand a second."""
TICK_SECONDS: Final = 0.05
"""Time between two groups: what a kill can lose."""
SYNC_SECONDS: Final = 1.0
"""Time between two syncs: what a power failure can lose."""
AT_ONCE: Final = 64
"""Records that are written together: framing them holds the interpreter, and an answer with it."""
PAUSE_SECONDS: Final = 1.0
STOP_SECONDS: Final = 10.0


class ExposureLog:
    """Writes exposures; use as a context manager, or call :meth:`close`.

    Args:
        sink: made by the writer's thread, which alone uses it.
        salt: hashes the keys of shopper and session; None writes them as they came.
        registry: takes the counters.
        waiting: answers that wait at most.
        requests: share of the answers left to chance whose request is kept.
    """

    def __init__(
        self,
        sink: Sink,
        *,
        salt: bytes | None,
        registry: CollectorRegistry,
        waiting: int = WAITING,
        requests: float = 0.0,
    ) -> None:
        self._sink = sink
        self._as_kept = functools.partial(as_kept, salt=salt)
        self._most, self._requests = waiting, requests
        self._waiting: deque[bytes] = deque()
        self._unsynced: list[bytes] = []
        self._written = 0
        self._lost = Counter(
            "tillside_exposures_lost", "Answers that the log of exposures lacks.", ["reason"], registry=registry
        )
        self._full, self._failed = self._lost.labels("full"), self._lost.labels("failed")
        self._count = Counter("tillside_exposures", "Answers that the log of exposures holds.", registry=registry)
        self._failing = False
        self._synced_at = time.monotonic()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="exposures", daemon=True)
        self._thread.start()

    def note(self, request: RecommendRequest | None, outcome: Outcome) -> None:
        """Put down an answer; never waits, never fails.

        Args:
            request: None of one that was answered unread; of a page with several placements that of the one.
        """
        if len(self._waiting) >= self._most:
            self._full.inc()
            return
        placement = None if request is None or request.placement is UNSET else request.placement
        answered = Answered(time.time(), request, placement, outcome)
        try:
            exposure = exposure_of(answered, self._as_kept, requests=self._requests)
            self._waiting.append(encode_exposure(exposure))
        except Exception as error:  # a bug here must not cost the answer
            self._failed.inc()
            log_bug(error)

    def close(self) -> None:
        """Write what waits, for at most STOP_SECONDS, and end; what could not be written is counted and logged."""
        self._stopping.set()
        self._thread.join(STOP_SECONDS)
        left = len(self._waiting) + len(self._unsynced)
        if left:
            self._failed.inc(left)
            log.error("%d exposures could not be written before the end", left)

    def _run(self) -> None:
        while not self._stopping.wait(PAUSE_SECONDS if self._failing else TICK_SECONDS):
            self._turn(last=False)
        self._turn(last=True)

    def _turn(self, *, last: bool) -> None:
        """Write what waits; sync if it is time to."""
        try:
            while self._written < len(self._unsynced) or self._waiting:
                if self._written == len(self._unsynced):
                    self._unsynced += [self._waiting.popleft() for _ in range(min(AT_ONCE, len(self._waiting)))]
                taken = self._sink.write(self._unsynced[self._written :])
                self._written += taken
                if not taken:
                    break
            if last or time.monotonic() - self._synced_at >= SYNC_SECONDS:
                self._sync(last=last)
            self._failing = False
        except OSError as error:
            self._written = 0
            if not self._failing:
                log.error("exposures cannot be written and wait: %s", error.strerror or type(error).__name__)
            self._failing = True
        except Exception as error:  # a bug must neither end the log nor repeat itself for ever
            self._failed.inc(len(self._unsynced))
            self._unsynced, self._written = [], 0
            log_bug(error)

    def _sync(self, *, last: bool) -> None:
        lost = self._sink.close() if last else self._sink.sync()
        self._synced_at = time.monotonic()
        self._count.inc(len(self._unsynced) - lost)
        self._failed.inc(lost)
        self._unsynced, self._written = [], 0
