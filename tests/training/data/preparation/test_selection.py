"""Trained items and kept sessions, by the training part alone; the order of sessions and events; the arrays."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from tests.logs import EVENTS_HEADER, click_run, events_log, sessions_of, write_log
from training.settings.data import EventsConfig
from training.settings.prepare import PrepareConfig
from training.settings.split import SplitBy, SplitConfig
from training.stages.prepare import prepare


def test_events_are_sorted_by_session_time_and_then_as_they_stand_in_the_file(tmp_path: Path) -> None:
    lines = [
        "b,1,click,50",
        "a,2,click,9",
        "b,3,click,40",
        "a,4,click,9",
        "b,5,click,40",
        "a,6,click,8",
        "c,7,click,60",
    ]
    dataset = prepare(click_run(write_log(tmp_path / "log.csv", EVENTS_HEADER, *lines), min_session_length=1))
    # a ends at 9, b at 50, c at 60.
    assert sessions_of(dataset, "train") == [["6", "2", "4"], ["3", "5", "1"], ["7"]]
    assert dataset.sessions.times.tolist() == [8_000, 9_000, 9_000, 40_000, 40_000, 50_000, 60_000]


def test_support_and_length_are_counted_on_the_training_part_alone_and_once(tmp_path: Path) -> None:
    path = events_log(
        tmp_path / "log.csv",
        [
            ("t1", 0, ["a", "b"]),
            ("t2", 10, ["a", "c", "b"]),
            ("t3", 20, ["d", "c", "e"]),  # of these only c is trained: too short
            ("t4", 30, ["b"]),  # too short, yet its event counts for b
            ("v1", 40, ["d", "d"]),  # d is seen often, but in training only once
            ("v2", 50, ["a"]),  # nothing to predict
            ("x1", 60, ["z", "a"]),
            ("x2", 70, ["a", "b"]),
        ],
    )
    config = click_run(path, min_item_support=2, split=SplitConfig(validation=0.25, test=0.25))
    dataset = prepare(config)
    assert sessions_of(dataset, "train") == [["a", "b"], ["a", "c", "b"]]
    assert sessions_of(dataset, "validation") == [["d", "d"]]
    assert sessions_of(dataset, "test") == [["z", "a"], ["a", "b"]]
    # Training events: b 3, a 2, c 2 (trained; a before c by id), then d 1, e 1, z 0 by id.
    catalogue = dataset.catalogue
    assert (catalogue.item_ids, catalogue.trained) == (["b", "a", "c", "d", "e", "z"], 3)
    assert catalogue.counts_NB.tolist() == [[3], [2], [2], [1], [1], [0]]
    counts = dataset.about["counts"]
    assert (counts["items"], counts["items_trained"]) == (6, 3)
    assert counts["rows"] == 2 + 3 + 3 + 1 + 2 + 1 + 2 + 2
    parts = counts["parts"]
    assert [parts[part]["sessions_dropped_short"] for part in ("train", "validation", "test")] == [2, 1, 0]
    assert parts["test"]["untrained_share"] == 1 / 4
    assert parts["validation"]["untrained_share"] == 1.0
    # What is too short, and has an event that is known, lies behind the parts: t3 with its c, t4 with its b, v2 with a.
    ids, short = catalogue.item_ids, [dataset.short(part) for part in ("train", "validation", "test")]
    assert [[ids[item] for item in each.items] for each in short] == [["c", "b"], ["a"], []]
    assert [each.offsets.tolist() for each in short] == [[0, 1, 2], [0, 1], [0]]
    assert len(dataset.sessions) == 5 + 3
    # Before the test are the training events, those of d and e too, and d twice and a once in the validation part.
    assert dataset.events_before_test().tolist() == [3, 2 + 1, 2, 1 + 2, 1, 0]
    assert [ids[item] for item in np.flatnonzero(dataset.new_items())] == ["z"]


def test_items_that_are_held_out_keep_their_test_events_alone(tmp_path: Path) -> None:
    ids = [f"i{number}" for number in range(10)]
    path = events_log(tmp_path / "log.csv", [(f"s{number}", 100 * number, ids) for number in range(10)])
    split = SplitConfig(validation=0.2, test=0.2)
    whole, config = prepare(click_run(path, split=split)), click_run(path, split=split, holdout_items=0.3)
    assert whole.catalogue.trained == 10
    dataset = prepare(config)
    held = set(dataset.catalogue.item_ids[7:])
    assert (dataset.catalogue.trained, dataset.catalogue.counts_NB[7:].sum()) == (7, 0)
    for part in ("train", "validation"):
        assert sessions_of(dataset, part) == [[item for item in ids if item not in held]] * len(dataset.part(part))
    assert dataset.parts == whole.parts
    assert sessions_of(dataset, "test") == sessions_of(whole, "test") == [ids] * 2
    drawn = {frozenset(prepare(replace(config, seed=seed)).catalogue.item_ids[7:]) for seed in (0, 1)}
    assert frozenset(held) in drawn
    assert len(drawn) > 1


def test_optional_columns_become_arrays(tmp_path: Path) -> None:
    header = f"{EVENTS_HEADER},user_id,price,quantity,scene_id"
    lines = ["s,a,click,1,u9,1.5,2,live", "s,b,click,2,u9,,,", "t,a,click,3,,4,1,look", "t,b,click,4,,4,1,live"]
    optional = prepare(click_run(write_log(tmp_path / "log.csv", header, *lines))).sessions.optional
    assert optional["users"].tolist() == [0, -1]
    assert optional["scenes"].tolist() == [0, -1, 1, 0]
    assert optional["quantities"].tolist() == [2, -1, 1, 1]
    assert np.array_equal(optional["prices"], np.array([1.5, np.nan, 4, 4], np.float32), equal_nan=True)
    plain = prepare(click_run(events_log(tmp_path / "plain.csv", [("s", 1, ["a", "b"])])))
    assert plain.sessions.optional == {}


def test_all_sessions_are_kept_as_they_happened_and_goals_are_counted_in_them(tmp_path: Path) -> None:
    lines = [
        "t1,a,click,1", "t1,b,click,2", "t1,rare,purchase,3",  # the purchase is dropped from training, not forgotten
        "t2,a,click,11", "t2,b,purchase,12", "t2,a,click,13",
        "t3,b,click,21",
        "v1,a,click,31",
        "x1,b,click,41", "x1,other,purchase,42",
    ]  # fmt: skip
    path = write_log(tmp_path / "log.csv", EVENTS_HEADER, *lines)
    data = EventsConfig(path=str(path), behaviours=["click", "purchase"])
    split = SplitConfig(validation=0.0, test=0.2)
    dataset = prepare(PrepareConfig(out=str(tmp_path / "out"), data=data, min_item_support=2, split=split))
    kept = dataset.part("train")
    assert sessions_of(dataset, "train") == [["a", "b"], ["a", "b", "a"]]
    assert kept.optional["goals_later"].tolist() == [1, 1, 1, 0, 0]
    whole, ids = dataset.whole("train"), dataset.catalogue.item_ids
    assert [ids[item] for item in whole.items] == ["a", "b", "rare", "a", "b", "a", "b", "a"]
    assert whole.offsets.tolist() == [0, 3, 6, 7, 8]
    assert whole.behaviours.tolist() == [0, 0, 1, 0, 1, 0, 0, 0]
    assert [ids[item] for item in dataset.whole("test").items] == ["b", "other"]
    assert dataset.part("test").optional["goals_later"].tolist() == [1, 0]


def test_a_log_of_one_behaviour_is_kept_once(tmp_path: Path) -> None:
    dataset = prepare(click_run(events_log(tmp_path / "log.csv", [("t1", 0, ["a", "b"]), ("t2", 10, ["a"])])))
    assert dataset.stored_whole is None
    assert "goals_later" not in dataset.part("train").optional


def test_where_the_split_cuts_sessions_short_nothing_is_said_of_what_came_later(tmp_path: Path) -> None:
    lines = [f"s{number},{item},{behaviour},{number * 100 + at}" for number in range(3) for at, (item, behaviour)
             in enumerate([("a", "click"), ("b", "click"), ("a", "click"), ("b", "purchase")])]  # fmt: skip
    path = write_log(tmp_path / "log.csv", EVENTS_HEADER, *lines)
    data = EventsConfig(path=str(path), behaviours=["click", "purchase"])
    split = SplitConfig(by=SplitBy.leave_one_out)
    dataset = prepare(PrepareConfig(out=str(tmp_path / "out"), data=data, min_item_support=1, split=split))
    assert dataset.stored_whole is None
