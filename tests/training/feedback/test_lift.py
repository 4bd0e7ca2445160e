"""Lift by hand: only against another arm's shoppers."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from training.data.engine import open_engine
from training.feedback.lift import GUARDRAIL, compare, lift


def sums(values, orders, lines=None, *, anchored=(), anchor_bought=()):
    lines = orders if lines is None else lines
    return {
        "s_anchored": sum(anchored), "p_anchored": sum(each * each for each in anchored),
        "s_anchor_bought": sum(anchor_bought), "p_anchor_bought": sum(each * each for each in anchor_bought),
        "b_anchor_bought": sum(x * y for x, y in zip(anchored, anchor_bought, strict=True)),
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


def test_the_main_item_s_own_conversion_is_a_ratio_of_sums_over_shoppers():
    """Of 2 and 2 main items 1 and 2 were bought: 3 / 4. Residuals 1 - 1.5 and 2 - 1.5: variance 2 * .5 / 16 = 1 / 16.
    Of the other arm all: 1, without variance. Without main items in one arm nothing is said."""
    one = sums([1, 1], [1, 1], anchored=[2, 2], anchor_bought=[1, 2])
    other = sums([1, 1], [1, 1], anchored=[1, 3], anchor_bought=[1, 3])
    (row,) = (row for row in compare(one, other, 1.0) if row["metric"] == GUARDRAIL)
    assert (row["value"], row["reference_value"], row["difference"]) == (0.75, 1, -0.25)
    assert (row["low"], row["high"]) == (-0.5, 0)
    assert GUARDRAIL not in [row["metric"] for row in compare(one, sums([1, 1], [1, 1]), 1.0)]


def test_the_holdout_stands_beside_all_others_and_each_layer_beside_itself(tmp_path: Path):
    """Of a shopper with two visits each answer counts once; c orders 30 and d nothing, against 10 of the held-out h."""
    both = ("slots|words", "four|warm"), ("slots|words", "eight|warm")
    visits = [("h", "holdout", "holdout"), ("a", None, None), ("b", "words", "cold"), ("c", *both[0]), ("d", *both[1])]
    visits += [("h", "holdout", "holdout"), ("m", *both[0]), ("m", *both[1])]
    columns = zip(*visits, strict=True)
    answers = dict(zip(("subject", "experiment", "arm"), map(list, columns), strict=True))
    answers |= {"time": list(range(len(visits))), "anonymous": [False] * len(visits)}
    answers["recommendation_id"] = [f"r{number}" for number in range(len(visits))]
    slots = {
        "recommendation_id": ["r2", "r3", "r3", "r4"],
        "subject": ["b", "c", "c", "d"],
        "anchor": ["phone", "phone", "coat", None],
        "time": [2, 3, 3, 4],
    }
    lines = {"subject": ["c", "c", "b"], "item": ["phone", "coat", "phone"], "time": [9, 1, 1]}
    orders = {
        "subject": ["h", "c"],
        "time": [9, 9],
        "value": [10.0, 32.0],
        "returned_value": [0.0, 2.0],
        "lines": [1, 3],
    }
    names = {"answers": answers, "orders": orders, "slots": slots, "lines": lines}
    for name, table in names.items():
        pq.write_table(pa.table(table), tmp_path / f"{name}.parquet")
    with open_engine(tmp_path) as engine:
        tables = [engine.parquet([tmp_path / f"{name}.parquet"]) for name in names]
        rows = lift(engine, *tables, reference="holdout", confidence=0.95).to_pylist()
    [main] = [row for row in rows if row["metric"] == GUARDRAIL]
    told = (main["experiment"], main["arm"], main["value"], main["reference_value"])
    assert told == ("words", "warm", 0.5, 0), "c bought the phone after it was shown, the coat before, b neither after"
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
