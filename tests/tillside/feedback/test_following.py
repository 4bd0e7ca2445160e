"""Following a folder: each record comes out once, whoever writes, rolls, is killed, or replaces a segment."""

import os
import struct

from tillside.feedback.following import FolderTail, SegmentTail
from tillside.feedback.segments import MAGIC, SegmentWriter, frame, segments_of


def test_what_is_appended_comes_out_once(tmp_path):
    tail, writer = FolderTail(tmp_path / "events"), SegmentWriter(tmp_path / "events")
    assert list(tail.read()) == []
    writer.append([b"one", b"two"])
    assert list(tail.read()) == [b"one", b"two"]
    assert list(tail.read()) == []
    writer.append([b"three"])
    writer.close()
    writer.append([b"four"])
    assert list(tail.read()) == [b"three", b"four"]
    assert list(tail.read()) == []


def test_several_writers_are_followed_each_in_its_order(tmp_path):
    one, other, tail = SegmentWriter(tmp_path), SegmentWriter(tmp_path), FolderTail(tmp_path)
    met = []
    for number in range(3):
        one.append([b"one %d" % number])
        other.append([b"other %d" % number])
        met += tail.read()
    assert [each for each in met if each.startswith(b"one")] == [b"one 0", b"one 1", b"one 2"]
    assert [each for each in met if each.startswith(b"other")] == [b"other 0", b"other 1", b"other 2"]


def test_a_reader_that_stops_in_the_middle_goes_on_there(tmp_path):
    writer, tail = SegmentWriter(tmp_path), FolderTail(tmp_path)
    writer.append([b"one", b"two", b"three"])
    assert next(iter(tail.read())) == b"one"
    assert list(tail.read()) == [b"two", b"three"]


def test_a_record_in_the_making_is_waited_for(tmp_path):
    writer = SegmentWriter(tmp_path)
    writer.append([b"one"])
    tail = SegmentTail(writer.path)
    assert list(tail.read()) == [b"one"]
    whole = frame(b"second")
    with writer.path.open("ab") as file:
        for part in (whole[:3], whole[3:10]):
            file.write(part)
            file.flush()
            assert list(tail.read()) == []
        file.write(whole[10:])
    assert list(tail.read()) == [b"second"]
    assert tail.torn is None


def test_a_record_whose_bytes_are_not_there_yet_is_read_anew(tmp_path):
    """The length of a group may be seen before its bytes are: they are zeros until then."""
    writer = SegmentWriter(tmp_path)
    writer.append([b"one"])
    tail = SegmentTail(writer.path)
    assert list(tail.read()) == [b"one"]
    whole = frame(b"second")
    with writer.path.open("r+b") as file:
        file.seek(0, os.SEEK_END)
        end = file.tell()
        file.write(whole[:8] + bytes(6))
        file.flush()
        assert list(tail.read()) == []
        file.seek(end)
        file.write(whole)
    assert list(tail.read()) == [b"second"]


def test_what_a_killed_writer_tore_ends_its_segment_and_no_other(tmp_path, caplog):
    writer = SegmentWriter(tmp_path)
    writer.append([b"one"])
    torn = writer.path
    writer.close()
    with torn.open("ab") as file:
        file.write(frame(b"second")[:5])
    tail = FolderTail(tmp_path)
    assert list(tail.read()) == [b"one"]
    assert f"{torn}: a record is cut off at byte 19; the 5 bytes from there are not read" in caplog.text
    caplog.clear()
    writer.append([b"three"])
    assert list(tail.read()) == [b"three"]
    assert not caplog.records


def test_a_damaged_record_ends_a_segment_that_nobody_writes(tmp_path, caplog):
    good = frame(b"one")
    (tmp_path / "20260101T000000.000000-00000000.seg").write_bytes(
        MAGIC + good + struct.pack("<II", 3, 1) + b"bad" + good
    )
    assert list(FolderTail(tmp_path).read()) == [b"one"]
    assert "a record is damaged at byte 19" in caplog.text


def test_what_is_no_segment_is_told_once(tmp_path, caplog):
    (tmp_path / "20260101T000000.000000-00000000.seg").write_bytes(b"something else")
    tail = FolderTail(tmp_path)
    assert list(tail.read()) == list(tail.read()) == []
    assert [record.message.split(": ")[1][:19] for record in caplog.records] == ["this is no segment "]


def test_a_replaced_segment_is_read_to_its_end_as_it_was_and_never_again(tmp_path):
    writer = SegmentWriter(tmp_path)
    writer.append([b"one", b"two"])
    tail = FolderTail(tmp_path)
    assert next(iter(tail.read())) == b"one"
    writer.close()
    (path,) = segments_of(tmp_path)
    other = tmp_path / "other"
    other.write_bytes(MAGIC + frame(b"something shorter"))
    other.replace(path)
    assert list(tail.read()) == [b"two"]
    assert list(tail.read()) == []


def test_segments_that_were_ended_long_ago_are_passed_over(tmp_path):
    writer = SegmentWriter(tmp_path)
    writer.append([b"old"])
    writer.close()
    (old,) = segments_of(tmp_path)
    os.utime(old, (1000, 1000))
    writer.append([b"new"])
    os.utime(writer.path, (1000, 1000))  # it has been quiet, but may still be written
    assert list(FolderTail(tmp_path, since=2000).read()) == [b"new"]


def test_records_larger_than_a_chunk_are_whole(tmp_path, monkeypatch):
    monkeypatch.setattr("tillside.feedback.following.CHUNK_BYTES", 16)
    writer = SegmentWriter(tmp_path)
    payloads = [b"x" * 50, b"y", b"z" * 100]
    writer.append(payloads)
    assert list(FolderTail(tmp_path).read()) == payloads


def test_no_file_stays_open_once_its_segment_has_ended(tmp_path):
    before = len(os.listdir("/proc/self/fd"))
    tail = FolderTail(tmp_path)
    for number in range(5):
        writer = SegmentWriter(tmp_path)
        writer.append([b"%d" % number])
        writer.close()
    assert len(list(tail.read())) == 5
    assert len(os.listdir("/proc/self/fd")) == before
