"""Records of a text file that is not regular: quotes, blank lines, broken bytes, mixed line ends.

It goes line by line, so each record keeps the number of the line on which it starts. Surprising: a record that opens a
quote and does not come out right costs only its first line; what a greedy parser would swallow is read again.
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
"""Lines that one quoted record may span."""


def lines_of(path: Path) -> Iterator[tuple[int, str | None]]:
    """Number and text of each line that is not blank; None where it is not UTF-8."""
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
    """Line number, and the ``width`` fields of the record or the reason why there is none."""
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
    """The fields of a whole record, none of a broken one; None when a quote is still open."""
    try:
        return next(csv.reader([text], delimiter=delimiter, strict=True))
    except csv.Error as error:
        return None if "unexpected end of data" in str(error) else []
