"""Rejected and skipped rows: counts by reason, rejects with file, line and text, and a limit on the rejected share.

The limit applies per file, so that a bad event file cannot hide behind a long file of item properties.
"""

import csv
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import ibis
import numpy as np

from training.cli.foreign_text import in_cell
from training.data.columns import CLEARED, FILE, RECORD, REJECT, SKIP, WORD
from training.data.engine import QueryEngine
from training.data.parsing.canonical import UNKNOWN_BEHAVIOUR, Log
from training.data.parsing.irregular import INVALID_UTF8
from training.data.parsing.source_file import SourceFile

MOST_WORDS: Final = 8
"""Words that are no behaviours, as they are told."""


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
        + (_how_to_map(unknown_words(engine, log)) if reason == UNKNOWN_BEHAVIOUR else "")
        + ("; a file in another encoding is read by data.encoding=cp1252 or the like" if reason == INVALID_UTF8 else "")
    )


def _how_to_map(unknown: Sequence[tuple[str, int]]) -> str:
    """The words that are no behaviours, and how to say what they mean."""
    words = ", ".join(f"{word!r} ({rows:,})" for word, rows in unknown)
    pairs = ", ".join(f"{word}: {'null' if number else 'click'}" for number, (word, _) in enumerate(unknown[:2]))
    return f"; the log says {words}; say what they mean, null to leave them out: 'data.behaviour_map=\"{{{pairs}}}\"'"


def good_events(log: Log) -> "ibis.expr.types.Table":
    """Events neither rejected nor skipped."""
    taken = log.events.filter(log.events[REJECT].isnull() & log.events[SKIP].isnull())
    return taken.drop(REJECT, SKIP, CLEARED, FILE, RECORD, *({WORD} & set(taken.columns)))
