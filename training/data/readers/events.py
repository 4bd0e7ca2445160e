"""Generic event log: CSV, TSV, Parquet or JSONL, optionally gzipped, with columns and behaviours mapped in the config.

Unmapped columns are matched by canonical name. Without session ids, each user's events are split into sessions at idle
gaps.
"""

from collections.abc import Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any, Final

import ibis.expr.types as ir

from tillside.events import BEHAVIOUR, ITEM_ID, SESSION_ID, TIMESTAMP, USER_ID, Behaviours
from training.data.engine import QueryEngine
from training.data.parsing.canonical import ITEM_COLUMNS, Log, RawEvents, in_order, read_log
from training.data.parsing.item_files import item_rows, last_of_each
from training.data.parsing.publisher_files import read_events
from training.data.parsing.source_file import SourceFile, open_source
from training.data.parsing.text_tables import TextTable, delimited, json_lines, parquet
from training.data.parsing.values import check_timestamp_format
from training.settings.data import EventColumns, EventsConfig, ItemColumns

FORMATS: Final = {
    ".csv": "delimited", ".tsv": "delimited", ".tab": "delimited", ".txt": "delimited",
    ".parquet": "parquet", ".pq": "parquet",
    ".jsonl": "json", ".ndjson": "json", ".json": "json",
}  # fmt: skip


@read_log.register
def read_events_log(config: EventsConfig, engine: QueryEngine) -> Log:
    """Read the log as a canonical table."""
    behaviours = Behaviours(tuple(config.behaviours))
    check_timestamp_format(config.timestamp_format)
    if config.delimiter is not None and len(config.delimiter) != 1:
        raise ValueError(f"data.delimiter must be one character, got {config.delimiter!r}")
    behaviour_map = _checked_map(config.behaviour_map, behaviours)
    source = open_source(config.path, engine.scratch)
    text = _table(config, engine, source, "data.path")
    names = _names(text, config.columns, config.attributes, "data.columns")
    if not {SESSION_ID, USER_ID} & set(names):
        found = ", ".join(text.columns)
        raise ValueError(
            f"{source.path} has neither a session_id nor a user_id column (set data.columns); it has: {found}"
        )
    needed = [ITEM_ID, TIMESTAMP] + ([BEHAVIOUR] if len(behaviours) > 1 else [])
    _need(text, names, needed, "data.columns")
    attributes = [name for name in ITEM_COLUMNS if name in names] + config.attributes

    def raw(table: ir.Table) -> RawEvents:
        optional: dict[str, Any] = {
            name: table[names[name]] if name in names else None
            for name in ("session_id", "user_id", "behaviour", "price", "quantity", "scene_id")
        }
        return RawEvents(
            item_id=table[names[ITEM_ID]],
            timestamp=table[names[TIMESTAMP]],
            timestamp_format=config.timestamp_format,
            attributes={name: table[names.get(name, name)] for name in attributes},
            **optional,
        )

    events = read_events(engine, text, raw, file=0, behaviours=behaviours, behaviour_map=behaviour_map)
    sources = [source]
    items = _items(config, engine, sources)
    return Log(in_order(events), behaviours, sources, attributes=tuple(attributes), items=items)


def _items(config: EventsConfig, engine: QueryEngine, sources: list[SourceFile]) -> ir.Table | None:
    if config.items is None:
        return None
    source = open_source(config.items, engine.scratch, field="data.items")
    sources.append(source)
    text = _table(config, engine, source, "data.items")
    names = _names(text, config.item_columns, (), "data.item_columns")
    _need(text, names, [ITEM_ID], "data.item_columns")
    names |= {name: name for name in text.columns if name not in names.values() and name not in names}
    return last_of_each(item_rows(engine, text, lambda table: {ours: table[its] for ours, its in names.items()}))


def _table(config: EventsConfig, engine: QueryEngine, source: SourceFile, setting: str) -> TextTable:
    name = Path(source.path.name.removesuffix(".gz"))
    kind = FORMATS.get(name.suffix.lower())
    if kind is None:
        raise ValueError(f"{setting}: {source.path} must end in one of {', '.join(FORMATS)}, with or without .gz")
    if kind == "parquet":
        return parquet(engine, source)
    if kind == "json":
        return json_lines(engine, source)
    return delimited(engine, source, delimiter=config.delimiter)


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
