"""The follower: what the collector keeps is known soon, orders first, and nothing stops it."""

import contextlib
import os

import pytest
from prometheus_client import CollectorRegistry

from serving.feedback.shoppers import follower as follower_module
from serving.feedback.shoppers.follower import Follower
from serving.feedback.shoppers.limits import VisitLimits
from serving.feedback.shoppers.visits import Visits
from tests.serving.server_process import DEADLINE_SECONDS
from tillside.feedback.events import Event, encode_event
from tillside.feedback.forgetting import Order, digest_of, encode_order
from tillside.feedback.segments import SegmentWriter, segments_of

NOW = 1_700_000_000
MINUTE = 60


@pytest.fixture(autouse=True)
def soon(monkeypatch):
    monkeypatch.setattr(follower_module, "TICK_SECONDS", 0.001)


class Clock:
    now = float(NOW)

    def __call__(self):
        return self.now


@contextlib.contextmanager
def following(folder, *, clock=None, gap_minutes=30):
    visits, registry = Visits(VisitLimits(gap_minutes=gap_minutes)), CollectorRegistry()
    own = Follower(visits, folder, gap_minutes=gap_minutes, registry=registry, clock=clock or Clock())
    with contextlib.closing(own):
        assert own.caught_up.wait(DEADLINE_SECONDS)
        own.visits, own.registry = visits, registry
        yield own


def event(item="fig", *, shopper="ann", at=NOW, **more):
    kept = Event(event_id=item, kind="click", time=at * 1000, received=at * 1000, item=item, shopper=shopper, **more)
    return encode_event(kept)


def write(writer, *records):
    writer.append(records)
    writer.sync()


def until(attempt):
    deadline = os.times().elapsed + DEADLINE_SECONDS
    while not attempt():
        assert os.times().elapsed < deadline
        os.sched_yield()


def items(own, shopper="ann"):
    found = own.visits.find(digest_of(shopper), now_ms=NOW * 1000)
    return None if found is None else [each.item_id for each in found]


def order(shopper="ann", at=NOW):
    return encode_order(Order([digest_of(shopper).hex()], at * 1000))


def test_what_lies_in_the_log_is_known_at_the_start_and_what_comes_soon_after(tmp_path):
    writer = SegmentWriter(tmp_path / "events")
    write(writer, event("fig"))
    with following(tmp_path) as own:
        assert items(own) == ["fig"]
        writer.close()
        write(writer, event("plum"), event("pear", shopper="bob"))
        until(lambda: items(own, "bob"))
        assert items(own) == ["fig", "plum"]
        assert (len(own.visits), own.visits.events) == (2, 3)
        assert own.registry.get_sample_value("tillside_shoppers_read_total") == 3


def test_a_folder_that_is_not_there_yet_is_waited_for(tmp_path):
    with following(tmp_path / "later") as own:
        write(SegmentWriter(tmp_path / "later" / "events"), event())
        until(lambda: items(own))


def test_another_start_finds_the_same(tmp_path):
    write(SegmentWriter(tmp_path / "events"), event("fig"), event("plum", at=NOW + 1), event("x", shopper="bob"))
    with following(tmp_path) as one, following(tmp_path) as other:
        assert [items(one), items(one, "bob")] == [items(other), items(other, "bob")] == [["fig", "plum"], ["x"]]


def test_a_start_reads_back_two_gaps_and_no_further(tmp_path):
    """With a gap of 1 minute: what ended 3 minutes ago is not opened."""
    writer = SegmentWriter(tmp_path / "events")
    for minutes in (3, 1):
        write(writer, event(str(minutes), shopper=str(minutes), at=NOW - minutes * MINUTE))
        path = writer.path
        writer.close()
        os.utime(path, (NOW - minutes * MINUTE,) * 2)
    with following(tmp_path, gap_minutes=1) as own:
        assert own.registry.get_sample_value("tillside_shoppers_read_total") == 1


@pytest.mark.parametrize("folder", ["forgotten", "withdrawn"])
def test_orders_count_whether_they_come_before_or_after_the_start(tmp_path, folder):
    write(SegmentWriter(tmp_path / "events"), event("fig"), event("plum", shopper="bob"))
    orders = SegmentWriter(tmp_path / folder)
    write(orders, order("ann"))
    with following(tmp_path) as own:
        assert (items(own), items(own, "bob")) == (None, ["plum"])
        write(orders, order("bob"))
        until(lambda: items(own, "bob") is None)
        assert own.visits.forgotten == 1


def test_who_is_forgotten_at_once_does_not_come_back_from_the_log(tmp_path):
    with following(tmp_path) as own:
        write(SegmentWriter(tmp_path / "events"), event("fig"))
        until(lambda: items(own))
        assert own.forget(Order([digest_of("ann").hex()], NOW * 1000)) == 1
        assert items(own) is None
        write(SegmentWriter(tmp_path / "events"), event("late"), event("new", at=NOW + 1))
        until(lambda: items(own))
        assert items(own) == ["new"]


def test_visits_end_by_the_clock(tmp_path):
    clock = Clock()
    write(SegmentWriter(tmp_path / "events"), event())
    with following(tmp_path, clock=clock) as own:
        assert len(own.visits) == 1
        clock.now += 31 * MINUTE
        until(lambda: len(own.visits) == 0)


def test_records_that_are_none_cost_nothing_but_themselves(tmp_path, caplog):
    write(SegmentWriter(tmp_path / "events"), b"no event", event("fig"), b'{"kind": 5}', event("plum", at=NOW + 1))
    write(SegmentWriter(tmp_path / "forgotten"), b"no order", order("bob"))
    with following(tmp_path) as own:
        until(lambda: items(own) == ["fig", "plum"])
    (segment,) = segments_of(tmp_path / "events")
    assert segment.exists()


def test_a_folder_that_cannot_be_read_is_told_once_and_tried_again(tmp_path, caplog, monkeypatch):
    (tmp_path / "events").write_text("in the way")
    with contextlib.ExitStack() as held:
        visits = Visits(VisitLimits())
        own = Follower(visits, tmp_path, gap_minutes=30, registry=CollectorRegistry(), clock=Clock())
        held.enter_context(contextlib.closing(own))
        own.visits = visits
        (tmp_path / "events").unlink()
        write(SegmentWriter(tmp_path / "events"), event())
        until(lambda: items(own))
    assert caplog.text.count("the log of events cannot be followed") <= 1
