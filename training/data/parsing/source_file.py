"""A raw log file: located, unpacked, hashed and scanned once before any parsing.

What is packed is unpacked into the scratch directory, so that damage shows before work starts and the engine can read
with all cores. The scan decides whether the file is *regular* (UTF-8, no quotes, no
blank lines, one kind of line ending): DuckDB's parser numbers the lines of such a file correctly; any other file goes
through ``training.data.parsing.irregular``.
"""

import codecs
import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Final

import numpy as np
import numpy.typing as npt

from training.cli.progress import step
from training.data.parsing.unpacking import (
    CHUNK,
    DAMAGE,
    ENDINGS,
    MOST_FILES,
    PACKINGS,
    PARQUET,
    AsUtf8,
    bare_name,
    members,
    opened,
    packing_of,
    unzipped,
)

__all__ = ["CHUNK", "SourceFile", "look_through", "open_source", "open_sources"]

HASH_LIMIT: Final = 1 << 30
MEGABYTE: Final = 1e6


@dataclass
class SourceFile:
    """A file of the log.

    Attributes:
        path: as the user gave it.
        plain: the decompressed file; ``path`` itself where it is not gzipped.
        size: bytes of the file as given.
        sha256: of the file as given; None from 1 GB on.
        regular: see the module's docstring.
        rows: parsed records, valid or rejected, without the malformed ones.
        first_line: line of record 0 (1 is the file's first line).
        lines: line of each record where the file is irregular, else None.
        malformed: line and reason of each malformed row, which has no record.
        parts: of several Parquet files each one.
        binary: whether a record is no line of text.
        cleared: number of an item file's rows of which an optional value was left out, per reason.
    """

    path: Path
    plain: Path
    size: int
    sha256: str | None
    regular: bool = True
    rows: int = 0
    first_line: int = 1
    lines: npt.NDArray[np.int64] | None = None
    malformed: list[tuple[int, str]] = field(default_factory=list)
    parts: tuple[Path, ...] = ()
    binary: bool = False
    cleared: Counter[str] = field(default_factory=Counter)

    def line_of(self, records: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """Line number at which each record starts."""
        if self.lines is not None:
            return self.lines[records]
        offsets = np.unique(np.array([line for line, _ in self.malformed], np.int64)) - self.first_line
        malformed_before = np.searchsorted(offsets - np.arange(len(offsets)), records, side="right")
        return records + self.first_line + malformed_before

    def texts(self, lines: Sequence[int]) -> dict[int, str]:
        """Text of the given lines, truncated to 1000 characters each; empty for a binary file."""
        if self.binary or self.plain.suffix.lower() in BINARY_SUFFIXES or not lines:
            return {}
        wanted, last = set(lines), max(lines)
        found = {}
        with self.plain.open("rb") as file:
            for number, line in enumerate(file, 1):
                if number in wanted:
                    found[number] = line.decode(errors="replace").strip("\r\n")[:1000]
                if number >= last:
                    break
        return found


BINARY_SUFFIXES: Final = PARQUET


def open_sources(
    given: Any, scratch: Path, *, field: str = "data.path", encoding: str | None = None
) -> list[SourceFile]:
    """Open all files that a setting names, as :func:`open_source` does; Parquet files together are one source.

    Raises:
        ValueError: see :func:`open_source`; or there are more than MOST_FILES text files.
    """
    found = members(given, field=field)
    tables = [path for path in found if path.suffix.lower() in PARQUET]
    if len(tables) > 1:
        others = next((path for path in found if path not in tables), None)
        if others is not None:
            raise ValueError(f"{field} names Parquet files and {others.name}; one log is of one kind")
        return [_tables(tables, given, field)]
    sources = [source for path in found for source in _unpacked(path, scratch, field, encoding)]
    if len(sources) > MOST_FILES:
        raise ValueError(f"{field} names {len(sources)} text files, of which one log may have {MOST_FILES}; join them")
    return sources


def open_source(
    path: str | Path, scratch: Path, *, field: str = "data.path", encoding: str | None = None
) -> SourceFile:
    """Unpack, recode, hash and scan one file.

    Args:
        path: the file.
        scratch: directory for an unpacked or recoded copy.
        field: setting that ``path`` comes from, for error messages.
        encoding: of a text file; None: UTF-8, or UTF-16 with a byte order mark.

    Raises:
        ValueError: the file is missing, a directory, empty or damaged, in another encoding, has a line of more than 4
            MB, or is an archive of several files.
    """
    path = Path(path).expanduser()
    if path.is_dir():
        inside = ", ".join(sorted(entry.name for entry in path.iterdir())[:8]) or "nothing"
        raise ValueError(f"{field}: {path} is a directory, a file is needed; the directory holds {inside}")
    found = _unpacked(path, scratch, field, encoding)
    if len(found) > 1:
        raise ValueError(f"{field}: {path} is an archive of {len(found)} files, one is needed")
    return found[0]


def _tables(paths: list[Path], given: Any, field: str) -> SourceFile:
    """Parquet files as one source; its digest is that of the files' digests in order."""
    whole = hashlib.sha256()
    for path in paths:
        whole.update((_digest(path) or str(path.stat().st_size)).encode())
    named = Path(str(given)) if not isinstance(given, list | tuple) else Path(f"{paths[0]} and {len(paths) - 1} more")
    size = sum(path.stat().st_size for path in paths)
    return SourceFile(named, paths[0], size, whole.hexdigest(), parts=tuple(paths))


def _digest(path: Path) -> str | None:
    if path.stat().st_size >= HASH_LIMIT:
        return None
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _unpacked(path: Path, scratch: Path, field: str, encoding: str | None) -> list[SourceFile]:
    if not path.is_file():
        raise ValueError(f"{field}: there is no file {path}")
    size = path.stat().st_size
    if size == 0:
        raise ValueError(f"{field}: {path} is empty")
    packing, digest = packing_of(path), _digest(path)
    if packing is None and path.suffix.lower() in ENDINGS:
        kind = next(name for name, ending in PACKINGS.values() if ending == path.suffix.lower())
        raise ValueError(f"{field}: {path} is named {path.suffix} but is not a {kind} file")
    if packing == "zip" and path.suffix.lower() not in BINARY_SUFFIXES:
        return [
            _plain(copy, Path(name), None, scratch, field, encoding, size=copy.stat().st_size, digest=digest)
            for name, copy in unzipped(path, scratch, field=field)
        ]
    return [_plain(path, path, packing, scratch, field, encoding, size=size, digest=digest)]


def _plain(
    path: Path,
    name: Path,
    packing: str | None,
    scratch: Path,
    field: str,
    encoding: str | None,
    *,
    size: int,
    digest: str | None,
) -> SourceFile:
    """One file as a source; a copy in ``scratch`` is read where it is packed or its text is to be recoded."""
    binary = Path(bare_name(name)).suffix.lower() in BINARY_SUFFIXES
    told = f"{field}: {name}"
    try:
        with opened(path, packing) as file:
            text = None if binary else AsUtf8(file, encoding, name=told)
            if packing is None and (text is None or not text.changes):
                regular = text is None or look_through(text, copy=None, name=told, size=size)
                return SourceFile(name, path, size, digest, regular)
            plain = scratch / f"{sum(1 for _ in scratch.iterdir())}-{bare_name(name)}"
            with plain.open("wb") as copy:
                regular = look_through(text or file, copy=copy, name=told, text=not binary)
    except DAMAGE as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise  # the disk, not the file
        if packing is None or (isinstance(error, ValueError) and str(error).startswith(told)):
            raise
        raise ValueError(f"{told} is a damaged or truncated {packing} file ({error})") from None
    if plain.stat().st_size == 0:
        raise ValueError(f"{told} is empty once unpacked")
    return SourceFile(name, plain, size, digest, regular)


def look_through(
    file: IO[bytes] | AsUtf8, *, copy: IO[bytes] | None, name: str, text: bool = True, size: int | None = None
) -> bool:
    """Read ``file`` to its end, writing to ``copy`` if given, and return whether it is regular text.

    Raises:
        ValueError: a line is longer than 4 MB.
    """
    regular, before, line_ends = True, b"\n", set()
    decoder = codecs.getincrementaldecoder("utf-8")()
    with step("reading a file", None if size is None else size / MEGABYTE, unit="MB") as reading:
        while chunk := file.read(CHUNK):
            reading.advance(len(chunk) / MEGABYTE)
            if chunk.endswith(b"\r"):
                chunk += file.read(1)
            if copy is not None:
                copy.write(chunk)
            if text and len(chunk) >= CHUNK and b"\n" not in chunk:
                raise ValueError(f"{name} has a line longer than {CHUNK >> 20} MB; is it a text log, a record a line?")
            if not text or not regular:
                continue
            joined = before + chunk
            odd = b'"' in chunk or b"\x00" in chunk or b"\x01" in chunk or b"\n\n" in joined
            if b"\r" in chunk:
                pairs = chunk.count(b"\r\n")
                odd |= b"\n\r\n" in joined or not pairs == chunk.count(b"\r") == chunk.count(b"\n")
                line_ends.add(b"\r\n")
            elif b"\n" in chunk:
                line_ends.add(b"\n")
            try:
                if not chunk.isascii() or decoder.getstate()[0]:
                    decoder.decode(chunk)
            except UnicodeDecodeError:
                odd = True
            regular = not odd and len(line_ends) < 2 and not joined.startswith(b"\n" + codecs.BOM_UTF8)
            before = joined[-2:]
    try:
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        regular = False
    return regular
