"""Source files as tables of text columns: the only module that distinguishes CSV, JSONL and Parquet.

Regular text goes through DuckDB's parser, the rest through ``training.data.parsing.irregular``; both yield the same
table. A table may be scanned only once, by ``keep_rows``, which also records the source's malformed lines.
"""

import csv
import itertools
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import ibis.expr.types as ir
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from training.cli.progress import step
from training.data.columns import LINE, RECORD
from training.data.engine import QueryEngine
from training.data.parsing.irregular import INVALID_UTF8, MALFORMED, lines_of, records_of
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
    """

    source: SourceFile
    table: ir.Table
    columns: tuple[str, ...]
    rejects: str | None = None

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


def json_lines(engine: QueryEngine, source: SourceFile, structure: dict[str, Any] | None = None) -> TextTable:
    """Open a JSONL file as a table, one column per key; a line that is not a JSON object is malformed.

    Args:
        engine: owner of the table.
        source: the file.
        structure: keys and their DuckDB types; None infers them from the first 1000 lines, as text or lists of text.

    Raises:
        ValueError: there is no JSON object in the first 1000 lines.
    """
    keys = structure or _structure(source)
    lines = _kept(engine, text_lines(engine, source), lambda table: table)
    name, shape = lines.get_name(), json.dumps(keys).replace("'", "''")
    wrong = f"NOT (json_valid({LINE}) AND CASE WHEN json_valid({LINE}) THEN json_type({LINE}) = 'OBJECT' END)"
    bad = np.array(engine.query(f"SELECT rowid FROM {name} WHERE {wrong} ORDER BY rowid"), np.int64).reshape(-1)
    parsed = engine.view(
        f"SELECT rowid AS {RECORD}, row.* FROM (SELECT rowid, from_json({LINE}, '{shape}') AS row FROM {name} "
        f"WHERE NOT ({wrong}))"
    )
    note_bad(source, records=bad, reasons=[MALFORMED] * len(bad))
    return TextTable(source, parsed, tuple(keys))


def parquet(engine: QueryEngine, source: SourceFile) -> TextTable:
    """Open a Parquet file as a table with its own column types; a record's line is its row number, from 1.

    Raises:
        ValueError: the file is damaged or not Parquet.
    """
    try:
        names = pq.read_schema(source.plain).names
    except (pa.ArrowException, OSError) as error:
        raise ValueError(f"{source.path} cannot be read as Parquet: {str(error).splitlines()[0]}") from None
    _distinct(source, names)
    return TextTable(source, engine.view(f"SELECT * FROM read_parquet('{_quoted(source)}')"), tuple(names))


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


def _structure(source: SourceFile) -> dict[str, Any]:
    keys: dict[str, Any] = {}
    for _, text in itertools.islice(lines_of(source.plain), 1000):
        try:
            document = json.loads(text or "")
        except ValueError:
            continue
        if isinstance(document, dict):
            for key, value in document.items():
                keys[key] = ["VARCHAR"] if isinstance(value, list) else keys.get(key, "VARCHAR")
    if not keys:
        raise ValueError(f"{source.path} holds no JSON object a line")
    _distinct(source, list(keys))
    return keys


def _quoted(source: SourceFile) -> str:
    # Brackets, stars and question marks would act as glob patterns.
    path = str(source.plain.absolute())
    for letter in "[*?":
        path = path.replace(letter, f"[{letter}]")
    return path.replace("'", "''")


def _scan(
    engine: QueryEngine, source: SourceFile, columns: tuple[str, ...], *, delimiter: str, header: bool
) -> TextTable:
    rejects = engine.fresh_name()
    types = ", ".join("'{}': 'VARCHAR'".format(name.replace("'", "''")) for name in columns)
    table = engine.view(
        f"SELECT * FROM read_csv('{_quoted(source)}', auto_detect=false, header={str(header).lower()}, "
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
