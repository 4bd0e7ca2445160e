"""Both stores keep a group before they return, and say after a crash which ids they kept."""

import contextlib
import os

import pytest

from serving.collector import stores
from serving.collector.seen import id_of, mark_of
from serving.collector.stores import FolderStore, KafkaStore
from serving.feedback.target import Topic
from tests.serving.brokers import BrokerProcess, consumed, kafka, mock_broker
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


@pytest.mark.parametrize("kind", ["mock", "process"])
def test_kafka_has_the_events_and_a_folder_the_ids(tmp_path, kind):
    with contextlib.ExitStack() as held:
        if kind == "mock":
            servers = held.enter_context(mock_broker())
        else:
            kafka()
            broker = held.enter_context(BrokerProcess())
            broker.make_topics("shop", "shop-conflicts")
            servers = broker.address
        store = KafkaStore(Topic(servers, "shop"), tmp_path)
        store.keep(EVENTS, IDS, [b"conflict"])
        assert remembered(store) == IDS
        assert sorted(consumed(servers, "shop", 2)) == EVENTS
        assert consumed(servers, "shop-conflicts", 1) == [b"conflict"]
        store.close()


def test_a_killed_broker_keeps_nothing_and_the_next_one_takes_what_is_sent_again(tmp_path, monkeypatch):
    kafka()
    monkeypatch.setattr("serving.collector.stores.DELIVERY_MS", 2000)
    with BrokerProcess() as broker:
        broker.make_topics("shop")
        store = KafkaStore(Topic(broker.address, "shop"), tmp_path)
        broker.kill()
        with pytest.raises(OSError, match="the broker did not take 2 events"):
            store.keep(EVENTS, IDS, [])
        assert remembered(store) == []
        broker.restart()
        broker.make_topics("shop")
        store.keep(EVENTS, IDS, [])
        assert remembered(store) == IDS
        assert sorted(consumed(broker.address, "shop", 2)) == EVENTS
        store.close()


def test_what_was_withdrawn_is_kept_for_some_days_and_no_longer(tmp_path, monkeypatch):
    """Segments of a day each; those that were last written more than three days ago go with the next."""
    store = FolderStore(tmp_path)
    store.keep([], [], [], [b"first"])
    (old,) = segments_of(tmp_path / "withdrawn")
    now = stores.time.time()
    monkeypatch.setattr(stores.time, "time", lambda: now + stores.DAY_SECONDS + 1)
    store.keep([], [], [], [b"second"])
    both = segments_of(tmp_path / "withdrawn")
    assert len(both) == 2
    monkeypatch.setattr(stores.time, "time", lambda: now + 2 * stores.DAY_SECONDS + 2)
    os.utime(old, (now - 2 * stores.DAY_SECONDS, now - 2 * stores.DAY_SECONDS))
    store.keep([], [], [], [b"third"])
    left = [record for path in segments_of(tmp_path / "withdrawn") for record in read_segment(path)]
    assert sorted(left) == [b"second", b"third"]
    store.close()


def test_a_topic_has_neither_orders_nor_consents(tmp_path):
    with mock_broker() as servers:
        store = KafkaStore(Topic(servers, "events"), tmp_path)
        store.keep(EVENTS, IDS, [], [b"an order"])
        store.end_conflicts()
        assert not store.orders_due()
        assert [path.name for path in tmp_path.iterdir() if path.is_dir()] == ["ids"]
        store.close()
