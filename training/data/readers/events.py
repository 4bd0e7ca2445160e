"""Generic event log: CSV, TSV, Parquet or JSON, in one file or several, with columns and behaviours mapped in
the config.

Unmapped columns are matched by canonical name. Without session ids, each user's events are split into sessions at idle
gaps.
"""

import codecs
from collections.abc import Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any, Final

import ibis
import ibis.expr.types as ir
import yaml

from tillside.events import BEHAVIOUR, ITEM_ID, PRICE, SESSION_ID, TIMESTAMP, USER_ID, Behaviours
from training.data.columns import EMPTY, REJECT, SKIP
from training.data.engine import QueryEngine
from training.data.parsing.canonical import ITEM_COLUMNS, WRONG_CLOCK, Log, RawEvents, in_order, read_log
from training.data.parsing.item_files import item_rows, last_of_each, without_fractions
from training.data.parsing.nested import kind, no_scalar
from training.data.parsing.publisher_files import read_events
from training.data.parsing.source_file import SourceFile, open_source, open_sources
from training.data.parsing.text_tables import TextTable, delimited, json_lines, parquet
from training.data.parsing.unpacking import ENDINGS, bare_name
from training.data.parsing.values import EARLIEST, NOTHING, SERIALS, check_timestamp_format
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
    ignored = _checked_ignored(config.ignore)
    sources = open_sources(config.path, engine.scratch, encoding=_checked_encoding(config.encoding))
    read = [
        _events(config, engine, source, file, behaviours, behaviour_map, ignored) for file, source in enumerate(sources)
    ]
    events = _alike([table for table, _ in read])
    attributes = list(dict.fromkeys(name for _, names in read for name in names))
    items = _items(config, engine, sources)
    return Log(in_order(*events), behaviours, sources, tuple(attributes), items=items, behaviour_map=behaviour_map)


def _events(
    config: EventsConfig,
    engine: QueryEngine,
    source: SourceFile,
    file: int,
    behaviours: Behaviours,
    behaviour_map: Mapping[str, str | None],
    ignored: Sequence[str],
) -> tuple[ir.Table, list[str]]:
    """Canonical table of one file, and its attributes."""
    text = _table(config, engine, source, "data.path", _paths(config.columns, config.attributes))
    names = _names(text, config.columns, config.attributes, "data.columns", ignored)
    if not {SESSION_ID, USER_ID} & set(names):
        found = ", ".join(text.columns)
        raise ValueError(
            f"{source.path} has neither a session_id nor a user_id column (set data.columns); it has: {found}"
        )
    needed = [ITEM_ID, TIMESTAMP] + ([BEHAVIOUR] if len(behaviours) > 1 else [])
    _need(text, names, needed, "data.columns")
    attributes = [name for name in ITEM_COLUMNS if name in names] + config.attributes
    _refuse_containers(text, {name: names[name] for name in names if name not in ITEM_COLUMNS}, "data.columns")

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
            nothing=_nothing(config),
            skip=[(table[EMPTY], "without an item")] if EMPTY in table.columns else (),
            **optional,
        )

    events = read_events(engine, text, raw, file=file, behaviours=behaviours, behaviour_map=behaviour_map)
    return without_fractions(engine, _with_true_clocks(config, engine, source, events)), attributes


def _with_true_clocks(config: EventsConfig, engine: QueryEngine, source: SourceFile, events: ir.Table) -> ir.Table:
    """Events with those rejected whose clock is before 1990 while others' are not.

    Raises:
        ValueError: the times are a spreadsheet's serial numbers.
    """
    (span,) = engine.rows(events.agg(first=events[TIMESTAMP].min(), last=events[TIMESTAMP].max()))
    first, last = span["first"], span["last"]
    if first is None or first >= EARLIEST:
        return events
    if last < EARLIEST:
        low, high = SERIALS
        fractions = engine.value((events[TIMESTAMP] % 1000 != 0).any())
        if config.timestamp_format == "auto" and low <= first and last < high and fractions:
            raise ValueError(
                f"{source.path}: times such as {first / 1000:g} are a spreadsheet's serial numbers; write dates, "
                "or say data.timestamp_format=epoch_s if they are seconds"
            )
        return events
    wrong = (events[TIMESTAMP] < EARLIEST) & events[REJECT].isnull() & events[SKIP].isnull()
    return engine.keep(events.mutate(**{REJECT: ibis.ifelse(wrong, WRONG_CLOCK, events[REJECT])}))


def _alike(tables: list[ir.Table]) -> list[ir.Table]:
    """Tables with the same columns in the same order; what a file has not is null."""
    kinds = {name: table[name].type() for table in tables for name in table.columns}
    if all(table.columns == tables[0].columns for table in tables):
        return tables
    return [
        table.select(
            **{
                name: table[name] if name in table.columns else ibis.null(kind if kind.is_array() else str(kind))
                for name, kind in kinds.items()
            }
        )
        for table in tables
    ]


def _items(config: EventsConfig, engine: QueryEngine, sources: list[SourceFile]) -> ir.Table | None:
    if config.items is None:
        return None
    source = open_source(config.items, engine.scratch, field="data.items", encoding=config.encoding)
    sources.append(source)
    text = _table(config, engine, source, "data.items", _paths(config.item_columns, ()))
    names = _names(text, config.item_columns, (), "data.item_columns", config.ignore)
    _need(text, names, [ITEM_ID], "data.item_columns")
    _refuse_containers(text, {name: names[name] for name in (ITEM_ID, PRICE) if name in names}, "data.item_columns")
    other = [name for name in text.columns if name not in config.ignore]
    names |= {name: name for name in other if name not in names.values() and name not in names}

    def columns(table: ir.Table) -> dict[str, ir.Value]:
        return {ours: table[its] for ours, its in names.items()}

    return last_of_each(without_fractions(engine, item_rows(engine, text, columns, nothing=_nothing(config))))


def _table(
    config: EventsConfig, engine: QueryEngine, source: SourceFile, setting: str, paths: Sequence[str]
) -> TextTable:
    name = Path(bare_name(source.parts[0] if source.parts else source.path))
    form = FORMATS.get(name.suffix.lower())
    if form is None:
        packed = ", ".join(ENDINGS)
        raise ValueError(f"{setting}: {source.path} must end in one of {', '.join(FORMATS)}, then perhaps {packed}")
    if form == "parquet":
        return parquet(engine, source, paths=paths)
    if form == "json":
        return json_lines(engine, source, paths=paths)
    return delimited(engine, source, delimiter=config.delimiter)


def _checked_map(given: Any, behaviours: Behaviours) -> dict[str, str | None]:
    # The setting is typed Any: Hydra cannot add keys to a typed mapping from the command line. A text is YAML of the
    # mapping, since Hydra reads no keys with blanks or of other alphabets.
    if isinstance(given, str):
        try:
            given = yaml.safe_load(given)
        except yaml.YAMLError:
            raise ValueError(f"data.behaviour_map must be a mapping such as {{view: click}}, got {given!r}") from None
    if given is not None and not isinstance(given, Mapping):
        raise ValueError(f"data.behaviour_map must be a mapping such as {{view: click}}, got {given!r}")
    for word, name in (given or {}).items():
        if name is not None and name not in behaviours.names:
            allowed = ", ".join(behaviours.names)
            raise ValueError(f"data.behaviour_map.{word} is {name!r}; allowed: {allowed}, or null to leave it out")
    if not given:
        return {}
    return {name: name for name in behaviours.names} | {str(word): name for word, name in given.items()}


def _names(
    text: TextTable,
    columns: EventColumns | ItemColumns,
    attributes: Sequence[str],
    setting: str,
    ignored: Sequence[str] = (),
) -> dict[str, str]:
    """Map canonical names to the file's column names, for the columns present."""
    names = {}
    for canonical in (entry.name for entry in fields(columns)):
        given = getattr(columns, canonical)
        if given is not None and given not in text.columns:
            found = ", ".join(text.columns)
            raise ValueError(f"{setting}.{canonical}: {text.source.path} has no column {given!r}; it has: {found}")
        if given is not None or (canonical in text.columns and canonical not in ignored):
            names[canonical] = given or canonical
    text.need(*attributes)
    return names


def _paths(columns: EventColumns | ItemColumns, attributes: Sequence[str]) -> list[str]:
    """What may be fields inside values."""
    named = [getattr(columns, entry.name) for entry in fields(columns)]
    return [name for name in [*named, *attributes] if name is not None and "." in name]


def _nothing(config: EventsConfig) -> tuple[str, ...]:
    return NOTHING if config.missing is None else tuple(config.missing)


def _refuse_containers(text: TextTable, names: Mapping[str, str], setting: str) -> None:
    """Raise ValueError if a column that must hold plain values holds lists or objects."""
    for ours, its in names.items():
        structure = text.structure.get(its)
        if structure is None and its in text.table.columns:
            column = text.table[its].type()
            structure = [None] if column.is_array() else {} if column.is_struct() or column.is_map() else None
            if column.is_array() and column.value_type.is_struct():
                structure = [dict.fromkeys(column.value_type.names)]
            elif column.is_struct():
                structure = dict.fromkeys(column.names)
        if structure is not None and kind(structure):
            raise no_scalar(str(text.source.path), f"{setting}.{ours}", its, structure)


def _checked_ignored(names: Sequence[str]) -> list[str]:
    known = [entry.name for entry in fields(EventColumns)]
    for name in names:
        if name not in known or name in (ITEM_ID, TIMESTAMP):
            allowed = ", ".join(each for each in known if each not in (ITEM_ID, TIMESTAMP))
            raise ValueError(f"data.ignore: {name!r} is no column that can be left; allowed: {allowed}")
    return list(names)


def _checked_encoding(name: str | None) -> str | None:
    try:
        return name if name is None else codecs.lookup(name).name
    except LookupError:
        raise ValueError(f"data.encoding must be an encoding such as cp1252 or latin-1, got {name!r}") from None


def _need(text: TextTable, names: dict[str, str], needed: Sequence[str], setting: str) -> None:
    for name in needed:
        if name not in names:
            found = ", ".join(text.columns)
            raise ValueError(f"{text.source.path} has no column {name!r} (set {setting}.{name}); it has: {found}")
