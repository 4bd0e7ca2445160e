"""Which engine mining counts with: DuckDB in this process, or Spark."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from enum import Enum
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import ibis.expr.types as ir
import numpy.typing as npt

from training.data.engine import open_engine


class EngineName(Enum):
    """The engines there are."""

    duckdb = "duckdb"
    spark = "spark"


class MiningEngine(Protocol):
    """What mining asks of an engine; all else is plain Ibis."""

    def given(self, columns: Mapping[str, npt.NDArray[Any]]) -> ir.Table:
        """Arrays of one length as a table."""
        ...

    def keep(self, table: ir.Table) -> ir.Table:
        """Compute ``table`` once and keep it."""
        ...

    def arrays(self, table: ir.Table, columns: Sequence[str]) -> dict[str, npt.NDArray[Any]]:
        """Columns of numbers as numpy arrays, in the order of the rows."""
        ...


@runtime_checkable
class SetCounter(Protocol):
    """An engine with an FP-Growth of its own."""

    def frequent_sets(self, taken: ir.Table, *, floor: int, longest: int) -> dict[tuple[int, ...], int]:
        """Sets of up to ``longest`` items in at least ``floor`` sessions, and in how many; ascending items."""
        ...


@contextmanager
def open_mining(name: EngineName, scratch: Path, *, master: str) -> Iterator[MiningEngine]:
    """An engine that keeps its temporary files in ``scratch``, an existing directory.

    Args:
        master: of Spark; where a session is open already that one is taken.
    """
    if name is EngineName.duckdb:
        with open_engine(scratch) as engine:
            yield engine
    else:
        from training.mining.spark import open_spark  # pyspark is an extra

        with open_spark(scratch, master=master) as engine:
            yield engine
