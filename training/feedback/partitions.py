"""The joined tables, a file a day: outcomes by day of the answer, orders and lines by day of the order.

A day's rows depend on the log alone, not on what was joined together or before: joined anew they are the same.

Shapes: N answers of a piece, M slots of those.
"""

import contextlib
import filecmp
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Final

import ibis.expr.types as ir
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from tillside.feedback.events import IMPRESSION
from tillside.policy.file.values import DAY_MS
from training.feedback.attribution import Windows
from training.feedback.columns import ANSWERS, JOINED_SCHEMAS, LINES, ORDERS, OUTCOMES
from training.mining.engines import MiningEngine

EPOCH: Final = date(1970, 1, 1)
FILE: Final = "part-0.parquet"
DAY: Final = "day"
ROW_GROUP: Final = 200_000
REPEATED: Final = (
    "placement", "item", "source", "anchor", "tier", "reason", "mode", "segment", "experiment", "arm", "policy",
    "model", "dismissed",
)  # fmt: skip
"""Columns with few values each; a dictionary of the others is tried, and given up, in each row group."""
OF_ANSWER: Final = (
    "recommendation_id", "subject", "anonymous", "placement", "tier", "mode", "segment", "experiment", "arm", "policy",
    "model",
)  # fmt: skip
"""Columns of an outcome that are those of its answer."""
ANSWERS_AT_ONCE: Final = 16_384
MISMATCH: Final = (
    "the slots staged of the day of {answers} are not those of its answers; remove the folder and measure anew"
)


def _written(name: str) -> pa.Schema:
    """Schema of a table as it is written: an outcome has columns of its answer as dictionaries."""
    coded = [
        field.with_type(pa.dictionary(pa.int32(), field.type))
        if name == OUTCOMES and field.name in OF_ANSWER and field.name in REPEATED
        else field
        for field in JOINED_SCHEMAS[name]
    ]
    return pa.schema(coded)


WRITTEN: Final = {name: _written(name) for name in JOINED_SCHEMAS}


@dataclass(frozen=True)
class Joined:
    """Tables of a range of days, as :mod:`training.feedback.attribution` makes them, and as they were staged.

    Attributes:
        times: the slots once more: a table that stands twice in a query is copied whole, a file is read by columns.
    """

    slots: ir.Table
    times: ir.Table
    answers: ir.Table
    acts: ir.Table
    told: ir.Table
    marks: ir.Table


def iso(day: int) -> str:
    """``2026-01-31`` of a number of days since 1970."""
    return (EPOCH + timedelta(days=day)).isoformat()


def partition(out: Path, table: str, day: int) -> Path:
    """The file of a day."""
    return out / table / f"day={iso(day)}" / FILE


def partitions(out: Path, table: str) -> list[Path]:
    """Files of a table, oldest day first."""
    return sorted((out / table).glob(f"day=*/{FILE}"))


def outcomes_of(joined: Joined, days: Sequence[int], windows: Windows) -> ir.Table:
    """One row a slot that was answered on the days, without what its answer has (:func:`answers_of`)."""
    slots = joined.slots.filter(joined.slots.day.isin(days))
    acts = joined.acts.filter(joined.acts.day.between(days[0] - 1, days[-1] + 1 + windows.click // DAY_MS))
    shown = acts.filter((acts.kind == IMPRESSION) & acts.slot_key.notnull()).select("slot_key", shown=acts.time)
    times = joined.times.filter(joined.times.day.isin(days)).select("slot_key", "position", "time")
    after = shown.shown - times.time
    met = times.semi_join(shown, [times.slot_key == shown.slot_key, after >= -windows.skew, after <= windows.click])
    seen = met.select("slot_key", "position", seen=True)
    marks = joined.marks.filter(joined.marks.slot_day.isin(days)).drop("slot_day")
    table = slots.left_join(seen, ["slot_key", "position"], rname="seen_{name}").left_join(
        marks, "slot_key", rname="mark_{name}"
    )
    flags = {name: table[name].fill_null(False) for name in ("seen", "clicked", "carted", "direct")}
    return table.select(
        "day", "time", "rec_key", "position", "slot_key", "item", "source", "anchor", "propensity", seen=flags["seen"],
        clicked=flags["clicked"], carted=flags["carted"], bought=table.order_id.notnull(), dismissed=table.dismissed,
        order_id=table.order_id, quantity=table.quantity.fill_null(0), revenue=table.revenue.fill_null(0.0),
        returned_revenue=table.returned_revenue.fill_null(0.0), direct=flags["direct"],
    ).order_by("time", "rec_key", "position", "slot_key")  # fmt: skip


def answers_of(joined: Joined, days: Sequence[int], windows: Windows) -> ir.Table:
    """One row an answer of the days, also one without items, and whether its shopper bounced."""
    answers = joined.answers.filter(joined.answers.day.isin(days))
    told = joined.told.filter(joined.told.day.between(days[0], days[-1] + 1 + windows.bounce // DAY_MS))
    # Times cut into pieces as long as the window: what follows an answer in time is the last of its own piece or the
    # first of the next, so that nothing is sorted.
    piece = (told.time - told.time % windows.bounce).name("piece")
    acts = told.group_by("subject_key", piece).agg(soonest=told.time.min(), latest=told.time.max())
    own = answers.mutate(piece=answers.time - answers.time % windows.bounce)
    table = own.left_join(acts.select("subject_key", "piece", "latest"), ["subject_key", "piece"], rname="own_{name}")
    following = acts.select("subject_key", "soonest", piece=acts.piece - windows.bounce)
    table = table.left_join(following, ["subject_key", "piece"], rname="next_{name}")
    acted = (table.latest >= table.time).fill_null(False)
    bounced = ~(acted | (table.soonest - table.time <= windows.bounce).fill_null(False))
    return table.select(
        "recommendation_id", "day", "time", "subject", "anonymous", "placement", "slots", "tier", "reason", "mode",
        "intent", "segment", "experiment", "arm", "policy", "model", "rec_key", bounced=bounced,
    ).order_by("time", "rec_key")  # fmt: skip


def lines_of(sold: ir.Table, attributed: ir.Table, slots: ir.Table) -> ir.Table:
    """One row an order and item, with the slot that it belongs to."""
    table = sold.drop("slot_key").left_join(attributed, ["order_id", "item"], rname="own_{name}")
    named = slots.semi_join(attributed, "slot_key")
    named = named.group_by("slot_key").agg(
        **{name: named[name].min() for name in ("source", "placement", "recommendation_id")}
    )
    table = table.left_join(named, "slot_key", rname="of_{name}")
    return table.select(
        "order_id", "item", day="order_day", time="time", subject="subject", anonymous="anonymous",
        quantity="quantity", revenue="revenue", returned_revenue="returned_revenue",
        recommendation_id="recommendation_id", source="source", placement="placement",
        with_tillside=table.rule.notnull(),
    )  # fmt: skip


def orders_of(lines: ir.Table) -> ir.Table:
    """One row an order, of its lines (:func:`lines_of`)."""
    first = {name: lines[name].min() for name in ("day", "time", "subject", "anonymous")}
    return lines.group_by("order_id").agg(
        **first,
        lines=lines.count(),
        quantity=lines.quantity.sum().cast("int64"),
        value=lines.revenue.sum(),
        returned_value=lines.returned_revenue.sum(),
        with_tillside=lines.with_tillside.any(),
    )


def write_days(engine: MiningEngine, joined: Joined, out: Path, days: Sequence[int], windows: Windows) -> int:
    """Write answers and outcomes of ascending days; a day without rows has no file, and one that is as before is left
    untouched.

    Returns:
        Number of files that changed.
    """
    answers, outcomes = answers_of(joined, days, windows), outcomes_of(joined, days, windows)
    changed = _write(engine.batches(answers), out, ANSWERS, days)
    return changed + _write(engine.batches(outcomes), out, OUTCOMES, days)


def write_orders(engine: MiningEngine, lines: ir.Table, out: Path, days: Sequence[int]) -> int:
    """Write lines (:func:`lines_of`) and orders of ascending days; returns the number of files that changed."""
    changed = _write(engine.batches(lines.order_by("day", "time", "order_id", "item")), out, LINES, days)
    return changed + _write(engine.batches(orders_of(lines).order_by("day", "time", "order_id")), out, ORDERS, days)


def _write(batches: Iterator[pa.RecordBatch], out: Path, name: str, days: Sequence[int]) -> int:
    """Write rows that come day by day as a file a day, in row groups that do not depend on how they come."""
    left, changed = list(days), 0
    for day, parts in _by_day(batches):
        while left and left[0] < day:
            changed += _remove(partition(out, name, left.pop(0)))
        left.remove(day)
        whole = answered(parts, partition(out, ANSWERS, day)) if name == OUTCOMES else map(pa.table, parts)
        changed += _replace(whole, partition(out, name, day), WRITTEN[name])
    return changed + sum(_remove(partition(out, name, day)) for day in left)


def answered(slots: Iterator[pa.RecordBatch], answers: Path) -> Iterator[pa.Table]:
    """Slots of a day with the columns of their answers.

    Both come in one order, so that an answer is repeated once for each of its slots and nothing is looked up.

    Args:
        answers: the day's file of answers; it is read in pieces.

    Raises:
        ValueError: the slots are not those of the answers.
    """
    repeated = _repeated(answers) if answers.exists() else iter(())
    ahead = next(repeated, None)
    for batch in slots:
        left = pa.table(batch)
        while ahead is not None and len(left):
            many = min(len(left), len(ahead))
            piece, whose = left.slice(0, many), ahead.slice(0, many)
            if not piece["time"].equals(whose["time"]):
                break
            for name in OF_ANSWER:
                piece = piece.append_column(name, whose[name])
            yield piece
            left, ahead = left.slice(many), ahead.slice(many) if many < len(ahead) else next(repeated, None)
        if len(left):
            raise ValueError(MISMATCH.format(answers=answers))
    if ahead is not None:
        raise ValueError(MISMATCH.format(answers=answers))


def _repeated(answers: Path) -> Iterator[pa.Table]:
    """An answer's columns as often as it has slots; those of few values as dictionaries."""
    few = [name for name in OF_ANSWER if name in REPEATED]
    with pq.ParquetFile(answers, read_dictionary=few) as file:
        for batch in file.iter_batches(ANSWERS_AT_ONCE, columns=[*OF_ANSWER, "time", "slots"]):
            slots_N = batch["slots"].to_numpy()
            places_M = np.repeat(np.arange(len(slots_N)), slots_N)
            if len(places_M):
                yield pa.table(batch).take(pa.array(places_M))


def _by_day(batches: Iterator[pa.RecordBatch]) -> Iterator[tuple[int, Iterator[pa.RecordBatch]]]:
    pieces = _pieces(batches)
    first = next(pieces, None)
    while first is not None:
        day, ahead = first[0], [first[1]]
        first = None

        def of_day(day: int = day, ahead: list[pa.RecordBatch] = ahead) -> Iterator[pa.RecordBatch]:
            nonlocal first
            yield ahead.pop()
            for other, piece in pieces:
                if other != day:
                    first = other, piece
                    return
                yield piece

        yield day, of_day()


def _pieces(batches: Iterator[pa.RecordBatch]) -> Iterator[tuple[int, pa.RecordBatch]]:
    for batch in batches:
        days = batch[DAY].to_numpy(zero_copy_only=False)
        start = 0
        while start < len(days):
            end = int(days.searchsorted(days[start], side="right"))
            yield int(days[start]), batch.slice(start, end - start)
            start = end


def _replace(tables: Iterator[pa.Table], path: Path, schema: pa.Schema) -> bool:
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.partial")
    try:
        _write_parquet(tables, partial, schema)
        if path.exists() and filecmp.cmp(partial, path, shallow=False):
            return False
        with partial.open("rb") as file:
            os.fsync(file.fileno())
        partial.replace(path)
        return True
    finally:
        partial.unlink(missing_ok=True)


def _write_parquet(tables: Iterator[pa.Table], path: Path, schema: pa.Schema) -> None:
    held: list[pa.Table] = []
    how: dict[str, Any] = {"compression": "zstd", "use_dictionary": [*REPEATED], "write_statistics": ["time"]}
    with pq.ParquetWriter(path, schema, store_schema=False, **how) as writer:
        for table in tables:
            held.append(_shaped(table, schema))
            while sum(map(len, held)) >= ROW_GROUP:
                whole = pa.concat_tables(held)
                writer.write_table(whole.slice(0, ROW_GROUP).unify_dictionaries(), row_group_size=ROW_GROUP)
                held = [whole.slice(ROW_GROUP)]
        writer.write_table(pa.concat_tables(held).unify_dictionaries(), row_group_size=ROW_GROUP)


def _shaped(table: pa.Table, schema: pa.Schema) -> pa.Table:
    """``table`` with the schema's types; a day's number is a date."""
    place = table.schema.get_field_index(DAY)
    dated = table.set_column(place, DAY, table[DAY].cast(pa.int32()).cast(pa.date32()))
    return dated.select(schema.names).cast(schema)


def _remove(path: Path) -> bool:
    there = path.exists()
    path.unlink(missing_ok=True)
    with contextlib.suppress(OSError):  # it is not there, or something else is in it
        path.parent.rmdir()
    return there
