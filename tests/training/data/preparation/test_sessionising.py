"""Sessions by id or idle gap, repeats, and the length limit."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from tests.logs import EVENTS_HEADER, click_run, events_log, sessions_of, write_log
from tillside.encoding.live import encode_session
from tillside.encoding.spec import EncodingSpec
from training.data.readers.events import EventsConfig
from training.inputs.cases import make_cases
from training.settings.data import DuplicateRows
from training.settings.prepare import Repeats
from training.settings.split import SplitConfig
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
        data=EventsConfig(path=str(tmp_path / "log.csv"), behaviours=["click", "cart"], duplicates=DuplicateRows.keep),
    )
    dataset = prepare(config)
    assert sessions_of(dataset, "train") == [["x", "x", "x", "y", "x"]]
    assert dataset.sessions.behaviours.tolist() == [0, 1, 0, 0, 0]
    assert dataset.sessions.times.tolist() == [5_000, 7_000, 8_000, 9_000, 10_000]
    assert len(prepare(replace(config, repeats=Repeats.keep)).sessions.items) == 7


def test_what_an_untrained_item_parted_is_collapsed_as_the_server_does(tmp_path: Path) -> None:
    """Nobody else takes ``rare``, so it is not trained, and training holds x once. The test session keeps all that
    happened; what stands before its last event is what a server makes of the same events: x, then y."""
    sessions = [("s", 0, ["x", "rare", "x", "y"]), ("t", 10, ["x", "y"]), ("v", 20, ["x", "rarer", "x", "y", "x"])]
    path = events_log(tmp_path / "log.csv", sessions)
    split = SplitConfig(validation=0.0, test=0.34)
    dataset = prepare(click_run(path, repeats=Repeats.collapse, min_item_support=2, split=split))
    assert sessions_of(dataset, "train") == [["x", "y"], ["x", "y"]]
    assert sessions_of(dataset, "test") == [["x", "rarer", "x", "y", "x"]]
    spec, known = EncodingSpec(collapse_repeats=dataset.collapse_repeats), dataset.catalogue.trained
    test = dataset.part("test")
    cases = make_cases(test, rule="last", spec=spec, items=known, goal=0)
    offline = cases.batch(np.array([0]))
    columns = (np.array([*test.items[:4]]), np.zeros(4, np.int64), test.times[:4])
    live = encode_session(np.where(columns[0] < known, columns[0], -1), *columns[1:], spec=spec, known_items=known)
    assert [dataset.catalogue.item_ids[item] for item in offline.session(0)] == ["x", "y"]
    assert offline.items_BL.tolist() == live.items_BL.tolist()
    assert offline.gaps_BL.tolist() == live.gaps_BL.tolist()


def test_a_longer_session_is_cut_and_loses_nothing(tmp_path: Path) -> None:
    path = events_log(tmp_path / "log.csv", [("bot", 0, list("abcdefg")), ("s", 100, ["a", "b"])])
    dataset = prepare(click_run(path, max_session_length=3, min_session_length=1))
    assert sessions_of(dataset, "train") == [list("abc"), list("def"), ["g"], ["a", "b"]]
