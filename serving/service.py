"""Service of one process: the active recommender, the batch queue in front of the model, and the fallback tiers.

A valid request gets a valid answer whatever happens to bundle, queue or model; only names that the bundle or the policy
lacks are refused.

Shapes: N items, D columns of an item row.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final

from msgspec import UNSET, structs

from serving.answering.arms import assigned, chosen, marked
from serving.answering.batch_queue import BatchQueue
from serving.answering.fallbacks import answer_without_bundle
from serving.answering.outcome import Outcome
from serving.answering.recommender import Recommender
from serving.bundles.loading import load_recommender, merchandised, restock
from serving.bundles.reloading import Report
from serving.feedback.exposure_log import ExposureLog
from serving.feedback.shoppers.shoppers import Shoppers
from serving.feedback.shoppers.visits import in_words_of
from serving.policy.assortment import Assortment
from serving.policy.feeds import FeedReport, OutdatedFeedError, combined, with_file
from serving.policy.mistakes import refuse_policy, remarks_on
from serving.policy.revisions import NO_REVISION, Revision, TriedOn
from serving.protocol.errors import FieldError, ProblemError
from serving.protocol.messages import NOT_SENT, PagePlacement, RecommendRequest, of_page
from serving.settings import Settings
from serving.telemetry.logs import log_bug
from serving.telemetry.metrics import Metrics
from tillside.feedback.forgetting import Order
from tillside.policy import ConflictError, ItemsFeed, parse_policy
from tillside.policy.merchandising import ByHand

log = logging.getLogger("serving")
PROVENANCE: Final = ("dataset", "git", "run")
REMEMBERED_SECONDS: Final = 30.0
"""Longest time that a first bundle waits for the visits in the log."""
LOG_SECONDS: Final = 1.0
"""Minimum interval between log lines about failures of the model; the metrics count every failure."""


@dataclass(frozen=True, slots=True)
class _TriedOn:
    """A revision, the assortment made for it, and what that was made of."""

    revision: Revision
    recommender: Recommender | None
    feed: ItemsFeed | None
    assortment: Assortment | None


class Service:
    """Answers requests; one of :class:`serving.bundles.reloading.Answerers`.

    Args:
        static: item ids of the last fallback tier.

    Attributes:
        draining: whether the process is about to stop; it is then not ready, but still answers.
        waiting: says what else than the bundle is waited for, in words, or None.
        exposures: where each answer is written down; None for nowhere.
        shoppers: remembers their visits; None where nothing does.
    """

    def __init__(self, settings: Settings, *, static: Sequence[str] = ()) -> None:
        self._settings = settings
        self._static = tuple(static)
        self._queue = BatchQueue(most=settings.queue, on_bug=log_bug)
        self.metrics = Metrics(queue_depth=lambda: len(self._queue))
        self.draining = False
        self.waiting: Callable[[], str | None] = lambda: None
        self.exposures: ExposureLog | None = None
        self.shoppers: Shoppers | None = None
        self._recommender: Recommender | None = None
        self._prepared: Recommender | None = None
        self._loaded_at = 0.0
        self._reason = "the bundle is being verified"
        self._last_reload: Report | None = None
        self._feed: ItemsFeed | None = None
        self._prepared_feed: ItemsFeed | None = None
        self._revision = NO_REVISION
        self._prepared_revision = NO_REVISION
        self._tried_on: _TriedOn | None = None
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

    async def recalled(self, request: RecommendRequest) -> tuple[RecommendRequest, int | None]:
        """A request with the session that it left out, as far as that is remembered, and the number of its events.

        The number is None of a request that brought its own session.
        """
        if request.session is not NOT_SENT or request.shopper_id is UNSET or self.shoppers is None:
            return request, None
        found = await self.shoppers.find(request.shopper_id) or []
        if self._recommender is not None:
            found = in_words_of(found, self._recommender.bundle.behaviours.names)
        if not found:
            return request, 0
        session = found[-self._settings.limits.session_events :]
        return structs.replace(request, session=session), len(session)

    async def forget(self, order: Order) -> int:
        """Forget a shopper's visit; returns how many events went."""
        return 0 if self.shoppers is None else await self.shoppers.forget(order)

    async def answer_page(self, request: RecommendRequest) -> list[tuple[RecommendRequest, Outcome]]:
        """Answers to the ``placements`` of a request, in their order, each with what was asked there; no item is shown
        by two of them.

        Each has the time that those before it left.

        Raises:
            FieldError: the bundle lacks the behaviour, or the policy one of the placements.
        """
        assert request.placements is not UNSET
        deadline_ms = self._settings.deadline_ms if request.deadline_ms is UNSET else request.deadline_ms
        end = time.perf_counter() + deadline_ms / 1000
        outcomes: list[tuple[RecommendRequest, Outcome]] = []
        shown: list[str] = list(request.exclude or ())
        for number, asked in enumerate(request.placements):
            left_ms = max(int((end - time.perf_counter()) * 1000), 1)
            one = of_page(request, asked, exclude=shown, deadline_ms=left_ms)
            try:
                outcome = await self.answer(one)
            except FieldError as error:
                raise error.within(f"placements[{number}]", PagePlacement.__struct_fields__) from None
            outcomes.append((one, outcome))
            shown += [item.item_id for item in outcome.answer.items]
        return outcomes

    async def _answer(self, request: RecommendRequest) -> Outcome:
        recommender = self._recommender
        if recommender is None:
            return Outcome(answer_without_bundle(request, self._static, "not_ready"))
        assignment = assigned(recommender.assortment, request, now_ms=int(time.time() * 1000))
        recommender, assortment = chosen(recommender, assignment)
        question = recommender.read(request, assortment)
        if assignment.held_out:
            outcome = recommender.withheld(question)
        elif not question.known:
            outcome = recommender.unasked(question)
        else:
            deadline_ms = self._settings.deadline_ms if request.deadline_ms is UNSET else request.deadline_ms
            outcome = await self._queue.answer(recommender, question, deadline_seconds=deadline_ms / 1000)
        return marked(outcome, assignment)

    @property
    def late(self) -> bool:
        """Whether the model would miss the default deadline of a request that arrived now."""
        return self._queue.refusal(self._settings.deadline_ms / 1000) is not None

    async def prepare(self, path: Path) -> str:
        """Load and verify a bundle in a thread, without blocking requests; returns its version."""
        settings = self._settings
        if self.shoppers is not None and self._recommender is None:  # the first answer may name a shopper alone
            await asyncio.to_thread(self.shoppers.wait, REMEMBERED_SECONDS)
        now_ms, revision = int(time.time() * 1000), self._revision
        feed = await asyncio.to_thread(with_file, self._feed, settings.items_feed, now_ms=now_ms)
        self._prepared = await asyncio.to_thread(
            load_recommender,
            path,
            settings.limits,
            static=self._static,
            policy=settings.policy,
            feed=feed,
            by_hand=revision.by_hand,
            experiments=settings.experiments,
        )
        self._prepared_feed, self._prepared_revision = feed, revision
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
        """Apply what arrived while the recommender was being loaded: feeds, and what was set by hand."""
        known, self._prepared_feed = self._prepared_feed, None
        if self._prepared_revision is not self._revision:
            made = await asyncio.to_thread(self._merchandised, prepared, self._revision.by_hand, known)
            prepared.equip(made, known)
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
            before, recommender, assortment = self._feed, self._recommender, None
            whole = await asyncio.to_thread(combined, before, feed)
            if recommender is not None:
                news = feed if before is not None and feed.time_ms >= before.time_ms else None
                assortment = await asyncio.to_thread(restock, recommender, whole, before=before, news=news)
                recommender.assortment = assortment
            self._feed = whole
            self.metrics.describe_feed(whole.time_ms)
        return {
            "time_ms": feed.time_ms,
            "items": len(feed.items),
            "new_items": None if assortment is None else len(assortment.facts) - len(assortment.base),
            "ranked": None if assortment is None else len(assortment.proposer.cold),
        }

    async def try_on(self, revision: Revision, *, changed: str | None, take_unknown: bool) -> TriedOn:
        """Make the assortment of a revision in a thread, beside the one in force.

        Args:
            changed, take_unknown: see :class:`serving.process.keeping.Wearers`.

        Raises:
            ValueError: the policy in it is none; one mistake a line.
            ConflictError: it is not for this shop, or not beside what else is in force; one mistake a line.
        """
        async with self._stocking:
            recommender, by_hand = self._recommender, revision.by_hand
            if recommender is None:
                if by_hand.policy is not None:
                    parse_policy(by_hand.policy)
                self._tried_on = _TriedOn(revision, None, self._feed, None)
                return {
                    "policy": None,
                    "placements": [],
                    "remarks": ["no bundle is loaded yet, so no name was looked up"],
                }
            try:
                made = await asyncio.to_thread(self._merchandised, recommender, by_hand, self._feed)
            except ValueError as error:
                if changed != "policy":  # each row was right when it was read
                    raise ConflictError(str(error)) from None
                if by_hand.policy is not None and not take_unknown:
                    facts, names = recommender.stockroom.facts, recommender.bundle.behaviours.names
                    await asyncio.to_thread(refuse_policy, by_hand.policy, facts, names, error)
                raise
            now_ms = int(time.time() * 1000)
            remarks = await asyncio.to_thread(remarks_on, made, by_hand, changed, take_unknown, now_ms=now_ms)
            self._tried_on = _TriedOn(revision, recommender, self._feed, made)
        loaded = made.loaded if made else None
        placements = sorted(loaded.policy.placements) if loaded else []
        return {"policy": loaded.version if loaded else None, "placements": placements, "remarks": remarks}

    async def settle(self, *, kept: bool) -> None:
        """Put in force what was tried on, or forget it."""
        async with self._stocking:
            tried, self._tried_on = self._tried_on, None
            if tried is None or not kept:
                return
            self._revision = tried.revision
            recommender = self._recommender
            if recommender is None:
                return
            made = tried.assortment
            if recommender is not tried.recommender or self._feed is not tried.feed:  # another came between
                made = await asyncio.to_thread(self._merchandised, recommender, tried.revision.by_hand, self._feed)
            recommender.equip(made, self._feed)

    def _merchandised(self, recommender: Recommender, by_hand: ByHand, feed: ItemsFeed | None) -> Assortment | None:
        settings = self._settings
        return merchandised(
            recommender, settings.policy, by_hand, feed=feed, static=self._static, experiments=settings.experiments
        )

    def ready(self) -> str:
        """Version of the active bundle.

        Raises:
            ProblemError: 503, there is none, or the process is draining.
        """
        if self.draining:
            raise ProblemError(HTTPStatus.SERVICE_UNAVAILABLE, "draining", "the server is about to stop")
        return self.active().bundle.version

    def active(self) -> Recommender:
        """The recommender that answers.

        Raises:
            ProblemError: 503, there is none.
        """
        if self._recommender is None:
            raise ProblemError(HTTPStatus.SERVICE_UNAVAILABLE, "not-ready", self.waiting() or self._reason)
        return self._recommender

    def names(self) -> tuple[tuple[str, ...], tuple[str, ...]] | None:
        """Behaviours and placements that a request may name; None where no bundle is active."""
        if self._recommender is None:
            return None
        assortment = self._recommender.assortment
        placements = tuple(sorted(assortment.loaded.policy.placements)) if assortment else ()
        return tuple(self._recommender.bundle.behaviours.names), placements

    def model(self) -> dict[str, Any]:
        """Active bundle, its provenance, and the latest reload.

        Raises:
            ProblemError: 503, no bundle is active.
        """
        recommender = self.active()
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
