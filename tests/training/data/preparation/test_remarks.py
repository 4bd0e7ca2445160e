"""What preparation remarks on: figures by hand, and the keys that change them."""

from dataclasses import replace
from pathlib import Path

from tests.logs import EVENTS_HEADER, click_log, click_run, events_log, write_log
from training.data.preparation.remarks import remarks, training_counts
from training.settings.data import DuplicateRows
from training.stages.prepare import prepare


def test_a_log_of_which_most_is_left_out_is_told_with_figure_and_key(tmp_path: Path) -> None:
    """30 events of 14 items: x and y have five each in sessions of two, 8 items one each with a copy of x or y between
    them and what follows, and 4 items stand alone: with a support of 3, 12 of the 14 are untrained."""
    rows = [["x", "y"]] * 5 + [[f"r{n}", f"q{n}"] for n in range(4)] + [["x"]] * 8 + [[f"z{n}"] for n in range(4)]
    path = events_log(tmp_path / "log.csv", [(f"s{n}", 10 * n, items) for n, items in enumerate(rows)])
    dataset = prepare(click_run(path, min_item_support=3))
    # x 13, y 5; twelve items once each: 30 events, of which 10 are learned from, 12 untrained and 8 too short
    assert training_counts(dataset) == {
        "events": 30, "items": 14, "learned": 10, "trained": 2, "untrained_events": 12, "short_events": 8
    }  # fmt: skip
    assert remarks(dataset) == [
        "most of this log is not learned from: of the training part's 14 items 86% have fewer than 3 events there and "
        "are untrained (min_item_support=3); of its 30 events 67% are left out, 40% as those of untrained items and "
        "27% in sessions of fewer than 2 events (min_session_length=2)"
    ]
    assert remarks(prepare(click_run(path, min_item_support=1, min_session_length=1))) == []
    # With single events kept 18 of 30 are learned from, of two items of 14.
    [items] = remarks(prepare(click_run(path, min_item_support=3, min_session_length=1)))
    assert items.startswith("most items of this log are untrained: of the training part's 14 items 86% have fewer")


def test_a_support_that_was_lowered_for_the_log_is_told(tmp_path: Path) -> None:
    path = events_log(tmp_path / "log.csv", [(f"s{n}", 10 * n, [f"r{n}", f"r{n}"]) for n in range(9)])
    [told] = remarks(prepare(click_run(path, min_item_support=None)))
    assert told.startswith("min_item_support=2 suits this log: 5, as usual, would leave too much of it out")


def test_copies_are_told_with_the_key_that_keeps_or_drops_them(tmp_path: Path) -> None:
    rows = [f"s,{item},click,{second}" for second, item in enumerate("abc")]
    path = write_log(tmp_path / "log.csv", EVENTS_HEADER, *rows, rows[0])
    what = "1 rows (25.0%) repeat another's session, item, behaviour and time"
    [left_out] = remarks(prepare(click_run(path)))
    assert left_out == f"{what} and are left out; where they are real, keep them with data.duplicates=keep"
    kept = replace(click_run(path), data=click_log(path, duplicates=DuplicateRows.keep))
    assert remarks(prepare(kept)) == [f"{what}; they are kept; data.duplicates=drop leaves them out"]
