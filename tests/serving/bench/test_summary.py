"""What a load's figures say: failures and degraded answers cannot hide behind fast ones."""

import numpy as np
import pytest

from serving.bench.ledger import Ledger
from serving.bench.summary import Summary, percentiles
from tests.serving.bench.ledgers import filled


def test_answers_are_counted_by_status_tier_reason_and_error():
    rows = [(1, 200, "model", "")] * 5 + [(2, 200, "popularity", "queue")] * 2 + [(3, 422, "", ""), (4, "refused")]
    summary = Summary.of(filled(rows), rate=9, seconds=1)
    assert (summary.requests, summary.answered, summary.failed) == (9, 8, 2)
    assert summary.tiers == {"model": 5, "popularity": 2}
    assert summary.reasons == {"queue": 2}
    assert summary.statuses == {"200": 7, "422": 1}
    assert summary.errors == {"refused": 1}
    assert summary.latency_ms["max_ms"] == pytest.approx(3)  # the refused one has no latency


@pytest.mark.parametrize(
    ("others", "held"),
    [
        ([], True),
        ([(9, 200, "model", "")] * 2, True),  # slower, but within the limit
        ([(11, 200, "model", "")], True),  # 1 in 100
        ([(11, 200, "model", "")] * 2, False),
        ([(1, 200, "popularity", "queue")] * 2, False),  # fast, but not what was asked for
        ([(1, 503, "", "")], False),
        ([(1, "reset")], False),
    ],
)
def test_a_rate_is_held_by_undegraded_answers_in_time_alone(others, held):
    rows = [(1, 200, "model", "")] * (100 - len(others)) + others
    assert Summary.of(filled(rows), rate=100, seconds=1).holds(10) is held


def test_a_degraded_answer_stands_last_and_json_holds_no_infinity():
    rows = [(1, 200, "model", "")] * 8 + [(1, 200, "popularity", "queue")] * 2
    summary = Summary.of(filled(rows), rate=10, seconds=1)
    assert summary.undegraded_ms["p50_ms"] == pytest.approx(1)
    assert summary.undegraded_ms["p90_ms"] is None
    assert summary.document()["undegraded_ms"]["max_ms"] is None


def test_an_empty_load_holds_nothing():
    summary = Summary.of(Ledger(np.zeros(0)), rate=1, seconds=1)
    assert summary.latency_ms == {}
    assert not summary.holds(10)


def test_percentiles_are_latencies_that_occurred():
    # of 1..1000 the p-th percentile is the (10 p)-th number
    found = percentiles(np.arange(1000, 0, -1).astype(float))
    assert found == {"p50_ms": 500, "p90_ms": 900, "p99_ms": 990, "p999_ms": 999, "max_ms": 1000}
    assert percentiles(np.zeros(0)) == {}
