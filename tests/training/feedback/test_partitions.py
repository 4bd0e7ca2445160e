"""A day a file, whatever batches its rows come in."""

import pyarrow as pa

from training.feedback.columns import JOINED_SCHEMAS, ORDERS
from training.feedback.partitions import _write, iso, partition, partitions


def batch(*days):
    names = [field.name for field in JOINED_SCHEMAS[ORDERS]]
    columns = {name: [None] * len(days) for name in names} | {"day": list(days), "time": list(range(len(days)))}
    return pa.record_batch(
        {
            name: pa.array(columns[name], None if name == "day" else JOINED_SCHEMAS[ORDERS].field(name).type)
            for name in names
        }
    )


def test_a_day_that_has_rows_no_more_loses_its_file_and_one_that_is_as_before_keeps_it(tmp_path):
    assert _write(iter([batch(1, 1, 2), batch(2, 4)]), tmp_path, ORDERS, [1, 2, 3, 4]) == 3
    before = partition(tmp_path, ORDERS, 2).stat().st_mtime_ns
    assert [path.parent.name for path in partitions(tmp_path, ORDERS)] == [f"day={iso(day)}" for day in (1, 2, 4)]
    assert (
        _write(iter([batch(1, 1), batch(2, 2)]), tmp_path, ORDERS, [1, 2, 4]) == 2
    )  # times of day 2 differ, 4 is gone
    assert [path.parent.name for path in partitions(tmp_path, ORDERS)] == ["day=1970-01-02", "day=1970-01-03"]
    assert partition(tmp_path, ORDERS, 2).stat().st_mtime_ns != before
    assert _write(iter([batch(1, 1), batch(2, 2)]), tmp_path, ORDERS, [1, 2, 4]) == 0
