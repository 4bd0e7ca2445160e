"""Rows that say the same twice: dropped where nobody can have done it twice, kept and told where somebody may have."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from tests.logs import EVENTS_HEADER, click_log, click_run, sessions_of, write_log
from tillside.dataset import Dataset
from training.settings.data import DuplicateRows
from training.stages.prepare import prepare

AUTO, DROP, KEEP = DuplicateRows.auto, DuplicateRows.drop, DuplicateRows.keep
ROWS = ["s,a,click,1", "s,b,click,2", "s,a,click,3", "t,a,click,3", "t,b,click,61"]


def prepared(folder: Path, rows: Sequence[str], how: DuplicateRows = AUTO) -> Dataset:
    path = write_log(folder / "log.csv", EVENTS_HEADER, *rows)
    return prepare(replace(click_run(path), data=click_log(path, duplicates=how)))


def told(dataset: Dataset) -> tuple[int, int]:
    duplicates = dataset.about["counts"]["duplicates"]
    return duplicates["rows"], duplicates["dropped"]


def test_a_log_that_was_appended_to_itself_is_the_log(tmp_path: Path) -> None:
    """An item seen again a second later is no copy, nor is the same item and time of another session."""
    once, twice = prepared(tmp_path / "1", ROWS), prepared(tmp_path / "2", ROWS + ROWS)
    assert sessions_of(twice, "train") == sessions_of(once, "train") == [["a", "b", "a"], ["a", "b"]]
    assert twice.digest == once.digest
    assert (told(once), told(twice)) == ((0, 0), (5, 5))
    assert twice.about["counts"]["rows"] == 10


@pytest.mark.parametrize(
    ("how", "dropped", "session"), [(AUTO, 2, ["a", "b", "a"]), (DROP, 2, ["a", "b", "a"]), (KEEP, 0, list("aabba"))]
)
def test_some_copies_are_told_and_go_unless_they_are_real(
    tmp_path: Path, how: DuplicateRows, dropped: int, session: list[str]
) -> None:
    dataset = prepared(tmp_path, ["s,a,click,1", "s,b,click,2", *ROWS], how)
    assert sessions_of(dataset, "train")[0] == session
    assert told(dataset) == (2, dropped)


def test_copies_go_whoever_the_shopper_is_and_the_first_row_stays(tmp_path: Path) -> None:
    """Without session ids the shopper is who does the same twice; with both, the session, which is of one shopper."""
    header = "session_id,user_id,item_id,timestamp,price"
    rows = ["s,u,a,1,10", "s,u,b,2,20", "s,u,b,2,30", "t,u,a,3,10", "t,w,b,4,10"]
    path = write_log(tmp_path / "both.csv", header, *rows, *rows)
    dataset = prepare(click_run(path))
    assert dataset.sessions.optional["users"].tolist() == [0, 0, 1]
    assert dataset.sessions.optional["prices"].tolist() == [10, 20, 10, 10]
    assert told(dataset) == (6, 6)
    users = write_log(tmp_path / "users.csv", "user_id,item_id,timestamp", *["u,a,1", "u,b,2", "u,a,1"])
    assert sessions_of(prepare(click_run(users)), "train") == [["a", "b"]]


def by_day(copies: int) -> list[str]:
    """600 shoppers on a day each, all of whose events bear the day's date: a, b, a; twice that is 3,600 rows."""
    return [f"s{n},{item},click,{86_400 * n}" for n in range(600) for item in "aba"] * copies


def test_what_may_happen_twice_within_a_day_is_kept_where_the_clock_tells_no_seconds(tmp_path: Path) -> None:
    dataset = prepared(tmp_path / "auto", by_day(1))
    assert sessions_of(dataset, "train")[0] == ["a", "b", "a"]
    assert (told(dataset), dataset.about["counts"]["duplicates"]["clock_without_seconds"]) == ((600, 0), True)
    forced = prepared(tmp_path / "drop", by_day(1), DROP)
    assert (sessions_of(forced, "train")[0], told(forced)) == (["a", "b"], (600, 600))


def test_of_a_log_of_copies_one_is_left_where_the_clock_tells_no_seconds(tmp_path: Path) -> None:
    """b stands twice and a four times in each session: the log is there twice, and each shopper saw a twice."""
    dataset = prepared(tmp_path, by_day(2))
    assert sessions_of(dataset, "train") == [["a", "b", "a"]] * 600
    assert told(dataset) == (600 * (1 + 3), 600 * 3)
