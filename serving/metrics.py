"""What Prometheus sees: request times by stage, answers by tier and behaviour, responses by status, the bundle.

The metrics hang on a registry of their own, so two servers in one process do not share them.
"""

from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest

from serving.recommender import Outcome, Recommender

BUCKETS: Final = (0.0002, 0.0005, 0.001, 0.002, 0.003, 0.005, 0.007, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)
"""Seconds; dense around the few milliseconds that a checkout grants."""


class Metrics:
    """The counters and histograms of one server."""

    def __init__(self) -> None:
        self._registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        stages = Histogram(
            "tillside_stage_seconds",
            "Time of a recommendation request by stage; total runs from the body's arrival to the encoded answer.",
            ["stage"],
            buckets=BUCKETS,
            registry=registry,
        )
        self._total, self._encode, self._search = (stages.labels(stage) for stage in ("total", "encode", "search"))
        self._answers = Counter(
            "tillside_answers", "Answers by tier and behaviour asked for.", ["tier", "behaviour"], registry=registry
        )
        self._responses = Counter(
            "tillside_responses", "Responses of /v1/recommend by HTTP status.", ["status"], registry=registry
        )
        self._unknown = Counter(
            "tillside_unknown_items", "Distinct items per request that the bundle does not know.", registry=registry
        )
        self._failures = Counter(
            "tillside_model_failures", "Requests the model failed on; popularity answered.", registry=registry
        )
        self._bundle = Gauge(
            "tillside_bundle_info", "The bundle that answers; always 1.", ["version"], registry=registry
        )
        self._loaded = Gauge(
            "tillside_bundle_loaded_timestamp_seconds", "When the bundle was loaded.", registry=registry
        )
        self._items = Gauge("tillside_items", "Items that can be recommended.", registry=registry)

    def count_response(self, status: int) -> None:
        """One response of the recommendation endpoint."""
        self._responses.labels(str(status)).inc()

    def observe(self, outcome: Outcome, total_seconds: float) -> None:
        """One answer and the time it took."""
        answer = outcome.answer
        self._total.observe(total_seconds)
        if outcome.encode_seconds is not None:
            self._encode.observe(outcome.encode_seconds)
        if outcome.search_seconds is not None:
            self._search.observe(outcome.search_seconds)
        if answer.unknown_items:
            self._unknown.inc(len(answer.unknown_items))
        if outcome.failure:
            self._failures.inc()
        self._answers.labels(answer.tier, answer.behaviour).inc()

    def describe(self, recommender: Recommender, loaded_at: float) -> None:
        """The bundle that answers from now on."""
        self._bundle.clear()
        self._bundle.labels(recommender.bundle.version).set(1)
        self._loaded.set(loaded_at)
        self._items.set(len(recommender.bundle.items_ND))

    def page(self) -> bytes:
        """The Prometheus text page."""
        return generate_latest(self._registry)
