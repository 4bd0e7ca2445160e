"""The joined tables, a file a day: outcomes by day of the answer, orders and lines by day of the order.

A day's rows depend on the log alone, not on what was joined together or before: joined anew they are the same.
"""

import contextlib
import filecmp
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Final

import ibis
import ibis.expr.types as ir
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


@dataclass(frozen=True)
class Joined:
    """Tables of a range of days, as :mod:`training.feedback.attribution` makes them, and as they were staged."""

    slots: ir.Table
    answers: ir.Table
    acts: ir.Table
    marks: ir.Table
    lines: ir.Table


def iso(day: int) -> str:
    """``2026-01-31`` of a number of days since 1970."""
    return (EPOCH + timedelta(days=day)).isoformat()


def partition(out: Path, table: str, day: int) -> Path:
    """The file of a day."""
    return out / table / f"day={iso(day)}" / FILE


def partitions(out: Path, table: str) -> list[Path]:
    """Files of a table, oldest day first."""
    return sorted((out / table).glob(f"day=*/{FILE}"))


def outcomes_of(joined: Joined, days: Sequence[int], windows: Windows, *, copies: bool) -> ir.Table:
    """One row a slot that was answered on the days; see docs/feedback.md for the columns.

    Args:
        copies: whether some answer of those days stands in the log more than once.
    """
    slots = joined.slots.filter(joined.slots.day.between(days[0], days[-1]) & joined.slots.day.isin(days))
    slots = first_copies(slots, ["slot_key", DAY]) if copies else slots
    acts = joined.acts.filter(joined.acts.day.between(days[0] - 1, days[-1] + 1 + windows.click // DAY_MS))
    shown = acts.filter((acts.kind == IMPRESSION) & acts.slot_key.notnull()).select("slot_key", shown=acts.time)
    met = slots.select("slot_key", DAY, "time").join(shown, "slot_key")
    met = met.filter((met.shown - met.time).between(-windows.skew, windows.click))
    seen = met.select("slot_key", DAY).distinct().mutate(seen=True)
    marks = joined.marks.filter(joined.marks.slot_day.isin(days)).rename(day="slot_day")
    table = slots.left_join(seen, ["slot_key", DAY], rname="seen_{name}")
    table = table.left_join(marks, ["slot_key", DAY], rname="mark_{name}")
    flags = {name: table[name].fill_null(False) for name in ("seen", "clicked", "carted", "direct")}
    return table.select(
        "recommendation_id", "day", "time", "subject", "anonymous", "placement", "position", "item", "source", "anchor",
        "propensity", "tier", "mode", "segment", "experiment", "arm", "policy", "model", seen=flags["seen"],
        clicked=flags["clicked"], carted=flags["carted"], bought=table.order_id.notnull(), dismissed=table.dismissed,
        order_id=table.order_id, quantity=table.quantity.fill_null(0), revenue=table.revenue.fill_null(0.0),
        returned_revenue=table.returned_revenue.fill_null(0.0), direct=flags["direct"],
    ).order_by("day", "time", "recommendation_id", "position")  # fmt: skip


def answers_of(joined: Joined, days: Sequence[int], windows: Windows, *, copies: bool) -> ir.Table:
    """One row an answer of the days, also one without items, and whether its shopper bounced."""
    answers = joined.answers.filter(joined.answers.day.isin(days))
    answers = first_copies(answers, ["rec_key", DAY]) if copies else answers
    acts = joined.acts.filter(
        joined.acts.day.between(days[0], days[-1] + 1 + windows.bounce // DAY_MS) & (joined.acts.kind != IMPRESSION)
    )
    nothing = ibis.null("int64")
    both = ibis.union(
        answers.select("rec_key", "day", "subject_key", "time", act=nothing, side=ibis.literal(1)),
        acts.select("subject_key", "time", rec_key=nothing, day=ibis.null("int32"), act=acts.time, side=ibis.literal(0))
        .select("rec_key", "day", "subject_key", "time", "act", "side"),
    )  # fmt: skip
    later = ibis.cumulative_window(group_by="subject_key", order_by=[both.time.desc(), both.side])
    following = both.mutate(act=both.act.min().over(later)).filter(lambda t: t.side == 1)
    table = answers.join(following.select("rec_key", "day", "act"), ["rec_key", "day"])
    bounced = ~(table.act - table.time <= windows.bounce).fill_null(False)
    return table.select(
        "recommendation_id", "day", "time", "subject", "anonymous", "placement", "slots", "tier", "reason", "mode",
        "intent", "segment", "experiment", "arm", "policy", "model", bounced=bounced,
    ).order_by("day", "time", "recommendation_id")  # fmt: skip


def lines_of(sold: ir.Table, attributed: ir.Table, slots: ir.Table) -> ir.Table:
    """One row an order and item, with the slot that it belongs to."""
    table = sold.drop("slot_key").left_join(attributed, ["order_id", "item"], rname="own_{name}")
    named = first_copies(slots.semi_join(attributed, "slot_key"), ["slot_key", DAY])
    named = named.select("slot_key", "source", "placement", "recommendation_id", slot_day="day")
    table = table.left_join(named, ["slot_key", "slot_day"], rname="of_{name}")
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


def first_copies(table: ir.Table, by: list[str]) -> ir.Table:
    """Of rows that are alike in ``by`` the earliest, as the log has them."""
    order = ibis.window(group_by=by, order_by=["time", "file", "record"])
    return table.mutate(place=ibis.row_number().over(order)).filter(lambda t: t.place == 0).drop("place")


def write_days(engine: MiningEngine, joined: Joined, out: Path, days: Sequence[int], windows: Windows) -> int:
    """Write the tables of ascending days; one without rows has no file, and one that is as before is left untouched.

    Returns:
        Number of files that changed.
    """
    answers = joined.answers.filter(joined.answers.day.isin(days))
    twice = answers.group_by("rec_key", "day").agg(copies=answers.count()).filter(lambda t: t.copies > 1).limit(1)
    copies = len(engine.arrays(twice, ["copies"])["copies"]) > 0
    lines = joined.lines.filter(joined.lines.day.isin(days))
    tables: Mapping[str, ir.Table] = {
        OUTCOMES: outcomes_of(joined, days, windows, copies=copies),
        ANSWERS: answers_of(joined, days, windows, copies=copies),
        LINES: lines.order_by("day", "time", "order_id", "item"),
        ORDERS: orders_of(lines).order_by("day", "time", "order_id"),
    }
    return sum(_write(engine.batches(table), out, name, days) for name, table in tables.items())


def _write(batches: Iterator[pa.RecordBatch], out: Path, name: str, days: Sequence[int]) -> int:
    """Write rows that come day by day as a file a day, in row groups that do not depend on how they come."""
    left, changed = list(days), 0
    for day, parts in _by_day(batches):
        while left and left[0] < day:
            changed += _remove(partition(out, name, left.pop(0)))
        left.remove(day)
        changed += _replace(parts, partition(out, name, day), JOINED_SCHEMAS[name])
    return changed + sum(_remove(partition(out, name, day)) for day in left)


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


def _replace(batches: Iterator[pa.RecordBatch], path: Path, schema: pa.Schema) -> bool:
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.partial")
    try:
        _write_parquet(batches, partial, schema)
        if path.exists() and filecmp.cmp(partial, path, shallow=False):
            return False
        with partial.open("rb") as file:
            os.fsync(file.fileno())
        partial.replace(path)
        return True
    finally:
        partial.unlink(missing_ok=True)


def _write_parquet(batches: Iterator[pa.RecordBatch], path: Path, schema: pa.Schema) -> None:
    held: list[pa.Table] = []
    how: dict[str, Any] = {"compression": "zstd", "use_dictionary": [*REPEATED], "write_statistics": ["time"]}
    with pq.ParquetWriter(path, schema, **how) as writer:
        for batch in batches:
            held.append(_shaped(pa.table(batch), schema))
            while sum(map(len, held)) >= ROW_GROUP:
                whole = pa.concat_tables(held)
                writer.write_table(whole.slice(0, ROW_GROUP), row_group_size=ROW_GROUP)
                held = [whole.slice(ROW_GROUP)]
        writer.write_table(pa.concat_tables(held), row_group_size=ROW_GROUP)


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
