"""Feedback to Kafka, against librdkafka's own mock of brokers and against a broker's process."""

import time

import pytest

from serving.feedback.kafka import KafkaSink
from serving.feedback.target import Topic
from tests.serving.brokers import BrokerProcess, consumed, kafka, mock_broker


@pytest.fixture(params=["mock", "process"])
def servers(request):
    """Addresses of three mock brokers, or of a process."""
    if request.param == "mock":
        with mock_broker(brokers=3) as found:
            yield found
    else:
        kafka()
        with BrokerProcess() as broker:
            broker.make_topics("exposures")
            yield broker.address


def test_what_was_taken_is_in_the_topic(servers):
    sink = KafkaSink(Topic(servers, "exposures"))
    payloads = [b"record %d" % number for number in range(50)]
    assert sink.write(payloads) == 50
    assert sink.close() == 0
    assert sorted(consumed(servers, "exposures", 50)) == sorted(payloads)


def test_what_the_broker_refuses_is_sent_again(monkeypatch, caplog):
    """The broker answers the first two records by an error for which librdkafka gives a record up."""
    made, refusals = kafka().Producer, [kafka().KafkaError(kafka().KafkaError.UNKNOWN)] * 2

    class Refused:
        def __init__(self, options, **more):
            self._producer = made(options, **more)

        def produce(self, topic, value, on_delivery):
            if refusals:
                on_delivery(refusals.pop(), None)
            else:
                self._producer.produce(topic, value, on_delivery=on_delivery)

        def __getattr__(self, name):
            return getattr(self._producer, name)

    with mock_broker() as servers:
        monkeypatch.setattr(kafka(), "Producer", Refused)
        sink = KafkaSink(Topic(servers, "exposures"))
        assert sink.write([b"a", b"b", b"c"]) == 3
        assert sink.sync() == 0
        assert sink.close() == 0
        assert sorted(consumed(servers, "exposures", 3)) == [b"a", b"b", b"c"]
    assert caplog.text.count("exposures refused records, which are sent again: ") == 1


def test_what_finds_no_room_is_not_taken():
    """Nobody listens: two records wait, the third finds no room."""
    kafka()
    sink = KafkaSink(Topic("127.0.0.1:9", "t"), {"queue.buffering.max.messages": 2, "linger.ms": 0})
    assert sink.write([b"a", b"b", b"c"]) == 2


def test_what_comes_while_the_broker_is_slow_is_handed_over():
    """Ten records, each with a sync, are with librdkafka before the broker acknowledges the first of them."""
    with mock_broker(answers_after_ms=300) as servers:
        sink = KafkaSink(Topic(servers, "exposures"))
        started = time.monotonic()
        for number in range(10):
            assert sink.write([b"record %d" % number]) == 1
            assert sink.sync() == 0
        handed_over = time.monotonic() - started
        assert sink.close() == 0
        assert handed_over < (time.monotonic() - started) / 2
        assert len(consumed(servers, "exposures", 10)) == 10


def test_what_the_broker_never_takes_is_counted(monkeypatch):
    kafka()
    monkeypatch.setattr("serving.feedback.kafka.CLOSE_SECONDS", 30)
    sink = KafkaSink(Topic("127.0.0.1:9", "t"), {"message.timeout.ms": 50, "linger.ms": 0})
    assert sink.write([b"a", b"b"]) == 2
    assert sink.close() == 2


def test_a_wrong_option_is_a_sentence():
    kafka()
    with pytest.raises(ValueError, match="kafka://b:1/t: "):
        KafkaSink(Topic("b:1", "t"), {"acks": "some"})
