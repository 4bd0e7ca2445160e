"""The ``events`` reader: formats, mappings, times, item files and the lines of what is rejected."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.logs import EVENTS_HEADER, read_log, write_log
from training.data.readers.events import EventColumns, EventsConfig, ItemColumns


def clicks(path: Path, **settings: object) -> EventsConfig:
    return EventsConfig(path=str(path), behaviours=["click"], **settings)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["log.csv", "log.tsv", "log.csv.gz", "log.jsonl", "log.jsonl.gz", "log.parquet"])
def test_every_format_gives_the_same_events(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    if "jsonl" in name:
        write_log(
            path,
            '{"sku": 7, "kind": "view", "when": 1569888000, "who": "u", "cost": 1.5}',
            '{"sku": "8", "kind": "order", "when": "1569888001", "who": "u"}',
        )
    elif "parquet" in name:
        columns = {"sku": ["7", "8"], "kind": ["view", "order"], "when": pa.array([1569888000, 1569888001], pa.int64())}
        pq.write_table(pa.table(columns | {"who": ["u", "u"], "cost": [1.5, None]}), path)
    else:
        tab = "\t" if "tsv" in name else ","
        rows = ["sku,kind,when,who,cost", "7,view,1569888000,u,1.5", "8,order,1569888001,u,"]
        write_log(path, *(row.replace(",", tab) for row in rows))
    config = EventsConfig(
        path=str(path),
        columns=EventColumns(user_id="who", item_id="sku", behaviour="kind", timestamp="when", price="cost"),
        behaviour_map={"view": "click", "order": "purchase"},
    )
    assert read_log(config, tmp_path / "scratch").events == [
        {"user_id": "u", "item_id": "7", "behaviour": 0, "timestamp": 1569888000000, "price": 1.5},
        {"user_id": "u", "item_id": "8", "behaviour": 2, "timestamp": 1569888001000, "price": None},
    ]


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
    log = read_log(clicks(write_log(tmp_path / "log.csv", EVENTS_HEADER, *lines)), tmp_path / "scratch")
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
    log = read_log(clicks(path, timestamp_format=timestamp_format), tmp_path / "scratch")
    assert log.column("timestamp") == ([] if expected is None else [expected])


def test_parquet_times_count_as_utc(tmp_path: Path) -> None:
    times = pa.array([1_569_888_000_123], pa.timestamp("ms", tz="Europe/Berlin"))
    pq.write_table(pa.table({"session_id": [1], "item_id": [2], "timestamp": times}), tmp_path / "log.parquet")
    log = read_log(clicks(tmp_path / "log.parquet"), tmp_path / "scratch")
    assert log.column("timestamp") == [1_569_888_000_123]


def test_prices_and_behaviours_that_are_rejected_or_left_out(tmp_path: Path) -> None:
    path = write_log(
        tmp_path / "log.csv",
        "session_id,item_id,behaviour,timestamp,price",
        *(f"s,i,view,1,{price}" for price in ("1", "", "-1", "nan", "inf", "x", "0")),
        "s,i,hover,1,1",
        "s,i,like,1,1",
        "s,i,,1,1",
        "s, ,view,1,1",
    )
    config = EventsConfig(path=str(path), behaviour_map={"view": "click", "hover": None})
    log = read_log(config, tmp_path / "scratch")
    assert log.column("price") == [1.0, None, 0.0]
    assert log.skipped == {"behaviour left out: hover": 1}
    bad_price = "price is not a number of at least 0"
    assert [(line, reason) for _, line, reason in log.rejected] == [
        *((line, bad_price) for line in (4, 5, 6, 7)),
        (10, "unknown behaviour"),
        (11, "unknown behaviour"),
        (12, "missing item_id"),
    ]


def test_lines_are_right_after_malformed_blank_and_quoted_lines(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_bytes(
        b"session_id,item_id,timestamp\n"  # 1
        b"s,bad time,x\n"  # 2
        b"\n"  # 3
        b"too,short\n"  # 4
        b's,"a ""quoted""\nitem, it is",1\n'  # 5 and 6
        b"s,bad time,x\n"  # 7
        b"s,caf\xe9,1\n"  # 8: Latin-1
        b's,"never closed,1\n'  # 9
        b"s,good,1\r\n"  # 10
        b"s,bad time,x\n"  # 11
        b"one,too,many,fields\n"  # 12
        b's,in"ner,1\n'  # 13
        b"s,bad time,x"  # 14
    )
    log = read_log(clicks(path), tmp_path / "scratch")
    assert log.column("item_id") == ['a "quoted"\nitem, it is', "good", 'in"ner']
    assert [(line, reason) for _, line, reason in log.rejected] == [
        (2, "unparsable timestamp"),
        (4, "malformed row"),
        (7, "unparsable timestamp"),
        (8, "invalid UTF-8"),
        (9, "malformed row"),
        (11, "unparsable timestamp"),
        (12, "malformed row"),
        (14, "unparsable timestamp"),
    ]


ROW = st.sampled_from(["s,good,1", "s,bad,x", ",bad,1", "short", "one,too,many,fields", "s,,1"])


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(ROW, min_size=1, max_size=40), newline=st.sampled_from(["\n", "\r\n"]))
def test_the_fast_parser_and_the_careful_one_agree(
    tmp_path_factory: pytest.TempPathFactory, rows: list[str], newline: str
) -> None:
    """A blank line at the end sends a file to the careful parser and changes nothing else."""
    folder = tmp_path_factory.mktemp("agree")
    plain = write_log(folder / "log.csv", "session_id,item_id,timestamp", *rows, newline=newline)
    careful = write_log(folder / "careful" / "log.csv", "session_id,item_id,timestamp", *rows, "", newline=newline)
    first = read_log(clicks(plain), folder / "a")
    assert first == read_log(clicks(careful), folder / "b")
    wrong = [number for number, row in enumerate(rows, 2) if row != "s,good,1"]
    assert [line for _, line, _ in first.rejected] == wrong


def test_item_file_gives_attributes_and_the_last_row_of_an_item_holds(tmp_path: Path) -> None:
    log = write_log(tmp_path / "log.csv", EVENTS_HEADER, "s,i,click,1")
    items = write_log(
        tmp_path / "items.jsonl",
        '{"sku": "i", "family": "a.b", "price": "3", "tags": ["old"]}',
        '{"sku": "i", "family": "a.c", "price": "4", "tags": ["x", "y"]}',
        '{"sku": "j", "price": "-4"}',
        '{"family": "a.c"}',
    )
    config = clicks(log, items=str(items), item_columns=ItemColumns(item_id="sku", category="family"))
    read = read_log(config, tmp_path / "scratch")
    assert read.items == {"i": {"category": "a.c", "price": 4.0, "tags": ["x", "y"]}}
    assert [(name, line) for name, line, _ in read.rejected] == [("items.jsonl", 3), ("items.jsonl", 4)]


def test_a_name_with_signs_of_patterns_and_quotes_is_only_a_name(tmp_path: Path) -> None:
    path = write_log(tmp_path / "it's [1]*?.csv", EVENTS_HEADER, "s,i,click,1")
    assert read_log(clicks(path), tmp_path / "scratch").column("item_id") == ["i"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"columns": EventColumns(item_id="sku")}, "data.columns.item_id: .* has no column 'sku'; it has: session_id"),
        ({"attributes": ["colour"]}, "has no column 'colour'; it has: session_id, item_id"),
        ({"behaviours": ["click", "click"]}, "behaviours must be distinct"),
        ({"behaviour_map": {"view": "look"}}, "behaviour_map.view is 'look'; allowed: click, cart, purchase"),
        ({"timestamp_format": "unix"}, "timestamp_format must be auto, iso, epoch_s, epoch_ms"),
        ({"delimiter": ";;"}, "data.delimiter must be one character"),
        ({"items": "no/such.csv"}, "data.items: there is no file no/such.csv"),
    ],
)
def test_settings_that_do_not_fit_are_refused(tmp_path: Path, changes: dict[str, object], message: str) -> None:
    path = write_log(tmp_path / "log.csv", EVENTS_HEADER, "s,i,click,1")
    with pytest.raises(ValueError, match=message):
        read_log(EventsConfig(path=str(path), **changes), tmp_path / "scratch")  # type: ignore[arg-type]
