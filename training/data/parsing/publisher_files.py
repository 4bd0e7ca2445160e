"""Shared by the publishers' readers: opening the files of a folder, and scanning one file into canonical events."""

from collections.abc import Callable, Mapping
from pathlib import Path

import ibis.expr.types as ir

from tillside.events import Behaviours
from training.data.engine import QueryEngine
from training.data.parsing.canonical import RawEvents, canonical
from training.data.parsing.source_file import SourceFile, open_source
from training.data.parsing.text_tables import TextTable, keep_rows


def open_member(engine: QueryEngine, folder: str, name: str) -> SourceFile:
    """Open ``name`` or ``name.gz`` in the publisher's folder.

    Raises:
        ValueError: ``folder`` is not a directory, or lacks the file.
    """
    found = open_member_if_there(engine, folder, name)
    if found is None:
        inside = ", ".join(sorted(entry.name for entry in Path(folder).iterdir())[:8]) or "nothing"
        raise ValueError(f"data.path: {folder} has no {name} or {name}.gz; it holds {inside}")
    return found


def open_member_if_there(engine: QueryEngine, folder: str, name: str) -> SourceFile | None:
    """Like :func:`open_member`, but None where the folder lacks the file."""
    directory = Path(folder)
    if not directory.is_dir():
        problem = "is a file, the publisher's folder is needed" if directory.exists() else "does not exist"
        raise ValueError(f"data.path: {folder} {problem} (the one that holds {name})")
    for path in (directory / name, directory / f"{name}.gz"):
        if path.exists():
            return open_source(path, engine.scratch)
    return None


def read_events(
    engine: QueryEngine,
    text: TextTable,
    raw: Callable[[ir.Table], RawEvents],
    *,
    file: int,
    behaviours: Behaviours,
    behaviour_map: Mapping[str, str | None],
) -> ir.Table:
    """Scan a file with one event per record into a canonical table."""

    def shape(table: ir.Table) -> ir.Table:
        return canonical(table, raw(table), file=file, behaviours=behaviours, behaviour_map=behaviour_map)

    return keep_rows(engine, text, shape)
