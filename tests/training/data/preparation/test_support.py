"""The support of items where none is given: the usual one, or what leaves enough of the log in use."""

from pathlib import Path

import pytest

from tests.logs import click_run, events_log
from training.stages.prepare import prepare


def log_of(folder: Path, *, rare: int, times: int, frequent: int) -> Path:
    """``rare`` items in ``times`` sessions of two each, and ``frequent`` sessions of two items that all have."""
    rows = [[f"r{n}", f"r{n}"] for n in range(rare) for _ in range(times)]
    rows += [["x", "y"]] * frequent
    return events_log(folder / "log.csv", [(f"s{n}", 10 * n, items) for n, items in enumerate(rows)])


@pytest.mark.parametrize(
    ("rare", "times", "frequent", "support"),
    [
        (5, 2, 30, 5),  # 60 events of 80 are of x and y, each 30 times: three quarters
        (5, 2, 29, 4),  # 58 of 78 are less; four is the most that each rare item has
        (5, 1, 10, 2),  # 20 of 30 are of x and y; the others have two events each
    ],
)
def test_support_falls_until_three_quarters_of_the_training_events_are_in_use(
    tmp_path: Path, rare: int, times: int, frequent: int, support: int
) -> None:
    dataset = prepare(click_run(log_of(tmp_path, rare=rare, times=times, frequent=frequent), min_item_support=None))
    counts = dataset.about["counts"]
    assert (dataset.about["config"]["min_item_support"], counts["support_chosen"]) == (support, True)
    assert counts["items_trained"] == (2 if support == 5 else 2 + rare)


def test_a_support_that_is_given_is_kept(tmp_path: Path) -> None:
    dataset = prepare(click_run(log_of(tmp_path, rare=5, times=1, frequent=10), min_item_support=3))
    assert (dataset.about["config"]["min_item_support"], dataset.about["counts"]["support_chosen"]) == (3, False)
    assert dataset.catalogue.trained == 2


def test_sessions_that_are_too_short_whatever_the_support_do_not_count(tmp_path: Path) -> None:
    """Of 30 events 20 stand alone in their sessions, of items that are met once: no support would bring them back."""
    rows = [("alone" + str(n), 10 * n, [f"r{n}"]) for n in range(20)]
    rows += [("pair" + str(n), 1000 + 10 * n, ["x", "y"]) for n in range(5)]
    dataset = prepare(click_run(events_log(tmp_path / "log.csv", rows), min_item_support=None))
    assert dataset.about["config"]["min_item_support"] == 5
