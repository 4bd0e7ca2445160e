"""What a server was told and keeps over a restart: the items feeds and the revisions set by hand, in one folder.

Feeds are deltas that may come every second, while their sum may be large. So each is appended to ``items-since.jsonl``
and synced before it is answered, and now and then the sum is written to ``items.json`` and the tail begun anew. A line
torn by a kill is left out: nobody was told that it was taken. Replaying a line that the sum holds already changes
nothing, since merging feeds is idempotent.
"""

import contextlib
import errno
import fcntl
import logging
import os
from pathlib import Path
from typing import Final

import msgspec

from serving.policy.feeds import combined
from serving.policy.revisions import NO_REVISION, Revision, Revisions
from tillside.atomic import write_text_atomically
from tillside.policy import ItemsFeed
from tillside.policy.items.feed import FeedItem

log = logging.getLogger("serving")
LOCK: Final = "lock"
SUM: Final = "items.json"
TAIL: Final = "items-since.jsonl"
LEAST_TAIL_BYTES: Final = 1 << 20
"""A tail that is shorter is not summed up, whatever the size of the sum."""


class _Feed(msgspec.Struct):
    time_ms: int
    items: list[FeedItem]


class State(msgspec.Struct, forbid_unknown_fields=True):
    """All of it as one document, as another server takes it over."""

    feed: _Feed | None = None
    revision: Revision = NO_REVISION

    def items_feed(self) -> ItemsFeed | None:
        """The feed."""
        return None if self.feed is None else ItemsFeed(self.feed.time_ms, tuple(self.feed.items))


def exported(feed: ItemsFeed | None, revision: Revision) -> bytes:
    """State as a JSON document."""
    return msgspec.json.encode(
        State(feed=None if feed is None else _Feed(feed.time_ms, list(feed.items)), revision=revision)
    )


def imported(data: bytes) -> State:
    """Inverse of :func:`exported`.

    Raises:
        ValueError: the document is none.
    """
    try:
        return msgspec.json.decode(data, type=State)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ValueError(f"it is no state of a server: {error}") from None


class StateFolder:
    """The folder, locked for this process while it is open.

    Attributes:
        feed: sum of all feeds that were kept; None without one.
        revisions: of what was set by hand.

    Raises:
        ValueError: another server has the folder, it cannot be written, or a file in it is damaged.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            path.mkdir(parents=True, exist_ok=True)
            self._lock = os.open(path / LOCK, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise ValueError(f"--state {path} cannot be written: {error.strerror or error}") from None
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(self._lock)
            raise ValueError(f"--state {path} is in use by another server; each needs a folder of its own") from None
        self.revisions = Revisions(path, before_write=self._still_ours)
        self._tail_bytes = self._sum_bytes = 0
        self.feed = self._read()
        if self._tail_bytes:
            with contextlib.suppress(OSError):  # what was read stays where it is
                self._begin_anew()

    def add(self, feed: ItemsFeed) -> None:
        """Keep one more feed.

        Raises:
            OSError: it cannot be written; nothing was kept.
        """
        self._still_ours()
        line = msgspec.json.encode(_Feed(feed.time_ms, list(feed.items))) + b"\n"
        whole = combined(self.feed, feed)
        with (self.path / TAIL).open("ab") as file:
            start = file.seek(0, os.SEEK_END)
            try:
                file.write(line)
                file.flush()
                os.fsync(file.fileno())
            except OSError:
                with contextlib.suppress(OSError):
                    os.ftruncate(file.fileno(), start)
                raise
        self.feed = whole
        self._tail_bytes += len(line)
        if self._tail_bytes > max(LEAST_TAIL_BYTES, self._sum_bytes):
            with contextlib.suppress(OSError):  # the tail holds everything, and the next feed tries again
                self._begin_anew()

    def close(self) -> None:
        """Let another server have the folder."""
        os.close(self._lock)

    def _still_ours(self) -> None:
        """Raise OSError if the folder is not the one that was locked: what is written to another would not be found."""
        try:
            found, own = os.stat(self.path / LOCK), os.fstat(self._lock)
        except FileNotFoundError:
            found, own = None, os.fstat(self._lock)
        if found is None or not os.path.samestat(found, own):
            raise OSError(errno.ESTALE, f"{self.path} was removed or replaced while the server ran")

    def _begin_anew(self) -> None:
        """Write the sum, then empty the tail; between the two both hold the same."""
        assert self.feed is not None
        text = msgspec.json.encode(_Feed(self.feed.time_ms, list(self.feed.items))).decode()
        write_text_atomically(self.path / SUM, text)
        (self.path / TAIL).write_bytes(b"")
        self._sum_bytes, self._tail_bytes = len(text), 0

    def _read(self) -> ItemsFeed | None:
        whole, tail = self.path / SUM, self.path / TAIL
        found = _parsed(whole, whole.read_bytes(), None) if whole.is_file() else None
        self._sum_bytes = whole.stat().st_size if found else 0
        if not tail.is_file():
            return found
        data, _, torn = tail.read_bytes().rpartition(b"\n")
        if torn:
            log.warning("the last feed in %s was not written to its end and is left out", tail)
            os.truncate(tail, len(data) + 1 if data else 0)
        for line in data.splitlines():
            found = _parsed(tail, line, found)
        self._tail_bytes = len(data)
        return found


def _parsed(path: Path, line: bytes, before: ItemsFeed | None) -> ItemsFeed:
    try:
        feed = msgspec.json.decode(line, type=_Feed)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"{path} is damaged ({error}); remove it, or name another --state") from None
    return combined(before, ItemsFeed(feed.time_ms, tuple(feed.items)))
