"""An id counts once for ever: while its segment is written, in runs, after a crash, and after its segment is gone."""

import json

import pytest

from serving.collector.seen import SeenIds, id_of, mark_of
from tillside.feedback.segments import SegmentWriter, segments_of

KEYS = [id_of(f"event {number}") for number in range(100)]
MARKS = [mark_of(b"%d" % number) for number in range(100)]


def ids_of(record):
    return [(KEYS[int(record)], MARKS[int(record)])]


def opened(folder):
    seen = SeenIds(folder / "seen", ids_of)
    seen.catch_up(segments_of(folder / "events"))
    return seen


def taken(seen, numbers):
    return seen.take([KEYS[number] for number in numbers], [MARKS[number] for number in numbers])


def sealed(seen, numbers, name):
    assert set(taken(seen, numbers)) == {None}
    seen.seal(name)


def test_an_id_is_known_before_and_after_its_run_is_made(tmp_path):
    seen = SeenIds(tmp_path, ids_of)
    assert taken(seen, [0, 0]) == [None, MARKS[0]]
    seen.seal("a.seg")
    assert taken(seen, [0, 1]) == [MARKS[0], None]
    seen.settle()
    assert seen.runs == 1
    assert taken(seen, [2, 1, 0]) == [None, MARKS[1], MARKS[0]]


def test_what_was_not_kept_is_forgotten(tmp_path):
    seen = SeenIds(tmp_path, ids_of)
    taken(seen, [0, 1])
    seen.forget([KEYS[1]])
    seen.seal("a.seg")
    seen.settle()
    assert taken(seen, [0, 1]) == [MARKS[0], None]


def test_eight_runs_of_a_size_become_one_and_all_are_remembered_after_a_restart(tmp_path):
    seen = SeenIds(tmp_path, ids_of)
    for number in range(10):
        sealed(seen, range(number * 10, number * 10 + 10), f"{number}.seg")
        seen.settle()
    assert seen.runs == 3
    assert len(list(tmp_path.glob("*.filter.npy"))) == 3
    again = SeenIds(tmp_path, ids_of)
    assert taken(again, range(100)) == MARKS
    assert len(again) == 100


def test_after_a_crash_the_ids_are_read_from_the_segments(tmp_path):
    """The segment is there, its run is not; of one with a run nothing is read again, so that it may be removed."""
    writer = SegmentWriter(tmp_path / "events")
    writer.append([b"0", b"1"])
    writer.close()
    assert taken(opened(tmp_path), [0, 1, 2]) == [MARKS[0], MARKS[1], None]
    for path in segments_of(tmp_path / "events"):
        path.unlink()
    assert taken(opened(tmp_path), [0, 1, 2]) == [MARKS[0], MARKS[1], None]


def test_the_first_payload_of_an_id_in_a_segment_stands(tmp_path):
    seen = SeenIds(tmp_path / "seen", lambda record: [(KEYS[0], mark_of(record))])
    writer = SegmentWriter(tmp_path / "events")
    writer.append([b"first", b"second"])
    writer.close()
    seen.catch_up(segments_of(tmp_path / "events"))
    assert taken(seen, [0]) == [mark_of(b"first")]


def test_a_mark_is_length_and_checksum():
    """CRC-32 of "123456789" is 0xCBF43926, as its definition says."""
    assert mark_of(b"123456789") == 9 << 32 | 0xCBF43926


def test_files_of_a_crash_are_swept_up(tmp_path):
    (tmp_path / "left.npy").write_bytes(b"half")
    SeenIds(tmp_path, ids_of)
    assert not (tmp_path / "left.npy").exists()


def test_a_later_version_and_a_missing_run_are_told(tmp_path):
    (tmp_path / "seen.json").write_text(json.dumps({"version": 2, "runs": [], "segments": []}))
    with pytest.raises(ValueError, match="is of version 2; this tillside reads version 1"):
        SeenIds(tmp_path, ids_of)
    (tmp_path / "seen.json").write_text(json.dumps({"version": 1, "runs": ["x.npy"], "segments": []}))
    with pytest.raises(ValueError, match="names a file that cannot be read"):
        SeenIds(tmp_path, ids_of)
