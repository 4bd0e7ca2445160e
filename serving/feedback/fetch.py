"""``python -m serving.feedback.fetch kafka://HOST:PORT/TOPIC FOLDER``: a topic's new records into segments, then exit.

It reads what the topic holds as it begins, from where the last call ended, so that a cron line keeps a feedback folder
up to date for training.measure. Where it ended stands in a file of the folder, written after the segments are synced:
a kill between the two brings some records twice, and readers keep the first of each id.
"""

import argparse
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from serving.feedback.kafka import client
from serving.feedback.sinks import check_target
from serving.feedback.target import Topic, parse_target
from tillside.atomic import write_text_atomically
from tillside.cli.secrets import without_secrets
from tillside.feedback.forgetting import FORGOTTEN, Forgotten, orders_in
from tillside.feedback.segments import SegmentWriter

ENDED: Final = ".kafka-{topic}.json"
"""File that says where the reading of a topic ended: the next offset, by partition."""
AT_ONCE: Final = 10_000
TURN_SECONDS: Final = 0.5
"""Time that a turn waits for further records."""
WAIT_SECONDS: Final = 30.0
"""Time that the broker has to answer."""
LOOK_SECONDS: Final = 20.0
"""Time that the broker may look for records: one over an object store needs it, and gives up empty-handed after it."""


def fetch(topic: Topic, folder: Path) -> int:
    """Append the records that came since the last call to segments of ``folder``; returns their number.

    What a shopper asked the feedback folder to forget since it was written is left out, and counted all the same.

    Raises:
        ValueError: Kafka's client is not installed, the topic or the broker is not there, or it stops in the middle.
        OSError: they cannot be written.
    """
    kafka = client()
    check_target(folder, ".")
    mark = folder / ENDED.format(topic=topic.name)
    offsets: dict[str, int] = json.loads(mark.read_text(encoding="utf-8")) if mark.exists() else {}
    ours = {"bootstrap.servers": topic.servers, "group.id": "tillside", "enable.auto.commit": False}
    looks = {"fetch.wait.max.ms": int(LOOK_SECONDS * 1000)}
    consumer = kafka.Consumer({**ours, **looks, "auto.offset.reset": "earliest"})
    writer = SegmentWriter(folder)
    forgotten = Forgotten(orders_in(folder.parent / FORGOTTEN))
    try:
        ends = _ends(kafka, consumer, topic, offsets)
        consumer.assign([kafka.TopicPartition(topic.name, number, start) for number, (start, _) in ends.items()])
        left = {number: end - start for number, (start, end) in ends.items() if end > start}
        count, heard = 0, time.monotonic()
        heard_of: set[int] = set()  # a partition's first records tell its end anew: Tansu lists it too short
        last = False
        while left or not last:
            last = not left  # one turn more than the ends ask for: it may tell a later one
            messages = consumer.consume(AT_ONCE, TURN_SECONDS)
            if messages:
                heard = time.monotonic()
            elif left and time.monotonic() - heard > WAIT_SECONDS:
                raise ValueError(f"{topic} stopped answering; {count} records were taken, call again for the others")
            for message in messages:
                if message.error() is not None:
                    raise ValueError(f"{topic}: {message.error()}")
            values = [message.value() for message in messages if message.value()]
            writer.append([value for value in values if not forgotten.means(value)] if forgotten else values)
            writer.sync()
            for number in {message.partition() for message in messages} - heard_of:
                heard_of.add(number)
                _, told = consumer.get_watermark_offsets(kafka.TopicPartition(topic.name, number), cached=True)
                ends[number] = ends[number][0], max(ends[number][1], told)
            for message in messages:
                number, offset = message.partition(), message.offset() + 1
                offsets[str(number)] = offset
                left[number] = ends[number][1] - offset
            left = {number: records for number, records in left.items() if records > 0}
            if messages:
                write_text_atomically(mark, json.dumps(offsets))
            count += len(messages)
        return count
    except kafka.KafkaException as error:
        raise ValueError(f"{topic}: {error}") from None
    finally:
        writer.close()
        consumer.close()


def _ends(kafka: Any, consumer: Any, topic: Topic, offsets: dict[str, int]) -> dict[int, tuple[int, int]]:
    """First offset to read and end of each partition."""
    about = consumer.list_topics(topic.name, timeout=WAIT_SECONDS).topics[topic.name]
    if about.error is not None:
        raise ValueError(f"{topic}: {about.error}")
    found = {}
    for number in about.partitions:
        low, high = consumer.get_watermark_offsets(kafka.TopicPartition(topic.name, number), timeout=WAIT_SECONDS)
        found[number] = max(low, offsets.get(str(number), low)), high
    return found


def main(arguments: Sequence[str] | None = None) -> None:
    """Fetch, and say how many records came."""
    parser = argparse.ArgumentParser("python -m serving.feedback.fetch", description="Kafka's records into segments.")
    parser.add_argument("topic", help="kafka://HOST:PORT/TOPIC")
    parser.add_argument("folder", type=Path, help="folder of segments, such as feedback/events")
    given = parser.parse_args(arguments)
    try:
        topic = parse_target(given.topic)
        if not isinstance(topic, Topic):
            raise ValueError(f"must be kafka://HOST:PORT/TOPIC, got {given.topic[:80]!r}")
        print(f"{fetch(topic, given.folder)} records of {topic.name}")
    except (ValueError, OSError) as error:
        print(f"error: {without_secrets(str(error))}", file=sys.stderr)
        sys.stdout.flush()
        sys.exit(2)


if __name__ == "__main__":
    main()
