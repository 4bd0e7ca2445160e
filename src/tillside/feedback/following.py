"""Following a folder of segments: what is appended to it comes out once, in the order in which it was written.

Segments that are being written are held open, so that one which is replaced meanwhile, as by a deletion from the log,
is read to its end as it was. Of several writers each one's records keep their order.
"""

import contextlib
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final
from zlib import crc32

from tillside.feedback.segments import HEAD, MAGIC, Torn, ended, foreign, log_torn, segments_of

CHUNK_BYTES: Final = 1 << 18
FRESH_SECONDS: Final = 2.0
"""A folder that changed so lately may have changed again within one tick of its clock."""


class SegmentTail:
    """The records of one segment as they come.

    Args:
        path: a segment, which may be being written.

    Attributes:
        torn: why the reading has ended for good before the file did; None if it has not.

    Raises:
        OSError: it cannot be opened.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        self._offset = 0
        self._left, self._stalled = b"", False
        self.torn: Torn | None = None

    def read(self) -> Iterator[bytes]:
        """Payloads that have come since the last call.

        Raises:
            OSError: the file cannot be read.
        """
        whole = ended(self._file)  # asked first: what is read then is all there will be
        self._left, self._stalled = b"", False
        while self.torn is None:
            chunk = os.pread(self._file, CHUNK_BYTES, self._offset + len(self._left))
            data = self._left + chunk
            if not self._offset:
                if len(data) < len(MAGIC):
                    return
                if not data.startswith(MAGIC):
                    self._tear(foreign(data))
                    break
                self._offset, data = len(MAGIC), data[len(MAGIC) :]
            yield from self._records(data, whole=whole)
            if len(chunk) < CHUNK_BYTES or self._stalled:
                break
        if whole and self._left and self.torn is None:
            self._tear("a record is cut off")
        if whole or self.torn is not None:
            self.close()

    def _records(self, data: bytes, *, whole: bool) -> Iterator[bytes]:
        at = 0
        while len(data) - at >= HEAD.size:
            length, checksum = HEAD.unpack_from(data, at)
            begin = at + HEAD.size
            if begin + length > len(data):
                break
            payload = data[begin : begin + length]
            if not length or crc32(payload) != checksum:
                if not whole:  # a part of it may not be there yet, and will be read anew
                    self._stalled = True
                    break
                self._left = data[at:]
                self._tear("a record is damaged" if length else "a record has no bytes")
                return
            at = begin + length
            self._offset += HEAD.size + length
            self._left = b""
            yield payload
        self._left = data[at:]

    def _tear(self, reason: str) -> None:
        size = os.fstat(self._file).st_size
        self.torn = Torn(self._path, self._offset, size - self._offset, reason)

    def ended_before(self, seconds: float) -> bool:
        """Whether the segment has ended, and was last written before a time."""
        return os.fstat(self._file).st_mtime < seconds and ended(self._file)

    @property
    def closed(self) -> bool:
        """Whether nothing more will come."""
        return self._file < 0

    def close(self) -> None:
        """Let go of the file."""
        if self._file >= 0:
            os.close(self._file)
        self._file = -1


class FolderTail:
    """The records of all segments of a folder as they come; the folder need not be there yet.

    Args:
        since: segments that have ended before this time, seconds since the epoch, are passed over.
    """

    def __init__(self, folder: Path, *, since: float = 0.0) -> None:
        self._folder = folder
        self._since = since
        self._changed = -1
        self._known: set[str] = set()
        self._tails: list[SegmentTail] = []

    def read(self) -> Iterator[bytes]:
        """Payloads that have come since the last call.

        Raises:
            OSError: the folder or one of its files cannot be read; the next call goes on.
        """
        self._look()
        for tail in list(self._tails):
            yield from tail.read()
            if tail.torn is not None:
                log_torn(tail.torn)
            if tail.closed:
                self._tails.remove(tail)

    def close(self) -> None:
        """Let go of all files."""
        for tail in self._tails:
            tail.close()
        self._tails.clear()

    def _look(self) -> None:
        """Find segments that were begun since the last look."""
        try:
            changed = self._folder.stat().st_mtime_ns
        except FileNotFoundError:
            return
        if changed == self._changed and time.time() - changed / 1e9 > FRESH_SECONDS:
            return
        self._changed = changed
        for path in segments_of(self._folder):
            if path.name not in self._known:
                self._known.add(path.name)
                with contextlib.suppress(FileNotFoundError):  # moved away meanwhile
                    tail = SegmentTail(path)
                    if tail.ended_before(self._since):
                        tail.close()
                    else:
                        self._tails.append(tail)
