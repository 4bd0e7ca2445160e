"""Segment files: records that are there whole or not at all, in a folder that several writers share.

A segment is an 8-byte magic that holds the version, then records: length (u32, little-endian), CRC-32 of the payload
(u32), payload. A group of records is one ``write``. A crash tears at most the last group that was not synced; readers
end at the first record that is not whole and say so. No writer ever appends to a segment that it has not begun, so
what follows a torn record is nothing. A segment is locked for as long as it is written, which tells others whether it
has ended (:func:`ended`), even where its writer was killed.
"""

import contextlib
import fcntl
import logging
import os
import secrets
import struct
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final
from zlib import crc32

log = logging.getLogger("tillside")

EXPOSURES: Final = "exposures"
EVENTS: Final = "events"
CONFLICTS: Final = "conflicts"
"""Folders of a feedback folder."""

MAGIC: Final = b"tillseg1"
HEAD: Final = struct.Struct("<II")
SUFFIX: Final = ".seg"
SEGMENT_BYTES: Final = 1 << 26
BEGUN: Final = "%Y%m%dT%H%M%S.%f"
"""Begins the name of a segment, UTC."""


@dataclass(frozen=True, slots=True)
class Torn:
    """Where a segment ends before its file does.

    Attributes:
        offset: end of the last whole record.
        bytes_left: bytes from there to the end of the file.
        reason: what is wrong there, in words.
    """

    path: Path
    offset: int
    bytes_left: int
    reason: str

    def __str__(self) -> str:
        return f"{self.path}: {self.reason} at byte {self.offset}; the {self.bytes_left} bytes from there are not read"


def log_torn(torn: Torn) -> None:
    """Log a warning."""
    log.warning("%s", torn)


class SegmentReader:
    """Iterates the payloads of one segment, as far as they are whole; one that is being written may be read.

    Args:
        start: offset to go on from, as ``offset`` said after an earlier reading; 0 for the first record.

    Attributes:
        offset: end of the last record that was given out.
        torn: why the reading ended before the file; None if it did not.
    """

    def __init__(self, path: Path, *, start: int = 0) -> None:
        self._path = path
        self.offset = start
        self.torn: Torn | None = None

    def __iter__(self) -> Iterator[bytes]:
        """The payloads.

        Raises:
            OSError: the file cannot be read.
        """
        data = self._path.read_bytes()
        size = len(data)
        if not data.startswith(MAGIC):
            self._tear(0, size, foreign(data))
            return
        at = self.offset = max(self.offset, len(MAGIC))
        view = memoryview(data)
        while at < size:
            begin = at + HEAD.size
            if begin > size:
                return self._tear(at, size, "a record is cut off")
            length, checksum = HEAD.unpack_from(data, at)
            end = begin + length
            if not length or end > size:
                return self._tear(at, size, "a record is cut off" if length else "a record has no bytes")
            if crc32(view[begin:end]) != checksum:
                return self._tear(at, size, "a record is damaged")
            at = self.offset = end
            yield data[begin:end]

    def _tear(self, offset: int, size: int, reason: str) -> None:
        self.torn = Torn(self._path, offset, size - offset, reason)


def foreign(data: bytes) -> str:
    """What a file is that does not begin with the head of a segment, in words."""
    if MAGIC.startswith(data):
        return "the head is cut off"
    if data.startswith(MAGIC[:-1]):
        return f"version {data[len(MAGIC) - 1 : len(MAGIC)]!r} of segments is not known"
    return "this is no segment"


def read_segment(path: Path, *, report: Callable[[Torn], None] = log_torn) -> Iterator[bytes]:
    """Payloads of one segment up to the first record that is not whole, which is reported, not raised.

    Raises:
        OSError: the file cannot be read.
    """
    reader = SegmentReader(path)
    yield from reader
    if reader.torn is not None:
        report(reader.torn)


def begun_ms(path: Path) -> int:
    """When a segment was begun, UTC milliseconds, as its name says; 0 if it does not."""
    try:
        moment = datetime.strptime(path.name.partition("-")[0], BEGUN)
    except ValueError:
        return 0
    return int(moment.replace(tzinfo=UTC).timestamp() * 1000)


def segments_of(folder: Path) -> list[Path]:
    """Segments of a folder in the order in which they were begun; none if there is no such folder."""
    return sorted(path for path in folder.glob(f"*{SUFFIX}") if path.is_file())


class SegmentWriter:
    """Writes segments of its own into a folder that others may write into too. Not for several threads at once.

    The folder is made with the first record.

    Args:
        segment_bytes: size at which the next segment is begun.

    Attributes:
        path: the segment that is being written; None before the first record and between two segments.
    """

    def __init__(self, folder: Path, *, segment_bytes: int = SEGMENT_BYTES) -> None:
        self._folder = folder
        self._segment_bytes = segment_bytes
        self._file: int | None = None
        self._size = self._synced = 0
        self.path: Path | None = None

    @property
    def full(self) -> bool:
        """Whether the next group begins another segment."""
        return self._file is not None and self._size >= self._segment_bytes

    def append(self, payloads: Iterable[bytes]) -> int:
        """Write payloads as one group; returns its bytes, 0 if there were none. They are durable after :meth:`sync`.

        Raises:
            ValueError: a payload is empty.
            OSError: the group was not written. All that was appended since the last sync is withdrawn, as far as the
                disk allows, so that it may be appended again.
        """
        parts: list[bytes] = []
        for payload in payloads:
            if not payload:
                raise ValueError("a record must have bytes")
            parts += (HEAD.pack(len(payload), crc32(payload)), payload)
        return self.write(b"".join(parts))

    def write(self, group: bytes) -> int:
        """Write a group of records that are framed already; see :meth:`append`."""
        if not group:
            return 0
        if self.full:
            self.close()
        file = self._begun() if self._file is None else self._file
        try:
            left = memoryview(group)
            while left:
                left = left[os.write(file, left) :]
        except OSError:
            self._withdraw()
            raise
        self._size += len(group)
        return len(group)

    def sync(self) -> None:
        """Return once all that was appended outlasts a power failure.

        Raises:
            OSError: it may not, and all of it is withdrawn, as in :meth:`append`.
        """
        if self._file is None or self._synced == self._size:
            return
        try:
            os.fdatasync(self._file)
        except OSError:
            self._withdraw()
            raise
        self._synced = self._size

    def close(self) -> None:
        """Sync and end the segment; a further record begins another."""
        self.sync()
        self._end()

    def _begun(self) -> int:
        made = not self._folder.is_dir()
        self._folder.mkdir(parents=True, exist_ok=True)
        while True:
            name = f"{datetime.now(UTC):{BEGUN}}-{secrets.token_hex(4)}{SUFFIX}"
            with contextlib.suppress(FileExistsError):
                file = os.open(self._folder / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o640)
                break
        self._file, self.path, self._size, self._synced = file, self._folder / name, 0, 0
        with contextlib.suppress(OSError):  # some network file systems lock no files
            fcntl.flock(file, fcntl.LOCK_EX)  # before the head is written: a segment with a head and no lock has ended
        try:
            self._size = self._synced = os.write(file, MAGIC)  # durable with the first group
            for folder in (self._folder, self._folder.parent) if made else (self._folder,):
                sync_folder(folder)
        except OSError:
            self._withdraw()
            raise
        return file

    def _withdraw(self) -> None:
        """Cut off what was not synced, and let another segment follow: the state of this one is not known.

        A segment without a record goes altogether: on a full disk every attempt would leave one.
        """
        assert self._file is not None
        assert self.path is not None
        with contextlib.suppress(OSError):
            os.ftruncate(self._file, self._synced)
        if self._synced <= len(MAGIC):
            with contextlib.suppress(OSError):
                self.path.unlink()
        self._end()

    def _end(self) -> None:
        if self._file is not None:
            with contextlib.suppress(OSError):
                os.close(self._file)
        self._file = self.path = None


def ended(file: int) -> bool:
    """Whether nobody writes the open segment any more; False where the file system cannot tell.

    A reader that asks first and reads then has all of a segment that has ended.
    """
    if os.fstat(file).st_size < len(MAGIC):
        return False
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return False
    fcntl.flock(file, fcntl.LOCK_UN)
    return True


def frame(payload: bytes) -> bytes:
    """One payload as a record, for :meth:`SegmentWriter.write`."""
    return HEAD.pack(len(payload), crc32(payload)) + payload


def sync_folder(folder: Path) -> None:
    """Return once the names in a folder outlast a power failure."""
    held = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(held)
    finally:
        os.close(held)
