"""An answer that stands in the log again counts once, on whichever days it stands."""

from tests.feedback_logs import DAY, HOUR, NOON, event, exposure, order, rows, settings, write
from training.feedback.joining import join
from training.feedback.partitions import partitions

TWICE = [exposure("r1", ["case", "film"]), exposure("r1", ["case", "film"], NOON + DAY), exposure("r2", ["case"])]
BOUGHT = [
    event("e1", "click", "case", NOON + HOUR, recommendation_id="r1"),
    order("o1", [("case", 1, 10.0)], NOON + DAY + HOUR),
]


def days(out):
    """Day and recommendation of each answer, and day, item and revenue of each slot."""
    return (
        sorted((row["day"].day, row["recommendation_id"]) for row in rows(out, "answers")),
        sorted(
            (row["day"].day, row["recommendation_id"], row["item"], row["revenue"]) for row in rows(out, "outcomes")
        ),
    )


def test_an_answer_that_was_written_on_two_days_counts_on_the_first(tmp_path):
    write(tmp_path / "feedback", TWICE, BOUGHT)
    join(settings(tmp_path))
    assert days(tmp_path / "out") == (
        [(1, "r1"), (1, "r2")],
        [(1, "r1", "case", 10.0), (1, "r1", "film", 0.0), (1, "r2", "case", 0.0)],
    )
    assert sum(row["revenue"] for row in rows(tmp_path / "out", "lines")) == 10.0


def test_a_first_copy_that_comes_late_takes_the_place_of_the_one_that_was_counted(tmp_path):
    """However far apart they are; found out later or at once, the files are the same."""
    far, near = exposure("r1", ["case"], NOON + 40 * DAY), exposure("r1", ["case"])
    write(tmp_path / "feedback", [far])
    join(settings(tmp_path))
    assert days(tmp_path / "out")[0] == [(10, "r1")]  # 40 days after the first of January
    write(tmp_path / "feedback", [near])
    join(settings(tmp_path))
    assert days(tmp_path / "out")[0] == [(1, "r1")]
    found = {path.name: path.read_bytes() for path in partitions(tmp_path / "out", "answers")}
    join(settings(tmp_path, rebuild=True))
    assert {path.name: path.read_bytes() for path in partitions(tmp_path / "out", "answers")} == found


def test_the_copy_with_items_counts(tmp_path):
    """One segment holds the answer with its slots gone; in another it is whole."""
    write(tmp_path / "feedback", [exposure("r1", [])])
    write(tmp_path / "feedback", [exposure("r1", ["case"], NOON + 1)])
    join(settings(tmp_path))
    assert days(tmp_path / "out") == ([(1, "r1")], [(1, "r1", "case", 0.0)])
