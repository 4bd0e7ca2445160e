"""Sessions by id or idle gap, repeats, and the length limit."""

from dataclasses import replace
from pathlib import Path

from tests.logs import EVENTS_HEADER, click_run, events_log, sessions_of, write_log
from training.data.readers.events import EventsConfig
from training.settings.prepare import Repeats
from training.stages.prepare import prepare


def test_an_idle_gap_makes_sessions_of_users_and_divides_sessions_when_asked(tmp_path: Path) -> None:
    minutes = [0, 30, 61, 62]
    lines = [f"u,{number},click,{60 * minute}" for number, minute in enumerate(minutes)]
    users = write_log(tmp_path / "users.csv", EVENTS_HEADER.replace("session_id", "user_id"), *lines)
    # Pauses of 30, 31 and 1 minutes: only a longer pause than 30 divides.
    assert sessions_of(prepare(click_run(users)), "train") == [["0", "1"], ["2", "3"]]
    wide = prepare(click_run(users, session_gap_minutes=31))
    assert sessions_of(wide, "train") == [["0", "1", "2", "3"]]
    ids = write_log(tmp_path / "ids.csv", EVENTS_HEADER, *lines)
    assert sessions_of(prepare(click_run(ids)), "train") == [["0", "1", "2", "3"]]
    assert sessions_of(prepare(click_run(ids, session_gap_minutes=30)), "train") == [["0", "1"], ["2", "3"]]


def test_repeats_are_kept_or_collapsed_by_item_and_behaviour(tmp_path: Path) -> None:
    steps = ["x click 5", "x click 6", "x cart 7", "x click 8", "y click 9", "y click 9", "x click 10"]
    lines = [",".join(["s", *step.split()]) for step in steps]
    config = replace(
        click_run(write_log(tmp_path / "log.csv", EVENTS_HEADER, *lines), repeats=Repeats.collapse),
        data=EventsConfig(path=str(tmp_path / "log.csv"), behaviours=["click", "cart"]),
    )
    dataset = prepare(config)
    assert sessions_of(dataset, "train") == [["x", "x", "x", "y", "x"]]
    assert dataset.sessions.behaviours.tolist() == [0, 1, 0, 0, 0]
    assert dataset.sessions.times.tolist() == [5_000, 7_000, 8_000, 9_000, 10_000]
    assert len(prepare(replace(config, repeats=Repeats.keep)).sessions.items) == 7


def test_a_longer_session_is_cut_and_loses_nothing(tmp_path: Path) -> None:
    path = events_log(tmp_path / "log.csv", [("bot", 0, list("abcdefg")), ("s", 100, ["a", "b"])])
    dataset = prepare(click_run(path, max_session_length=3, min_session_length=1))
    assert sessions_of(dataset, "train") == [list("abc"), list("def"), ["g"], ["a", "b"]]
