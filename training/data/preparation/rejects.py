"""Rejected and skipped rows: counts by reason, rejects with file, line and text, and a limit on the rejected share.

The limit applies per file, so that a bad event file cannot hide behind a long file of item properties.
"""

import csv
import re
import shlex
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import ibis
import numpy as np
import yaml

from training.cli.command_lines import override
from training.cli.foreign_text import in_cell
from training.data.columns import CLEARED, FILE, RECORD, REJECT, SKIP, WORD
from training.data.engine import QueryEngine
from training.data.parsing.canonical import UNKNOWN_BEHAVIOUR, UNPARSABLE_TIME, Log
from training.data.parsing.irregular import INVALID_UTF8
from training.data.parsing.source_file import SourceFile

MOST_WORDS: Final = 8
"""Words that are no behaviours, as they are told."""
HOW_TO_READ: Final = {
    INVALID_UTF8: "; a file in another encoding is read by data.encoding=cp1252 or the like",
    UNPARSABLE_TIME: "; times written otherwise are read by a pattern of data=events, such as "
    "'data.timestamp_format=%m/%d/%Y %I:%M %p'",
}
"""What to type where most of the bad rows are bad for a reason."""
MEANINGS: Final = {
    "purchase": ("order", "buy", "bought", "transaction"),
    "cart": ("basket",),
    "click": ("view", "detail", "visit"),
}
"""Parts of words that logs use for a behaviour; the first behaviour that one speaks for is what is proposed."""
UNDONE: Final = ("remove", "cancel", "refund", "return", "delete")
"""Parts of words for what takes a behaviour back."""


@dataclass(frozen=True)
class Rejects:
    """Counts and list of the rows left out.

    Attributes:
        rows: event rows read, valid or not.
        reasons: number of rejected rows per reason.
        skipped: number of skipped rows per reason.
        cleared: number of rows of which an optional value was left out, per reason.
        lines: file, line and reason of each rejected row, sorted so.
    """

    rows: int
    reasons: dict[str, int]
    skipped: dict[str, int]
    cleared: dict[str, int]
    lines: list[tuple[SourceFile, int, str]]

    def write(self, path: Path) -> None:
        """Write the rejected rows as CSV: file, line, reason, text."""
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(["file", "line", "reason", "text"])
            for source in dict.fromkeys(id(source) for source, _, _ in self.lines):
                rows = [row for row in self.lines if id(row[0]) == source]
                texts = rows[0][0].texts([line for _, line, _ in rows])
                for owner, line, reason in rows:
                    writer.writerow([in_cell(str(owner.path)), line, reason, in_cell(texts.get(line, ""))])


def collect_rejects(engine: QueryEngine, log: Log, *, max_reject_share: float) -> Rejects:
    """Collect the rejected and skipped rows of ``log``.

    Raises:
        ValueError: a file's share of rejected rows exceeds ``max_reject_share``, or the log holds no events.
    """
    events = log.events
    counted = events.group_by(FILE, SKIP, REJECT, CLEARED).agg(n=events.count())
    skipped: Counter[str] = Counter()
    cleared: Counter[str] = Counter()
    rows = [source.rows + len(source.malformed) for source in log.sources]
    event_rows = [len(source.malformed) for source in log.sources]
    for row in engine.rows(counted):
        event_rows[row[FILE]] += row["n"]
        if row[SKIP] is not None:
            skipped[row[SKIP]] += row["n"]
        if row[CLEARED] is not None:
            cleared[row[CLEARED]] += row["n"]
    for source in log.sources:
        cleared.update(source.cleared)
    event_files = {row[FILE] for row in engine.rows(events.select(FILE).distinct())}
    rows = [event_rows[file] if file in event_files else total for file, total in enumerate(rows)]
    bad = events.filter(events[REJECT].notnull()).select(FILE, REJECT, RECORD).order_by(FILE, RECORD)
    found = engine.backend.to_pyarrow(bad)
    reasons = found[REJECT].to_pylist()
    files, records = (np.asarray(found[name].to_numpy(), np.int64) for name in (FILE, RECORD))
    lines: list[tuple[SourceFile, int, str]] = []
    for number, source in enumerate(log.sources):
        here = np.flatnonzero(files == number)
        own = list(zip(source.line_of(records[here]).tolist(), (reasons[index] for index in here), strict=True))
        own = sorted(own + source.malformed)
        lines += [(source, line, reason) for line, reason in own]
        _check_share(engine, log, source, own, rows[number], max_reject_share)
    if not event_files and not lines:
        raise ValueError(f"{', '.join(str(source.path) for source in log.sources)}: the log holds no events")
    counts = Counter(reason for _, _, reason in lines)
    total = sum(rows[file] for file in event_files)
    return Rejects(
        total, dict(sorted(counts.items())), dict(sorted(skipped.items())), dict(sorted(cleared.items())), lines
    )


def unknown_words(engine: QueryEngine, log: Log) -> list[tuple[str, int]]:
    """The log's words for behaviours that are not known, with their rows, most frequent first."""
    events = log.events.filter(log.events[REJECT] == UNKNOWN_BEHAVIOUR)
    counted = events.group_by(WORD).agg(n=events.count()).order_by(ibis.desc("n"), WORD).limit(MOST_WORDS)
    return [(str(row[WORD]), row["n"]) for row in engine.rows(counted)]


def _check_share(
    engine: QueryEngine, log: Log, source: SourceFile, bad: list[tuple[int, str]], rows: int, limit: float
) -> None:
    if not bad or len(bad) <= limit * rows:
        return
    reason, count = Counter(reason for _, reason in bad).most_common(1)[0]
    line = next(line for line, why in bad if why == reason)
    text = source.texts([line]).get(line, "")
    example = f"line {line}: {text[:200]!r}" if text else f"row {line}"
    raise ValueError(
        f"{source.path}: {len(bad):,} of {rows:,} rows are bad ({len(bad) / rows:.2%}, max_reject_share is "
        f"{limit:.2%}), most often: {reason} ({count:,} rows, such as {example})"
        + (_how_to_map(unknown_words(engine, log), log) if reason == UNKNOWN_BEHAVIOUR else "")
        + HOW_TO_READ.get(reason, "")
    )


def _how_to_map(unknown: Sequence[tuple[str, int]], log: Log) -> str:
    """The words that are no behaviours, and a line to say what they mean, which keeps what was said of others."""
    told = ", ".join(f"{word!r} ({rows:,})" for word, rows in unknown)
    mapped = {**log.behaviour_map, **{word: _meaning(word, log.behaviours.names) for word, _ in unknown}}
    said = {word: name for word, name in mapped.items() if word != name}
    text = yaml.safe_dump(said, default_flow_style=True, sort_keys=False, allow_unicode=True, width=sys.maxsize)
    line = shlex.quote(override("data.behaviour_map", text.strip()))
    return f"; the log says {told}; say what they mean, null to leave them out: {line}"


def _meaning(word: str, names: Sequence[str]) -> str | None:
    """Which of some behaviours a word probably means, or None."""
    plain = re.sub("[^a-z]", "", word.lower())
    if any(part in plain for part in UNDONE):
        return None
    for meaning, parts in MEANINGS.items():
        if meaning in names and any(part in plain for part in (meaning, *parts)):
            return meaning
    return None


def good_events(log: Log) -> "ibis.expr.types.Table":
    """Events neither rejected nor skipped."""
    taken = log.events.filter(log.events[REJECT].isnull() & log.events[SKIP].isnull())
    return taken.drop(REJECT, SKIP, CLEARED, FILE, RECORD, *({WORD} & set(taken.columns)))
