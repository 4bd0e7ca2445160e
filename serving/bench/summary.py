"""A ledger as figures. A percentile is a latency that occurred: the smallest that so many requests do not exceed."""

from collections import Counter
from dataclasses import asdict, dataclass, field
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from serving.bench.ledger import Ledger

PERMILLE: Final = {"p50_ms": 500, "p90_ms": 900, "p99_ms": 990, "p999_ms": 999, "max_ms": 1000}
"""Whole numbers: 99.9 % of a thousand is 999 here, and 999.0000000000001 in floats."""
LATE_MS: Final = 2.0
"""A generator that takes up one request in a hundred so late has not kept its schedule."""


@dataclass(frozen=True)
class Summary:
    """One load.

    Attributes:
        rate: requests a second that were due.
        done_rate: requests a second that were answered, from the first due moment to the last answer.
        latency_ms: percentiles from due to answered, over all answers whatever their status; empty without any.
        late_ms: percentiles of how late the *generator* took requests up; above a millisecond or two it was overloaded
            itself, or robbed of its core, and the latencies are its own.
        waited: requests that found every connection busy; their waiting counts as latency.
        errors: requests without a usable answer, by kind.
        failed: requests with an error, a 4xx or a 5xx.
        undegraded_ms: percentiles in which everything but an undegraded 200 stands last, as infinite; None for that.
        rss_mb: resident memory of the server at the start, at the end, and its peak; empty when not sampled.
    """

    rate: float
    seconds: float
    requests: int
    answered: int
    done_rate: float
    failed: int
    waited: int
    latency_ms: dict[str, float]
    undegraded_ms: dict[str, float | None]
    late_ms: dict[str, float]
    errors: dict[str, int]
    statuses: dict[str, int]
    tiers: dict[str, int]
    reasons: dict[str, int]
    rss_mb: dict[str, float] = field(default_factory=dict)

    @classmethod
    def of(
        cls, ledger: Ledger, *, rate: float, seconds: float, rss_mb: list[tuple[float, float]] | None = None
    ) -> "Summary":
        """The figures of a load that has ended.

        Args:
            rss_mb: samples of the server's resident memory, (seconds from the start, MB).
        """
        taken_R = ledger.taken()
        answered_R = ledger.status_R > 0
        requests, answered = int(taken_R.sum()), int(answered_R.sum())
        lasted = float(np.nanmax(ledger.done_R) - ledger.due_R[0]) if answered else 0.0
        waited_R = ledger.sent_R - ledger.taken_R > 0
        bad_R = taken_R & ((ledger.error_R > 0) | (ledger.status_R >= 400))
        undegraded_R = np.where(ledger.undegraded(), ledger.done_R - ledger.due_R, np.inf)[taken_R] * 1000
        sizes = [size for _, size in rss_mb or []]
        return cls(
            rate=rate,
            seconds=seconds,
            requests=requests,
            answered=answered,
            done_rate=answered / lasted if lasted else 0.0,
            failed=int(bad_R.sum()),
            waited=int(waited_R.sum()),
            latency_ms=percentiles(ledger.latency_ms()),
            undegraded_ms={
                name: value if np.isfinite(value) else None for name, value in percentiles(undegraded_R).items()
            },
            late_ms=percentiles((ledger.taken_R - ledger.due_R)[taken_R] * 1000),
            errors=ledger.count(ledger.error_R, taken_R),
            statuses={str(status): times for status, times in Counter(ledger.status_R[answered_R].tolist()).items()},
            tiers=ledger.count(ledger.tier_R, answered_R),
            reasons=ledger.count(ledger.reason_R, answered_R),
            rss_mb={"first": sizes[0], "last": sizes[-1], "peak": max(sizes)} if sizes else {},
        )

    def kept_schedule(self) -> bool:
        """Whether the generator itself was on time."""
        return self.late_ms.get("p99_ms", 0.0) <= LATE_MS

    def holds(self, p99_ms: float) -> bool:
        """Whether nothing failed and 99 in 100 requests had an undegraded answer within ``p99_ms``."""
        reached = self.undegraded_ms.get("p99_ms")
        return self.requests > 0 and self.failed == 0 and reached is not None and reached <= p99_ms

    def document(self) -> dict[str, Any]:
        """All figures as JSON types."""
        return {**asdict(self), "kept_schedule": self.kept_schedule()}


def percentiles(values: npt.NDArray[np.float64]) -> dict[str, float]:
    """The percentiles of PERMILLE by name; empty when there are no values."""
    if not len(values):
        return {}
    ordered = np.sort(values)
    return {name: float(ordered[-(-len(ordered) * share // 1000) - 1]) for name, share in PERMILLE.items()}
