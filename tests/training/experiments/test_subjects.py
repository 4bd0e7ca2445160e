"""Subjects from the joined tables: arms, sums and times before, counted by hand; movers are left out and counted."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.measured import write_measured
from tillside.policy.file.values import DAY_MS
from training.data.engine import open_engine
from training.experiments.subjects import MeasuredTables, Subjects

SINCE = 100 * DAY_MS


def answer(subject: str, arm: str | None, *, day: float = 0, **more: Any) -> dict[str, Any]:
    time = int(SINCE + day * DAY_MS)
    experiment = None if arm is None else "slots"
    return {
        "recommendation_id": f"{subject}@{day}",
        "subject": subject,
        "experiment": experiment,
        "arm": arm,
        "time": time,
    } | more


def order(subject: str, day: float, value: float, **more: Any) -> dict[str, Any]:
    return {
        "order_id": f"{subject}@{day}",
        "subject": subject,
        "time": int(SINCE + day * DAY_MS),
        "value": value,
    } | more


ANSWERS = [
    answer("a", "eight"),
    answer("a", "eight", day=1, tier="popularity"),
    answer("b", "four"),
    answer("c", "eight"),
    answer("c", "four", day=2),
    answer("d", None),
    answer("e", "nine"),
    answer("f", "four", day=1, anonymous=True),
    answer("g", "eight|new", experiment="slots|ranking"),
    answer("h", "eight", day=-1),
]
OUTCOMES = [
    {"recommendation_id": "a@0", "subject": "a", "clicked": True, "seen": False, "anchor": "phone"},
    {"recommendation_id": "a@0", "subject": "a", "position": 2, "dismissed": "pushed", "anchor": "phone"},
    {"recommendation_id": "a@1", "subject": "a", "seen": False},
    {"recommendation_id": "b@0", "subject": "b", "carted": True, "bought": True},
]
ORDERS = [
    order("a", 0.5, 30.0, lines=2, returned_value=10.0),
    order("a", -3, 7.0),
    order("a", -40, 100.0),
    order("b", -0.5, 5.0),
    order("f", 0.5, 50.0),
]
LINES = [{"order_id": "a@0.5", "subject": "a", "item": "phone", "time": int(SINCE + DAY_MS / 2)}]


@pytest.fixture
def tables(tmp_path: Path) -> Iterator[MeasuredTables]:
    folder = write_measured(tmp_path / "out", answers=ANSWERS, outcomes=OUTCOMES, orders=ORDERS, lines=LINES)
    with open_engine(tmp_path) as engine:
        yield MeasuredTables(engine, folder)


def of_slots(tables: MeasuredTables, name: str | None = "slots", **more: Any) -> Subjects:
    given: dict[str, Any] = {
        "arms": ("eight", "four"), "since_ms": SINCE, "until_ms": SINCE + 3 * DAY_MS, "before_days": 28,
    }  # fmt: skip
    return tables.subjects(name, **(given | more))


def test_each_subject_has_its_arm_and_movers_have_none(tables: MeasuredTables) -> None:
    """c saw both arms, e one that the file lacks, d none, and h came before; g is in two experiments at once."""
    found = of_slots(tables)
    assert [found.arms[arm] for arm in found.arm_S] == ["eight", "four", "four", "eight"]  # a, b, f, g
    assert (found.moved, found.strangers) == (1, 1)
    assert found.anonymous_S.tolist() == [False, False, True, False]
    assert found.counts_A().tolist() == [2, 2]


def test_sums_are_of_the_experiments_time(tables: MeasuredTables) -> None:
    """a: order of 30 with 10 back; a click counts as seen; of two slots with one anchor, bought, one pair counts. f's
    order came before its first answer; that of b before the experiment, so only b's time before has it."""
    sums = {name: column.tolist() for name, column in of_slots(tables).sums.items()}
    assert sums["revenue"] == [20, 0, 0, 0]
    assert sums["orders"] == [1, 0, 0, 0]
    assert sums["lines"] == [2, 0, 0, 0]
    assert sums["converted"] == [1, 0, 0, 0]
    assert sums["revenue_before"] == [7, 5, 0, 0]
    assert (sums["answers"], sums["degraded"]) == ([2, 1, 1, 1], [1, 0, 0, 0])
    assert (sums["seen"], sums["clicks"], sums["dismissed"]) == ([2, 1, 0, 0], [1, 0, 0, 0], [1, 0, 0, 0])
    assert (sums["carts"], sums["bought"]) == ([0, 1, 0, 0], [0, 1, 0, 0])
    assert (sums["anchored"], sums["anchor_bought"]) == ([1, 0, 0, 0], [1, 0, 0, 0])


def test_sizes_are_counted_day_by_day(tables: MeasuredTables) -> None:
    """a, g and b come on the first day, f on the second."""
    assert of_slots(tables).counts_TA(SINCE).tolist() == [[2, 1], [2, 2]]


def test_everybody_is_one_arm_for_a_plan(tables: MeasuredTables) -> None:
    found = of_slots(tables, None, arms=("shown",))
    assert (len(found), found.moved) == (7, 0)


def test_the_holdout_is_read_against_all_others(tmp_path: Path) -> None:
    rows = [answer("a", "holdout", experiment="holdout"), answer("b", None), answer("c", "four")]
    folder = write_measured(tmp_path / "out", answers=rows, orders=[])
    with open_engine(tmp_path) as engine:
        found = of_slots(MeasuredTables(engine, folder), "holdout", arms=("holdout", "shown"))
    assert found.arm_S.tolist() == [0, 1, 1]
    assert not np.any(found.sums["seen"])


def test_only_the_experiments_placements_count(tmp_path: Path) -> None:
    rows = [answer("a", "four"), answer("b", "four", placement="checkout")]
    folder = write_measured(tmp_path / "out", answers=rows, orders=[])
    with open_engine(tmp_path) as engine:
        assert len(of_slots(MeasuredTables(engine, folder), placements=("cart",))) == 1


def test_a_folder_without_tables_is_refused(tmp_path: Path) -> None:
    with open_engine(tmp_path) as engine, pytest.raises(ValueError, match=r"has no answers/\*.parquet; python -m"):
        MeasuredTables(engine, tmp_path)
