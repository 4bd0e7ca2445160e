"""Feedback to a topic of Kafka: acknowledged by all replicas in sync, each record once within a session.

librdkafka sends in a thread of its own and tries again until ``message.timeout.ms``; what it gives up is counted.
Surprising: it gives up at once what the broker refuses by an error that it does not take for passing, as an "unknown
server error". Such records are handed to it again, for as long as others would be sent again.
"""

import functools
import logging
import time
from collections import deque
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
GIVEN_UP: Final = ("_MSG_TIMED_OUT", "_PURGE_QUEUE", "_PURGE_INFLIGHT", "MSG_SIZE_TOO_LARGE")
"""Errors of records that are not handed over again: they have waited as long as they may, or will never be taken."""


class KafkaSink:
    """A :class:`serving.feedback.sinks.Sink`; records that the broker has not acknowledged yet go on waiting for it.

    Args:
        options: of librdkafka, on top of ours.

    Raises:
        ValueError: Kafka's client is not installed, or an option is wrong.
    """

    def __init__(self, topic: Topic, options: Mapping[str, Any] | None = None) -> None:
        self._topic = topic
        self._again: deque[tuple[bytes, float]] = deque()
        self._lost = 0
        self._refused = False
        self._producer = producer(topic, options)

    def write(self, payloads: Sequence[bytes]) -> int:
        """Hand records to librdkafka, as many as it has room for."""
        for number, payload in enumerate(payloads):
            try:
                self._hand_over(payload, time.monotonic())
            except BufferError:
                self._producer.poll(0 if number else ROOM_SECONDS)
                return number
        self._producer.poll(0)
        return len(payloads)

    def sync(self) -> int:
        """Wait for the broker, for at most SYNC_SECONDS."""
        self._hand_over_refused()
        self._producer.flush(SYNC_SECONDS)
        lost, self._lost = self._lost, 0
        return lost

    def close(self) -> int:
        """Wait for the broker once more; what it has not acknowledged then is lost."""
        self._hand_over_refused()
        left, known = int(self._producer.flush(CLOSE_SECONDS)), self._lost
        self._producer.purge()
        self._producer.poll(0)
        lost, self._lost = max(self._lost, known + left) + len(self._again), 0
        self._again.clear()
        return lost

    def _hand_over(self, payload: bytes, since: float) -> None:
        """Hand a record to librdkafka.

        Args:
            since: when it was handed over first, seconds of time.monotonic.

        Raises:
            BufferError: there is no room.
        """
        delivered = functools.partial(self._delivered, payload, since)
        self._producer.produce(self._topic.name, payload, on_delivery=delivered)

    def _hand_over_refused(self) -> None:
        """Hand over once more what the broker has refused, as far as there is room."""
        for _ in range(len(self._again)):
            try:
                self._hand_over(*self._again[0])
            except BufferError:
                return
            self._again.popleft()

    def _delivered(self, payload: bytes, since: float, error: Any, _: object) -> None:
        """Take note of what became of a record."""
        if error is None:
            self._refused = False
        elif error.name() in GIVEN_UP or time.monotonic() - since > SENT_AGAIN_MS / 1000:
            self._lost += 1
        else:
            self._again.append((payload, since))
            if not self._refused:
                log.error("%s refused records, which are sent again: %s", self._topic, error.str())
            self._refused = True


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
