"""Where feedback is written: a folder of segments, or a Kafka topic."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

KAFKA: Final = "kafka://"
TOPIC: Final = re.compile(
    r"kafka://((?:[^\s/,:]+|\[[0-9a-fA-F:]+\]):\d{1,5}(?:,(?:[^\s/,:]+|\[[0-9a-fA-F:]+\]):\d{1,5})*)/([A-Za-z0-9._-]{1,249})"
)


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic of Kafka.

    Attributes:
        servers: one or several HOST:PORT, separated by commas.
    """

    servers: str
    name: str

    def __str__(self) -> str:
        return f"{KAFKA}{self.servers}/{self.name}"


Target = Path | Topic


def parse_target(text: str) -> Target:
    """The folder or topic that a flag names.

    Raises:
        ValueError: it names neither.
    """
    if "://" not in text:
        return Path(text)
    found = TOPIC.fullmatch(text)
    if found is None:
        raise ValueError(f"must be a folder or kafka://HOST:PORT/TOPIC, got {text[:80]!r}")
    return Topic(found[1], found[2])
