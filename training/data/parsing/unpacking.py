"""Files as a shop hands them over: packed, in several pieces, in another encoding, with another line end.

Everything ends as plain UTF-8 files with LF or CRLF, in the scratch directory unless the given file is one already. How
a file is packed is told by its first bytes, not by its name.
"""

import bz2
import codecs
import glob
import gzip
import lzma
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any, Final

import pyarrow as pa

CHUNK: Final = 4 << 20
ZIP_MAGIC: Final = b"PK\x03\x04"
GZIP: Final = "gzip"
PACKINGS: Final[dict[bytes, tuple[str, str]]] = {
    b"\x1f\x8b": (GZIP, ".gz"),
    b"BZh": ("bzip2", ".bz2"),
    b"\xfd7zXZ\x00": ("xz", ".xz"),
    b"\x28\xb5\x2f\xfd": ("zstd", ".zst"),
    ZIP_MAGIC: ("zip", ".zip"),
}
"""Name and ending of each packing by the first bytes of a file."""
ENDINGS: Final = tuple(ending for _, ending in PACKINGS.values())
DAMAGE: Final = (EOFError, OSError, lzma.LZMAError, zlib.error, zipfile.BadZipFile, pa.ArrowException, ValueError)
MARKS: Final = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
UTF8: Final = ("utf-8", "utf8", "utf-8-sig", "ascii")
MOST_FILES: Final = 127
"""Text files of one log; Parquet files are one table, however many."""
PARQUET: Final = (".parquet", ".pq")
HIDDEN: Final = ("_", ".")
"""How names begin that Spark, Hive and macOS lay beside the data."""


def bare_name(path: Path) -> str:
    """Name without the ending of a packing."""
    return path.stem if path.suffix.lower() in ENDINGS else path.name


def members(given: Any, *, field: str) -> list[Path]:
    """Files that a setting names: a path, a folder of files, a pattern with ``*``, or a list of such, in order of name.

    Raises:
        ValueError: nothing is there, or it is no path.
    """
    if isinstance(given, list | tuple):
        if not given:
            raise ValueError(f"{field} must name a file, a folder, a pattern or a list of them, got an empty list")
        return [path for each in given for path in members(each, field=field)]
    path = Path(str(given)).expanduser()
    if path.is_dir():
        found = sorted(each for each in path.rglob("*") if each.is_file() and not _hidden(each.relative_to(path)))
        if not found:
            raise ValueError(f"{field}: the folder {path} holds no file of a log")
        return found
    if not path.exists() and glob.has_magic(str(path)):
        found = [Path(each) for each in sorted(glob.glob(str(path), recursive=True)) if Path(each).is_file()]
        if not found:
            raise ValueError(f"{field}: no file matches {path}")
        return found
    return [path]


def _hidden(path: Path) -> bool:
    return any(part.startswith(HIDDEN) for part in path.parts)


def packing_of(path: Path) -> str | None:
    """How a file is packed; None if it is not."""
    with path.open("rb") as file:
        head = file.read(6)
    return next((name for magic, (name, _) in PACKINGS.items() if head.startswith(magic)), None)


def unzipped(path: Path, scratch: Path, *, field: str) -> list[tuple[str, Path]]:
    """Names and copies of the files in a zip archive.

    Raises:
        ValueError: it is damaged, asks for a password, or holds no file.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            inside = [each for each in archive.infolist() if not each.is_dir()]
            inside = [each for each in inside if not _hidden(Path(each.filename))]
            copies = []
            for number, each in enumerate(sorted(inside, key=lambda one: one.filename)):
                copy = scratch / f"{len(list(scratch.iterdir()))}-{number}-{Path(each.filename).name}"
                with archive.open(each) as file, copy.open("wb") as plain:
                    while chunk := file.read(CHUNK):
                        plain.write(chunk)
                copies.append((f"{path}/{each.filename}", copy))
    except RuntimeError as error:  # encrypted
        raise ValueError(f"{field}: {path} cannot be unpacked: {error}") from None
    except (zipfile.BadZipFile, zlib.error, EOFError) as error:
        raise ValueError(f"{field}: {path} is a damaged or truncated zip file ({error})") from None
    if not copies:
        raise ValueError(f"{field}: {path} is a zip file without a file in it")
    return copies


def opened(path: Path, packing: str | None) -> IO[bytes]:
    """The unpacked bytes of a file."""
    if packing == "zstd":
        stream: IO[bytes] = pa.CompressedInputStream(pa.OSFile(str(path)), "zstd")
        return stream
    openers: dict[str | None, Callable[..., Any]] = {GZIP: gzip.open, "bzip2": bz2.open, "xz": lzma.open}
    unpacked: IO[bytes] = openers.get(packing, open)(path, "rb")
    return unpacked


class AsUtf8:
    """A text file's bytes as UTF-8 with LF or CRLF.

    Args:
        encoding: of the file; None: UTF-8, or what a byte order mark says.

    Attributes:
        changes: whether the bytes differ from the file's.

    Raises:
        ValueError: the encoding has no such name.
    """

    def __init__(self, file: IO[bytes], encoding: str | None, *, name: str) -> None:
        self._file, self._name, self._start = file, name, file.read(CHUNK)
        marked = next((found for mark, found in MARKS.items() if self._start.startswith(mark)), None)
        self._encoding = encoding or (marked if marked != "utf-8-sig" else None)
        if self._encoding is not None and codecs.lookup(self._encoding).name in UTF8:
            self._encoding = None
        self._decoder = codecs.getincrementaldecoder(self._encoding)() if self._encoding else None
        self._lone_cr = False
        first = self._decoded(self._start, final=False)
        head = first.rstrip(b"\r") if first.endswith(b"\r") and len(self._start) == CHUNK else first
        self._lone_cr = b"\r" in head and b"\n" not in first
        self._start = self._ends(first)
        self.changes = self._decoder is not None or self._lone_cr

    def read(self, size: int = -1) -> bytes:
        """About ``size`` bytes; none at the end."""
        if self._start:
            start, self._start = self._start, b""
            return start
        while True:
            chunk = self._file.read(size)
            found = self._ends(self._decoded(chunk, final=not chunk))
            if found or not chunk:
                return found

    def _decoded(self, chunk: bytes, *, final: bool) -> bytes:
        if self._decoder is None:
            return chunk
        try:
            return self._decoder.decode(chunk, final).removeprefix("\ufeff").encode()
        except UnicodeError as error:
            raise ValueError(f"{self._name} cannot be read as {self._encoding}: {error}") from None

    def _ends(self, chunk: bytes) -> bytes:
        return chunk.replace(b"\r", b"\n") if self._lone_cr else chunk
