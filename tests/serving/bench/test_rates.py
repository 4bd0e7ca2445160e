"""The search for the highest rate that a server holds."""

import asyncio

import pytest

from serving.bench.rates import find_rate
from serving.bench.summary import Summary
from tests.serving.bench.ledgers import filled


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
