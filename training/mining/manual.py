"""Manual pairs, from a CSV file: ``relation,item_id,other_id,action,strength,from,until``.

Strict, since a slip would show the wrong item, or fail to hide one: errors are reported by line, and a file with any
error is rejected whole. A pair of an item that the catalogue lacks waits until the items feed brings it. ``strength``,
``from`` and ``until`` may be empty; ``from`` is inclusive, ``until`` exclusive.
"""

import csv
import io
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from tillside.relations import ACTIONS, ALWAYS, RELATIONS, LaterPair, ManualPairs

COLUMNS: Final = ("relation", "item_id", "other_id", "action", "strength", "from", "until")
SHOWN: Final = 10
"""Most errors listed in one message."""


def read_manual(path: Path, index_of: Mapping[str, int]) -> ManualPairs:
    """Parse a file of manual pairs.

    Args:
        index_of: item id to catalogue index.

    Raises:
        ValueError: the file cannot be read or is invalid; the message lists the first ten errors with their lines.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"manual: {path} cannot be read ({error})") from None
    lines = csv.reader(io.StringIO(text), strict=True)
    mistakes: list[str] = []
    rows: list[LaterPair] = []
    taken: dict[tuple[str, str, str], list[tuple[int, int, int]]] = {}
    try:
        header = next(lines, [])
        if [name.strip() for name in header] != list(COLUMNS):
            raise ValueError(f"{path}:1: the header must be {','.join(COLUMNS)}, got {','.join(header)!r}")
        for cells in lines:
            if not any(cell.strip() for cell in cells):
                continue
            line = lines.line_num
            wrong, row = _row(cells)
            if row is not None:
                wrong = _overlap(taken.setdefault(row[:3], []), line, row)
                rows.append(row)
            mistakes += [f"{path}:{line}: {each}" for each in wrong]
    except csv.Error as error:
        mistakes.append(f"{path}:{lines.line_num}: {error}")
    if mistakes:
        more = f"; and {len(mistakes) - SHOWN} more" if len(mistakes) > SHOWN else ""
        raise ValueError("; ".join(mistakes[:SHOWN]) + more)
    return ManualPairs.of([], rows).arrived(index_of)


def _row(cells: list[str]) -> tuple[list[str], LaterPair | None]:
    if len(cells) != len(COLUMNS):
        return [f"must have {len(COLUMNS)} columns, got {len(cells)}"], None
    relation, item_id, other_id, action, strength, since, until = (cell.strip() for cell in cells)
    wrong = []
    if relation not in RELATIONS:
        wrong.append(f"relation is {relation!r}; allowed: {', '.join(RELATIONS)}")
    if action not in ACTIONS:
        wrong.append(f"action is {action!r}; allowed: {', '.join(ACTIONS)}")
    for name, value in (("item_id", item_id), ("other_id", other_id)):
        if not value:
            wrong.append(f"{name} is empty; allowed: the id of an item")
    if item_id == other_id:
        wrong.append(f"other_id must be another item than item_id, got {other_id!r} for both")
    given: float | None = None
    if strength:
        try:
            given = float(strength)
        except ValueError:
            given = -1.0
        if not 0 < given <= 1:
            wrong.append(f"strength is {strength!r}; allowed: above 0 and at most 1, or nothing")
        if action == "ban":
            wrong.append(f"strength must be empty for a ban, got {strength!r}")
    moments = [_moment(value, fallback) for value, fallback in zip((since, until), ALWAYS, strict=True)]
    for name, value, moment in zip(COLUMNS[5:], (since, until), moments, strict=True):
        if moment is None:
            wrong.append(f"{name} is {value!r}; allowed: a date or time such as 2026-11-01 or 2026-11-01T08:00+01:00")
    first, last = moments
    if first is not None and last is not None and first >= last:
        wrong.append(f"until must be after from, got {since!r} and {until!r}")
    if wrong or first is None or last is None:
        return wrong, None
    return [], (relation, item_id, other_id, action, given, first, last)


def _moment(text: str, fallback: int) -> int | None:
    """UTC milliseconds of an ISO 8601 time (without offset: UTC), ``fallback`` if empty, None if malformed."""
    if not text:
        return fallback
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return round((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000)


def _overlap(before: list[tuple[int, int, int]], line: int, row: LaterPair) -> list[str]:
    since, until = row[5], row[6]
    met = [other for other, first, last in before if first < until and since < last]
    before.append((line, since, until))
    return [f"the same pair is set in line {met[0]} for the same time"] if met else []
