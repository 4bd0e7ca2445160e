"""Feedback to a topic of Kafka: acknowledged by all replicas in sync, each record once within a session.

librdkafka sends in a thread of its own and tries again until ``message.timeout.ms``; what it gives up is counted.
"""

import logging
from collections.abc import Mapping, Sequence
from typing import Any, Final

from serving.feedback.target import Topic

log = logging.getLogger("serving")

INSTALL: Final = "python -m pip install 'tillside[kafka]'"
SENT_AGAIN_MS: Final = 300_000
"""Time after which an undelivered record is given up."""
WAITING: Final = 100_000
"""Records that wait for the broker at most."""
ROOM_SECONDS: Final = 0.5
"""Time to wait for room."""
SYNC_SECONDS: Final = 0.05
"""Time that a sync waits for the broker; what has not been delivered by then still may be. It is short:
meanwhile nobody hands over what comes, which lies in the process alone and would die with it."""
CLOSE_SECONDS: Final = 5.0
"""Time that the end waits for the broker."""


class KafkaSink:
    """A :class:`serving.feedback.sinks.Sink`; records that the broker has not acknowledged yet go on waiting for it.

    Args:
        options: of librdkafka, on top of ours.

    Raises:
        ValueError: Kafka's client is not installed, or an option is wrong.
    """

    def __init__(self, topic: Topic, options: Mapping[str, Any] | None = None) -> None:
        self._topic = topic.name
        self._lost = 0
        self._producer = producer(topic, options)

    def write(self, payloads: Sequence[bytes]) -> int:
        """Hand records to librdkafka, as many as it has room for."""
        for number, payload in enumerate(payloads):
            try:
                self._producer.produce(self._topic, payload, on_delivery=self._delivered)
            except BufferError:
                self._producer.poll(0 if number else ROOM_SECONDS)
                return number
        self._producer.poll(0)
        return len(payloads)

    def sync(self) -> int:
        """Wait for the broker, for at most SYNC_SECONDS."""
        self._producer.flush(SYNC_SECONDS)
        lost, self._lost = self._lost, 0
        return lost

    def close(self) -> int:
        """Wait for the broker once more; what it has not acknowledged then is lost."""
        left = self._producer.flush(CLOSE_SECONDS)
        self._producer.purge()
        self._producer.poll(0)
        lost, self._lost = max(self._lost, int(left)), 0
        return lost

    def _delivered(self, error: object, _: object) -> None:
        self._lost += error is not None


def client() -> Any:
    """Kafka's client, the module ``confluent_kafka``.

    Raises:
        ValueError: it is not installed.
    """
    try:
        import confluent_kafka
    except ImportError:
        raise ValueError(f"Kafka needs the extra kafka, which is not installed here: {INSTALL}") from None
    return confluent_kafka


def producer(topic: Topic, options: Mapping[str, Any] | None = None) -> Any:
    """A producer whose records are acknowledged by all replicas in sync.

    Raises:
        ValueError: Kafka's client is not installed, or an option is wrong.
    """
    kafka = client()
    ours = {
        "bootstrap.servers": topic.servers,
        "acks": "all",
        "enable.idempotence": True,
        "message.timeout.ms": SENT_AGAIN_MS,
        "queue.buffering.max.messages": WAITING,
        "linger.ms": 5,
        "compression.type": "zstd",
    }
    try:
        return kafka.Producer(ours | dict(options or {}), logger=log)
    except kafka.KafkaException as error:
        raise ValueError(f"{topic}: {error}") from None
