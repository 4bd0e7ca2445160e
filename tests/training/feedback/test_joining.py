"""The join is incremental and repeatable, survives what logs hold, and says what it left out."""

import json
import struct

import pyarrow.parquet as pq
import pytest

from serving.feedback.compacting import compact
from tests.feedback_logs import DAY, HOUR, MINUTE, NOON, event, exposure, order, rows, settings, write
from tillside.feedback.events import encode_event
from tillside.feedback.exposures import encode_exposure
from tillside.feedback.forgetting import Order, digest_of
from tillside.feedback.segments import MAGIC, SegmentWriter, frame
from training.feedback.columns import TABLES
from training.feedback.joining import STATE, batches_of, chunks, join, only_writer
from training.feedback.partitions import partitions

pytestmark = pytest.mark.slow

REC = {"recommendation_id": "r1"}
CLICK = event("e2", "click", "case", NOON + MINUTE, **REC)


def files(out):
    """Content and time of every joined file."""
    found = [path for name in TABLES for path in partitions(out, name)]
    return {path.relative_to(out).as_posix(): (path.read_bytes(), path.stat().st_mtime_ns) for path in found}


def test_late_events_and_returns_repair_the_days_that_they_touch_and_no_others(tmp_path):
    """Day by day as it is found out, or all anew: the same files. What nothing touches is not written again."""
    first = [exposure("r0", ["pen"], NOON - 11 * DAY), exposure("r1", ["case"])]
    early = [event("e0", "click", "pen", NOON - 11 * DAY, recommendation_id="r0"), CLICK]
    bought = order("o1", [("case", 1, 10.0)], NOON + 2 * DAY)
    back = order("o1", [("case", 1, 10.0)], NOON + 15 * DAY, kind="return")
    feedback, out = tmp_path / "feedback", tmp_path / "out"
    write(feedback, first, early)
    join(settings(tmp_path))
    before = files(out)
    for late, revenue, returned in ((bought, 10.0, 0.0), (back, 10.0, 10.0)):
        write(feedback, events=[late])
        measured = join(settings(tmp_path))
        assert measured.fresh == 1
        [row] = [row for row in rows(out, "outcomes") if row["recommendation_id"] == "r1"]
        assert (row["revenue"], row["returned_revenue"]) == (revenue, returned)
    after = files(out)
    far = "outcomes/day=2025-12-21/part-0.parquet"
    assert before[far] == after[far]

    again = join(settings(tmp_path))
    assert (again.fresh, again.joined, again.written) == (0, 0, 0)
    assert files(out) == after
    join(settings(tmp_path, rebuild=True, chunk_days=8))
    assert files(out) == after  # all joined anew and in pieces, found the same, left untouched


def test_who_asked_to_be_forgotten_leaves_the_tables_with_the_next_run(tmp_path):
    """The log's segments shrink, so they are read again; bob's rows are joined anew and are the same."""
    feedback, bobs = tmp_path / "feedback", {"shopper": "bob", "session": "v2"}
    bob = exposure("r2", ["case"], NOON + HOUR, **bobs)
    write(feedback, [exposure("r1", ["case"]), bob], [CLICK, event("e9", "click", "case", NOON + HOUR, **bobs)])
    write(feedback, [exposure("r0", ["pen"], NOON - 11 * DAY)], [order("o1", [("case", 1, 10.0)], NOON + 2 * DAY)])
    join(settings(tmp_path))
    before = [row for row in rows(tmp_path / "out", "outcomes") if row["subject"] == "bob"]
    compact(feedback, [Order([digest_of("ann").hex()], 4_000_000_000_000)])
    assert join(settings(tmp_path)).fresh == 4
    assert rows(tmp_path / "out", "outcomes") == before
    assert [row["subject"] for row in rows(tmp_path / "out", "answers")] == ["bob"]
    assert rows(tmp_path / "out", "orders") == rows(tmp_path / "out", "lines") == []
    staged = [pq.read_table(path).to_pylist() for path in (tmp_path / "out" / "staged").rglob("*.parquet")]
    assert {row["subject"] for table in staged for row in table} == {"bob"}


def test_a_segment_that_grows_is_read_again_and_nothing_counts_twice(tmp_path):
    writer = SegmentWriter(tmp_path / "feedback" / "events")
    write(tmp_path / "feedback", [exposure("r1", ["case", "film"])])
    writer.append([encode_event(CLICK)])
    assert join(settings(tmp_path)).total("read") == 2
    writer.append([encode_event(event("e3", "click", "film", NOON + MINUTE, **REC))])
    writer.close()
    measured = join(settings(tmp_path))
    assert (measured.fresh, measured.total("read")) == (1, 3)
    assert [row["clicked"] for row in rows(tmp_path / "out", "outcomes")] == [True, True]


def test_other_rules_join_every_day_again(tmp_path):
    write(tmp_path / "feedback", [exposure("r1", ["case"])], [event("e1", "click", "case", NOON + HOUR)])
    join(settings(tmp_path))
    measured = join(settings(tmp_path, click_hours=0.5))
    assert (measured.fresh, measured.joined) == (0, 1)
    assert not rows(tmp_path / "out", "outcomes")[0]["clicked"]


def hostile():
    """24 kinds of broken or hostile logs and two more: what is written behind a sound record, and what is told."""
    sound, answer = encode_event(CLICK), encode_exposure(exposure("r1", ["case"]))
    long = "x" * 300

    def event_with(**fields):
        return json.dumps(json.loads(sound) | {"event_id": "bad"} | fields).encode()

    def answer_with(**fields):
        return json.dumps(json.loads(answer) | {"recommendation_id": "bad"} | fields).encode()

    head = struct.pack("<II", 2**31, 0)
    damaged = bytearray(frame(event_with()))
    damaged[-1] ^= 1
    robot = [event_with(event_id=f"bot-{n}", shopper="bot", recommendation_id=None) for n in range(3000)]
    robot += [event_with(event_id="bot-buys", kind="purchase", shopper="bot", order_id="bot", lines=[{"item": "case"}])]
    return {  # name: events' bytes behind the sound click, exposures' bytes behind the sound answer, reason, how many
        "torn head": (b"\x07\x00", b"", "torn segment", 1),
        "torn payload": (frame(event_with())[:-5], b"", "torn segment", 1),
        "damaged payload": (bytes(damaged), b"", "torn segment", 1),
        "length of two gigabytes": (head, b"", "torn segment", 1),
        "zeros after a power failure": (bytes(4096), b"", "torn segment", 1),
        "no JSON": (frame(b"\x00\xff not json"), b"", "not an event", 1),
        "half of two records": (frame(b"1,2"), b"", "not an event", 1),
        "lists a hundred thousand deep": (frame(b"[" * 100_000), b"", "not an event", 1),
        "a list": (frame(b"[1, 2]"), b"", "not an event", 1),
        "time as text": (frame(event_with(time="yesterday")), b"", "not an event", 1),
        "time of the year 60000": (frame(event_with(time=1_831_000_000_000_000)), b"", "not an event", 1),
        "time 0": (frame(event_with(time=0)), b"", "time before 1990", 1),
        "time in seconds": (frame(event_with(time=NOON // 1000)), b"", "time before 1990", 1),
        "time of next year": (frame(event_with(time=NOON + 366 * DAY)), b"", "time after it was received", 1),
        "received a year later": (frame(event_with(received=NOON + 366 * DAY)), b"", "received too late", 1),
        "a purchase of nothing": (frame(event_with(kind="purchase", order_id="o")), b"", "purchase without lines", 1),
        "a negative quantity": (
            frame(event_with(kind="purchase", order_id="o", lines=[{"item": "case", "quantity": -9}])),
            b"",
            "not an event",
            1,
        ),
        "a key without end": (frame(event_with(shopper=long)), b"", "not an event", 1),
        "half of a surrogate": (frame(event_with(shopper="\ud800")), b"", "not an event", 1),
        "an item of no name": (frame(event_with(item=None)), b"", "event without item", 1),
        "an answer of a thousand and one items": (
            b"",
            frame(answer_with(slots=[{"item": f"i{n}", "position": n + 1} for n in range(1001)])),
            "more than 1000 slots",
            1,
        ),
        "an answer with a bad slot": (
            b"",
            frame(answer_with(slots=[{"item": "", "position": 1}, {"item": "pen", "position": 0}])),
            "a slot without an item",
            2,
        ),
        "one item twice, chances above 1": (
            b"",
            frame(answer_with(slots=[{"item": "pen", "position": p, "propensity": 7.5} for p in (1, 2)])),
            "an item twice in one answer",
            1,
        ),
        "a robot's clicks": (b"".join(map(frame, robot)), b"", None, 0),
        "another program's file": (None, b"", "torn segment", 1),
        "a segment of a later version": (None, b"", "torn segment", 1),
    }


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    """Each kind in segments of its own, all joined at once: the counts by kind, and the outcomes."""
    folder = tmp_path_factory.mktemp("hostile")
    names = {}
    for number, (kind, (events, exposures, _, _)) in enumerate(hostile().items()):
        name = f"20260101T120000-{number:08x}"
        names[kind] = name
        foreign = b"PK\x03\x04 nothing of ours" if "another" in kind else b"tillseg9" + frame(encode_event(CLICK))
        sound = MAGIC + frame(encode_event(CLICK))
        for room, content in (
            ("events", foreign if events is None else sound + events),
            ("exposures", MAGIC + frame(encode_exposure(exposure("r1", ["case"]))) + exposures),
        ):
            (folder / "feedback" / room).mkdir(parents=True, exist_ok=True)
            (folder / "feedback" / room / f"{name}.seg").write_bytes(content)
    measured = join(settings(folder))
    return {
        "counts": {
            kind: {
                reason: count
                for room in ("events", "exposures")
                for about in ("rejected", "cleared")
                for reason, count in measured.segments[f"{room}/{name}"][about].items()
            }
            for kind, name in names.items()
        },
        "out": folder / "out",
    }


@pytest.mark.parametrize("kind", hostile())
def test_a_broken_or_hostile_log_is_counted_and_never_fatal(told, kind):
    *_, reason, count = hostile()[kind]
    assert told["counts"][kind].get(reason, 0) == count
    if reason is None:
        assert told["counts"][kind] == {}


def test_what_is_sound_beside_it_is_measured_and_counts_once(told):
    """The same answer and the same click stand in every log."""
    outcomes = rows(told["out"], "outcomes")
    assert sorted((row["recommendation_id"], row["item"], row["clicked"]) for row in outcomes) == [
        ("bad", "pen", False),
        ("r1", "case", True),
    ]


def test_one_writer_at_a_time(tmp_path):
    write(tmp_path / "feedback", [exposure("r1", ["case"])])
    with only_writer(tmp_path / "out"), pytest.raises(ValueError, match="another process is writing"):
        join(settings(tmp_path))


@pytest.mark.parametrize(
    ("prepare", "sentence"),
    [
        (lambda folder: (folder / "feedback").mkdir(), "holds no segments"),
        (lambda folder: (folder / "out").write_text("mine"), "exists and is not a directory"),
        (lambda folder: ((folder / "out").mkdir(), (folder / "out" / "x").touch()), f"other files and no {STATE}"),
        (lambda folder: ((folder / "out").mkdir(), (folder / "out" / STATE).write_text("{")), "is damaged"),
        (lambda folder: ((folder / "out").mkdir(), (folder / "out" / STATE).write_text('{"format_version": 9}')),
         "has format_version 9, this version of tillside reads 1"),
    ],
)  # fmt: skip
def test_what_cannot_be_measured_is_refused_in_a_sentence(tmp_path, prepare, sentence):
    if "segments" not in sentence:
        write(tmp_path / "feedback", [exposure("r1", ["case"])])
    prepare(tmp_path)
    with pytest.raises(ValueError, match=sentence):
        join(settings(tmp_path))


def test_days_are_joined_in_pieces():
    assert list(chunks([1, 2, 5, 9, 10], 4)) == [[1, 2], [5], [9, 10]]
    assert list(batches_of([1, 2, 3], {1: 2_000_000, 2: 1_000_000, 3: 1})) == [[1, 2], [3]]
