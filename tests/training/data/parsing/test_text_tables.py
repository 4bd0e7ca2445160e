"""One table, whichever of the parsers read the file."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.logs import EVENTS_HEADER, click_log, read_log, write_log

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
