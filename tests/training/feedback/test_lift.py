"""Lift by hand: only against another arm's shoppers."""

import pytest

from training.feedback.lift import compare


def sums(values, orders):
    return {
        "subjects": len(values), "s_bought": sum(order > 0 for order in orders), "s_orders": sum(orders),
        "s_value": sum(values), "p_bought": sum(order > 0 for order in orders), "p_orders": sum(o * o for o in orders),
        "p_value": sum(v * v for v in values), "p_both": sum(o * v for o, v in zip(orders, values, strict=True)),
    }  # fmt: skip


def test_means_over_shoppers_and_order_value_are_compared_with_the_reference():
    """Revenue 10 and 30 against 0 and 20: means 20 and 10, each with variance 200 / 1 / 2 = 100. Twice as much, with
    variance 100/100 + 400 * 100 / 10^4 = 5. An order is worth 40/4 against 20/2: as much."""
    rows = {row["metric"]: row for row in compare(sums([10, 30], [1, 3]), sums([0, 20], [0, 2]), 1.0)}
    revenue = rows["revenue_per_shopper"]
    assert (revenue["value"], revenue["reference_value"], revenue["difference"]) == (20, 10, 10)
    assert (revenue["low"], revenue["high"]) == pytest.approx((10 - 200**0.5, 10 + 200**0.5))
    assert (revenue["relative"], revenue["relative_high"]) == pytest.approx((1.0, 1 + 5**0.5))
    assert rows["order_value"]["difference"] == pytest.approx(0)
    assert rows["buyers"]["difference"] == pytest.approx(0.5)
