"""Whole sessions by the time of their last event, the given cases, and one event left out."""

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.logs import EVENTS_HEADER, click_run, events_log, sequences_run, sessions_of, write_log
from training.data.columns import END, PART, SESSION
from training.data.engine import open_engine
from training.data.preparation.splits import training_ends
from training.data.readers.sequences import SequencesConfig
from training.data.readers.sessions_split import SessionsSplitConfig
from training.settings.prepare import PrepareConfig, Repeats
from training.settings.split import SplitBy, SplitConfig
from training.stages.prepare import prepare

DAY = 86_400


def test_fractions_hold_out_the_sessions_that_end_last_and_keep_them_whole(tmp_path: Path) -> None:
    # Ten sessions end at 1, 11, ... 91 s, save that the long one starts first and ends at 200 s.
    sessions = [(f"s{number}", 10 * number, ["x", "y"]) for number in range(9)]
    path = events_log(tmp_path / "log.csv", sessions)
    path.write_text(path.read_text() + "long,y,click,200\nlong,x,click,0\n")
    dataset = prepare(click_run(path, split=SplitConfig(validation=0.2, test=0.2)))
    # 10 sessions: 2 test, 2 validation, 6 train.
    assert dataset.parts == {"train": (0, 6), "validation": (6, 8), "test": (8, 10)}
    assert sessions_of(dataset, "test") == [["x", "y"], ["x", "y"]]
    assert dataset.part("test").times.tolist() == [80_000, 81_000, 0, 200_000]
    ranges = dataset.about["time_ranges"]
    assert ranges["train"] == ["1970-01-01T00:00:00.000Z", "1970-01-01T00:00:51.000Z"]
    assert dataset.test_cases == "every"


def test_sessions_that_end_together_are_in_one_part(tmp_path: Path) -> None:
    ends = [1, 2, 3, 5, 5, 5, 5, 5, 9, 9]
    path = events_log(tmp_path / "log.csv", [(str(n), end - 1, ["x", "y"]) for n, end in enumerate(ends)])
    dataset = prepare(click_run(path, split=SplitConfig(validation=0.3, test=0.2)))
    # The share would cut between the fifth and the sixth session, which both end at 5: all five are validation.
    assert dataset.parts == {"train": (0, 3), "validation": (3, 8), "test": (8, 10)}


def test_days_count_back_from_the_last_event(tmp_path: Path) -> None:
    ends = [1 * DAY, 7 * DAY, 8 * DAY + 1, 9 * DAY, 10 * DAY]
    path = events_log(tmp_path / "log.csv", [(str(n), end - 1, ["x", "y"]) for n, end in enumerate(ends)])
    dataset = prepare(click_run(path, split=SplitConfig(by=SplitBy.days, validation=2, test=1)))
    # Test: after day 9. Validation: after day 7 up to and with day 9.
    assert dataset.parts == {"train": (0, 2), "validation": (2, 4), "test": (4, 5)}


def test_given_cases_all_survive_as_they_are(tmp_path: Path) -> None:
    train = write_log(tmp_path / "train.txt", *[f"{n} {n + 1}" for n in range(9)], "1 1 1")
    test = write_log(tmp_path / "test.txt", "1 2\t3", "1\t2", "77\t1")
    data = SessionsSplitConfig(train=str(train), test=str(test))
    dataset = prepare(PrepareConfig(out=str(tmp_path / "out"), data=data, split=SplitConfig(validation=0.2)))
    assert sessions_of(dataset, "train") == [[str(n), str(n + 1)] for n in range(8)]
    assert sessions_of(dataset, "validation") == [["8", "9"], ["1", "1", "1"]]
    assert sessions_of(dataset, "test") == [["1", "2", "3"], ["1", "2"], ["77", "1"]]
    assert dataset.test_cases == "last"
    assert set(dataset.sessions.times.tolist()) == {-1}
    assert dataset.about["time_ranges"] == {"train": None, "validation": None, "test": None}
    # Training shows 0 to 8; 9 and 77 only come later.
    assert dataset.catalogue.item_ids[dataset.catalogue.trained :] == ["77", "9"]


def test_leaving_one_out_makes_three_sessions_of_one(tmp_path: Path) -> None:
    lines = ["u a b c d", "v a c", "w b a e", "x d d a b a"]
    attributes = '{"a": [7, 5], "d": [5], "elsewhere": [1]}'
    dataset = prepare(sequences_run(tmp_path, *lines, attributes=attributes))
    # v is too short to hold anything out; w has one event left to train on, which is too few.
    assert sessions_of(dataset, "train") == [["a", "b"], ["a", "c"], ["d", "d", "a"]]
    assert sessions_of(dataset, "validation") == [["a", "b", "c"], ["b", "a"], ["d", "d", "a", "b"]]
    assert sessions_of(dataset, "test") == [["a", "b", "c", "d"], ["b", "a", "e"], ["d", "d", "a", "b", "a"]]
    assert (dataset.validation_cases, dataset.test_cases) == ("last", "last")
    # Everything is before the test but each longer session's last event: v is for training alone, and is not forgotten.
    before = dataset.before_test()
    names = [[dataset.catalogue.item_ids[item] for item in before.items[a:b]] for a, b in pairwise(before.offsets)]
    assert names == [["a", "b", "c"], ["a", "c"], ["b", "a"], ["d", "d", "a", "b"]]
    assert before.optional["users"].tolist() == [0, 1, 3, 2]
    assert [dataset.catalogue.item_ids[item] for item in np.flatnonzero(dataset.new_items())] == ["e", "elsewhere"]
    # Users in order of first appearance: u, v, x; then u, w, x twice.
    assert dataset.sessions.optional["users"].tolist() == [0, 1, 2, 0, 3, 2, 0, 3, 2]
    # Counted in training alone: a 3, b 2 (w's too), d 2, c 1; e is held out, elsewhere stands in no event.
    catalogue = dataset.catalogue
    assert (catalogue.item_ids, catalogue.trained) == (["a", "b", "d", "c", "e", "elsewhere"], 4)
    assert catalogue.counts_NB.tolist() == [[3], [2], [2], [1], [0], [0]]
    assert [catalogue.tokens_of(item) for item in range(3)] == [["attribute=7", "attribute=5"], [], ["attribute=5"]]


def test_leaving_one_out_goes_by_time_where_there_is_a_clock(tmp_path: Path) -> None:
    lines = ["s,c,click,30", "s,a,click,10", "t,a,click,5", "s,d,click,40", "t,b,click,6", "s,b,click,20"]
    path = write_log(tmp_path / "log.csv", EVENTS_HEADER, *lines)
    dataset = prepare(click_run(path, split=SplitConfig(by=SplitBy.leave_one_out)))
    assert sessions_of(dataset, "train") == [["a", "b"], ["a", "b"]]
    assert dataset.before_test().times.tolist() == [5_000, 6_000, 10_000, 20_000, 30_000]  # t ended before s
    assert sessions_of(dataset, "validation") == [["a", "b", "c"]]
    assert sessions_of(dataset, "test") == [["a", "b", "c", "d"]]
    assert dataset.part("test").times.tolist() == [10_000, 20_000, 30_000, 40_000]


def test_leaving_one_out_is_the_same_after_repeats_are_collapsed(tmp_path: Path) -> None:
    dataset = prepare(sequences_run(tmp_path, "u a a b b c d d", "v a a a", repeats=Repeats.collapse))
    assert sessions_of(dataset, "train") == [["a", "b"]]
    assert sessions_of(dataset, "validation") == [["a", "b", "c"]]
    assert sessions_of(dataset, "test") == [["a", "b", "c", "d"]]


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"session_gap_minutes": 5.0}, "session_gap_minutes must be null for data=sequences, which has no clock"),
        ({"split": SplitConfig(by=SplitBy.fractions)}, "does not fit this log; allowed: auto, leave_one_out"),
    ],
)
def test_a_log_without_a_clock_cannot_be_parted_by_time(
    tmp_path: Path, changes: dict[str, object], sentence: str
) -> None:
    config = PrepareConfig(out=str(tmp_path / "out"), data=SequencesConfig(path="sequences.txt"))
    with pytest.raises(ValueError, match=sentence):
        prepare(replace(config, **changes))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"repeats": Repeats.collapse}, "cannot be set for data=sessions_split"),
        ({"split": SplitConfig(test=0.1)}, "split.test is 0.1, but the log gives its test cases"),
        ({"split": SplitConfig(by=SplitBy.days)}, "split.by is 'days', which does not fit this log"),
    ],
)
def test_given_cases_cannot_be_changed(tmp_path: Path, changes: dict[str, object], sentence: str) -> None:
    data = SessionsSplitConfig(train="train.txt", test="test.txt")
    with pytest.raises(ValueError, match=sentence):
        prepare(replace(PrepareConfig(out=str(tmp_path / "out"), data=data), **changes))  # type: ignore[arg-type]


SHARES = st.floats(-0.5, 1) | st.just(float("nan"))


@given(SHARES, SHARES)
def test_shares_leave_something_to_train_on_or_are_refused(validation: float, test: float) -> None:
    config = SplitConfig(SplitBy.fractions, validation, test)
    if validation >= 0 and test >= 0 and validation + test < 1:
        assert config.resolved(split_is_given=False, has_clock=True) == config
    else:
        with pytest.raises(ValueError, match=r"split\.(validation|test) "):
            config.resolved(split_is_given=False, has_clock=True)


@pytest.mark.parametrize(
    ("given", "clock", "expected"),
    [
        (False, True, SplitConfig(SplitBy.fractions, 0.05, 0.1)),
        (True, False, SplitConfig(SplitBy.given, 0.05, 0.0)),
        (False, False, SplitConfig(SplitBy.leave_one_out, 0.0, 0.0)),
    ],
)
def test_auto_is_what_fits_the_log(given: bool, clock: bool, expected: SplitConfig) -> None:
    assert SplitConfig().resolved(split_is_given=given, has_clock=clock) == expected
    week = SplitConfig(SplitBy.days).resolved(split_is_given=False, has_clock=True)
    assert (week.validation, week.test) == (7.0, 7.0)


def test_the_training_part_ends_where_the_first_later_session_ends(tmp_path: Path) -> None:
    with open_engine(tmp_path) as engine:
        ends = {SESSION: np.arange(4), END: np.array([5, 20, 10, 30]), PART: np.array([0, 1, 2, 0])}
        sessions = engine.given(ends)
        assert training_ends(engine, sessions) == 10
        assert training_ends(engine, sessions.filter(sessions[PART] == 0)) == 2**62
