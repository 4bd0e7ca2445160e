"""Source files as tables of text columns: the only module that distinguishes CSV, JSONL and Parquet.

Regular text goes through DuckDB's parser, the rest through ``training.data.parsing.irregular``; both yield the same
table. A table may be scanned only once, by ``keep_rows``, which also records the source's malformed lines.
"""

import codecs
import csv
import itertools
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import duckdb
import ibis.expr.types as ir
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from training.cli.progress import step
from training.data.columns import DOCUMENT, ELEMENT, EMPTY, LINE, POSITION, RECORD
from training.data.engine import QueryEngine
from training.data.parsing.irregular import INVALID_UTF8, MALFORMED, lines_of, records_of
from training.data.parsing.nested import nested
from training.data.parsing.source_file import CHUNK, SourceFile

BATCH: Final = 20_000
NO_DELIMITER: Final = "\x01"
"""DuckDB delimiter for "none"; look_through makes a file that contains it irregular."""


@dataclass(frozen=True)
class TextTable:
    """Lazy table of text columns, not yet scanned.

    Attributes:
        source: the underlying file.
        table: one row per record.
        columns: column names.
        rejects: DuckDB's table of malformed lines, or None.
        structure: of JSON objects, by key; empty where the columns' own types tell.
    """

    source: SourceFile
    table: ir.Table
    columns: tuple[str, ...]
    rejects: str | None = None
    structure: dict[str, Any] = field(default_factory=dict)

    def need(self, *names: str) -> None:
        """Raise ValueError if a column is missing."""
        for name in names:
            if name not in self.columns:
                found = ", ".join(self.columns)
                raise ValueError(f"{self.source.path} has no column {name!r}; it has: {found}")


def delimited(
    engine: QueryEngine, source: SourceFile, *, delimiter: str | None = ",", names: Sequence[str] | None = None
) -> TextTable:
    """Open a CSV file as a table.

    Args:
        engine: owner of the table.
        source: the file.
        delimiter: one character; None picks the most frequent of ``,;|`` and tab in the header.
        names: column names of a file without a header.

    Raises:
        ValueError: the header is not UTF-8, or has duplicate column names.
    """
    if names is None:
        delimiter, names = _header(source, delimiter)
        source.first_line = 2
    columns = tuple(names)
    if source.regular:
        return _scan(engine, source, columns, delimiter=delimiter or ",", header=source.first_line == 2)

    def records() -> Iterator[tuple[int, list[str] | str]]:
        found = records_of(source.plain, delimiter=delimiter or ",", width=len(columns))
        return itertools.islice(found, 1, None) if source.first_line == 2 else found

    return _copied(engine, source, columns, records())


def text_lines(engine: QueryEngine, source: SourceFile) -> TextTable:
    """Open a text file as a table with one column, LINE; blank lines are dropped."""
    if source.regular:
        return _scan(engine, source, (LINE,), delimiter=NO_DELIMITER, header=False)
    lines = ((number, INVALID_UTF8 if text is None else [text]) for number, text in lines_of(source.plain))
    return _copied(engine, source, (LINE,), lines)


def json_lines(
    engine: QueryEngine, source: SourceFile, structure: dict[str, Any] | None = None, *, paths: Sequence[str] = ()
) -> TextTable:
    """Open a JSONL file, or one JSON array, as a table, one column per key; what is not a JSON object is malformed.

    Args:
        engine: owner of the table.
        source: the file.
        structure: keys and their DuckDB types; None infers them from the whole file, as text or lists of text.
        paths: fields inside values, as further columns where no key is called so; see
            :mod:`training.data.parsing.nested`.

    Raises:
        ValueError: there is no JSON object, or no such field.
    """
    lines = _objects(engine, source)
    name = lines.get_name()
    wrong = f"NOT (json_valid({LINE}) AND CASE WHEN json_valid({LINE}) THEN json_type({LINE}) = 'OBJECT' END)"
    bad = np.array(engine.query(f"SELECT rowid FROM {name} WHERE {wrong} ORDER BY rowid"), np.int64).reshape(-1)
    note_bad(source, records=bad, reasons=[MALFORMED] * len(bad))
    good = f"NOT ({wrong})" if len(bad) else "true"  # asking it of a line parses the line
    found: dict[str, Any] = {}
    if structure is None:
        found = _structure(engine, source, f"(SELECT {LINE} FROM {name} WHERE {good})")
        structure = {key: ["VARCHAR"] if isinstance(each, list) else "VARCHAR" for key, each in found.items()}
    shape = json.dumps(structure).replace("'", "''")
    rows = (
        f"SELECT rowid AS {RECORD}, row.*, {LINE} AS {DOCUMENT} FROM "
        f"(SELECT rowid, {LINE}, from_json({LINE}, '{shape}') AS row FROM {name} WHERE {good})"
    )
    return _with_paths(engine, source, rows, tuple(structure), found, paths)


def parquet(engine: QueryEngine, source: SourceFile, *, paths: Sequence[str] = ()) -> TextTable:
    """Open Parquet files as a table with its own column types; a record's line is its row number, from 1.

    Folders named ``day=1`` are columns. ``paths`` are as in :func:`json_lines`.

    Raises:
        ValueError: a file is damaged or not Parquet, or has no such field.
    """
    for path in source.parts or (source.plain,):
        try:
            pq.read_schema(path)
        except (pa.ArrowException, OSError) as error:
            raise ValueError(f"{path} cannot be read as Parquet: {str(error).splitlines()[0]}") from None
    files = ", ".join(f"'{_quoted(path)}'" for path in source.parts or (source.plain,))
    several = ", union_by_name=true, hive_partitioning=true" if source.parts else ", hive_partitioning=false"
    table = engine.view(f"SELECT * FROM read_parquet([{files}]{several})")
    names = tuple(table.columns)
    _distinct(source, names)
    deep = [path for path in paths if path not in names and "." in path]
    if not deep:
        return TextTable(source, table, names)
    kept = engine.keep(table)
    source.rows += engine.value(kept.count())
    tops = dict.fromkeys(path.partition(".")[0] for path in deep)
    for top in tops:
        if top not in names:
            raise ValueError(f"{source.path} has no column {top!r}; it has: {', '.join(names)}")
    packed = ", ".join(f'"{top}" := "{top}"' for top in tops)
    rows = f"SELECT rowid AS {RECORD}, *, to_json(struct_pack({packed})) AS {DOCUMENT} FROM {kept.get_name()}"
    found = _structure(engine, source, f"(SELECT {DOCUMENT} AS {LINE} FROM ({rows}))")
    return _with_paths(engine, source, rows, names, found, paths)


def _with_paths(
    engine: QueryEngine,
    source: SourceFile,
    rows: str,
    columns: tuple[str, ...],
    structure: dict[str, Any],
    paths: Sequence[str],
) -> TextTable:
    """The rows with the nested fields as columns of their paths' names."""
    deep = [path for path in dict.fromkeys(paths) if path not in columns and "." in path]
    if not deep:
        return TextTable(
            source, engine.view(f"SELECT * EXCLUDE ({DOCUMENT}) FROM ({rows})"), columns, structure=structure
        )
    made = nested(structure, deep, line=DOCUMENT, name=str(source.path))
    fields = ", ".join(f'{sql} AS "{path}"' for path, sql in made.columns.items())
    if made.unrolled is not None:
        place = made.unrolled.replace("'", "''")
        full = f"json_array_length({DOCUMENT}, '{place}') > 0"
        every = f"CASE WHEN {full} THEN json_extract({DOCUMENT}, '{place}[*]') ELSE [NULL] END"
        rows = (
            f"SELECT *, unnest(l) AS {ELEMENT}, generate_subscripts(l, 1) - 1 AS {POSITION}, l[1] IS NULL AS {EMPTY} "
            f"FROM (SELECT *, {every} AS l FROM ({rows}))"
        )
    table = engine.view(f"SELECT * EXCLUDE ({DOCUMENT}), {fields} FROM ({rows})")
    return TextTable(source, table, (*columns, *deep), structure=structure)


def keep_rows(
    engine: QueryEngine, text: TextTable, shape: Callable[[ir.Table], ir.Table] = lambda table: table
) -> ir.Table:
    """Scan the table once: materialise ``shape(table)`` with RECORD, and record the source's malformed lines.

    ``shape`` must map row for row.
    """
    kept = _kept(engine, text, shape)
    return kept if RECORD in kept.columns else engine.numbered(kept, RECORD)


def note_bad(source: SourceFile, *, records: Any, reasons: Sequence[str]) -> None:
    """Move records that parsed but are unusable from ``source.rows`` to ``source.malformed``."""
    if not len(records):
        return
    found = list(zip(source.line_of(records).tolist(), reasons, strict=True))
    if source.lines is None:
        # Fix the line numbers now: line_of derives them from ``malformed``, which grows below.
        source.lines = source.line_of(np.arange(source.rows))
    source.malformed += found
    source.rows -= len(found)


def _kept(engine: QueryEngine, text: TextTable, shape: Callable[[ir.Table], ir.Table]) -> ir.Table:
    kept = engine.keep(shape(text.table))
    if text.rejects is not None:
        errors = engine.query(f"SELECT line, min(error_type) FROM {text.rejects} GROUP BY line ORDER BY line")
        reasons = {"INVALID ENCODING": INVALID_UTF8}
        text.source.malformed += [(int(line), reasons.get(str(kind), MALFORMED)) for line, kind in errors]
    if RECORD not in kept.columns:
        text.source.rows += engine.value(kept.count())
    return kept


def _header(source: SourceFile, delimiter: str | None) -> tuple[str, list[str]]:
    with source.plain.open("rb") as file:
        first = file.readline(CHUNK)
    try:
        text = first.decode("utf-8-sig").strip("\r\n")
    except UnicodeDecodeError:
        raise ValueError(f"{source.path} is not UTF-8 text: its first line cannot be read") from None
    if not text.strip() or "\x00" in text:
        raise ValueError(f"{source.path} must start with a line of column names, not {text[:40]!r}")
    delimiter = delimiter or max(",;|\t", key=text.count)
    cells = next(csv.reader([text], delimiter=delimiter))
    names = [cell.strip() or f"column_{number}" for number, cell in enumerate(cells, 1)]
    _distinct(source, names)
    return delimiter, names


def _distinct(source: SourceFile, names: Sequence[str]) -> None:
    seen: set[str] = set()
    for name in names:
        if name.lower() in seen:
            raise ValueError(f"{source.path} has more than one column {name!r} (upper and lower case count as one)")
        seen.add(name.lower())


def _objects(engine: QueryEngine, source: SourceFile) -> ir.Table:
    """A table of LINE, materialised: the lines of the file, or the elements of the one array that it holds."""
    with source.plain.open("rb") as file:
        array = file.read(CHUNK).removeprefix(codecs.BOM_UTF8).lstrip().startswith(b"[")
    if not array:
        return _kept(engine, text_lines(engine, source), lambda table: table)
    try:
        kept = engine.keep(
            engine.view(
                f"SELECT json::VARCHAR AS {LINE} FROM read_json_objects('{_quoted(source.plain)}', format='array', "
                f"maximum_object_size={2 * CHUNK})"
            )
        )
    except duckdb.Error as error:
        raise ValueError(f"{source.path} is no JSON array of objects: {str(error).splitlines()[0]}") from None
    source.rows += engine.value(kept.count())
    source.binary = True  # an element is no line
    return kept


def _structure(engine: QueryEngine, source: SourceFile, lines: str) -> dict[str, Any]:
    """Structure of all objects together: types, lists of one, or objects, by key."""
    found = engine.query(f"SELECT json_group_structure({LINE}::JSON) FROM {lines}")[0][0]
    keys = json.loads(found) if found else None
    if not isinstance(keys, dict) or not keys:
        raise ValueError(f"{source.path} holds no JSON object a line")
    _distinct(source, list(keys))
    return keys


def _quoted(file: Path) -> str:
    # Brackets, stars and question marks would act as glob patterns.
    path = str(file.absolute())
    for letter in "[*?":
        path = path.replace(letter, f"[{letter}]")
    return path.replace("'", "''")


def _scan(
    engine: QueryEngine, source: SourceFile, columns: tuple[str, ...], *, delimiter: str, header: bool
) -> TextTable:
    rejects = engine.fresh_name()
    types = ", ".join("'{}': 'VARCHAR'".format(name.replace("'", "''")) for name in columns)
    table = engine.view(
        f"SELECT * FROM read_csv('{_quoted(source.plain)}', auto_detect=false, header={str(header).lower()}, "
        f"delim='{delimiter}', quote='', escape='', columns={{{types}}}, strict_mode=true, max_line_size={2 * CHUNK}, "
        f"store_rejects=true, rejects_limit=0, rejects_table='{rejects}', rejects_scan='{rejects}_scan')"
    )
    return TextTable(source, table, columns, rejects)


def _copied(
    engine: QueryEngine, source: SourceFile, columns: tuple[str, ...], records: Iterator[tuple[int, list[str] | str]]
) -> TextTable:
    path = engine.scratch / f"{engine.fresh_name()}.parquet"
    schema = pa.schema([(name, pa.string()) for name in columns])
    lines: list[np.ndarray[Any, np.dtype[np.int64]]] = [np.zeros(0, np.int64)]
    with pq.ParquetWriter(path, schema) as writer, step("reading rows", unit="rows") as reading:
        for batch in iter(lambda: list(itertools.islice(records, BATCH)), []):
            good = [(line, fields) for line, fields in batch if not isinstance(fields, str)]
            source.malformed += [(line, reason) for line, reason in batch if isinstance(reason, str)]
            lines.append(np.array([line for line, _ in good], np.int64))
            reading.advance(len(batch))
            values = list(zip(*(fields for _, fields in good), strict=True)) or [()] * len(columns)
            writer.write_table(pa.table([pa.array(column, pa.string()) for column in values], schema))
    source.lines = np.concatenate(lines)
    return TextTable(source, engine.backend.read_parquet(path), columns)
