"""Embedded engine of preparation: Ibis on in-memory DuckDB that spills to a scratch directory.

DuckDB-specific code (row numbers in file order, settings) is confined to this module and
``training.data.parsing.text_tables``; the rest of preparation is plain Ibis.
"""

import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb
import ibis
import ibis.expr.types as ir
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from tillside.cores import threads_of_user, usable_cores
from training.cli.progress import step


@dataclass
class QueryEngine:
    """A DuckDB connection and a scratch directory for temporary files."""

    backend: Any
    scratch: Path
    _tables: int = field(default=0, init=False)

    def fresh_name(self) -> str:
        """Return an unused table name."""
        self._tables += 1
        return f"tillside_{self._tables}"

    def keep(self, table: ir.Table) -> ir.Table:
        """Materialise ``table``; rows keep the file's order."""
        with step("a query", 1, ask=self.share):
            return self.backend.create_table(self.fresh_name(), table, temp=True)

    def given(self, columns: Mapping[str, npt.NDArray[Any]]) -> ir.Table:
        """Materialise arrays of equal length as a table."""
        name = self.fresh_name()
        self.backend.con.register(name, pa.table(dict(columns)))
        kept = self.keep(self.backend.table(name))
        self.backend.con.unregister(name)
        return kept

    def drop(self, table: ir.Table) -> None:
        """Drop a materialised table."""
        self.query(f"DROP TABLE {table.get_name()}")

    def numbered(self, kept: ir.Table, column: str) -> ir.Table:
        """Add ``column``, the row number from 0, to a materialised table."""
        return kept.mutate(kept.rowid().name(column))

    def share(self) -> float | None:
        """Share of the running statement that is done, as DuckDB estimates it; None if it cannot tell."""
        try:
            percent = float(self.backend.con.query_progress())
        except duckdb.Error:
            return None
        return None if percent < 0 else percent / 100

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        """Run a DuckDB statement and fetch its rows."""
        return list(self.backend.raw_sql(sql).fetchall())

    def view(self, sql: str) -> ir.Table:
        """Wrap a DuckDB query as a lazy table."""
        name = self.fresh_name()
        self.query(f"CREATE TEMP VIEW {name} AS {sql}")
        return self.backend.table(name)

    def rows(self, table: ir.Table) -> list[dict[str, Any]]:
        """Fetch the rows of a small table as dicts."""
        return list(self.backend.to_pyarrow(table).to_pylist())

    def value(self, scalar: ir.Scalar) -> Any:
        """Fetch a scalar."""
        return self.backend.to_pyarrow(scalar).as_py()

    def batches(self, table: ir.Table) -> Iterator[Any]:
        """Stream a large result as Arrow record batches, bypassing Ibis 12, whose own method fails on DuckDB 2.0."""
        yield from self.backend.con.sql(self.backend.compile(table)).to_arrow_reader(1_000_000)

    def parquet(self, files: Sequence[Path]) -> ir.Table:
        """Wrap Parquet files of one schema as a lazy table."""
        named = ", ".join("'" + str(file).replace("'", "''") + "'" for file in files)
        return self.view(f"SELECT * FROM read_parquet([{named}], hive_partitioning=false)")

    def arrays(self, table: ir.Table, columns: Sequence[str]) -> dict[str, npt.NDArray[Any]]:
        """Fetch numeric columns as numpy arrays, in row order."""
        with step("a query", 1, ask=self.share):
            data = self.backend.to_pyarrow(table.select(*columns))
        return {name: np.asarray(data[name].to_numpy()) for name in columns}


@contextmanager
def open_engine(scratch: Path, *, memory_gb: float | None = None) -> Iterator[QueryEngine]:
    """Open an engine that keeps its temporary files in ``scratch``, an existing directory.

    Args:
        memory_gb: what it may hold before it spills; None: most of the machine's.

    Raises:
        ValueError: DuckDB failed within the block.
    """
    with warnings.catch_warnings():
        # Ibis 12 fetches results with a DuckDB method that DuckDB 2.0 renamed; both names work.
        warnings.filterwarnings("ignore", message="fetch_arrow_table", category=DeprecationWarning)
        backend = ibis.duckdb.connect(
            ":memory:",
            temp_directory=str(scratch / "spill"),
            autoinstall_known_extensions=False,
            threads=threads_of_user() or usable_cores(),
        )
        fused, ibis.options.sql.fuse_selects = ibis.options.sql.fuse_selects, False
        # Fused selects inline a column once per use: a column read five times is computed five times.
        try:
            backend.raw_sql("SET TimeZone = 'UTC'")
            if memory_gb is not None:
                backend.raw_sql(f"SET memory_limit = '{int(memory_gb * 1000)}MB'")
            with suppress(duckdb.InvalidInputException):  # a notebook without ipywidgets: no share is known, then
                backend.raw_sql("SET enable_progress_bar = true")  # for query_progress; it prints nothing itself
                backend.raw_sql("SET enable_progress_bar_print = false")
            yield QueryEngine(backend, scratch)
        except duckdb.Error as error:
            raise ValueError(f"the engine gave up: {str(error).splitlines()[0]}") from error
        finally:
            ibis.options.sql.fuse_selects = fused
            backend.disconnect()
