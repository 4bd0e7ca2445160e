"""One table, whichever of the parsers read the file."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.logs import EVENTS_HEADER, click_log, read_log, write_log
from training.data.columns import LINE, RECORD
from training.data.engine import QueryEngine
from training.data.parsing.source_file import open_source
from training.data.parsing.text_tables import delimited, json_lines, keep_rows, note_bad, parquet, text_lines

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
    first = read_log(click_log(plain), folder / "a")
    assert first == read_log(click_log(careful), folder / "b")
    wrong = [number for number, row in enumerate(rows, 2) if row != "s,good,1"]
    assert [line for _, line, _ in first.rejected] == wrong


def test_a_name_with_signs_of_patterns_and_quotes_is_only_a_name(tmp_path: Path) -> None:
    path = write_log(tmp_path / "it's [1]*?.csv", EVENTS_HEADER, "s,i,click,1")
    assert read_log(click_log(path), tmp_path / "scratch").column("item_id") == ["i"]


@pytest.mark.parametrize("sign", [",", ";", "|", "\t"])
@pytest.mark.parametrize("irregular", [False, True])
def test_the_delimiter_is_the_most_frequent_sign_of_the_header(
    engine: QueryEngine, tmp_path: Path, sign: str, irregular: bool
) -> None:
    lines = [row.replace(" ", sign) for row in ("a b c", "1 2 3", "4 5 6")]
    source = open_source(write_log(tmp_path / "log.txt", *lines, *[""] * irregular), engine.scratch)
    assert source.regular is not irregular
    text = delimited(engine, source, delimiter=None)
    assert text.columns == ("a", "b", "c")
    rows = engine.rows(keep_rows(engine, text).order_by(RECORD))
    assert [list(row.values()) for row in rows] == [["1", "2", "3", 0], ["4", "5", "6", 1]]
    assert (source.rows, source.line_of(np.arange(2)).tolist()) == (2, [2, 3])
    with pytest.raises(ValueError, match=r"log\.txt has no column 'd'; it has: a, b, c$"):
        text.need("a", "d")


def test_a_file_without_a_header_gets_its_names(engine: QueryEngine, tmp_path: Path) -> None:
    source = open_source(write_log(tmp_path / "log.csv", "1,2", "3,4,5", "6,7"), engine.scratch)
    rows = engine.rows(keep_rows(engine, delimited(engine, source, names=["a", "b"])).order_by(RECORD))
    assert [(row["a"], row["b"]) for row in rows] == [("1", "2"), ("6", "7")]
    assert source.malformed == [(2, "malformed row")]
    assert source.line_of(np.arange(2)).tolist() == [1, 3]


def test_lines_stay_whole_whatever_signs_are_in_them(engine: QueryEngine, tmp_path: Path) -> None:
    lines = ["a,b;c|d\te", " x 'y' ", "z"]
    source = open_source(write_log(tmp_path / "log.txt", *lines), engine.scratch)
    assert source.regular
    kept = keep_rows(engine, text_lines(engine, source)).order_by(RECORD)
    assert [row[LINE] for row in engine.rows(kept)] == lines


def test_records_that_prove_unusable_are_moved_and_the_lines_of_the_others_stay(
    engine: QueryEngine, tmp_path: Path
) -> None:
    source = open_source(write_log(tmp_path / "log.csv", "a", "1", "x,y", "3", "4"), engine.scratch)
    keep_rows(engine, delimited(engine, source))
    note_bad(source, records=np.array([1]), reasons=["too odd"])  # record 1 stands in line 4: line 3 has no record
    assert source.malformed == [(3, "malformed row"), (4, "too odd")]
    assert (source.rows, source.line_of(np.arange(3)).tolist()) == (2, [2, 4, 5])


def test_json_has_a_column_a_key_and_what_is_no_object_is_malformed(engine: QueryEngine, tmp_path: Path) -> None:
    lines = ['{"a": 1, "tags": ["x"]}', "[1]", '{"b": null}', "{"]
    source = open_source(write_log(tmp_path / "log.jsonl", *lines), engine.scratch)
    text = json_lines(engine, source)
    assert text.columns == ("a", "tags", "b")
    rows = engine.rows(keep_rows(engine, text).order_by(RECORD))
    assert [(row[RECORD], row["a"], row["tags"], row["b"]) for row in rows] == [
        (0, "1", ["x"], None),
        (2, None, None, None),
    ]
    assert source.malformed == [(2, "malformed row"), (4, "malformed row")]


def test_parquet_keeps_its_types_and_counts_rows_from_1(engine: QueryEngine, tmp_path: Path) -> None:
    pq.write_table(pa.table({"a": [1, 2], "b": ["x", None]}), tmp_path / "log.parquet")
    source = open_source(tmp_path / "log.parquet", engine.scratch)
    rows = engine.rows(keep_rows(engine, parquet(engine, source)).order_by(RECORD))
    assert rows == [{"a": 1, "b": "x", RECORD: 0}, {"a": 2, "b": None, RECORD: 1}]
    assert source.line_of(np.arange(2)).tolist() == [1, 2]
