"""What is read of a segment, and what is told of the rest; the kinds of broken logs are in feedback/test_joining.py."""

from tests.feedback_logs import DAY, NOON, event, exposure
from tillside.feedback.events import encode_event
from tillside.feedback.exposures import encode_exposure
from tillside.feedback.segments import SegmentWriter
from training.data.parsing.feedback_log import Reading, events_of, exposures_of


def segment(folder, *payloads):
    writer = SegmentWriter(folder)
    writer.append(payloads)
    writer.close()
    return next(folder.glob("*.seg"))


def test_one_record_that_is_none_costs_no_other(tmp_path):
    path = segment(
        tmp_path, encode_event(event("e1", "click", "case")), b"{", encode_event(event("e2", "click", "pen"))
    )
    reading = Reading()
    found = [each.event_id for batch in events_of(path, reading, late_days=90) for each in batch]
    assert (found, reading.read, dict(reading.rejected)) == (["e1", "e2"], 2, {"not an event": 1})


def test_how_late_an_event_may_come_is_the_callers(tmp_path):
    path = segment(tmp_path, encode_event(event("e1", "click", "case", NOON, received=NOON + 2 * DAY)))
    for days, count in ((1, 0), (3, 1)):
        reading = Reading()
        assert sum(map(len, events_of(path, reading, late_days=days))) == count


def test_of_an_answer_only_the_slots_that_are_some_are_kept(tmp_path):
    path = segment(tmp_path, encode_exposure(exposure("r1", ["case", "", "case", "film"], intent=7.0)))
    reading = Reading()
    [[found]] = exposures_of(path, reading)
    assert ([slot.item for slot in found.slots], [slot.position for slot in found.slots]) == (["case", "film"], [1, 4])
    assert found.intent is None
    assert sum(reading.cleared.values()) == 3
