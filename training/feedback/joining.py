"""A feedback folder to joined tables: stage what is new, find the days that it touches, join those, write them.

The state (``measure.json``) is written last, so a killed run is repeated by the next one. One run at a time writes a
folder.
"""

import contextlib
import dataclasses
import json
import os
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import ibis.expr.types as ir
import pyarrow.parquet as pq

from tillside.atomic import lock_of, write_text_atomically
from tillside.feedback.segments import EVENTS, EXPOSURES
from training.cli.progress import step
from training.feedback.attribution import (
    Windows,
    attributed_lines,
    impressions,
    marks,
    sold_lines,
    told_acts,
    touches,
)
from training.feedback.columns import ACTS, ANSWERS, LINES, SLOTS, STAGED_SCHEMAS, TABLES
from training.feedback.copies import later_copies, without
from training.feedback.partitions import Joined, iso, lines_of, write_days, write_orders
from training.feedback.staging import Segment, Staging, stage, staged_file, staged_files
from training.mining.engines import MiningEngine, open_mining
from training.settings.attribution import AttributionConfig
from training.settings.measure import MeasureConfig

STATE: Final = "measure.json"
LOCK: Final = ".lock"
FORMAT: Final = 1
TOGETHER: Final = 3_000_000
"""Records of the days that are written by one query; more would be sorted outside of memory."""


@dataclass(frozen=True)
class Measured:
    """Result of a join.

    Attributes:
        fresh: number of segments that were read now.
        joined: number of days that were joined now.
        written: files that changed.
        segments: what is known of each segment.
    """

    out: Path
    fresh: int
    joined: int
    written: int
    segments: Mapping[str, Segment] = field(repr=False)

    def total(self, name: str) -> int:
        """Sum of a segment's number (read, bytes, bytes_left) over all segments."""
        return sum(told[name] for told in self.segments.values())

    def counted(self, name: str) -> Counter[str]:
        """Counts by reason (rejected, cleared) over all segments."""
        return sum((Counter(told[name]) for told in self.segments.values()), Counter())


def join(config: MeasureConfig) -> Measured:
    """Bring the joined tables below ``config.out`` up to date.

    Raises:
        ValueError: the folder holds no segments, is not ours, was made by a newer version or is being written.
    """
    feedback, out = Path(config.feedback).expanduser(), Path(config.out).expanduser()
    rules = _plain(config.attribution)
    windows = Windows.of(config.attribution)
    with only_writer(out):
        state = _read_state(out)
        changed = state.get("attribution") not in (None, rules)
        late = state.get("attribution", rules).get("late_days") != rules["late_days"]
        staging = stage(
            feedback, out, {} if late else state.get("segments", {}), late_days=config.attribution.late_days
        )
        every = sorted({int(day) for told in staging.segments.values() for day in told["days"]})
        days: set[int] = set(every)
        joined = written = 0
        if config.rebuild or changed or staging.fresh or "segments" not in state:
            with tempfile.TemporaryDirectory(dir=config.scratch) as scratch:
                opened = open_mining(
                    config.engine, Path(scratch), master=config.spark_master, memory_gb=config.memory_gb
                )
                with opened as engine:
                    staged = Staged(engine, out, staging.segments, Path(scratch))
                    if not config.rebuild and not changed and "segments" in state:
                        days = touched_days(staged, staging, windows.reach)
                    for chunk in chunks(sorted(days & set(every) | staging.days), config.chunk_days):
                        joined += len(chunk)
                        written += _join_days(staged, config.attribution, windows, out, chunk)
        document = {"format_version": FORMAT, "attribution": rules, "segments": dict(sorted(staging.segments.items()))}
        if document != state:
            write_text_atomically(out / STATE, json.dumps(document, indent=1) + "\n")
    return Measured(out, len(staging.fresh), joined, written, staging.segments)


@dataclass
class Staged:
    """Staged tables of ranges of days."""

    engine: MiningEngine
    out: Path
    segments: Mapping[str, Segment]
    scratch: Path

    def table(self, name: str, first: int, last: int) -> ir.Table:
        """Rows of the days ``first`` to ``last``."""
        files = staged_files(self.out, self.segments, name, first=first, last=last)
        table = self.of_files(name, files)
        return table.filter(table.day.between(first, last))

    def whole(self, name: str) -> ir.Table:
        """All rows."""
        return self.of_files(name, staged_files(self.out, self.segments, name, first=-(2**31), last=2**31))

    def of_files(self, name: str, files: Sequence[Path]) -> ir.Table:
        """Rows of staged files; of none if there are no files."""
        if not files:
            files = [self.scratch / f"no-{name}.parquet"]
            pq.write_table(STAGED_SCHEMAS[name].empty_table(), files[0])
        return self.engine.parquet(files)


def touched_days(staged: Staged, staging: Staging, reach: int) -> set[int]:
    """Days whose tables what is fresh may change: those near its own, and near the orders and answers that it names."""
    fresh = [name.split("/") for name in staging.fresh]
    own = set(staging.days)
    for kind, table, key in ((EVENTS, LINES, "order_id"), (EXPOSURES, ANSWERS, "rec_key")):
        files = [staged_file(staged.out, table, name) for room, name in fresh if room == kind]
        every = staged.whole(table)
        named = every.semi_join(staged.of_files(table, files), key).select("day").distinct()
        own |= set(staged.engine.arrays(named, ["day"])["day"].tolist())
    return {near for day in own for near in range(day - reach, day + reach + 1)}


def chunks(days: Sequence[int], most: int) -> Iterator[list[int]]:
    """Ascending days cut into pieces of at most ``most`` days from first to last."""
    piece: list[int] = []
    for day in days:
        if piece and day - piece[0] >= most:
            yield piece
            piece = []
        piece.append(day)
    if piece:
        yield piece


def _join_days(staged: Staged, rules: AttributionConfig, windows: Windows, out: Path, days: Sequence[int]) -> int:
    engine, first, last = staged.engine, days[0] - windows.reach, days[-1] + windows.reach
    groups = list(batches_of(days, answered_by_day(staged.segments)))
    with step(f"joining {iso(days[0])} to {iso(days[-1])}", 1 + len(groups)) as joining:
        copies = later_copies(engine, staged.whole(ANSWERS), first, last)
        slots = without(staged.table(SLOTS, first, last), copies)
        acts = staged.table(ACTS, first, last)
        told = told_acts(engine, acts)
        sold = sold_lines(engine, staged.whole(LINES))
        near = sold.filter(sold.day.between(first, last))
        touched = touches(engine, slots, told, windows=windows, inferred=rules.inferred)
        attributed = attributed_lines(
            engine, slots, near, touched, impressions(acts), windows=windows, view_through=rules.view_through
        )
        marked = marks(engine, touched, near, attributed)
        lines = engine.keep(lines_of(sold.filter(sold.order_day.isin(days)), attributed, slots))
        written = write_orders(engine, lines, out, days)
        joining.advance()
        for group in groups:
            reached = group[-1] + windows.reach
            joined = Joined(
                without(staged.table(SLOTS, group[0], group[-1]), copies),
                without(staged.table(SLOTS, group[0], group[-1]), copies),
                without(staged.table(ANSWERS, group[0], group[-1]), copies),
                staged.table(ACTS, group[0] - 1, reached),
                told,
                marked,
            )
            written += write_days(engine, joined, out, group, windows)
            joining.advance()
        for table in (told, sold, touched, attributed, marked, lines):
            engine.drop(table)
    return written


def answered_by_day(segments: Mapping[str, Segment]) -> Counter[int]:
    """Number of records of each day."""
    counted: Counter[int] = Counter()
    for told in segments.values():
        counted.update({int(day): count for day, count in told["days"].items()})
    return counted


def batches_of(days: Sequence[int], records: Mapping[int, int]) -> Iterator[list[int]]:
    """Days that are written by one query: as many as hold TOGETHER records, at least one."""
    group: list[int] = []
    for day in days:
        if group and sum(records.get(each, 0) for each in [*group, day]) > TOGETHER:
            yield group
            group = []
        group.append(day)
    if group:
        yield group


def _read_state(out: Path) -> dict[str, Any]:
    path = out / STATE
    if not path.exists():
        others = [each.name for each in out.iterdir() if each.name not in (LOCK, "staged", *TABLES)]
        if others:
            raise ValueError(f"out: {out} holds other files and no {STATE}; name a new folder, or empty it")
        return {}
    try:
        state = json.loads(path.read_text(encoding="utf-8"))
        version = state["format_version"]
    except (ValueError, KeyError, TypeError):
        raise ValueError(f"out: {path} is damaged; remove it, and what was staged is read again") from None
    if version != FORMAT:
        raise ValueError(f"out: {path} has format_version {version}, this version of tillside reads {FORMAT}")
    return dict(state)


@contextlib.contextmanager
def only_writer(out: Path) -> Iterator[None]:
    """Hold the lock of a folder within the block.

    Raises:
        ValueError: another process holds it, or ``out`` is no folder.
    """
    if out.exists() and not out.is_dir():
        raise ValueError(f"out: {out} exists and is not a directory")
    out.mkdir(parents=True, exist_ok=True)
    held = lock_of(out / LOCK)
    if held is None:
        raise ValueError(f"out: another process is writing {out}; wait for its end, or name another")
    try:
        yield
    finally:
        os.close(held)


def _plain(config: AttributionConfig) -> dict[str, Any]:
    return {name: getattr(value, "value", value) for name, value in dataclasses.asdict(config).items()}
