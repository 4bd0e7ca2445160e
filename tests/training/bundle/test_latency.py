"""Latency by a clock that is turned by hand."""

import pytest

from tests.datasets import make_dataset
from tests.training.bundle.conftest import ITEMS
from training.bundle.latency import LENGTHS, REPEATS, WARM_UP, measure_latency

pytestmark = pytest.mark.slow


def test_the_clock_is_read_before_and_after_each_answer_and_the_warm_up_does_not_count(dataset, exported):
    """By this clock a warm-up takes a second and an answer that counts 2 ms: a hundredth of that would show."""
    readings = []

    def clock() -> float:
        number, after = divmod(len(readings), 2)
        warm = number % (WARM_UP + REPEATS) < WARM_UP
        before = readings[-1] if readings else 0.0
        readings.append(before + after * (1.0 if warm else 0.002))
        return readings[-1]

    latency = measure_latency(exported[0], dataset, clock=clock)
    assert len(readings) == 2 * len(LENGTHS) * (WARM_UP + REPEATS)
    assert list(latency) == [str(length) for length in LENGTHS]
    for quantiles in latency.values():
        assert quantiles == {"p50_ms": pytest.approx(2), "p90_ms": pytest.approx(2)}


def test_a_test_part_without_a_known_item_has_no_latency(tmp_path, exported):
    unknown = make_dataset(tmp_path / "d", train=[[0, 1]], test=[[ITEMS + 1, ITEMS + 1]], trained=ITEMS, newcomers=2)
    assert measure_latency(exported[0], unknown) == {}
