"""Service of one process: the active recommender, the batch queue in front of the model, and the fallback tiers.

A valid request gets a valid answer whatever happens to bundle, queue or model; only names that the bundle or the policy
lacks are refused.

Shapes: N items, D columns of an item row.
"""

import asyncio
import logging
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final

from msgspec import UNSET

from serving.answering.batch_queue import BatchQueue
from serving.answering.fallbacks import answer_without_bundle
from serving.answering.outcome import Outcome
from serving.answering.recommender import Recommender
from serving.bundles.loading import load_recommender, restock
from serving.bundles.reloading import Report
from serving.policy.feeds import FeedReport, OutdatedFeedError, combined, with_file
from serving.protocol.errors import FieldError, ProblemError
from serving.protocol.messages import RecommendRequest
from serving.settings import Settings
from serving.telemetry.logs import log_bug
from serving.telemetry.metrics import Metrics
from tillside.policy import ItemsFeed

log = logging.getLogger("serving")
PROVENANCE: Final = ("dataset", "git", "run")
LOG_SECONDS: Final = 1.0
"""Minimum interval between log lines about failures of the model; the metrics count every failure."""


class Service:
    """Answers requests; one of :class:`serving.bundles.reloading.Answerers`.

    Args:
        static: item ids of the last fallback tier.

    Attributes:
        draining: whether the process is about to stop; it is then not ready, but still answers.
    """

    def __init__(self, settings: Settings, *, static: Sequence[str] = ()) -> None:
        self._settings = settings
        self._static = tuple(static)
        self._queue = BatchQueue(most=settings.queue, on_bug=log_bug)
        self.metrics = Metrics(queue_depth=lambda: len(self._queue))
        self.draining = False
        self._recommender: Recommender | None = None
        self._prepared: Recommender | None = None
        self._loaded_at = 0.0
        self._reason = "the bundle is being verified"
        self._last_reload: Report | None = None
        self._feed: ItemsFeed | None = None
        self._prepared_feed: ItemsFeed | None = None
        self._stocking = asyncio.Lock()
        self._logged_at = -LOG_SECONDS

    async def run(self) -> None:
        """Process the batch queue until cancelled."""
        await self._queue.run()

    async def answer(self, request: RecommendRequest) -> Outcome:
        """Best answer within the deadline.

        Raises:
            FieldError: the bundle lacks the behaviour, or the policy the placement.
        """
        try:
            outcome = await self._answer(request)
        except FieldError:
            raise
        except Exception as error:
            log_bug(error)
            answer = answer_without_bundle(request, self._static, "model_failed")
            outcome = Outcome(answer, failure=type(error).__name__)
        if outcome.failure and time.monotonic() - self._logged_at >= LOG_SECONDS:
            self._logged_at = time.monotonic()
            log.error("the model failed with %s, tier %s answered", outcome.failure, outcome.answer.tier)
        return outcome

    async def _answer(self, request: RecommendRequest) -> Outcome:
        recommender = self._recommender
        if recommender is None:
            return Outcome(answer_without_bundle(request, self._static, "not_ready"))
        question = recommender.read(request)
        if not question.known:
            return recommender.unasked(question)
        deadline_ms = self._settings.deadline_ms if request.deadline_ms is UNSET else request.deadline_ms
        return await self._queue.answer(recommender, question, deadline_seconds=deadline_ms / 1000)

    @property
    def late(self) -> bool:
        """Whether the model would miss the default deadline of a request that arrived now."""
        return self._queue.refusal(self._settings.deadline_ms / 1000) is not None

    async def prepare(self, path: Path) -> str:
        """Load and verify a bundle in a thread, without blocking requests; returns its version."""
        settings = self._settings
        feed = await asyncio.to_thread(with_file, self._feed, settings.items_feed)
        self._prepared = await asyncio.to_thread(
            load_recommender, path, settings.limits, static=self._static, policy=settings.policy, feed=feed
        )
        self._prepared_feed = feed
        return self._prepared.bundle.version

    async def conclude(self, report: Report) -> None:
        """Swap to the prepared bundle, or discard it if the report says refused."""
        self._last_reload = report
        self.metrics.count_reload(report["result"])
        prepared, self._prepared = self._prepared, None
        if report["result"] == "refused" or prepared is None:
            self._reason = report["reason"] or self._reason
            return
        async with self._stocking:
            await self._catch_up(prepared)
            self._loaded_at = time.time()
            self._queue.expect(prepared.usual_seconds)
            self.metrics.describe(prepared, self._loaded_at)
            self._recommender = prepared  # questions in the queue keep the one that read them

    async def _catch_up(self, prepared: Recommender) -> None:
        """Apply the feeds that arrived while the recommender was being loaded."""
        known, self._prepared_feed = self._prepared_feed, None
        if self._feed is None:
            self._feed = known
        elif known is not self._feed:
            self._feed = self._feed if known is None else combined(known, self._feed)
            prepared.assortment = await asyncio.to_thread(restock, prepared, self._feed)
        if self._feed is not None:
            self.metrics.describe_feed(self._feed.time_ms)

    async def stock(self, feed: ItemsFeed, *, late: bool = False) -> FeedReport:
        """Apply an items feed; without a bundle it is kept for the first one.

        Args:
            late: whether it may be older than the feed in use; it then only adds what that one lacks.

        Raises:
            OutdatedFeedError: it is older than the feed in use.
        """
        async with self._stocking:
            if not late:
                OutdatedFeedError.check(self._feed, feed)
            whole = await asyncio.to_thread(combined, self._feed, feed)
            recommender, assortment = self._recommender, None
            if recommender is not None:
                assortment = recommender.assortment = await asyncio.to_thread(restock, recommender, whole)
            self._feed = whole
            self.metrics.describe_feed(whole.time_ms)
        return {
            "time_ms": feed.time_ms,
            "items": len(feed.items),
            "new_items": None if assortment is None else len(assortment.facts) - len(assortment.base),
            "ranked": None if assortment is None else len(assortment.proposer.cold),
        }

    def ready(self) -> str:
        """Version of the active bundle.

        Raises:
            ProblemError: 503, there is none, or the process is draining.
        """
        if self.draining:
            raise ProblemError(HTTPStatus.SERVICE_UNAVAILABLE, "draining", "the server is about to stop")
        return self._bundle().bundle.version

    def _bundle(self) -> Recommender:
        if self._recommender is None:
            raise ProblemError(HTTPStatus.SERVICE_UNAVAILABLE, "not-ready", self._reason)
        return self._recommender

    def model(self) -> dict[str, Any]:
        """Active bundle, its provenance, and the latest reload.

        Raises:
            ProblemError: 503, no bundle is active.
        """
        recommender = self._bundle()
        bundle, assortment = recommender.bundle, recommender.assortment
        loaded = assortment and assortment.loaded
        placements = loaded.policy.placements if loaded else ()
        loaded_at = datetime.fromtimestamp(self._loaded_at, UTC)
        return {
            "bundle": bundle.version,
            "loaded_at": loaded_at.isoformat(timespec="seconds"),
            "behaviours": bundle.behaviours.names,
            "items": len(bundle.items_ND),
            "dim": bundle.items_ND.shape[1] - 1,  # the last column holds trends
            "max_length": bundle.encoding.max_length,
            "history": bundle.encoding.history,
            "purchase_intent": bundle.has_intent,
            **{key: bundle.manifest.get(key) for key in PROVENANCE},
            "measurements": bundle.manifest.get("measurements", bundle.manifest.get("metrics")),
            "policy": loaded and {"version": loaded.version, "file": loaded.file, "placements": sorted(placements)},
            "items_feed": self._feed and {"time_ms": self._feed.time_ms, "items": len(self._feed.items)},
            "last_reload": self._last_reload,
        }
