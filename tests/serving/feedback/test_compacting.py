"""The log loses what is asked for, nothing else, and only where nobody writes and every event id stays known."""

import json
import os
import stat

import pytest

from serving.feedback import compacting
from serving.feedback.compacting import compact
from tillside.feedback.events import Event, encode_event
from tillside.feedback.exposures import Exposure, Slot, encode_exposure
from tillside.feedback.forgetting import Order, digest_of
from tillside.feedback.segments import SegmentReader, SegmentWriter, frame, segments_of

NOW = 4_000_000_000_000
"""An order after every record: segments are begun at the true time."""


def order(*keys, time=NOW):
    return Order([digest_of(key).hex() for key in keys], time)


def click(number, *, received=100, **whose):
    return encode_event(Event(event_id=f"e{number}", kind="click", item="fig", time=1, received=received, **whose))


def shown(number, **whose):
    slots = [Slot("fig", 1)]
    return encode_exposure(Exposure(recommendation_id=f"r{number}", time=100, tier="model", slots=slots, **whose))


def write(folder, *records, close=True):
    writer = SegmentWriter(folder)
    writer.append(records)
    writer.sync()
    if close:
        writer.close()
    return writer


def read(folder):
    return [record for path in segments_of(folder) for record in SegmentReader(path)]


def test_a_shopper_leaves_exposures_events_and_conflicts_and_nobody_else_does(tmp_path):
    anns = {"shopper": "ann"}
    write(tmp_path / "events", click(1, **anns), click(2, shopper="bob"), click(3))
    write(tmp_path / "events", click(4, shopper="bob"))
    write(tmp_path / "conflicts", click(1, **anns))
    write(tmp_path / "exposures", shown(1, **anns), shown(2, shopper="bob"), b"no record at all")
    done = compact(tmp_path, [order("ann")])
    assert (done.records, done.segments, done.waiting) == (3, 3, [])
    assert read(tmp_path / "events") == [click(2, shopper="bob"), click(3), click(4, shopper="bob")]
    assert read(tmp_path / "conflicts") == []
    assert read(tmp_path / "exposures") == [shown(2, shopper="bob"), b"no record at all"]


def test_a_key_that_was_kept_plain_and_then_hashed_leaves_in_both_forms(tmp_path):
    write(tmp_path / "events", click(1, shopper="ann"), click(2, shopper="9f9f"))
    assert compact(tmp_path, [order("ann", "9f9f")]).records == 2


def test_what_the_shoppers_visits_did_without_the_key_leaves_too(tmp_path):
    """A visitor logs in: what came before bears the visit alone. Somebody else on that device keeps their records."""
    write(tmp_path / "events", click(1, session="v1"), click(2, session="v2"))
    write(tmp_path / "events", click(3, session="v1", shopper="ann"), click(4, session="v1", shopper="bob"))
    write(tmp_path / "exposures", shown(1, session="v1"), shown(2, session="v2"))
    compact(tmp_path, [order("ann")])
    assert read(tmp_path / "events") == [click(2, session="v2"), click(4, session="v1", shopper="bob")]
    assert read(tmp_path / "exposures") == [shown(2, session="v2")]


def test_what_comes_after_the_order_stays(tmp_path, monkeypatch):
    """Asked for at 100: what was received then goes, what was received at 101 stays."""
    monkeypatch.setattr(compacting, "begun_ms", lambda path: 0)
    write(tmp_path / "events", click(1, shopper="ann", received=100), click(2, shopper="ann", received=101))
    assert compact(tmp_path, [order("ann", time=100)]).records == 1
    assert read(tmp_path / "events") == [click(2, shopper="ann", received=101)]


def test_a_segment_that_was_begun_after_the_order_is_not_waited_for(tmp_path):
    write(tmp_path / "events", click(1, shopper="ann"), close=False)
    assert compact(tmp_path, [order("ann", time=10**12)]).waiting == []


def test_a_segment_that_is_being_written_waits(tmp_path):
    writer = write(tmp_path / "events", click(1, shopper="ann"), close=False)
    assert compact(tmp_path, [order("ann")]).waiting == [writer.path]
    path = writer.path
    writer.append([click(2, shopper="ann")])
    writer.close()
    assert compact(tmp_path, [order("ann")]).records == 2
    assert list(SegmentReader(path)) == []
    assert path.exists()  # empty, so that training.measure sees it shrink


def test_of_a_collectors_events_those_wait_whose_ids_nobody_else_remembers(tmp_path):
    for number in (1, 2):
        write(tmp_path / "events", click(number, shopper="ann"))
    one, other = segments_of(tmp_path / "events")
    (tmp_path / ".collector.lock").touch()
    assert compact(tmp_path, [order("ann")]).waiting == [one, other]
    (tmp_path / "seen").mkdir()
    (tmp_path / "seen" / "seen.json").write_text(json.dumps({"version": 1, "runs": [], "segments": [one.name]}))
    done = compact(tmp_path, [order("ann")])
    assert (done.records, done.waiting) == (1, [other])
    assert list(SegmentReader(one)) == []


def test_what_a_crash_tore_goes_as_well_since_nobody_can_say_whose_it_is(tmp_path):
    write(tmp_path / "events", click(1, shopper="bob"))
    (path,) = segments_of(tmp_path / "events")
    whole = path.read_bytes()
    path.write_bytes(whole + frame(click(2, shopper="ann"))[:-4])
    done = compact(tmp_path, [order("ann")])
    assert path.read_bytes() == whole
    assert done.bytes_left == len(frame(click(2, shopper="ann"))) - 4


def test_a_file_that_is_no_segment_stays_as_it_is(tmp_path):
    (tmp_path / "events").mkdir()
    strange = tmp_path / "events" / "20200101T000000.000000-00000000.seg"
    strange.write_bytes(b"of a later version")
    assert compact(tmp_path, [order("ann")]).segments == 0
    assert strange.read_bytes() == b"of a later version"


def test_a_rewritten_segment_keeps_name_mode_and_time(tmp_path):
    write(tmp_path / "events", click(1, shopper="ann"), click(2))
    (path,) = segments_of(tmp_path / "events")
    path.chmod(0o600)
    os.utime(path, (1000, 2000))
    compact(tmp_path, [order("ann")])
    assert segments_of(tmp_path / "events") == [path]
    assert (stat.S_IMODE(path.stat().st_mode), path.stat().st_mtime) == (0o600, 2000)


def test_segments_without_records_of_theirs_are_not_touched(tmp_path):
    write(tmp_path / "events", click(1, shopper="bob"))
    (path,) = segments_of(tmp_path / "events")
    before = path.stat().st_ino
    assert compact(tmp_path, [order("ann")]) == compacting.Compacted()
    assert path.stat().st_ino == before


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_a_kill_in_the_middle_leaves_each_segment_as_it_was_or_as_it_shall_be(tmp_path, monkeypatch, step):
    for number in (1, 2):
        write(tmp_path / "events", click(number, shopper="ann"), click(number + 10))
    one, other = segments_of(tmp_path / "events")
    calls = []

    def killed_at_the_second(*arguments):
        calls.append(arguments)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return original(*arguments)

    place = os if step == "fsync" else compacting.Path
    original = getattr(place, step)
    with monkeypatch.context() as patch:
        patch.setattr(place, step, killed_at_the_second)
        with pytest.raises(KeyboardInterrupt):
            compact(tmp_path, [order("ann")])
    found = [list(SegmentReader(path)) for path in (one, other)]
    assert all(len(records) in (1, 2) for records in found)
    compact(tmp_path, [order("ann")])
    assert read(tmp_path / "events") == [click(11), click(12)]
    assert [path.name for path in (tmp_path / "events").iterdir() if path.suffix != ".seg"] == []
