"""Where the collector keeps events: segments of a folder, or topics of Kafka with a folder for the ids.

A group of events is durable when :meth:`Store.keep` returns: synced to the disk, or acknowledged by all replicas.
"""

import os
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final, Protocol

from serving.collector.runs import ID_BYTES, MARK_BYTES
from serving.collector.seen import id_of, mark_of
from serving.feedback.compacting import COLLECTOR_LOCK
from serving.feedback.kafka import producer
from serving.feedback.sinks import OrdersToForget, check_target
from serving.feedback.target import Topic
from tillside.atomic import lock_of
from tillside.feedback.events import decode_event, payload_of
from tillside.feedback.forgetting import WITHDRAWN
from tillside.feedback.segments import CONFLICTS, EVENTS, SegmentWriter, begun_ms, segments_of

IDS: Final = "ids"
ROW_BYTES: Final = ID_BYTES + MARK_BYTES
SEGMENT_BYTES: Final = 1 << 25
"""Of events: what memory holds the ids of, and what a start after a crash reads again."""
IDS_BYTES: Final = 1 << 22
"""The same, of ids."""
DAY_SECONDS: Final = 86_400
WITHDRAWN_SECONDS: Final = 3 * DAY_SECONDS
"""Longer than anybody who follows the events reads back at a start."""
DELIVERY_MS: Final = 10_000
"""Time that the broker has; after it the shop is told to send again."""


class Store(Protocol):
    """Keeps events.

    Attributes:
        ids: the writer whose segments say which ids were kept.
        ids_folder: where its segments lie.
        state: where the collector may keep what it remembers.
    """

    ids: SegmentWriter
    ids_folder: Path
    state: Path

    def keep(
        self,
        events: Sequence[bytes],
        ids: Sequence[tuple[bytes, int]],
        conflicts: Sequence[bytes],
        withdrawn: Sequence[bytes] = (),
    ) -> None:
        """Keep a group; all of it is durable afterwards. May run in a thread, one at a time.

        Args:
            events: encoded events.
            ids: id and payload mark of each.
            conflicts: encoded events that another one's id kept out.
            withdrawn: encoded orders to forget what is remembered of shoppers who withdrew their consent.

        Raises:
            OSError: the events are not kept.
        """

    def orders_due(self) -> bool:
        """Whether an order to forget asks that segments be ended now; once for each.

        Raises:
            OSError: the orders cannot be read.
        """

    def end_conflicts(self) -> None:
        """End the segment of conflicts. May run in a thread, as :meth:`keep`."""

    def ids_of(self, record: bytes) -> Iterable[tuple[bytes, int]]:
        """Id and payload mark of each event that a record of the ids' segments speaks of."""

    def close(self) -> None:
        """Sync, and keep no more."""


class FolderStore:
    """Segments of events and of conflicts in a folder that this process has for itself.

    Raises:
        ValueError: the folder cannot be used, or another collector writes there.
    """

    def __init__(self, folder: Path, *, segment_bytes: int = SEGMENT_BYTES) -> None:
        check_target(folder, EVENTS)
        self._lock = locked(folder)
        self.ids_folder = folder / EVENTS
        self.ids = SegmentWriter(self.ids_folder, segment_bytes=segment_bytes)
        self._conflicts = SegmentWriter(folder / CONFLICTS)
        self._withdrawn = SegmentWriter(folder / WITHDRAWN)
        self._orders = OrdersToForget(folder)
        self.state = folder

    def keep(
        self,
        events: Sequence[bytes],
        ids: Sequence[tuple[bytes, int]],
        conflicts: Sequence[bytes],
        withdrawn: Sequence[bytes] = (),
    ) -> None:
        """Append to the segments and sync; see :class:`Store`."""
        if withdrawn:
            self._let_go_of_withdrawn()
            self._withdrawn.append(withdrawn)
            self._withdrawn.sync()
        if conflicts:
            self._conflicts.append(conflicts)
            self._conflicts.sync()
        if events:
            self.ids.append(events)
            self.ids.sync()

    def orders_due(self) -> bool:
        """See :class:`Store`."""
        return self._orders.due()

    def end_conflicts(self) -> None:
        """See :class:`Store`."""
        self._conflicts.close()

    def _let_go_of_withdrawn(self) -> None:
        """Remove what was withdrawn so long ago that nobody remembers anything from before; a segment is of one day."""
        path, now = self._withdrawn.path, time.time()
        if path is not None and now - begun_ms(path) / 1000 < DAY_SECONDS:
            return
        self._withdrawn.close()
        for old in segments_of(self.state / WITHDRAWN):
            if now - old.stat().st_mtime > WITHDRAWN_SECONDS:
                old.unlink(missing_ok=True)

    def ids_of(self, record: bytes) -> Iterable[tuple[bytes, int]]:
        """Of the event that the record is; none if it is not one."""
        try:
            event = decode_event(record)
        except ValueError:
            return ()
        return ((id_of(event.event_id), mark_of(payload_of(event))),)

    def close(self) -> None:
        """End the segments and let go of the folder."""
        self.ids.close()
        self._conflicts.close()
        self._withdrawn.close()
        os.close(self._lock)


class KafkaStore:
    """Events in a topic, conflicts in another named after it, and the ids in a folder of this process alone.

    Between the broker's acknowledgement and the sync of the ids a kill leaves an event in the topic that the shop sends
    again, since it was not told: readers of the topic keep the first of each id.

    Raises:
        ValueError: the folder cannot be used, or Kafka's client is not installed.
    """

    def __init__(self, topic: Topic, state: Path, *, segment_bytes: int = IDS_BYTES) -> None:
        check_target(state, IDS)
        self._lock = locked(state)
        self._producer = producer(topic, {"message.timeout.ms": DELIVERY_MS})
        self._topic = topic.name
        self.ids_folder = state / IDS
        self.ids = SegmentWriter(self.ids_folder, segment_bytes=segment_bytes)
        self.state = state

    def keep(
        self,
        events: Sequence[bytes],
        ids: Sequence[tuple[bytes, int]],
        conflicts: Sequence[bytes],
        withdrawn: Sequence[bytes] = (),
    ) -> None:
        """Send to the topics, wait for the broker, then sync the ids; see :class:`Store`. Who withdrew their consent
        is not told, since nothing follows a topic."""
        failed: list[object] = []

        def delivered(error: object, _: object) -> None:
            if error is not None:
                failed.append(error)

        for name, payloads in ((f"{self._topic}-conflicts", conflicts), (self._topic, events)):
            for payload in payloads:
                while True:
                    try:
                        self._producer.produce(name, payload, on_delivery=delivered)
                        break
                    except BufferError:
                        self._producer.poll(0.1)
        left = self._producer.flush(DELIVERY_MS / 1000 + 1)
        if left or failed:
            raise OSError(
                f"the broker did not take {left or len(failed)} events: {failed[0] if failed else 'no answer'}"
            )
        if ids:
            self.ids.append([b"".join([key + mark.to_bytes(MARK_BYTES, "little") for key, mark in ids])])
            self.ids.sync()

    def orders_due(self) -> bool:
        """False: there is no folder of orders."""
        return False

    def end_conflicts(self) -> None:
        """Nothing: a topic does not end."""

    def ids_of(self, record: bytes) -> Iterable[tuple[bytes, int]]:
        """Of the ids that the record is."""
        for begin in range(0, len(record) - ROW_BYTES + 1, ROW_BYTES):
            end = begin + ROW_BYTES
            yield record[begin : begin + ID_BYTES], int.from_bytes(record[end - MARK_BYTES : end], "little")

    def close(self) -> None:
        """End the segment and let go of the folder."""
        self.ids.close()
        os.close(self._lock)


def locked(folder: Path) -> int:
    """Descriptor that holds a folder for this process.

    Raises:
        ValueError: another collector has it.
    """
    held = lock_of(folder / COLLECTOR_LOCK)
    if held is None:
        raise ValueError(f"another collector writes to {folder}; give each a folder of its own")
    return held
