"""Prometheus metrics of the collector."""

import functools
from collections.abc import Callable
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest

BUCKETS: Final = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0)
"""Seconds."""


class CollectorMetrics:
    """Counters, gauges and histograms of one collector.

    Args:
        waiting: events that wait for a sync.
        seen: ids that are remembered.
        runs: files that hold them.

    Attributes:
        registry: takes further metrics.
    """

    def __init__(self, *, waiting: Callable[[], float], seen: Callable[[], float], runs: Callable[[], float]) -> None:
        self.registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        self._events = Counter(
            "tillside_events",
            "Events by what became of them (accepted, duplicate, conflict, refused, ignored) and by source.",
            ["result", "source"],
            registry=registry,
        )
        self._responses = Counter(
            "tillside_collector_responses", "Responses of /v1/events by HTTP status.", ["status"], registry=registry
        )
        self._seconds = Histogram(
            "tillside_collector_seconds",
            "Time from a body's arrival to its answer, which includes the sync.",
            buckets=BUCKETS,
            registry=registry,
        )
        for name, text, value in (
            ("tillside_collector_waiting", "Events that wait for a sync.", waiting),
            ("tillside_collector_seen", "Event ids that are remembered.", seen),
            ("tillside_collector_runs", "Files that hold the ids of ended segments.", runs),
        ):
            Gauge(name, text, registry=registry).set_function(value)
        self._child = functools.cache(lambda counter, *labels: counter.labels(*labels))  # label lookup is slow

    def count_response(self, status: int) -> None:
        """Count a response by HTTP status."""
        self._child(self._responses, str(status)).inc()

    def observe(self, seconds: float, source: str | None, **results: int) -> None:
        """Record a batch that was answered, with the number of its events by result."""
        self._seconds.observe(seconds)
        for result, count in results.items():
            if count:
                self._child(self._events, result, source or "").inc(count)

    def page(self) -> bytes:
        """Prometheus text page."""
        return generate_latest(self.registry)
