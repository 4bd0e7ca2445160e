"""Segments become flat, keyed rows."""

import pyarrow.parquet as pq

from tests.feedback_logs import DAY, NOON, event, exposure, order, write
from training.feedback.staging import stage, staged_file, staged_files


def staged(folder, table):
    return [
        row for path in sorted((folder / "staged" / table).glob("*.parquet")) for row in pq.read_table(path).to_pylist()
    ]


def test_a_slot_a_row_an_answer_without_items_too_and_a_line_a_row(tmp_path):
    write(
        tmp_path,
        [exposure("r1", ["case", "film"], shopper=None), exposure("r2", [], NOON + DAY, arm="holdout", session=None)],
        [
            event("e1", "click", "case", recommendation_id="r1"),
            order("o1", [("case", 2, 10.0), ("pen", 1, None)], NOON),
        ],
    )
    staging = stage(tmp_path, tmp_path, {}, late_days=90)
    slots, answers, acts, lines = (staged(tmp_path, table) for table in ("slots", "answers", "acts", "lines"))
    assert [(row["recommendation_id"], row["item"], row["position"]) for row in slots] == [
        ("r1", "case", 1),
        ("r1", "film", 2),
    ]
    assert [(row["subject"], row["anonymous"], row["slots"], row["arm"]) for row in answers] == [
        ("v1", True, 2, None),
        ("ann", False, 0, "holdout"),
    ]
    assert [(row["order_id"], row["item"], row["quantity"], row["price"]) for row in lines] == [
        ("o1", "case", 2, 10.0),
        ("o1", "pen", 1, None),
    ]
    assert (acts[0]["slot_key"], acts[0]["session_key"]) == (slots[0]["slot_key"], slots[0]["session_key"])
    assert slots[0]["shopper_key"] is None
    assert lines[0]["session_key"] == slots[0]["session_key"]
    assert staging.days == {20454, 20455}


def test_only_what_is_new_is_read_and_files_are_found_by_their_days(tmp_path):
    write(tmp_path, [exposure("r1", ["case"])])
    first = stage(tmp_path, tmp_path, {}, late_days=90)
    write(tmp_path, [exposure("r2", ["case"], NOON + 9 * DAY)])
    second = stage(tmp_path, tmp_path, first.segments, late_days=90)
    assert (len(first.fresh), len(second.fresh), second.days) == (1, 1, {20463})
    [name] = second.fresh
    assert staged_files(tmp_path, second.segments, "slots", first=20460, last=20470) == [
        staged_file(tmp_path, "slots", name.partition("/")[2])
    ]


def test_segments_that_were_staged_may_be_moved_away(tmp_path):
    write(tmp_path, [exposure("r1", ["case"])])
    first = stage(tmp_path, tmp_path, {}, late_days=90)
    next((tmp_path / "exposures").glob("*.seg")).unlink()
    second = stage(tmp_path, tmp_path, first.segments, late_days=90)
    assert (second.segments, second.fresh) == (first.segments, ())


def test_who_gave_no_key_is_somebody_of_their_own(tmp_path):
    write(tmp_path, [exposure(rec, ["case"], shopper=None, session=None) for rec in ("r1", "r2")])
    stage(tmp_path, tmp_path, {}, late_days=90)
    assert [row["subject"] for row in staged(tmp_path, "answers")] == ["#r1", "#r2"]
