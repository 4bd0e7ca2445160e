"""Which pairs are listed as weak; the diagnosis is worked out in test_report.py."""

import pyarrow as pa

from training.feedback.pairs import _diagnosis, weak_pairs


def test_the_weak_ones_that_were_seen_most_come_first():
    rows = [
        {"anchor": "a", "item": item, "seen": seen, "diagnosis": ill}
        for item, seen, ill in (("x", 5, "annoys"), ("y", 9, None), ("z", 7, "annoys"))
    ]
    assert [row["item"] for row in weak_pairs(pa.Table.from_pylist(rows))] == ["z", "x"]


def test_each_rate_speaks_of_something_else():
    assert _diagnosis(True, False, False) == "display or item"
    assert _diagnosis(False, True, True) == "discount or pairing; annoys"
    assert _diagnosis(False, False, False) is None
