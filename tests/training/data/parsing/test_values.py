"""Times, numbers and text as Ibis expressions; what is malformed becomes null."""

from pathlib import Path

import ibis
import ibis.expr.types as ir
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.logs import EVENTS_HEADER, click_log, read_log, write_log
from training.data.engine import QueryEngine
from training.data.parsing.values import LATEST, check_timestamp_format, milliseconds, number, words


def test_times_in_every_notation(tmp_path: Path) -> None:
    moment = 1_569_888_000_000  # 2019-10-01T00:00:00Z
    good = {
        "2019-10-01": moment,
        "2019-10-01 00:00": moment,
        "2019-10-01T00:00:00.9Z": moment + 900,
        "2019-10-01 00:00:00 UTC": moment,
        "2019-10-01T02:00:00+02:00": moment,
        "2019-09-30T20:30:00-0330": moment,
        "2019-09-30 21:00:00-03": moment,
        "1569888000": moment,
        "1569888000.25": moment + 250,
        "1569888000123": moment + 123,
    }
    bad = ["", "soon", "2019-13-01", "infinity", "epoch", "2019-10-01 00:00:00 Europe/Berlin", "-5", "nan", "1e30"]
    lines = [f"s,i,click,{text}" for text in [*good, *bad]]
    log = read_log(click_log(write_log(tmp_path / "log.csv", EVENTS_HEADER, *lines)), tmp_path / "scratch")
    assert log.column("timestamp") == list(good.values())
    assert [reason for _, _, reason in log.rejected] == ["unparsable timestamp"] * len(bad)


@pytest.mark.parametrize(
    ("timestamp_format", "text", "expected"),
    [
        ("epoch_s", "1000", 1_000_000),
        ("epoch_ms", "1000", 1_000),
        ("iso", "1000", None),
        ("%d/%m/%Y %H:%M", "02/01/1970 00:01", 86_460_000),
        ("%d/%m/%Y %H:%M", "1970-01-02", None),
    ],
)
def test_a_given_time_format_holds(tmp_path: Path, timestamp_format: str, text: str, expected: int | None) -> None:
    path = write_log(tmp_path / "log.csv", EVENTS_HEADER, f"s,i,click,{text}")
    log = read_log(click_log(path, timestamp_format=timestamp_format), tmp_path / "scratch")
    assert log.column("timestamp") == ([] if expected is None else [expected])


def test_parquet_times_count_as_utc(tmp_path: Path) -> None:
    times = pa.array([1_569_888_000_123], pa.timestamp("ms", tz="Europe/Berlin"))
    pq.write_table(pa.table({"session_id": [1], "item_id": [2], "timestamp": times}), tmp_path / "log.parquet")
    log = read_log(click_log(tmp_path / "log.parquet"), tmp_path / "scratch")
    assert log.column("timestamp") == [1_569_888_000_123]


def column_of(engine: QueryEngine, table: ir.Table, value: ir.Value) -> list[object]:
    return [row["value"] for row in engine.rows(table.select(value=value))]


def test_words_are_trimmed_and_numbers_are_what_reads_as_one(engine: QueryEngine) -> None:
    texts = [" a b ", "  ", "", None, "7", "1e3", "nan", "0x10", "-1.5"]
    table = engine.keep(ibis.memtable(pa.table({"text": texts})))
    assert column_of(engine, table, words(table.text)) == ["a b", None, None, None, "7", "1e3", "nan", "0x10", "-1.5"]
    found = column_of(engine, table, number(table.text).nullif(float("nan")))
    assert found == [None, None, None, None, 7.0, 1000.0, None, None, -1.5]


def test_a_bare_number_is_seconds_or_milliseconds_by_its_size(engine: QueryEngine) -> None:
    # from 1e11 on it is milliseconds: as seconds that would be the year 5138
    table = engine.given({"time": np.array([99_999_999_999, 100_000_000_000, LATEST, LATEST + 1, -1], np.int64)})
    assert column_of(engine, table, milliseconds(table.time)) == [99_999_999_999_000, 10**11, LATEST, None, None]
    seconds = engine.given({"time": np.array([1.5])})
    assert column_of(engine, seconds, milliseconds(seconds.time)) == [1500]
    assert column_of(engine, seconds, milliseconds(seconds.time, "epoch_ms")) == [2]  # rounded


@pytest.mark.parametrize("timestamp_format", ["auto", "iso", "epoch_s", "epoch_ms", "%d/%m/%Y"])
def test_formats_that_are_known_or_a_pattern_pass(timestamp_format: str) -> None:
    check_timestamp_format(timestamp_format)
    with pytest.raises(ValueError, match=r"data\.timestamp_format must be auto, iso, .* got 'ISO'"):
        check_timestamp_format("ISO")
