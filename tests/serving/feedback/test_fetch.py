"""What came to a topic lies in segments once, from where the last call ended."""

import pytest

from serving.feedback import fetch as fetching
from serving.feedback.fetch import fetch, main
from serving.feedback.kafka import KafkaSink
from serving.feedback.target import Topic
from tests.serving.brokers import BrokerProcess, kafka, mock_broker
from tests.serving.feedback.test_compacting import click, order
from tillside.feedback.forgetting import encode_order
from tillside.feedback.segments import SegmentWriter, read_segment, segments_of


def brought(folder):
    return sorted(record for path in segments_of(folder) for record in read_segment(path))


def test_each_call_brings_what_is_new(tmp_path, capsys):
    kafka()
    with BrokerProcess() as broker:
        broker.make_topics("events")
        topic = Topic(broker.address, "events")
        sink = KafkaSink(topic)
        sink.write([b"a", b"b"])
        sink.close()
        main([str(topic), str(tmp_path)])
        assert capsys.readouterr().out == "2 records of events\n"
        assert brought(tmp_path) == [b"a", b"b"]
        assert fetch(topic, tmp_path) == 0
        sink.write([b"c"])
        sink.close()
        assert fetch(topic, tmp_path) == 1
    assert brought(tmp_path) == [b"a", b"b", b"c"]


def test_what_a_shopper_asked_to_be_forgotten_does_not_come_back_from_a_topic(tmp_path):
    """A topic holds what the folder has lost already."""
    with mock_broker() as servers:
        topic = Topic(servers, "events")
        sink = KafkaSink(topic)
        sink.write([click(1, shopper="ann", received=100), click(2, shopper="ann", received=102), click(3)])
        sink.close()
        orders = SegmentWriter(tmp_path / "forgotten")
        orders.append([encode_order(order("ann", time=101))])
        orders.close()
        assert fetch(topic, tmp_path / "events") == 3
    assert brought(tmp_path / "events") == sorted([click(2, shopper="ann", received=102), click(3)])


def test_a_broker_may_look_for_records_for_longer_than_a_reading_waits_for_more(tmp_path, monkeypatch):
    """Tansu over S3 lists all objects of a topic first, and with librdkafka's half a second it answered with no record,
    as often as it was asked. The broker must have answered before the reading takes it for dead."""
    with mock_broker() as servers:
        topic, client, asked = Topic(servers, "events"), kafka(), []
        sink = KafkaSink(topic)
        sink.write([b"a"])
        sink.close()
        made = client.Consumer
        monkeypatch.setattr(client, "Consumer", lambda options: asked.append(options) or made(options))
        assert fetch(topic, tmp_path) == 1
    assert fetching.TURN_SECONDS < asked[0]["fetch.wait.max.ms"] / 1000 < fetching.WAIT_SECONDS


def test_records_past_an_end_that_was_told_too_short_are_read(tmp_path, monkeypatch):
    """Tansu over S3 lists up to 300 records too few, and tells the true end with the records."""

    def short(*given):
        return {number: (start, end - 100) for number, (start, end) in told(*given).items()}

    told = fetching._ends
    monkeypatch.setattr(fetching, "_ends", short)
    monkeypatch.setattr(fetching, "AT_ONCE", 10)
    with BrokerProcess() as broker:
        broker.make_topics("events")
        topic = Topic(broker.address, "events")
        sink = KafkaSink(topic)
        sink.write([b"%03d" % number for number in range(200)])
        sink.close()
        assert fetch(topic, tmp_path) == 200


def test_all_partitions_are_read(tmp_path):
    """The mock has four of them, over which records are spread."""
    with mock_broker(brokers=2) as servers:
        topic = Topic(servers, "events")
        sink = KafkaSink(topic)
        records = [b"%03d" % number for number in range(200)]
        sink.write(records)
        sink.close()
        assert fetch(topic, tmp_path) == 200
    assert brought(tmp_path) == records


def test_a_broker_that_is_not_there_is_a_sentence(tmp_path, monkeypatch, capsys):
    kafka()
    monkeypatch.setattr(fetching, "WAIT_SECONDS", 0.2)
    with pytest.raises(SystemExit) as caught:
        main(["kafka://127.0.0.1:9/events", str(tmp_path)])
    assert caught.value.code == 2
    assert capsys.readouterr().err.startswith("error: kafka://127.0.0.1:9/events: ")


def test_a_folder_is_no_topic(tmp_path, capsys):
    with pytest.raises(SystemExit):
        main([str(tmp_path), str(tmp_path)])
    assert "must be kafka://HOST:PORT/TOPIC" in capsys.readouterr().err
