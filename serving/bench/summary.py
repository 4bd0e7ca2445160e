"""Summary statistics of a ledger. Percentiles are nearest-rank: an observed latency, never an interpolated one.

Shapes: R requests of the schedule.
"""

from collections import Counter
from dataclasses import asdict, dataclass, field
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from serving.bench.ledger import Ledger

PERMILLE: Final = {"p50_ms": 500, "p90_ms": 900, "p99_ms": 990, "p999_ms": 999, "max_ms": 1000}
"""Integers, because 99.9 % of a thousand is 999.0000000000001 in floating point."""
LATE_MS: Final = 2.0
"""Largest p99 lateness of a generator that has kept its schedule."""


@dataclass(frozen=True)
class Summary:
    """Results of one load.

    Attributes:
        rate: requests per second that were due.
        done_rate: requests per second that were answered, from the first due time to the last response.
        latency_ms: percentiles from due to done, over all responses whatever their status; empty without any.
        late_ms: percentiles of how late the *generator* took requests up; above a millisecond or two it was overloaded
            or preempted itself, and the latencies measure the generator.
        waited: requests that found every connection busy; the wait counts as latency.
        errors: requests without a usable response, by kind.
        failed: requests with an error, a 4xx or a 5xx.
        undegraded_ms: percentiles with every request but an undegraded 200 counted as infinite; None for infinity.
        rss_mb: resident memory of the server, first, last and peak sample; empty if not sampled.
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
        """Summarise a load that has ended.

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
        """Whether the generator itself was on time: p99 lateness of at most LATE_MS."""
        return self.late_ms.get("p99_ms", 0.0) <= LATE_MS

    def holds(self, p99_ms: float) -> bool:
        """Whether no request failed and 99 % had an undegraded answer within ``p99_ms``."""
        reached = self.undegraded_ms.get("p99_ms")
        return self.requests > 0 and self.failed == 0 and reached is not None and reached <= p99_ms

    def document(self) -> dict[str, Any]:
        """All fields as JSON types."""
        return {**asdict(self), "kept_schedule": self.kept_schedule()}


def percentiles(values: npt.NDArray[np.float64]) -> dict[str, float]:
    """Nearest-rank percentiles of PERMILLE by name; empty without values."""
    if not len(values):
        return {}
    ordered = np.sort(values)
    return {name: float(ordered[-(-len(ordered) * share // 1000) - 1]) for name, share in PERMILLE.items()}
