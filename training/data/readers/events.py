"""Generic event log: CSV, TSV, Parquet or JSONL, optionally gzipped, with columns and behaviours mapped in the config.

Unmapped columns are matched by canonical name. Without session ids, each user's events are split into sessions at idle
gaps.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, ClassVar, Final

import ibis.expr.types as ir

from tillside.events import BEHAVIOUR, ITEM_ID, SESSION_ID, TIMESTAMP, USER_ID, Behaviours
from training.data.engine import QueryEngine
from training.data.parsing.canonical import ITEM_COLUMNS, FileLogConfig, Log, RawEvents, in_order
from training.data.parsing.item_files import item_rows, last_of_each
from training.data.parsing.publisher_files import read_events
from training.data.parsing.source_file import SourceFile, open_source
from training.data.parsing.text_tables import TextTable, delimited, json_lines, parquet
from training.data.parsing.values import check_timestamp_format

FORMATS: Final = {
    ".csv": "delimited", ".tsv": "delimited", ".tab": "delimited", ".txt": "delimited",
    ".parquet": "parquet", ".pq": "parquet",
    ".jsonl": "json", ".ndjson": "json", ".json": "json",
}  # fmt: skip


@dataclass
class EventColumns:
    """Source column of each canonical column; null takes the column of the canonical name, if any."""

    session_id: str | None = None
    """The log's column of session ids; it or ``user_id`` is needed."""
    user_id: str | None = None
    """The log's column of shoppers; sessions are cut where they pause."""
    item_id: str | None = None
    """The log's column of items; needed."""
    behaviour: str | None = None
    """The log's column of event types; not needed with one behaviour."""
    timestamp: str | None = None
    """The log's column of times; needed."""
    price: str | None = None
    """The log's column of prices."""
    quantity: str | None = None
    """The log's column of quantities."""
    scene_id: str | None = None
    """The log's column of live rooms or other scenes."""
    category: str | None = None
    """The log's column of categories: a path from coarse to fine, its levels parted by dots."""
    brand: str | None = None
    """The log's column of brands."""
    name: str | None = None
    """The log's column of the items' names."""


@dataclass
class ItemColumns:
    """Item-file column of each canonical column; null takes the column of the canonical name, if any."""

    item_id: str | None = None
    """The item file's column of items."""
    category: str | None = None
    """The item file's column of categories: a path from coarse to fine, its levels parted by dots."""
    brand: str | None = None
    """The item file's column of brands."""
    price: str | None = None
    """The item file's column of prices."""
    name: str | None = None
    """The item file's column of names."""


@dataclass
class EventsConfig(FileLogConfig):
    """``data=events``."""

    name: ClassVar[str] = "events"

    columns: EventColumns = field(default_factory=EventColumns)
    attributes: list[str] = field(default_factory=list)
    """Further columns of the log that describe the item."""
    behaviour_map: Any = None
    """The log's event types to names in ``behaviours``, or to null to leave such events out: ``{view: click, add: cart,
    order: purchase}``. null: the log uses those names itself."""
    timestamp_format: str = "auto"
    """auto (ISO 8601, or epoch seconds or milliseconds by size), iso, epoch_s, epoch_ms, or a pattern such as '%d/%m/%Y
    %H:%M'."""
    delimiter: str | None = None
    """Of a text file. null: whichever of comma, semicolon, bar and tab its header has most of."""
    items: str | None = None
    """A file of items in one of the same formats; its columns beyond ``item_columns`` become attributes."""
    item_columns: ItemColumns = field(default_factory=ItemColumns)

    def read(self, engine: QueryEngine) -> Log:
        """Read the log as a canonical table."""
        behaviours = Behaviours(tuple(self.behaviours))
        check_timestamp_format(self.timestamp_format)
        if self.delimiter is not None and len(self.delimiter) != 1:
            raise ValueError(f"data.delimiter must be one character, got {self.delimiter!r}")
        behaviour_map = _checked_map(self.behaviour_map, behaviours)
        source = open_source(self.path, engine.scratch)
        text = self._table(engine, source, "data.path")
        names = _names(text, self.columns, self.attributes, "data.columns")
        if not {SESSION_ID, USER_ID} & set(names):
            found = ", ".join(text.columns)
            raise ValueError(
                f"{source.path} has neither a session_id nor a user_id column (set data.columns); it has: {found}"
            )
        needed = [ITEM_ID, TIMESTAMP] + ([BEHAVIOUR] if len(behaviours) > 1 else [])
        _need(text, names, needed, "data.columns")
        attributes = [name for name in ITEM_COLUMNS if name in names] + self.attributes

        def raw(table: ir.Table) -> RawEvents:
            optional: dict[str, Any] = {
                name: table[names[name]] if name in names else None
                for name in ("session_id", "user_id", "behaviour", "price", "quantity", "scene_id")
            }
            return RawEvents(
                item_id=table[names[ITEM_ID]],
                timestamp=table[names[TIMESTAMP]],
                timestamp_format=self.timestamp_format,
                attributes={name: table[names.get(name, name)] for name in attributes},
                **optional,
            )

        events = read_events(engine, text, raw, file=0, behaviours=behaviours, behaviour_map=behaviour_map)
        sources = [source]
        items = self._items(engine, sources)
        return Log(in_order(events), behaviours, sources, attributes=tuple(attributes), items=items)

    def _items(self, engine: QueryEngine, sources: list[SourceFile]) -> ir.Table | None:
        if self.items is None:
            return None
        source = open_source(self.items, engine.scratch, field="data.items")
        sources.append(source)
        text = self._table(engine, source, "data.items")
        names = _names(text, self.item_columns, (), "data.item_columns")
        _need(text, names, [ITEM_ID], "data.item_columns")
        names |= {name: name for name in text.columns if name not in names.values() and name not in names}
        return last_of_each(item_rows(engine, text, lambda table: {ours: table[its] for ours, its in names.items()}))

    def _table(self, engine: QueryEngine, source: SourceFile, setting: str) -> TextTable:
        name = Path(source.path.name.removesuffix(".gz"))
        kind = FORMATS.get(name.suffix.lower())
        if kind is None:
            raise ValueError(f"{setting}: {source.path} must end in one of {', '.join(FORMATS)}, with or without .gz")
        if kind == "parquet":
            return parquet(engine, source)
        if kind == "json":
            return json_lines(engine, source)
        return delimited(engine, source, delimiter=self.delimiter)


def _checked_map(given: Any, behaviours: Behaviours) -> dict[str, str | None]:
    # The setting is typed Any: Hydra cannot add keys to a typed mapping from the command line.
    if given is not None and not isinstance(given, Mapping):
        raise ValueError(f"data.behaviour_map must be a mapping such as {{view: click}}, got {given!r}")
    for word, name in (given or {}).items():
        if name is not None and name not in behaviours.names:
            allowed = ", ".join(behaviours.names)
            raise ValueError(f"data.behaviour_map.{word} is {name!r}; allowed: {allowed}, or null to leave it out")
    return {str(word): name for word, name in (given or {}).items()}


def _names(
    text: TextTable, columns: EventColumns | ItemColumns, attributes: Sequence[str], setting: str
) -> dict[str, str]:
    """Map canonical names to the file's column names, for the columns present."""
    names = {}
    for canonical in (entry.name for entry in fields(columns)):
        given = getattr(columns, canonical)
        if given is not None and given not in text.columns:
            found = ", ".join(text.columns)
            raise ValueError(f"{setting}.{canonical}: {text.source.path} has no column {given!r}; it has: {found}")
        if given is not None or canonical in text.columns:
            names[canonical] = given or canonical
    text.need(*attributes)
    return names


def _need(text: TextTable, names: dict[str, str], needed: Sequence[str], setting: str) -> None:
    for name in needed:
        if name not in names:
            found = ", ".join(text.columns)
            raise ValueError(f"{text.source.path} has no column {name!r} (set {setting}.{name}); it has: {found}")
