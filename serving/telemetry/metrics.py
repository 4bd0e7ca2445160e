"""Prometheus metrics: latency by stage, answers by tier, reason and behaviour, queue depth, the active bundle.

The metrics have a registry of their own, so two servers in one process do not share them. Of several workers each has
its own registry, and the parent merges their samples (serving.telemetry.merged_metrics).

Shapes: N items, D dimensions.
"""

import functools
from collections.abc import Callable
from datetime import datetime
from typing import Final

import prometheus_client
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest

from serving.answering.outcome import Outcome
from serving.answering.recommender import Recommender
from serving.protocol.messages import PlacedAnswer
from tillside.bundle import MANIFEST, Bundle
from tillside.policy.rules import HARD, SOFT

BUCKETS: Final = (0.0002, 0.0005, 0.001, 0.002, 0.003, 0.005, 0.007, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)
"""Seconds; dense around the few milliseconds of a checkout's latency budget."""
STAGES: Final = ("total", "queue", "encode", "search", "policy")

prometheus_client.disable_created_metrics()  # type: ignore[no-untyped-call]  # a second series for every counter


class Metrics:
    """Counters, gauges and histograms of one server.

    Args:
        queue_depth: returns the number of requests waiting for the model.
    """

    def __init__(self, *, queue_depth: Callable[[], float] = lambda: 0) -> None:
        self.registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        stages = Histogram(
            "tillside_stage_seconds",
            "Time of a recommendation request by stage; total runs from the body's arrival to the encoded answer.",
            ["stage"],
            buckets=BUCKETS,
            registry=registry,
        )
        self._total, self._queue, self._encode, self._search, self._policy = (stages.labels(stage) for stage in STAGES)
        self._answers = Counter(
            "tillside_answers",
            "Answers by tier, reason why not the model, behaviour asked for, and placement, if any.",
            ["tier", "reason", "behaviour", "placement"],
            registry=registry,
        )
        self._responses = Counter(
            "tillside_responses", "Responses of /v1/recommend by HTTP status.", ["status"], registry=registry
        )
        self._unknown = Counter(
            "tillside_unknown_items", "Distinct items per request that the bundle does not know.", registry=registry
        )
        self._failures = Counter(
            "tillside_model_failures", "Requests the model failed on; the ladder answered.", registry=registry
        )
        depth = Gauge("tillside_queue_depth", "Requests that wait for the model.", registry=registry)
        depth.set_function(queue_depth)
        self._bundle = Gauge(
            "tillside_bundle_info", "The bundle that answers; always 1.", ["version"], registry=registry
        )
        self._loaded = Gauge(
            "tillside_bundle_loaded_timestamp_seconds", "When the bundle was loaded.", registry=registry
        )
        self._reloads = Counter(
            "tillside_bundle_reloads",
            "Bundles that were loaded, refused or rolled back to.",
            ["result"],
            registry=registry,
        )
        for result in ("loaded", "refused", "rolled_back"):
            self._reloads.labels(result)
        self._catalogue = Gauge(
            "tillside_catalogue_timestamp_seconds", "When the bundle that answers was made.", registry=registry
        )
        self._items = Gauge("tillside_items", "Items that can be recommended.", registry=registry)
        self._dropped = Counter(
            "tillside_policy_dropped",
            "Candidates of placements that a rule kept out, or put behind others.",
            ["rule"],
            registry=registry,
        )
        for rule in (*HARD, *SOFT):
            self._dropped.labels(rule)
        self._policies = Gauge(
            "tillside_policy_info", "The policy that answers placements; always 1.", ["version"], registry=registry
        )
        self._feed = Gauge(
            "tillside_items_feed_timestamp_seconds", "When the items feed in use was made; 0: none.", registry=registry
        )
        self._child = functools.cache(lambda counter, *labels: counter.labels(*labels))  # label lookup is slow

    def count_response(self, status: int) -> None:
        """Count a response of ``POST /v1/recommend`` by HTTP status."""
        self._child(self._responses, str(status)).inc()

    def count_reload(self, result: str) -> None:
        """Count a reload by result: ``loaded``, ``refused`` or ``rolled_back``."""
        self._reloads.labels(result).inc()

    def observe(self, outcome: Outcome, total_seconds: float) -> None:
        """Record an answer, its stage times and its total time."""
        answer = outcome.answer
        self._total.observe(total_seconds)
        for stage, seconds in (
            (self._queue, outcome.queue_seconds),
            (self._encode, outcome.encode_seconds),
            (self._search, outcome.search_seconds),
            (self._policy, outcome.policy_seconds),
        ):
            if seconds is not None:
                stage.observe(seconds)
        if answer.unknown_items:
            self._unknown.inc(len(answer.unknown_items))
        if outcome.failure:
            self._failures.inc()
        behaviour = answer.behaviour if answer.model_version else ""  # unchecked without a bundle: unbounded labels
        placement = answer.placement if isinstance(answer, PlacedAnswer) else ""
        self._child(self._answers, answer.tier, answer.degraded_reason or "", behaviour, placement).inc()
        for rule, count in outcome.dropped.items():
            self._child(self._dropped, rule).inc(count)

    def describe(self, recommender: Recommender, loaded_at: float) -> None:
        """Set the gauges of the active bundle and policy."""
        self._bundle.clear()
        self._bundle.labels(recommender.bundle.version).set(1)
        self._loaded.set(loaded_at)
        self._catalogue.set(_made_at(recommender.bundle))
        self._items.set(len(recommender.bundle.items_ND))
        self._policies.clear()
        if recommender.assortment is not None:
            self._policies.labels(recommender.assortment.loaded.version).set(1)

    def describe_feed(self, time_ms: int) -> None:
        """Set the timestamp gauge of the items feed in use."""
        self._feed.set(time_ms / 1000)

    def page(self) -> bytes:
        """Prometheus text page of this registry."""
        return generate_latest(self.registry)


def _made_at(bundle: Bundle) -> float:
    """Creation time of a bundle in seconds since the epoch: from its manifest, else the manifest file's mtime."""
    try:
        return datetime.fromisoformat(str(bundle.manifest["created_at"])).timestamp()
    except (KeyError, ValueError):
        return (bundle.path / MANIFEST).stat().st_mtime
