"""Segments to staged Parquet: typed, flat and keyed, once per segment.

A segment is staged anew only if it has grown since, which happens to the one that is being written. Each staged file
is complete or absent, so a killed run costs nothing but its time.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from tillside.atomic import atomic_file
from tillside.feedback.events import PURCHASE, RETURN, Event
from tillside.feedback.exposures import Exposure
from tillside.feedback.segments import EVENTS, EXPOSURES, segments_of
from tillside.policy.file.values import DAY_MS
from training.cli.progress import progress
from training.data.parsing.feedback_log import Reading, events_of, exposures_of
from training.feedback.columns import ACTS, ANSWERS, LINES, SLOTS, STAGED_SCHEMAS
from training.feedback.keys import hashes, key

STAGED: Final = "staged"
OF_KIND: Final = {EXPOSURES: (SLOTS, ANSWERS), EVENTS: (ACTS, LINES)}
ROW_GROUP: Final = 100_000
NOBODY: Final = "#"
"""Begins the subject of an answer or event that came without any key: it is its own."""
Segment = dict[str, Any]
"""What the state keeps of a segment: bytes, read, rejected, cleared, bytes_left, days (rows by day)."""


@dataclass(frozen=True)
class Staging:
    """Result of staging.

    Attributes:
        segments: all that are staged, by ``exposures/NAME`` or ``events/NAME``.
        days: days of which rows came or went.
        fresh: those that were staged now.
    """

    segments: Mapping[str, Segment]
    days: frozenset[int]
    fresh: tuple[str, ...]


def stage(feedback: Path, out: Path, known: Mapping[str, Segment], *, late_days: float) -> Staging:
    """Stage what is new in a feedback folder below ``out``.

    Args:
        known: segments that were staged before, as the result had them.

    Raises:
        ValueError: the folder has neither exposures nor events.
        OSError: a file cannot be read or written.
    """
    paths = [(kind, path) for kind in OF_KIND for path in segments_of(feedback / kind)]
    if not paths and not known:
        raise ValueError(f"feedback: {feedback} holds no segments (exposures/*.seg, events/*.seg)")
    segments, days, fresh = dict(known), set[int](), list[str]()
    todo = [
        (kind, path)
        for kind, path in paths
        if (before := known.get(f"{kind}/{path.stem}")) is None or before["bytes"] != path.stat().st_size
    ]
    for kind, path in progress(todo, "staging segments", unit="segments"):
        name = f"{kind}/{path.stem}"
        days.update(map(int, known.get(name, {}).get("days", {})))
        segments[name] = told = _stage_one(kind, path, out, late_days)
        days.update(map(int, told["days"]))
        fresh.append(name)
    return Staging(segments, frozenset(days), tuple(fresh))


def staged_files(out: Path, segments: Mapping[str, Segment], table: str, *, first: int, last: int) -> list[Path]:
    """Staged files of a table with rows of the days ``first`` to ``last``."""
    kind = next(kind for kind, tables in OF_KIND.items() if table in tables)
    return [
        staged_file(out, table, name.partition("/")[2])
        for name, told in sorted(segments.items())
        if name.startswith(f"{kind}/") and any(first <= int(day) <= last for day in told["days"])
    ]


def staged_file(out: Path, table: str, segment: str) -> Path:
    """Where a segment's rows of a table lie."""
    return out / STAGED / table / f"{segment}.parquet"


def _stage_one(kind: str, path: Path, out: Path, late_days: float) -> Segment:
    size, reading, days, start = path.stat().st_size, Reading(), Counter[int](), 0
    batches: Iterator[Sequence[Any]]
    tables_of: Callable[[Sequence[Any], str, int], dict[str, pa.Table]]
    if kind == EXPOSURES:
        batches, tables_of = exposures_of(path, reading), _exposure_tables
    else:
        batches, tables_of = events_of(path, reading, late_days=late_days), _event_tables
    found: dict[str, list[pa.Table]] = {table: [] for table in OF_KIND[kind]}
    for batch in batches:
        for table, part in tables_of(batch, path.stem, start).items():
            found[table].append(part)
        start += len(batch)
        days.update(each.time // DAY_MS for each in batch)
    for table, parts in found.items():
        whole = pa.concat_tables(parts) if parts else STAGED_SCHEMAS[table].empty_table()
        with atomic_file(staged_file(out, table, path.stem)) as file:
            pq.write_table(whole, file, compression="zstd", row_group_size=ROW_GROUP)
    return {
        "bytes": size,
        "read": reading.read,
        "rejected": dict(reading.rejected),
        "cleared": dict(reading.cleared),
        "bytes_left": reading.bytes_left,
        "days": {str(day): count for day, count in sorted(days.items())},
    }


def _exposure_tables(exposures: Sequence[Exposure], file: str, start: int) -> dict[str, pa.Table]:
    subjects = [each.subject or NOBODY + each.recommendation_id for each in exposures]
    rec, own = hashes([each.recommendation_id for each in exposures]), hashes(subjects)
    answer: dict[str, Any] = {
        "recommendation_id": [each.recommendation_id for each in exposures],
        "time": [each.time for each in exposures],
        "day": [each.time // DAY_MS for each in exposures],
        "subject": subjects,
        "anonymous": [each.anonymous or each.shopper is None for each in exposures],
        **{name: [getattr(each, name) for each in exposures]
           for name in ("placement", "tier", "mode", "segment", "experiment", "arm", "policy", "model")},
        "rec_key": key(rec),
        "file": [file] * len(exposures),
        "record": range(start, start + len(exposures)),
    }  # fmt: skip
    answers = answer | {
        "reason": [each.reason for each in exposures],
        "intent": [each.intent for each in exposures],
        "slots": [len(each.slots) for each in exposures],
        "subject_key": key(own),
    }
    table = _table(ANSWERS, answers)
    slots = [(place, slot) for place, each in enumerate(exposures) for slot in each.slots]
    places = pa.array([place for place, _ in slots], pa.int64())
    item = hashes([slot.item for _, slot in slots])
    shopper = hashes([exposures[place].shopper for place, _ in slots])
    session = hashes([exposures[place].session for place, _ in slots])
    again = rec[0][places.to_numpy()], rec[1][places.to_numpy()]
    repeated = table.select([name for name in answer if name in STAGED_SCHEMAS[SLOTS].names]).take(places)
    own_columns = {
        "position": [slot.position for _, slot in slots],
        "item": [slot.item for _, slot in slots],
        "source": [slot.source for _, slot in slots],
        "anchor": [slot.anchor for _, slot in slots],
        "propensity": [slot.propensity for _, slot in slots],
        "slot_key": key(again, item),
        "shopper_key": key(shopper, item),
        "session_key": key(session, item),
    }
    columns = {name: repeated[name] for name in repeated.column_names} | own_columns
    return {ANSWERS: table, SLOTS: _table(SLOTS, columns)}


def _event_tables(events: Sequence[Event], file: str, start: int) -> dict[str, pa.Table]:
    acts = [(record, each) for record, each in enumerate(events, start) if each.kind not in (PURCHASE, RETURN)]
    lines = [
        (record, place, each, line)
        for record, each in enumerate(events, start)
        if each.kind in (PURCHASE, RETURN)
        for place, line in enumerate(each.lines or ())
    ]
    act_columns = _event_columns([each for _, each in acts], [each.item for _, each in acts]) | {
        "position": [each.position for _, each in acts],
        "reason": [each.reason for _, each in acts],
        "subject_key": key(hashes([_subject(each) for _, each in acts])),
        "file": [file] * len(acts),
        "record": [record for record, _ in acts],
    }
    line_columns = _event_columns([each for *_, each, _ in lines], [line.item for *_, line in lines]) | {
        "order_id": [each.order_id for *_, each, _ in lines],
        "quantity": [line.quantity for *_, line in lines],
        "price": [line.price for *_, line in lines],
        "line": [place for _, place, *_ in lines],
        "file": [file] * len(lines),
        "record": [record for record, *_ in lines],
    }
    return {ACTS: _table(ACTS, act_columns), LINES: _table(LINES, line_columns)}


def _event_columns(events: Sequence[Event], items: Sequence[str | None]) -> dict[str, Any]:
    rec, item = hashes([each.recommendation_id for each in events]), hashes(items)
    return {
        "event_id": [each.event_id for each in events],
        "kind": [each.kind for each in events],
        "time": [each.time for each in events],
        "day": [each.time // DAY_MS for each in events],
        "subject": [_subject(each) for each in events],
        "anonymous": [each.shopper is None for each in events],
        "item": list(items),
        "rec_key": key(rec),
        "slot_key": key(rec, item),
        "shopper_key": key(hashes([each.shopper for each in events]), item),
        "session_key": key(hashes([each.session for each in events]), item),
    }


def _subject(event: Event) -> str:
    return event.subject or NOBODY + event.event_id


def _table(name: str, columns: Mapping[str, Any]) -> pa.Table:
    schema = STAGED_SCHEMAS[name]
    arrays = [
        value if isinstance(value := columns[field.name], pa.Array | pa.ChunkedArray) else pa.array(value, field.type)
        for field in schema
    ]
    return pa.Table.from_arrays(arrays, schema=schema)
