"""What a load's figures say: failures and degraded answers cannot hide behind fast ones, and the search for a rate."""

import asyncio

import numpy as np
import pytest

from serving.bench.ledger import Ledger
from serving.bench.rates import find_rate
from serving.bench.resident import slope_mb_per_hour
from serving.bench.summary import Summary


def filled(rows):
    """A ledger of requests due at 0: (ms, status, tier, reason), or (ms, error)."""
    ledger = Ledger(np.zeros(len(rows)))
    ledger.taken_R[:] = ledger.sent_R[:] = 0.0
    for number, (ms, *rest) in enumerate(rows):
        if len(rest) == 1:
            ledger.failed(number, at=ms / 1000, error=rest[0])
        else:
            ledger.answered(number, at=ms / 1000, status=rest[0], tier=rest[1], reason=rest[2])
    return ledger


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


def search(capacity, *, start, late_from=float("inf")):
    """The rates tried against a server of a capacity, and the rate found."""

    async def measure(rate):
        ledger = filled([(5 if rate <= capacity else 50, 200, "model", "")] * 10)
        if rate >= late_from:
            ledger.taken_R[:] = 0.1
        return Summary.of(ledger, rate=rate, seconds=1)

    held, trials = asyncio.run(find_rate(measure, p99_ms=10, start=start))
    return held, [trial.rate for trial in trials]


def test_the_search_doubles_and_then_bisects_to_five_percent():
    held, tried = search(1000, start=100)
    assert tried[:5] == [100, 200, 400, 800, 1600]
    assert tried[5] == pytest.approx((800 * 1600) ** 0.5)  # 1131 is too much
    assert 1000 / 1.05 <= held <= 1000


def test_the_search_goes_down_too_and_ends_where_nothing_holds():
    held, tried = search(30, start=100)
    assert tried[:3] == [100, 50, 25]
    assert 30 / 1.05 <= held <= 30
    nothing, tried = search(0, start=100)
    assert nothing == 0
    assert len(tried) == 14


def test_a_rate_at_which_the_generator_was_late_has_not_held():
    held, _ = search(1e9, start=100, late_from=500)
    assert 500 / 1.05 <= held < 500


def test_the_slope_of_memory_is_per_hour_and_leaves_the_beginning_out():
    # 0.5 MB each minute is 30 MB an hour; the first minute's jump is left out
    samples = [(0.0, 10.0), *((60.0 * minute, 100 + 0.5 * minute) for minute in range(1, 6))]
    assert slope_mb_per_hour(samples, after=30) == pytest.approx(30)
    assert slope_mb_per_hour(samples[:1]) == 0.0
