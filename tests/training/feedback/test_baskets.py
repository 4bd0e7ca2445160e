"""Trends and candidate bundles by hand; the counting is in test_report.py."""

import numpy as np
import pyarrow as pa
import pytest

from training.feedback.baskets import _attach_table, bundles
from training.feedback.intervals import wilson


def test_a_trend_is_told_only_where_it_is_sure():
    """20 of 100 in the first half; 60 of 100 and then 24 of 100 in the second. Of each shopper one order: 199 trials.
    Then 50 orders of each of four, 20 with both: shoppers who are all alike tell as much as four trials."""
    found = {"anchor": np.array(["a", "b", "c"]), "other": np.array(["x"] * 3), "orders": np.array([80, 44, 80]),
             "anchor_orders": np.array([200] * 3), "late": np.array([60, 24, 60]), "anchor_late": np.array([100] * 3),
             "shoppers": np.array([200, 200, 4]),
             "xx": np.array([200, 200, 4 * 50**2]), "xy": np.array([80, 44, 4 * 50 * 20]),
             "yy": np.array([80, 44, 4 * 20**2]), "other_orders": np.array([400] * 3),
             "revenue": np.array([1.0] * 3)}  # fmt: skip
    table = _attach_table(found, 1000.0, 1.96)
    assert table["trend"].to_pylist() == ["rising", "level", "level"]
    assert table["attach_rate"].to_pylist() == pytest.approx([0.4, 0.22, 0.4])
    low, high = wilson(np.array([0.4, 0.22, 0.4]), np.array([199 * 1.0, 199 * 1.0, 4]), 1.96)
    assert table["low"].to_pylist() == pytest.approx(low)
    assert table["high"].to_pylist() == pytest.approx(high)
    assert table["lift"].to_pylist()[0] == pytest.approx(80 * 1000 / (200 * 400))


def test_a_bundle_is_surely_no_chance_and_no_choice_between_rivals():
    row = {"orders": 50, "attach_rate": 0.5, "low": 0.4, "lift": 5.0, "revenue": 1.0}
    rows = [row | {"anchor": "case", "other": "film"}, row | {"anchor": "case", "other": "cover"},
    row | {"anchor": "film", "other": "case"},
            row | {"anchor": "case", "other": "pen", "lift": 1.1, "low": 0.4}]  # fmt: skip
    kept = bundles(pa.Table.from_pylist(rows), {"case": "cases", "cover": "cases"})
    assert [(each["first"], each["second"]) for each in kept.to_pylist()] == [("case", "film")]
