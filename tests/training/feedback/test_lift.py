"""Lift by hand: only against another arm's shoppers."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from training.data.engine import open_engine
from training.feedback.lift import compare, lift


def sums(values, orders, lines=None):
    lines = orders if lines is None else lines
    return {
        "subjects": len(values), "s_bought": sum(order > 0 for order in orders), "s_orders": sum(orders),
        "s_value": sum(values), "p_bought": sum(order > 0 for order in orders), "p_orders": sum(o * o for o in orders),
        "p_value": sum(v * v for v in values), "b_value": sum(o * v for o, v in zip(orders, values, strict=True)),
        "s_lines": sum(lines), "p_lines": sum(each * each for each in lines),
        "b_lines": sum(o * each for o, each in zip(orders, lines, strict=True)),
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


def test_lines_per_order_are_a_ratio_of_sums_over_shoppers():
    """Three orders of 2 and 4 lines: 6 / 3 = 2. Residuals 2 - 2 * 1 and 4 - 2 * 2: none, so no variance."""
    one = sums([1, 1], [1, 2], lines=[2, 4])
    (row,) = (row for row in compare(one, sums([1, 1], [1, 1]), 1.0) if row["metric"] == "lines_per_order")
    assert (row["value"], row["reference_value"], row["low"], row["high"]) == (2, 1, 1, 1)


def test_the_holdout_stands_beside_all_others_and_each_layer_beside_itself(tmp_path: Path):
    """Of a shopper with two visits each answer counts once; c orders 30 and d nothing, against 10 of the held-out h."""
    both = ("slots|words", "four|warm"), ("slots|words", "eight|warm")
    visits = [("h", "holdout", "holdout"), ("a", None, None), ("b", "words", "cold"), ("c", *both[0]), ("d", *both[1])]
    visits += [("h", "holdout", "holdout"), ("m", *both[0]), ("m", *both[1])]
    columns = zip(*visits, strict=True)
    answers = dict(zip(("subject", "experiment", "arm"), map(list, columns), strict=True))
    answers |= {"time": list(range(len(visits))), "anonymous": [False] * len(visits)}
    orders = {
        "subject": ["h", "c"],
        "time": [9, 9],
        "value": [10.0, 32.0],
        "returned_value": [0.0, 2.0],
        "lines": [1, 3],
    }
    for name, table in (("answers", answers), ("orders", orders)):
        pq.write_table(pa.table(table), tmp_path / f"{name}.parquet")
    with open_engine(tmp_path) as engine:
        tables = [engine.parquet([tmp_path / f"{name}.parquet"]) for name in ("answers", "orders")]
        rows = lift(engine, *tables, reference="holdout", confidence=0.95).to_pylist()
    found = {(row["experiment"], row["arm"]): row for row in rows if row["metric"] == "revenue_per_shopper"}
    assert set(found) == {("holdout", "shown"), ("slots", "four"), ("words", "warm")}
    shown = found["holdout", "shown"]
    assert (shown["subjects"], shown["reference_subjects"], shown["moved_subjects"]) == (5, 1, 0)
    assert (shown["value"], shown["reference_value"]) == (30 / 5, 10)
    slots, words = found["slots", "four"], found["words", "warm"]
    assert (slots["reference"], slots["subjects"], slots["reference_subjects"], slots["moved_subjects"]) == (
        "eight",
        1,
        1,
        1,
    )
    assert (words["reference"], words["subjects"], words["reference_subjects"], words["value"]) == ("cold", 3, 1, 10)
