"""Feedback to Kafka, against librdkafka's own mock broker."""

import pytest

from serving.feedback.kafka import KafkaSink
from serving.feedback.target import Topic

kafka = pytest.importorskip("confluent_kafka", reason="pip install 'tillside[kafka]'")


@pytest.fixture
def mock():
    """A client that holds a mock cluster of three brokers, and their addresses."""
    holder = kafka.Producer({"bootstrap.servers": "mock", "test.mock.num.brokers": 3})
    metadata = holder.list_topics(timeout=30)
    yield ",".join(f"{each.host}:{each.port}" for each in metadata.brokers.values())
    holder.flush(1)


def consumed(servers, topic, count):
    consumer = kafka.Consumer(
        {"bootstrap.servers": servers, "group.id": "test", "auto.offset.reset": "earliest", "enable.auto.commit": False}
    )
    consumer.subscribe([topic])
    found = []
    try:
        while len(found) < count:
            message = consumer.poll(30)
            assert message is not None
            assert message.error() is None
            found.append(message.value())
    finally:
        consumer.close()
    return found


def test_what_was_taken_is_in_the_topic(mock):
    sink = KafkaSink(Topic(mock, "exposures"))
    payloads = [b"record %d" % number for number in range(50)]
    assert sink.write(payloads) == 50
    assert sink.sync() == 0
    assert sorted(consumed(mock, "exposures", 50)) == sorted(payloads)
    assert sink.close() == 0


def test_what_finds_no_room_is_not_taken():
    """Nobody listens: two records wait, the third finds no room."""
    sink = KafkaSink(Topic("127.0.0.1:9", "t"), {"queue.buffering.max.messages": 2, "linger.ms": 0})
    assert sink.write([b"a", b"b", b"c"]) == 2


def test_what_the_broker_never_takes_is_counted(monkeypatch):
    monkeypatch.setattr("serving.feedback.kafka.SYNC_SECONDS", 30)
    sink = KafkaSink(Topic("127.0.0.1:9", "t"), {"message.timeout.ms": 50, "linger.ms": 0})
    assert sink.write([b"a", b"b"]) == 2
    assert sink.close() == 2


def test_a_wrong_option_is_a_sentence():
    with pytest.raises(ValueError, match="kafka://b:1/t: "):
        KafkaSink(Topic("b:1", "t"), {"acks": "some"})
