"""A day a file, whatever batches its rows come in."""

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from training.feedback.columns import ANSWERS, JOINED_SCHEMAS, ORDERS
from training.feedback.partitions import _write, answered, iso, partition, partitions


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


def answers_file(path, *slots):
    """Answers ``a``, ``b``, ... with so many slots each, at the times 0, 1, ..."""
    schema = JOINED_SCHEMAS[ANSWERS]
    columns = {field.name: pa.nulls(len(slots), field.type) for field in schema}
    columns["recommendation_id"] = pa.array("abcdef"[: len(slots)])
    columns["time"] = pa.array(range(len(slots)), pa.int64())
    columns["slots"] = pa.array(slots, pa.int32())
    pq.write_table(pa.table(columns, schema=schema), path)
    return path


def slots(*times):
    return pa.record_batch({"time": pa.array(times, pa.int64()), "position": list(range(len(times)))})


def test_a_slot_gets_the_columns_of_its_answer_whatever_batches_it_comes_in(tmp_path, monkeypatch):
    """Answers with 2, 0, 3 and 1 slots; read in pieces of one to four answers."""
    path = answers_file(tmp_path / "answers.parquet", 2, 0, 3, 1)
    for at_once in (1, 3, 4):
        monkeypatch.setattr("training.feedback.partitions.ANSWERS_AT_ONCE", at_once)
        for batches in ([slots(0, 0, 2, 2, 2, 3)], [slots(0), slots(0, 2), slots(), slots(2, 2, 3)]):
            found = pa.concat_tables(list(answered(iter(batches), path)))
            assert found["recommendation_id"].to_pylist() == ["a", "a", "c", "c", "c", "d"]


@pytest.mark.parametrize("times", [(0, 0, 1), (0, 0), (0, 0, 1, 1, 2)])
def test_slots_that_are_not_those_of_the_answers_are_refused(tmp_path, times):
    path = answers_file(tmp_path / "answers.parquet", 2, 2)
    with pytest.raises(ValueError, match="are not those of its answers; remove the folder and measure anew"):
        list(answered(iter([slots(*times)]), path))
    with pytest.raises(ValueError, match="remove the folder"):
        list(answered(iter([slots(*times)]), tmp_path / "none.parquet"))
