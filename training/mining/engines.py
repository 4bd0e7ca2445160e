"""Mining engines: in-process DuckDB, or Spark."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import ibis.expr.types as ir
import numpy.typing as npt
import pyarrow as pa

from training.data.engine import open_engine
from training.settings.relate import EngineName


class MiningEngine(Protocol):
    """The engine operations that mining needs beyond plain Ibis."""

    def given(self, columns: Mapping[str, npt.NDArray[Any]]) -> ir.Table:
        """Create a table from arrays of equal length."""
        ...

    def keep(self, table: ir.Table) -> ir.Table:
        """Materialise ``table``."""
        ...

    def drop(self, table: ir.Table) -> None:
        """Drop a materialised table."""
        ...

    def parquet(self, files: Sequence[Path]) -> ir.Table:
        """Wrap Parquet files of one schema as a lazy table."""
        ...

    def batches(self, table: ir.Table) -> Iterator[pa.RecordBatch]:
        """Stream the rows of ``table`` in order."""
        ...

    def arrays(self, table: ir.Table, columns: Sequence[str]) -> dict[str, npt.NDArray[Any]]:
        """Fetch numeric columns as numpy arrays, in row order."""
        ...


@runtime_checkable
class SetCounter(Protocol):
    """An engine with its own FP-Growth."""

    def frequent_sets(self, taken: ir.Table, *, floor: int, longest: int) -> dict[tuple[int, ...], int]:
        """Item sets (ascending) of up to ``longest`` items in at least ``floor`` sessions, with session counts."""
        ...


@contextmanager
def open_mining(
    name: EngineName, scratch: Path, *, master: str, memory_gb: float | None = None
) -> Iterator[MiningEngine]:
    """Open an engine that keeps its temporary files in ``scratch``, an existing directory.

    Args:
        master: Spark master URL; an active Spark session is reused instead.
        memory_gb: what DuckDB may hold before it spills; None: most of the machine's.
    """
    if name is EngineName.duckdb:
        with open_engine(scratch, memory_gb=memory_gb) as engine:
            yield engine
    else:
        from training.mining.spark import open_spark  # pyspark is an extra

        with open_spark(scratch, master=master) as engine:
            yield engine
