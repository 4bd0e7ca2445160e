"""Every metric that a file may name is defined, of sums that the subjects have."""

from typing import get_args

from tillside.experiments.terms import MetricName
from training.experiments.metrics import BEFORE_SUMS, METRICS, SUMS


def test_every_name_is_a_metric_of_known_sums() -> None:
    assert set(METRICS) == set(get_args(MetricName))
    assert all({metric.numerator, metric.denominator or "orders"} <= set(SUMS) for metric in METRICS.values())


def test_the_time_before_is_the_same_metric() -> None:
    """Order value before is revenue before over orders before; nothing was clicked in what was not shown."""
    assert METRICS["order_value"].covariates == ("revenue_before", "orders_before")
    assert METRICS["click_rate"].covariates is None
    assert all(set(metric.covariates or ()) - {None} <= set(BEFORE_SUMS) for metric in METRICS.values())


def test_what_the_holdout_has_needs_no_recommendation() -> None:
    assert {name for name, metric in METRICS.items() if metric.of_all} == {
        "revenue", "orders", "conversion", "order_value", "lines_per_order",
    }  # fmt: skip
