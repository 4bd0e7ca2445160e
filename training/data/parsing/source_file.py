"""A raw log file: located, decompressed, hashed and scanned once before any parsing.

Gzip is detected by magic bytes, not by name, and decompressed into the scratch directory, so that damage shows before
work starts and the engine can read with all cores. The scan decides whether the file is *regular* (UTF-8, no quotes, no
blank lines, one kind of line ending): DuckDB's parser numbers the lines of such a file correctly; any other file goes
through ``training.data.parsing.irregular``.
"""

import codecs
import gzip
import hashlib
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Final

import numpy as np
import numpy.typing as npt

from training.cli.progress import step

CHUNK: Final = 4 << 20
"""Bytes per read; also the longest line of a text log."""
HASH_LIMIT: Final = 1 << 30
MEGABYTE: Final = 1e6
GZIP_MAGIC: Final = b"\x1f\x8b"


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

    def line_of(self, records: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """Line number at which each record starts."""
        if self.lines is not None:
            return self.lines[records]
        offsets = np.unique(np.array([line for line, _ in self.malformed], np.int64)) - self.first_line
        malformed_before = np.searchsorted(offsets - np.arange(len(offsets)), records, side="right")
        return records + self.first_line + malformed_before

    def texts(self, lines: Sequence[int]) -> dict[int, str]:
        """Text of the given lines, truncated to 1000 characters each; empty for a binary file."""
        if self.plain.suffix in BINARY_SUFFIXES or not lines:
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


BINARY_SUFFIXES: Final = (".parquet", ".pq")


def open_source(path: str | Path, scratch: Path, *, field: str = "data.path") -> SourceFile:
    """Decompress, hash and scan one file.

    Args:
        path: the file.
        scratch: directory for a decompressed copy.
        field: setting that ``path`` comes from, for error messages.

    Raises:
        ValueError: the file is missing, a directory, empty or damaged, or has a line longer than 4 MB.
    """
    path = Path(path)
    if path.is_dir():
        inside = ", ".join(sorted(entry.name for entry in path.iterdir())[:8]) or "nothing"
        raise ValueError(f"{field}: {path} is a directory, a file is needed; the directory holds {inside}")
    if not path.is_file():
        raise ValueError(f"{field}: there is no file {path}")
    size = path.stat().st_size
    if size == 0:
        raise ValueError(f"{field}: {path} is empty")
    digest = hashlib.sha256() if size < HASH_LIMIT else None
    if digest is not None:
        with path.open("rb") as file:
            while chunk := file.read(CHUNK):
                digest.update(chunk)
    sha256 = digest.hexdigest() if digest is not None else None
    with path.open("rb") as file:
        packed = file.read(2) == GZIP_MAGIC
    suffix = path.with_suffix("").suffix if path.suffix == ".gz" else path.suffix
    binary = suffix in BINARY_SUFFIXES
    if not packed:
        if path.suffix == ".gz":
            raise ValueError(f"{field}: {path} is named .gz but is not a gzip file")
        with path.open("rb") as file:
            regular = binary or look_through(file, copy=None, name=f"{field}: {path}", size=size)
        return SourceFile(path, path, size, sha256, regular)
    plain = scratch / f"{sum(1 for _ in scratch.iterdir())}-{path.stem if path.suffix == '.gz' else path.name}"
    try:
        with gzip.open(path, "rb") as file, plain.open("wb") as copy:
            regular = look_through(file, copy=copy, name=f"{field}: {path}", text=not binary)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise ValueError(f"{field}: {path} is a damaged or truncated gzip file ({error})") from None
    if plain.stat().st_size == 0:
        raise ValueError(f"{field}: {path} is empty once unpacked")
    return SourceFile(path, plain, size, sha256, regular)


def look_through(
    file: IO[bytes] | gzip.GzipFile, *, copy: IO[bytes] | None, name: str, text: bool = True, size: int | None = None
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
