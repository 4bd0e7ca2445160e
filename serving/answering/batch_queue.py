"""Greedy dynamic batching on the event loop: each batch takes what is queued, and never waits to fill.

The model runs on the event loop's thread; a thread pool around it made every percentile worse. The loop turns between
two batches, so probes and new requests wait for one batch at most, and the batch size is halved until a batch computes
within :data:`BATCH_SECONDS`. A request expected to miss its deadline is not queued but answered at once by a fallback
tier; time it may have waited unread in its socket during a batch counts. A measurement counts as at most twice the
current estimate, so a single stall does not turn shoppers away, and after :data:`STALE_SECONDS` without a batch the
estimate is ignored, so it cannot keep turning them away.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final, Protocol

from serving.answering.fallbacks import Reason
from serving.answering.indexed_request import IndexedRequest
from serving.answering.outcome import Outcome

BATCH_SECONDS: Final = 0.02
STALE_SECONDS: Final = 1.0
SMOOTHING: Final = 0.2
LARGEST_BATCH: Final = 64
TURNS: Final = 3
"""Event loop turns between batches, to write answers, read sockets and queue requests; fewer if a batch is full."""
MARGIN: Final = 0.5
"""Share of a deadline that the estimate may fill; the rest covers reading, writing and estimation error."""


class Answering(Protocol):
    """The recommender, as the queue uses it."""

    def answer_questions(self, questions: Sequence[IndexedRequest]) -> list[Outcome]:
        """Answers of the model, in the order of the questions."""
        ...

    def degraded(self, question: IndexedRequest, reason: Reason, *, failure: str | None = None) -> Outcome:
        """Answer of the fallback tiers."""
        ...


@dataclass(slots=True)
class Estimate:
    """Exponentially smoothed duration in seconds; 0 until the first measurement."""

    seconds: float = 0.0

    def observe(self, seconds: float) -> None:
        """Add a measurement, clipped to twice the estimate."""
        if self.seconds:
            seconds = min(seconds, 2 * self.seconds)
            self.seconds += SMOOTHING * (seconds - self.seconds)
        else:
            self.seconds = seconds


@dataclass(frozen=True, slots=True)
class _Waiting:
    recommender: Answering
    question: IndexedRequest
    arrived: float
    deadline: float
    future: asyncio.Future[Outcome]


class BatchQueue:
    """Bounded queue in front of the model, and the task that drains it.

    Args:
        most: capacity, in questions.
        on_bug: called with any exception of a batch other than the model's own; its message may hold item ids.
        clock: monotonic seconds.
    """

    def __init__(
        self,
        *,
        most: int,
        on_bug: Callable[[Exception], None],
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._most = most
        self._on_bug = on_bug
        self._clock = clock
        self._waiting: deque[_Waiting] = deque()
        self._filled = asyncio.Event()
        self._batch = Estimate()
        self._cycle = Estimate()
        self._last_batch = -STALE_SECONDS
        self._limit = 1
        self._polled: float | None = None

    def __len__(self) -> int:
        return len(self._waiting)

    def expect(self, seconds: float) -> None:
        """Initialise the estimates with one answer's time in seconds, as measured by the warm-up."""
        self._batch.seconds = self._cycle.seconds = seconds

    def estimate(self) -> float:
        """Expected seconds until a question queued now is answered; 0 if unknown."""
        if self._clock() - self._last_batch > STALE_SECONDS and not self._waiting:
            return 0.0
        return len(self._waiting) // self._limit * self._cycle.seconds + self._batch.seconds

    def unread(self) -> float:
        """Upper bound, in seconds, on how long a question read in this loop turn has waited in its socket."""
        return 0.0 if self._polled is None else self._clock() - self._polled

    def refusal(self, deadline_seconds: float) -> Reason | None:
        """Why a question cannot be queued; None if it can."""
        if len(self._waiting) >= self._most:
            return "queue_full"
        return "deadline" if self.unread() + self.estimate() > MARGIN * deadline_seconds else None

    async def answer(self, recommender: Answering, question: IndexedRequest, *, deadline_seconds: float) -> Outcome:
        """Answer of the model, or of the fallback tiers if the model would miss the deadline."""
        if reason := self.refusal(deadline_seconds):
            return recommender.degraded(question, reason)
        now = self._clock()
        future: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        deadline = now - self.unread() + deadline_seconds
        self._waiting.append(_Waiting(recommender, question, now, deadline, future))
        self._filled.set()
        return await future

    async def run(self) -> None:
        """Answer batches until cancelled."""
        while True:
            if not self._waiting:
                self._filled.clear()
                self._polled = None
                await self._filled.wait()
            turn = start = self._clock()
            batch = self._take()
            try:
                self._answer(batch, start)
            except Exception as error:
                for waiting in batch:
                    if not waiting.future.done():
                        waiting.future.set_exception(error)
            answered = self._clock()
            for _ in range(TURNS):
                await asyncio.sleep(0)
                self._polled, turn = turn, self._clock()  # what this turn reads arrived during the previous one
                if len(self._waiting) >= self._limit:
                    break
            end = self._clock() if self._waiting else answered  # under load the loop turns are part of the cycle
            self._cycle.observe(end - start)
            del batch  # it would keep a replaced bundle in memory until the next request

    def _take(self) -> list[_Waiting]:
        """The oldest questions in the queue that share a recommender; at least one."""
        batch = [self._waiting.popleft()]
        recommender = batch[0].recommender
        while self._waiting and len(batch) < self._limit and self._waiting[0].recommender is recommender:
            batch.append(self._waiting.popleft())
        return batch

    def _answer(self, batch: list[_Waiting], now: float) -> None:
        expected = now + self._batch.seconds if now - self._last_batch < STALE_SECONDS else now
        in_time = [waiting for waiting in batch if waiting.deadline > expected]
        for waiting in batch:
            if waiting.deadline <= expected:
                self._settle(waiting, waiting.recommender.degraded(waiting.question, "deadline"), now)
        if not in_time:
            return
        try:
            outcomes = in_time[0].recommender.answer_questions([waiting.question for waiting in in_time])
        except Exception as error:
            self._on_bug(error)
            failure = type(error).__name__
            outcomes = [w.recommender.degraded(w.question, "model_failed", failure=failure) for w in in_time]
        for waiting, outcome in zip(in_time, outcomes, strict=True):
            self._settle(waiting, outcome, now)
        self._last_batch = self._clock()
        seconds = self._last_batch - now
        self._batch.observe(seconds)
        if seconds > BATCH_SECONDS:
            self._limit = max(1, self._limit // 2)
        elif len(in_time) == self._limit and seconds < BATCH_SECONDS / 2:
            self._limit = min(2 * self._limit, LARGEST_BATCH)

    def _settle(self, waiting: _Waiting, outcome: Outcome, now: float) -> None:
        if not waiting.future.done():  # done if the client has disconnected
            waiting.future.set_result(replace(outcome, queue_seconds=now - waiting.arrived))
