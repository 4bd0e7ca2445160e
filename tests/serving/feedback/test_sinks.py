"""A target that cannot be written to is named at the start."""

import os
import sys

import pytest

from serving.feedback.sinks import FolderSink, OrdersToForget, check_target, open_sink
from serving.feedback.target import Topic
from tests.serving.feedback.test_compacting import click
from tillside.feedback.forgetting import Order, digest_of, encode_order
from tillside.feedback.segments import SegmentWriter, read_segment, segments_of


def test_a_folder_gets_segments(tmp_path):
    sink = open_sink(tmp_path / "new", "exposures")
    assert isinstance(sink, FolderSink)
    assert sink.write([b"a", b"b"]) == 2
    assert sink.sync() == sink.close() == 0
    (path,) = segments_of(tmp_path / "new" / "exposures")
    assert list(read_segment(path)) == [b"a", b"b"]


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ValueError, match=r"feedback cannot be written to .*file/events: Not a directory"):
        check_target(tmp_path / "file", "events")


def test_a_folder_of_someone_else_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "access", lambda folder, mode: folder != tmp_path / "events")  # root may write anywhere
    with pytest.raises(ValueError, match="this user may not write there"):
        check_target(tmp_path, "events")


def test_without_kafkas_client_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "confluent_kafka", None)
    with pytest.raises(ValueError, match=r"Kafka needs the extra kafka.*pip install 'tillside\[kafka\]'"):
        check_target(Topic("localhost:1", "t"), "exposures")


class Clock:
    now = 1000.0

    def __call__(self):
        return self.now


def test_a_segment_ends_once_what_an_order_means_has_surely_been_written(tmp_path):
    """Asked for at 1001; records may come two seconds late; so the segment ends at the first sync after 1003."""
    clock = Clock()
    writer = SegmentWriter(tmp_path / "exposures")
    sink = FolderSink(writer, OrdersToForget(tmp_path, clock))
    orders = SegmentWriter(tmp_path / "forgotten")
    sink.write([b"one"])
    orders.append([encode_order(Order([digest_of("ann").hex()], 1_001_000))])
    for clock.now in (1001.5, 1003.0):
        sink.sync()
        assert writer.path is not None
    clock.now = 1003.1
    sink.sync()
    assert writer.path is None
    sink.write([b"two"])
    sink.sync()
    assert writer.path is not None


def test_what_waits_for_the_disk_is_not_written_once_it_is_forgotten(tmp_path):
    clock = Clock()
    sink = FolderSink(SegmentWriter(tmp_path / "exposures"), OrdersToForget(tmp_path, clock))
    orders = SegmentWriter(tmp_path / "forgotten")
    orders.append([encode_order(Order([digest_of("ann").hex()], 1_001_000))])
    sink.sync()
    anns = [click(1, shopper="ann", received=1_001_000), click(2, shopper="ann", received=1_001_001)]
    assert sink.write([*anns, click(3)]) == 3
    (path,) = segments_of(tmp_path / "exposures")
    assert list(read_segment(path)) == [anns[1], click(3)]


def test_orders_from_before_the_start_mean_nothing_that_is_written_now(tmp_path):
    orders = SegmentWriter(tmp_path / "forgotten")
    orders.append([encode_order(Order([digest_of("ann").hex()], 1))])
    told = OrdersToForget(tmp_path)
    assert not told.due()
    assert not told.forgotten


def test_orders_that_cannot_be_read_cost_no_exposure(tmp_path):
    orders = SegmentWriter(tmp_path / "forgotten")
    sink = FolderSink(SegmentWriter(tmp_path / "exposures"), OrdersToForget(tmp_path))
    orders.append([b"no order"])
    sink.write([b"one"])
    assert sink.sync() == 0
