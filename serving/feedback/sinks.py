"""What feedback is written through, whether into a folder or to Kafka."""

import errno
import os
from collections.abc import Sequence
from typing import Protocol

from serving.feedback.kafka import KafkaSink, client
from serving.feedback.target import Target, Topic
from tillside.feedback.segments import SegmentWriter


class Sink(Protocol):
    """Takes encoded records, in one thread. What was taken is durable after :meth:`sync`."""

    def write(self, payloads: Sequence[bytes]) -> int:
        """Take payloads in their order; returns how many, from the first on.

        Raises:
            OSError: none of them was taken.
        """

    def sync(self) -> int:
        """Return once what was taken is durable; returns how many records were lost for good since the last call.

        Raises:
            OSError: nothing that was taken since the last call is durable, and nothing of it will be read.
        """

    def close(self) -> int:
        """Sync, and take no more; returns as :meth:`sync`."""


class FolderSink:
    """Segments in a folder."""

    def __init__(self, writer: SegmentWriter) -> None:
        self._writer = writer

    def write(self, payloads: Sequence[bytes]) -> int:
        """Append to the segment; all are taken."""
        self._writer.append(payloads)
        return len(payloads)

    def sync(self) -> int:
        """Sync the segment."""
        self._writer.sync()
        return 0

    def close(self) -> int:
        """Sync and end the segment."""
        self._writer.close()
        return 0


def open_sink(target: Target, folder: str) -> Sink:
    """The sink of a target.

    Args:
        folder: of a feedback folder, where it is one.

    Raises:
        ValueError: as :func:`check_target`.
    """
    check_target(target, folder)
    if isinstance(target, Topic):
        return KafkaSink(target)
    return FolderSink(SegmentWriter(target / folder))


def check_target(target: Target, folder: str) -> None:
    """Make the folder of a target, or see that Kafka's client is installed.

    Raises:
        ValueError: it cannot be made, or is not installed.
    """
    if isinstance(target, Topic):
        client()
        return
    try:
        (target / folder).mkdir(parents=True, exist_ok=True)
        if not os.access(target / folder, os.W_OK | os.X_OK):
            raise PermissionError(errno.EACCES, "this user may not write there")
    except OSError as error:
        raise ValueError(f"feedback cannot be written to {target / folder}: {error.strerror}") from None
