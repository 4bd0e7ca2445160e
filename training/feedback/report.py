"""All tables of a report of effects, computed from the joined tables and saved beside them."""

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import ibis.expr.types as ir
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from tillside.atomic import atomic_directory
from training.cli.progress import step
from training.feedback.baskets import best_sellers, bundles, gifts, together, with_categories
from training.feedback.columns import ANSWERS, JOINED_SCHEMAS, LINES, ORDERS, OUTCOMES, TABLES
from training.feedback.effects import columns_of, effects, order_value, with_flags
from training.feedback.items import read_items
from training.feedback.lift import lift
from training.feedback.pairs import pairs
from training.feedback.partitions import partitions
from training.mining.engines import MiningEngine, open_mining
from training.settings.measure import MeasureConfig

FOLDER: Final = "effects"
MARK: Final = "effects.parquet"


@dataclass(frozen=True)
class Report:
    """The tables by name, and what must be known to read them.

    Attributes:
        seen_is_told: whether any impression is reported; without one, rates are per answered slot.
        margin_known: whether costs were given.
        days: first and last day with an answer, as ISO dates; None without any.
        names: of the items that have one.
        counts: numbers of answers, slots, seen slots, orders, subjects.
    """

    tables: dict[str, pa.Table]
    seen_is_told: bool
    margin_known: bool
    days: tuple[str, str] | None
    names: dict[str, str]
    counts: dict[str, int]

    def save(self, out: Path) -> None:
        """Write every table as ``out/effects/NAME.parquet``."""
        with atomic_directory(out / FOLDER, marks=[MARK]) as folder:
            for name, table in self.tables.items():
                pq.write_table(table, folder / f"{name}.parquet", compression="zstd")


def report(config: MeasureConfig) -> Report:
    """Compute every table from what :func:`training.feedback.joining.join` wrote below ``config.out``.

    Raises:
        ValueError: the file of items is unusable.
    """
    out = Path(config.out).expanduser()
    given = None if config.items is None else read_items(Path(config.items).expanduser())
    with (
        tempfile.TemporaryDirectory(dir=config.scratch) as scratch,
        open_mining(config.engine, Path(scratch), master=config.spark_master, memory_gb=config.memory_gb) as engine,
        step("effects", 7) as telling,
    ):
        read = {name: _read(engine, out, name, Path(scratch)) for name in TABLES}
        items = None
        if given is not None:
            pq.write_table(given, Path(scratch) / "items.parquet")
            items = engine.parquet([Path(scratch) / "items.parquet"])
        margin_known = given is not None and given["cost"].null_count < len(given)
        facts = _facts(engine, read)
        shown = bool(facts["seen"])
        slots = with_flags(read[OUTCOMES], items, seen_is_told=shown)
        settings = config.effects
        confidence = settings.confidence
        tables: dict[str, pa.Table] = {}
        telling.begin("by dimension")
        tables["effects"] = effects(engine, slots, read[ANSWERS], confidence=confidence, margin_known=margin_known)
        tables["order_value"] = order_value(engine, read[ORDERS], confidence=confidence)
        telling.begin("arms")
        joined = (read[ANSWERS], read[ORDERS], read[OUTCOMES], read[LINES])
        tables["lift"] = lift(engine, *joined, reference=settings.reference, confidence=confidence)
        telling.begin("pairs")
        tables["pairs"] = pairs(engine, slots, settings)
        telling.begin("best sellers")
        lines = with_categories(read[LINES], items)
        tables["best_sellers"] = best_sellers(engine, lines)
        telling.begin("what sells together")
        tables["sold_together"] = together(engine, lines, "item", settings)
        tables["category_pairs"] = together(engine, lines, "category", settings)
        tables["bundles"] = bundles(tables["sold_together"], _by_item(given, "category"))
        telling.begin("gifts")
        tables["gifts"] = gifts(engine, lines, items, days=settings.gift_days, confidence=confidence)
    days = [path.parent.name.partition("=")[2] for path in partitions(out, ANSWERS)]
    return Report(tables, shown, margin_known, (days[0], days[-1]) if days else None, _by_item(given, "name"), facts)


def _by_item(items: pa.Table | None, column: str) -> dict[str, str]:
    """What a file of items says in a column, of the items of which it says something."""
    if items is None:
        return {}
    rows = zip(items["item_id"].to_pylist(), items[column].to_pylist(), strict=True)
    return {item: text for item, text in rows if text}


def _facts(engine: MiningEngine, read: dict[str, ir.Table]) -> dict[str, int]:
    outcomes, answers, orders = read[OUTCOMES], read[ANSWERS], read[ORDERS]
    asked = (
        outcomes.agg(
            slots=outcomes.count(),
            seen=outcomes.seen.cast("int64").sum(),
            clicked=outcomes.clicked.cast("int64").sum(),
        ),
        answers.agg(answers=answers.count(), shoppers=answers.subject.nunique()),
        orders.agg(orders=orders.count()),
    )
    found = (column for table in asked for column in columns_of(engine, table).items())
    return {name: int(values[0] or 0) for name, values in found}


def _read(engine: MiningEngine, out: Path, name: str, scratch: Path) -> ir.Table:
    files = partitions(out, name)
    if not files:
        files = [scratch / f"no-{name}.parquet"]
        pq.write_table(JOINED_SCHEMAS[name].empty_table(), files[0])
    return engine.parquet(files)


def figure(table: pa.Table, metric: str, *, dimension: str = "all", value: str = "all") -> dict[str, Any] | None:
    """The row of a table of effects, or None."""
    found = table.filter(
        pc.and_(
            pc.and_(pc.equal(table["dimension"], dimension), pc.equal(table["value"], value)),
            pc.equal(table["metric"], metric),
        )
    ).to_pylist()
    return found[0] if found else None
