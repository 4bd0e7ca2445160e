"""Record parser for irregular text files: quotes, blank lines, invalid bytes, mixed line endings.

Parsing is line by line, so each record knows the line it starts on. Surprising: a malformed quoted record costs only
its first line; the lines that a greedy parser would swallow are parsed again.
"""

import codecs
import csv
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import Final

MALFORMED: Final = "malformed row"
INVALID_UTF8: Final = "invalid UTF-8"
LONGEST_RECORD: Final = 100
"""Most lines of one quoted record after its first."""


def lines_of(path: Path) -> Iterator[tuple[int, str | None]]:
    """Yield line number and text of each non-blank line; None for invalid UTF-8."""
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            if number == 1:
                line = line.removeprefix(codecs.BOM_UTF8)
            if not line.strip():
                continue
            try:
                yield number, line.decode("utf-8").rstrip("\r\n")
            except UnicodeDecodeError:
                yield number, None


def records_of(path: Path, *, delimiter: str, width: int) -> Iterator[tuple[int, list[str] | str]]:
    """Yield line number, and the record's ``width`` fields or the reason it is malformed."""
    ahead: deque[tuple[int, str | None]] = deque()
    lines = lines_of(path)
    while True:
        line = ahead.popleft() if ahead else next(lines, None)
        if line is None:
            return
        number, text = line
        if text is None:
            yield number, INVALID_UTF8
            continue
        fields: list[str] | None = text.split(delimiter)
        if '"' in text:
            taken: list[tuple[int, str | None]] = []
            fields = _fields(text, delimiter)
            while fields is None and len(taken) < LONGEST_RECORD:
                following = ahead.popleft() if ahead else next(lines, None)
                if following is None:
                    break
                taken.append(following)
                if following[1] is None:
                    break
                text = f"{text}\n{following[1]}"
                if text.count('"') % 2 == 0:
                    fields = _fields(text, delimiter)
            if fields is None or len(fields) != width:
                ahead.extendleft(reversed(taken))
        if fields is None or len(fields) != width:
            yield number, MALFORMED
        else:
            yield number, fields


def _fields(text: str, delimiter: str) -> list[str] | None:
    """Fields of a complete record, [] if malformed, None if a quote is still open."""
    try:
        return next(csv.reader([text], delimiter=delimiter, strict=True))
    except csv.Error as error:
        return None if "unexpected end of data" in str(error) else []
