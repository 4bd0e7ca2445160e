"""What the benchmark of judged policies takes for the truth, and the part of a log that it judges by."""

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from benchmarks.judged import SEGMENT, carts_of_log, expected_clicks, part_of
from tillside.feedback.segments import EVENTS, EXPOSURES, SegmentWriter, read_segment, segments_of


def test_the_clicks_that_a_list_earns_by_hand():
    """.5 of what is liked by .9 in slot 1, and of what is liked by .15 in slot 2, looked at 1 in 1.4 times."""
    assert expected_clicks(["case", "fan"], ["case"]) == pytest.approx(0.5 * 0.9 + 0.5 * 0.15 / 1.4)
    assert expected_clicks([], ["case"]) == 0


def test_a_session_s_first_cart_is_a_cart_with_what_came_before(tmp_path):
    rows = [("s", "fan", "click", 1), ("s", "phone", "cart", 2), ("s", "case", "cart", 3), ("t", "coat", "click", 1)]
    rows += [("a", "coat", "cart", 9)]
    columns = dict(zip(("session_id", "item_id", "behaviour", "timestamp"), zip(*rows, strict=True), strict=True))
    pq.write_table(pa.table({name: list(values) for name, values in columns.items()}), tmp_path / "log.parquet")
    found = carts_of_log(tmp_path / "log.parquet")
    assert [(cart.anchor, len(cart.session)) for cart in found] == [("phone", 2), ("coat", 1)], "oldest first"


def test_the_first_answers_of_a_log_have_all_of_its_events(tmp_path):
    for kind, count in ((EXPOSURES, 3), (EVENTS, 2)):
        for number in range(count):
            writer = SegmentWriter(tmp_path / "whole" / kind)
            writer.append([f"{kind}{number}".encode()])
            writer.close()
    part = part_of(tmp_path / "whole", tmp_path / "part", answers=SEGMENT + 1)
    told = {kind: [b for path in segments_of(part / kind) for b in read_segment(path)] for kind in (EXPOSURES, EVENTS)}
    assert told == {EXPOSURES: [b"exposures0", b"exposures1"], EVENTS: [b"events0", b"events1"]}
