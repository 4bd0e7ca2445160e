"""``python -m serving.feedback.forget DIR``: carry out on the log what shoppers asked to be forgotten, then exit.

Server and collector call it for their own folder; a cron line does for a folder that has neither. It waits for the
segments that are being written, as their writers end them once they see the order; what cannot be reached in time stays
asked for, and the next call finds it.
"""

import argparse
import contextlib
import fcntl
import json
import os
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from serving.feedback.compacting import Compacted, compact
from tillside.atomic import write_text_atomically
from tillside.cli.secrets import without_secrets
from tillside.feedback.forgetting import FORGOTTEN, GRACE_MS, Order, decode_order
from tillside.feedback.segments import MAGIC, SegmentReader, segments_of

CARRIED_OUT: Final = "carried_out.json"
"""File of the orders' folder: the end of those that the log has followed, by segment."""
LOCK: Final = ".forgetting.lock"
SETTLE_SECONDS: Final = GRACE_MS / 1000 + 1.0
"""Age of an order before which its writers may not have ended their segments."""
WAIT_SECONDS: Final = 60.0
PAUSE_SECONDS: Final = 0.25


@dataclass(frozen=True, slots=True)
class CarriedOut:
    """What a call did.

    Attributes:
        orders: that were carried out.
        records, segments, bytes_left: see :class:`serving.feedback.compacting.Compacted`.
        pending: orders that could not be carried out to the end.
    """

    orders: int
    records: int
    segments: int
    bytes_left: int
    pending: int


def pending_orders(feedback: Path, *, every: bool = False) -> tuple[list[Order], dict[str, int]]:
    """Orders of a feedback folder that are not carried out yet, and what to write down once they are.

    Args:
        every: take those that were carried out as well.

    Raises:
        OSError: a file cannot be read.
    """
    marks = {} if every else _marks(feedback)
    orders: list[Order] = []
    for path in segments_of(feedback / FORGOTTEN):
        begin = marks.get(path.name, 0)
        if path.stat().st_size > max(begin, len(MAGIC)):
            reader = SegmentReader(path, start=begin)
            orders += map(decode_order, reader)
            marks[path.name] = reader.offset
    return orders, marks


def carry_out(feedback: Path, *, every: bool = False, wait_seconds: float = WAIT_SECONDS) -> CarriedOut:
    """Carry out the orders that are pending; another call at the same time waits for this one.

    Args:
        every: carry out again those that were carried out, too.

    Raises:
        OSError: a file cannot be read or written; the next call goes on.
    """
    if not (feedback / FORGOTTEN).is_dir():
        return CarriedOut(0, 0, 0, 0, 0)
    with _alone(feedback):
        orders, marks = pending_orders(feedback, every=every)
        total = Compacted()
        end = time.monotonic() + wait_seconds
        if orders:
            newest = max(order.time for order in orders) / 1000
            time.sleep(min(max(0.0, newest + SETTLE_SECONDS - time.time()), wait_seconds))
        while orders:
            done = compact(feedback, orders)
            total.records += done.records
            total.segments += done.segments
            total.bytes_left += done.bytes_left
            if not done.waiting:
                write_text_atomically(feedback / FORGOTTEN / CARRIED_OUT, json.dumps(marks))
                break
            if time.monotonic() > end:
                return CarriedOut(0, total.records, total.segments, total.bytes_left, len(orders))
            time.sleep(PAUSE_SECONDS)
        return CarriedOut(len(orders), total.records, total.segments, total.bytes_left, 0)


def _marks(feedback: Path) -> dict[str, int]:
    try:
        marks: Mapping[str, int] = json.loads((feedback / FORGOTTEN / CARRIED_OUT).read_text(encoding="utf-8"))
        return dict(marks)
    except FileNotFoundError:
        return {}


@contextlib.contextmanager
def _alone(feedback: Path) -> Iterator[None]:
    held = os.open(feedback / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield
    finally:
        os.close(held)


def main(arguments: Sequence[str] | None = None) -> None:
    """Carry out what is pending, and say what was done."""
    parser = argparse.ArgumentParser(
        "python -m serving.feedback.forget", description="Take out of a log what shoppers asked to be forgotten."
    )
    parser.add_argument("folder", type=Path, help="feedback folder, as --feedback of server and collector has it")
    parser.add_argument(
        "--all", action="store_true", help="all orders, as for segments that were moved away and have come back"
    )
    parser.add_argument("--json", action="store_true", help="say it as a JSON object")
    given = parser.parse_args(arguments)
    try:
        if not given.folder.is_dir():
            raise ValueError(f"there is no folder {given.folder}")
        done = carry_out(given.folder, every=given.all)
    except (ValueError, OSError) as error:
        print(f"error: {without_secrets(str(error))}", file=sys.stderr)
        sys.stdout.flush()
        sys.exit(2)
    if given.json:
        print(json.dumps({name: getattr(done, name) for name in CarriedOut.__slots__}))
    else:
        left = f"; {done.pending} orders wait for segments that are being written" if done.pending else ""
        print(f"{done.orders} orders carried out: {done.records} records left {done.segments} segments{left}")


if __name__ == "__main__":
    main()
