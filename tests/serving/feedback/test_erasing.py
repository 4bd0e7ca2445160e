"""What carries out the orders: a process of its own, started when there is something to do, and again if it fails."""

import contextlib
import json
import os
import sys

import pytest
from prometheus_client import CollectorRegistry

from serving.feedback import erasing
from serving.feedback.erasing import Eraser, Orders, order_of
from tests.serving.feedback.test_compacting import click, read, write
from tests.serving.server_process import DEADLINE_SECONDS
from tillside.feedback.forgetting import digest_of, orders_in
from tillside.feedback.subjects import hashed

SALT = b"0123456789abcdef"
PAST = 1_000_000_000_000


@contextlib.contextmanager
def eraser(folder, *, command=None):
    registry = CollectorRegistry()
    with contextlib.closing(Eraser(folder, registry=registry, command=command)) as found:
        found.registry = registry
        yield found


def until(attempt):
    deadline = os.times().elapsed + DEADLINE_SECONDS
    while not attempt():
        assert os.times().elapsed < deadline
        os.sched_yield()


def test_an_order_names_the_key_in_each_form():
    assert order_of("ann", None, now_ms=5).keys == [digest_of("ann").hex()]
    order = order_of("ann", SALT, now_ms=5)
    assert order.keys == [digest_of("ann").hex(), digest_of(hashed("ann", SALT)).hex()]
    assert order.time == 5


def test_what_an_earlier_process_left_undone_is_done_at_the_start(tmp_path, monkeypatch):
    monkeypatch.setattr("tillside.feedback.segments.BEGUN", "20000101T000000.000000")  # begun before the order
    write(tmp_path / "events", click(1, shopper="ann"), click(2, shopper="bob"))
    with contextlib.closing(Orders(tmp_path)) as orders:
        orders.take(order_of("ann", None, now_ms=PAST))
    assert len(list(orders_in(tmp_path / "forgotten"))) == 1
    with eraser(tmp_path) as own:
        until(lambda: own.registry.get_sample_value("tillside_forget_records_total") == 1)
        assert own.pending() == 0
    assert read(tmp_path / "events") == [click(2, shopper="bob")]


def test_nothing_is_started_where_nothing_is_asked(tmp_path):
    marker = tmp_path / "started"
    with eraser(tmp_path, command=["touch", str(marker)]) as own:
        own.want()
        until(lambda: not own._wanted.is_set())
    assert not marker.exists()


def test_a_process_that_fails_is_told_and_started_again(tmp_path, monkeypatch, caplog):
    monkeypatch.setattr(erasing, "AGAIN_SECONDS", 0.0)
    with contextlib.closing(Orders(tmp_path)) as orders:
        orders.take(order_of("ann", None, now_ms=PAST))
    tries = tmp_path / "tries"
    script = f"import sys; open({str(tries)!r}, 'a').write('x'); sys.exit('the disk is gone')"
    with eraser(tmp_path, command=[sys.executable, "-c", script]):
        until(lambda: tries.exists() and tries.stat().st_size > 1)
    assert "orders to forget were not carried out: the disk is gone" in caplog.text


def test_what_could_not_be_reached_is_tried_again(tmp_path, monkeypatch):
    monkeypatch.setattr(erasing, "AGAIN_SECONDS", 0.0)
    with contextlib.closing(Orders(tmp_path)) as orders:
        orders.take(order_of("ann", None, now_ms=PAST))
    said = json.dumps({"orders": 0, "records": 2, "segments": 1, "bytes_left": 0, "pending": 1})
    with eraser(tmp_path, command=["echo", said]) as own:
        until(lambda: own.registry.get_sample_value("tillside_forget_records_total") >= 4)


@pytest.mark.parametrize("seconds", ["60"])
def test_the_end_does_not_wait_for_it(tmp_path, seconds):
    with contextlib.closing(Orders(tmp_path)) as orders:
        orders.take(order_of("ann", None, now_ms=PAST))
    with eraser(tmp_path, command=["sleep", seconds]) as own:
        until(lambda: own._process is not None)
        process = own._process
    assert process.poll() is not None
    assert len(list(orders_in(tmp_path / "forgotten"))) == 1
