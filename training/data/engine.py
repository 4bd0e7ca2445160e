"""The embedded engine of preparation: Ibis on DuckDB in memory, spilling into a scratch directory when memory is short.

Everything that only DuckDB can do (row numbers in file order, settings) stands here and in
``training.data.parsing.text_tables``; the rest of preparation is plain Ibis.
"""

import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb
import ibis
import ibis.expr.types as ir
import numpy as np
import numpy.typing as npt
import pyarrow as pa


@dataclass
class Engine:
    """A connection and the directory it may fill with temporary files."""

    backend: Any
    scratch: Path
    _tables: int = field(default=0, init=False)

    def fresh_name(self) -> str:
        """A table name that was not used before."""
        self._tables += 1
        return f"tillside_{self._tables}"

    def keep(self, table: ir.Table) -> ir.Table:
        """Compute ``table`` once and keep it; its rows stay in the order in which the file had them."""
        return self.backend.create_table(self.fresh_name(), table, temp=True)

    def given(self, columns: Mapping[str, npt.NDArray[Any]]) -> ir.Table:
        """Arrays of one length as a kept table."""
        name = self.fresh_name()
        self.backend.con.register(name, pa.table(dict(columns)))
        kept = self.keep(self.backend.table(name))
        self.backend.con.unregister(name)
        return kept

    def drop(self, table: ir.Table) -> None:
        """Free a kept table."""
        self.query(f"DROP TABLE {table.get_name()}")

    def numbered(self, kept: ir.Table, column: str) -> ir.Table:
        """A kept table with ``column``, the number of the row from 0."""
        return kept.mutate(kept.rowid().name(column))

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        """The rows of a DuckDB statement."""
        return list(self.backend.raw_sql(sql).fetchall())

    def view(self, sql: str) -> ir.Table:
        """A DuckDB query as a table; it runs when the table is used."""
        name = self.fresh_name()
        self.query(f"CREATE TEMP VIEW {name} AS {sql}")
        return self.backend.table(name)

    def rows(self, table: ir.Table) -> list[dict[str, Any]]:
        """The rows of a small table."""
        return list(self.backend.to_pyarrow(table).to_pylist())

    def value(self, scalar: ir.Scalar) -> Any:
        """One number or text."""
        return self.backend.to_pyarrow(scalar).as_py()

    def batches(self, table: ir.Table) -> Iterator[Any]:
        """Arrow record batches of a large result, by the way past Ibis 12, whose own fails on DuckDB 2.0."""
        yield from self.backend.con.sql(self.backend.compile(table)).to_arrow_reader(1_000_000)

    def arrays(self, table: ir.Table, columns: Sequence[str]) -> dict[str, npt.NDArray[Any]]:
        """Columns of numbers as numpy arrays, in the order of the rows."""
        data = self.backend.to_pyarrow(table.select(*columns))
        return {name: np.asarray(data[name].to_numpy()) for name in columns}


@contextmanager
def open_engine(scratch: Path) -> Iterator[Engine]:
    """An engine that keeps its temporary files in ``scratch``, an existing directory."""
    with warnings.catch_warnings():
        # Ibis 12 fetches results by a DuckDB method that DuckDB 2.0 has renamed; both names work.
        warnings.filterwarnings("ignore", message="fetch_arrow_table", category=DeprecationWarning)
        backend = ibis.duckdb.connect(
            ":memory:",
            temp_directory=str(scratch / "spill"),
            autoinstall_known_extensions=False,
        )
        fused, ibis.options.sql.fuse_selects = ibis.options.sql.fuse_selects, False
        # Fused, a column that is read five times is written out, and computed, five times.
        try:
            backend.raw_sql("SET TimeZone = 'UTC'")
            yield Engine(backend, scratch)
        except duckdb.Error as error:
            raise ValueError(f"the engine gave up: {str(error).splitlines()[0]}") from error
        finally:
            ibis.options.sql.fuse_selects = fused
            backend.disconnect()
