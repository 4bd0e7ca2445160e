"""Segments: whole records are read, torn ones are reported, and no writer touches another's."""

import errno
import os
import re
import struct
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tillside.feedback import segments
from tillside.feedback.segments import MAGIC, SegmentReader, SegmentWriter, Torn, frame, read_segment, segments_of


def written(folder, *groups, **options):
    writer = SegmentWriter(folder, **options)
    for group in groups:
        writer.append(group)
    writer.close()
    return segments_of(folder)


def told(path):
    torn: list[Torn] = []
    return list(read_segment(path, report=torn.append)), torn


def test_a_segment_is_its_magic_and_records_of_length_checksum_and_payload(tmp_path):
    (path,) = written(tmp_path / "events", [b"one", b"second"])
    records = [struct.pack("<II", len(each), zlib.crc32(each)) + each for each in (b"one", b"second")]
    assert path.read_bytes() == b"tillseg1" + b"".join(records)
    assert re.fullmatch(r"\d{8}T\d{6}\.\d{6}-[0-9a-f]{8}\.seg", path.name)
    assert frame(b"one") == records[0]


def test_what_was_appended_is_read_in_order(tmp_path):
    (path,) = written(tmp_path, [b"a", b"b"], [], [b"c"])
    assert told(path) == ([b"a", b"b", b"c"], [])


def test_a_full_segment_is_followed_by_another(tmp_path):
    paths = written(tmp_path, [b"x" * 50], [b"y" * 50], [b"z"], segment_bytes=60)
    assert sorted(payload for path in paths for payload in read_segment(path)) == [b"x" * 50, b"y" * 50, b"z"]
    assert len(paths) == 3


def test_two_writers_of_one_folder_write_segments_of_their_own(tmp_path):
    one, other = SegmentWriter(tmp_path), SegmentWriter(tmp_path)
    for number in range(3):
        one.append([b"one %d" % number])
        other.append([b"other %d" % number])
    assert one.path != other.path
    one.close()
    other.close()
    assert sorted(next(iter(read_segment(path))) for path in segments_of(tmp_path)) == [b"one 0", b"other 0"]


def test_no_folder_has_no_segments(tmp_path):
    assert segments_of(tmp_path / "none") == []


@given(st.lists(st.binary(min_size=1, max_size=40), min_size=1, max_size=6), st.data())
def test_wherever_a_crash_tears_it_the_whole_records_before_are_read(tmp_path_factory, payloads, data):
    """Of every prefix of a segment exactly the records that lie in it whole, and the rest is told to the byte."""
    folder = tmp_path_factory.mktemp("torn")
    (path,) = written(folder, payloads)
    whole = path.read_bytes()
    cut = data.draw(st.integers(0, len(whole)))
    path.write_bytes(whole[:cut])
    ends = [len(MAGIC)]
    for payload in payloads:
        ends.append(ends[-1] + 8 + len(payload))
    kept = sum(end <= cut for end in ends[1:])
    found, torn = told(path)
    assert found == payloads[:kept]
    if cut in ends:
        assert torn == []
    else:
        end = ends[kept] if cut > len(MAGIC) else 0
        assert [(each.offset, each.bytes_left) for each in torn] == [(end, cut - end)]


def test_reading_ends_at_a_damaged_record(tmp_path):
    (path,) = written(tmp_path, [b"first", b"second", b"third"])
    data = bytearray(path.read_bytes())
    data[data.index(b"second")] ^= 1
    path.write_bytes(data)
    found, (torn,) = told(path)
    assert found == [b"first"]
    assert str(torn) == f"{path}: a record is damaged at byte 21; the 27 bytes from there are not read"


def test_a_tail_of_zeros_is_no_record(tmp_path):
    """Some file systems leave one after a power failure; length 0 with checksum 0 would else be a record."""
    (path,) = written(tmp_path, [b"first"])
    path.write_bytes(path.read_bytes() + bytes(64))
    found, (torn,) = told(path)
    assert (found, torn.bytes_left, torn.reason) == ([b"first"], 64, "a record has no bytes")


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "the head is cut off"),
        (b"till", "the head is cut off"),
        (b"tillseg9rest", "version b'9' of segments is not known"),
        (b'{"json": 1}', "this is no segment"),
    ],
)
def test_what_is_no_segment_is_told_too(tmp_path, data, reason):
    path = tmp_path / "x.seg"
    path.write_bytes(data)
    assert told(path) == ([], [Torn(path, 0, len(data), reason)])


def test_a_torn_record_is_logged_by_default(tmp_path, caplog):
    path = tmp_path / "x.seg"
    path.write_bytes(b"till")
    assert list(read_segment(path)) == []
    assert "the head is cut off at byte 0; the 4 bytes from there are not read" in caplog.text


def test_a_reader_goes_on_where_it_ended(tmp_path):
    writer = SegmentWriter(tmp_path)
    writer.append([b"a", b"b"])
    assert writer.path is not None
    first = SegmentReader(writer.path)
    assert list(first) == [b"a", b"b"]
    writer.append([b"c"])
    assert list(SegmentReader(writer.path, start=first.offset)) == [b"c"]


def test_an_empty_payload_is_refused(tmp_path):
    with pytest.raises(ValueError, match="a record must have bytes"):
        SegmentWriter(tmp_path).append([b""])


def test_a_group_that_a_full_disk_cuts_is_not_read_later(tmp_path, monkeypatch):
    """The second group is half written, then there is no room: it is cut off, and a new segment has the third.

    With it goes what was not synced, so that whoever keeps that until then may append all of it again.
    """
    writer = SegmentWriter(tmp_path)
    writer.append([b"first"])
    writer.sync()
    writer.append([b"not synced"])
    path, write, room = writer.path, os.write, [12]

    def scant(file, data):
        if not room[0]:
            raise OSError(errno.ENOSPC, "No space left on device")
        size = write(file, bytes(data)[: room[0]])
        room[0] -= size
        return size

    with monkeypatch.context() as patch:
        patch.setattr(segments.os, "write", scant)
        with pytest.raises(OSError, match="No space"):
            writer.append([b"second"])
    writer.append([b"third"])
    writer.close()
    assert told(path) == ([b"first"], [])
    assert {payload for each in segments_of(tmp_path) for payload in read_segment(each)} == {b"first", b"third"}


@pytest.mark.parametrize("room", [0, len(MAGIC), len(MAGIC) + 3])
def test_attempts_on_a_full_disk_leave_no_files(tmp_path, monkeypatch, room):
    """Its head, its first group or a part of it does not fit; those who follow would hold each such file open."""
    writer, write = SegmentWriter(tmp_path / "events"), os.write

    def scant(file, data):
        left = room - os.fstat(file).st_size
        if left <= 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(file, bytes(data)[:left])

    with monkeypatch.context() as patch:
        patch.setattr(segments.os, "write", scant)
        for _ in range(3):
            with pytest.raises(OSError, match="No space"):
                writer.append([b"first"])
    assert segments_of(tmp_path / "events") == []
    writer.append([b"second"])
    writer.close()
    assert [told(path) for path in segments_of(tmp_path / "events")] == [([b"second"], [])]


def test_a_failed_sync_withdraws_what_was_not_durable(tmp_path, monkeypatch):
    writer = SegmentWriter(tmp_path)
    writer.append([b"first"])
    writer.sync()
    path = writer.path
    writer.append([b"second"])

    def broken(file):
        raise OSError(errno.EIO, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr(segments.os, "fdatasync", broken)
        with pytest.raises(OSError, match="Input/output"):
            writer.sync()
    assert told(path) == ([b"first"], [])
    assert writer.path is None


def test_segments_of_one_second_keep_the_order_in_which_they_were_begun(tmp_path):
    begun = []
    for number in range(20):
        writer = SegmentWriter(tmp_path)
        writer.append([b"%d" % number])
        begun.append(writer.path)
        writer.close()
    assert segments_of(tmp_path) == begun
