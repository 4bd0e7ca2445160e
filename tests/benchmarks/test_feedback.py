"""What the kills' benchmark counts as lost and as doubled, and that each batch of its load has ids of its own."""

import json

import pytest

from benchmarks import feedback_broker, feedback_exposures, feedback_seen, feedback_shoppers
from benchmarks.feedback import make_parser
from benchmarks.feedback_kills import Told, verdict
from benchmarks.feedback_load import EventLoad, Sent
from serving.collector.decoding import decode_batch
from tests.feedback_logs import NOON, exposure
from tillside.feedback.events import Event, Line, encode_event
from tillside.feedback.exposures import Exposure, encode_exposure
from tillside.feedback.segments import EVENTS, EXPOSURES, SegmentWriter


def wrote(folder, records):
    writer = SegmentWriter(folder)
    writer.append(records)
    writer.close()


def test_what_is_missing_is_lost_and_what_is_there_twice_is_doubled(tmp_path):
    """Of three events one is missing; of three answers one was given just before the kill, so one of two is lost."""
    wrote(tmp_path / EVENTS, [encode_event(Event(event_id=name, kind="click", item="a")) for name in "aab"])
    wrote(tmp_path / EXPOSURES, [encode_exposure(Exposure(recommendation_id="r", time=1, tier="model", slots=[]))])
    told = Told(events=["a", "b", "c"], answers=[("r", 1.0), ("s", 2.0), ("t", 9.9)], kills=[10.0])
    assert verdict(told, tmp_path) == {"events": 3, "answers": 3, "lost": 2, "doubled": 1, "torn": 0}


def test_with_a_broker_a_copy_in_the_topic_counts_once_and_what_is_not_measured_is_lost(tmp_path):
    """Order a stands in the topic twice and c is missing; of the two answers that are missing one was given while the
    broker of a server that was killed was away."""
    feedback = tmp_path / "feedback"
    sold = [Line(item="fig", quantity=1, price=1.0)]
    known = {"time": NOON, "received": NOON, "shopper": "ann", "lines": sold}
    orders = [Event(event_id=name, kind="purchase", order_id=name, **known) for name in "aab"]
    wrote(feedback / EVENTS, map(encode_event, orders))
    wrote(feedback / EXPOSURES, [encode_exposure(exposure("r", ["fig"]))])
    told = Told(events=["a", "b", "c"], answers=[("r", 1.0), ("s", 2.0), ("t", 9.0)])
    found = feedback_broker.verdict(told, feedback, tmp_path / "out", [(8.0, 10.0)])
    assert found == {"events": 3, "answers": 3, "lost": 2, "doubled": 0, "waiting": 1, "twice_in_topic": 1}


def test_of_the_forgotten_nothing_from_before_may_be_left(tmp_path):
    """Ann was forgotten at 100: one event is left, the later one may stay; bob's is missing, eve's there twice."""
    kept = [("a1", "ann", 99), ("a2", "ann", 101), ("e1", "eve", 1), ("e1", "eve", 1)]
    records = [
        encode_event(Event(event_id=name, kind="click", item="a", time=1, received=at, shopper=shopper))
        for name, shopper, at in kept
    ]
    wrote(tmp_path / EVENTS, records)
    events = {"a0": ("ann", 98.0), "a1": ("ann", 99.0), "a2": ("ann", 101.0), "b1": ("bob", 1.0), "e1": ("eve", 1.0)}
    told = feedback_shoppers.verdict(feedback_shoppers.Said(events=events, forgotten={"ann": 100}), tmp_path)
    assert told == {"events": 5, "forgotten": 1, "left": 1, "lost": 1, "doubled": 1}


def test_a_median_ratio_lies_between_order_statistics_that_hold_the_true_one():
    """Of ten ratios the second and the ninth: fewer than two of ten are below the true median with a probability of
    11/1024, which is less than a fortieth, and fewer than three with 56/1024, which is more."""
    found = feedback_exposures.ratio([1.3, 0.7, 1.0, 1.1, 0.8, 0.9, 1.2, 1.02, 1.04, 9.0])
    assert (found.value, found.low, found.high) == (pytest.approx(1.03), 0.8, 1.3)


def test_the_log_is_compared_round_by_round_and_so_are_the_two_servers_without():
    """Three rounds of which each is twice as slow as the one before: pairs do not care."""

    def rounds(factor):
        return [{"p50_ms": 1.0 * n, "p99_ms": factor * n, "cpu": 0.5 * factor} for n in (1, 2, 4)]

    found = feedback_exposures.figures_of({"plain": rounds(1.0), "again": rounds(0.9), "logged": rounds(1.5)})
    assert found["p99_ratio"] == feedback_exposures.Ratio(1.5, 1.5, 1.5)
    assert found["aa_p99_ratio"].value == pytest.approx(0.9)
    assert found["p50_ratio"].value == 1
    assert (found["p99_ms"], found["cores_used"]) == (3.0, 0.75)


def test_each_batch_has_ids_of_its_own():
    load = EventLoad("http://127.0.0.1:1", events=3, connections=1, seconds=1)
    ids = []
    for _ in range(3):
        head, _, body = load.request().partition(b"\r\n\r\n")
        assert f"content-length: {len(body)}".encode() in head
        assert decode_batch(body, lines=False, most=3).refusals == []
        ids += [event["event_id"] for event in json.loads(body)]
    assert len(set(ids)) == 9


def test_the_rate_counts_events_of_batches_that_were_taken():
    """Four batches of 100 in two seconds: 200 a second."""
    sent = Sent(seconds=[0.01, 0.02, 0.03, 0.04], refused=1, lasted=2.0)
    assert sent.rate(100) == 200
    assert sent.p99_ms() == pytest.approx(40)


def test_new_ids_are_looked_up_first_and_known_ones_after(tmp_path, monkeypatch):
    """Two segments of three ids, then two groups of two ids: all ten are remembered, in a run for each of three."""
    for name, value in {"SEGMENT": 3, "GROUP": 2, "LOOKED_UP": 4}.items():
        monkeypatch.setattr(feedback_seen, name, value)
    figures = feedback_seen.seen_ids(tmp_path, ids=6)
    assert (figures["ids"], figures["runs"]) == (6, 2)
    assert len(feedback_seen.SeenIds(tmp_path / "seen", lambda record: ())) == 10


def test_all_systems_are_measured_by_default():
    assert make_parser().parse_args([]).systems == []
