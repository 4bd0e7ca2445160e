"""What feedback is written through, whether into a folder or to Kafka."""

import contextlib
import errno
import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

from serving.feedback.kafka import KafkaSink, client
from serving.feedback.target import Target, Topic
from tillside.feedback.following import FolderTail
from tillside.feedback.forgetting import FORGOTTEN, GRACE_MS, Forgotten, decode_order
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


class OrdersToForget:
    """Orders to forget of a feedback folder, as one who writes there must obey them.

    Args:
        clock: seconds since the epoch; orders from before now mean nothing that is still to be written.

    Attributes:
        forgotten: what must not be written any more.
    """

    def __init__(self, feedback: Path, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._since_ms = int(clock() * 1000)
        self._tail = FolderTail(feedback / FORGOTTEN, since=clock())
        self._due_ms: int | None = None
        self.forgotten = Forgotten()

    def due(self) -> bool:
        """Whether segments are to be ended now, so that they can be written anew; once for orders that are due.

        Raises:
            OSError: the orders cannot be read.
        """
        for record in self._tail.read():
            order = decode_order(record)
            if order.time >= self._since_ms:
                self.forgotten.add(order)
                self._due_ms = self.forgotten.newest + GRACE_MS
        if self._due_ms is None or self._clock() * 1000 <= self._due_ms:
            return False
        self._due_ms = None
        return True


class FolderSink:
    """Segments in a folder.

    Args:
        orders: that the writing obeys; None for none.
    """

    def __init__(self, writer: SegmentWriter, orders: OrdersToForget | None = None) -> None:
        self._writer = writer
        self._orders = orders

    def write(self, payloads: Sequence[bytes]) -> int:
        """Append to the segment; all are taken, and those that are forgotten by now left out."""
        forgotten = None if self._orders is None else self._orders.forgotten
        self._writer.append([each for each in payloads if not forgotten.means(each)] if forgotten else payloads)
        return len(payloads)

    def sync(self) -> int:
        """Sync the segment; end it, if an order to forget asks for it."""
        self._writer.sync()
        if self._orders is not None:
            with contextlib.suppress(OSError, ValueError):  # what was synced is durable, whatever the orders are
                if self._orders.due():
                    self._writer.close()
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
    return FolderSink(SegmentWriter(target / folder), OrdersToForget(target))


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
