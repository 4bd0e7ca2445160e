"""Both stores keep a group before they return, and say after a crash which ids they kept."""

import pytest

from serving.collector.seen import id_of, mark_of
from serving.collector.stores import FolderStore, KafkaStore
from serving.feedback.target import Topic
from tillside.feedback.events import Event, encode_event
from tillside.feedback.segments import read_segment, segments_of

EVENTS = [encode_event(Event(event_id=name, kind="click", time=1, item="fig", received=9)) for name in "ab"]
IDS = [(id_of(name), mark_of(encode_event(Event(event_id=name, kind="click", time=1, item="fig")))) for name in "ab"]


def remembered(store):
    return [
        row for path in segments_of(store.ids_folder) for record in read_segment(path) for row in store.ids_of(record)
    ]


def test_a_folder_has_events_conflicts_and_their_ids(tmp_path):
    store = FolderStore(tmp_path)
    store.keep(EVENTS, IDS, [b"conflict"])
    assert remembered(store) == IDS
    (path,) = segments_of(tmp_path / "conflicts")
    assert list(read_segment(path)) == [b"conflict"]
    store.close()


def test_a_record_that_is_no_event_has_no_id(tmp_path):
    store = FolderStore(tmp_path)
    assert list(store.ids_of(b"nonsense")) == []
    store.close()


def test_one_collector_has_a_folder_for_itself(tmp_path):
    store = FolderStore(tmp_path)
    with pytest.raises(ValueError, match="another collector writes to"):
        FolderStore(tmp_path)
    store.close()
    FolderStore(tmp_path).close()


@pytest.fixture
def broker():
    """Address of librdkafka's mock of a broker."""
    kafka = pytest.importorskip("confluent_kafka", reason="pip install 'tillside[kafka]'")
    holder = kafka.Producer({"bootstrap.servers": "mock", "test.mock.num.brokers": 1})
    (own,) = holder.list_topics(timeout=30).brokers.values()
    yield f"{own.host}:{own.port}"
    holder.flush(1)


def test_kafka_has_the_events_and_a_folder_the_ids(tmp_path, broker):
    store = KafkaStore(Topic(broker, "shop"), tmp_path)
    store.keep(EVENTS, IDS, [b"conflict"])
    assert remembered(store) == IDS
    store.close()


def test_what_the_broker_does_not_take_is_not_kept(tmp_path, monkeypatch):
    pytest.importorskip("confluent_kafka", reason="pip install 'tillside[kafka]'")
    monkeypatch.setattr("serving.collector.stores.DELIVERY_MS", 50)
    store = KafkaStore(Topic("127.0.0.1:9", "shop"), tmp_path)
    with pytest.raises(OSError, match="the broker did not take 2 events"):
        store.keep(EVENTS, IDS, [])
    assert remembered(store) == []
    store.close()
