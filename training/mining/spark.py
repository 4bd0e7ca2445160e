"""Mining on Spark: Ibis for joins and aggregations, MLlib's FP-Growth for frequent sets.

Tables travel to and from Spark as Parquet files in the scratch directory, which on a cluster must be visible to all
workers. Kept tables are written to disk, not cached: Spark is there for logs that exceed memory.
"""

import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import ibis
import ibis.expr.types as ir
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from training.mining.columns import ITEM, SESSION


@dataclass
class SparkEngine:
    """An Ibis backend on a Spark session, and the scratch directory for tables."""

    backend: Any
    session: Any
    scratch: Path
    _tables: int = field(default=0, init=False)

    def given(self, columns: Mapping[str, npt.NDArray[Any]]) -> ir.Table:
        """Create a table from arrays of equal length."""
        name, folder = self._fresh()
        folder.mkdir()
        pq.write_table(pa.table({key: np.ascontiguousarray(values) for key, values in columns.items()}), folder / "0")
        return self._read(name, folder)

    def keep(self, table: ir.Table) -> ir.Table:
        """Materialise ``table`` as Parquet."""
        name, folder = self._fresh()
        self._frame(table).write.parquet(folder.absolute().as_uri())
        return self._read(name, folder)

    def drop(self, table: ir.Table) -> None:
        """Drop a materialised table."""
        self.session.catalog.dropTempView(table.get_name())
        shutil.rmtree(self.scratch / table.get_name(), ignore_errors=True)

    def parquet(self, files: Sequence[Path]) -> ir.Table:
        """Wrap Parquet files of one schema as a lazy table."""
        name, _ = self._fresh()
        self.session.read.parquet(*(file.absolute().as_uri() for file in files)).createOrReplaceTempView(name)
        return self.backend.table(name)

    def batches(self, table: ir.Table) -> Iterator[pa.RecordBatch]:
        """Stream the rows of ``table`` in order: a sorted frame's parts are written in order."""
        _, folder = self._fresh()
        self._frame(table).write.parquet(folder.absolute().as_uri())
        for part in sorted(folder.glob("part-*")):
            yield from pq.ParquetFile(part).iter_batches()
        shutil.rmtree(folder)

    def arrays(self, table: ir.Table, columns: Sequence[str]) -> dict[str, npt.NDArray[Any]]:
        """Fetch numeric columns as numpy arrays, in row order: a sorted frame's parts are written in order."""
        _, folder = self._fresh()
        frame = self._frame(table.select(*columns))
        frame.write.parquet(folder.absolute().as_uri())
        parts = [pq.read_table(part) for part in sorted(folder.glob("part-*"))]
        found = pa.concat_tables(parts)  # Spark writes at least one, for the schema
        return {name: np.asarray(found[name].to_numpy()) for name in columns}

    def frequent_sets(self, taken: ir.Table, *, floor: int, longest: int) -> dict[tuple[int, ...], int]:
        """Item sets (ascending) of up to ``longest`` items in at least ``floor`` sessions, with session counts."""
        from pyspark.ml.fpm import FPGrowth
        from pyspark.sql import functions

        items = functions.collect_set(ITEM).alias("items")
        baskets = self._frame(taken).groupBy(SESSION).agg(items).select("items")
        sessions = baskets.count()
        if sessions < floor:
            return {}
        # half a session less: Spark turns the relative support back into a count and rounds up
        model = FPGrowth(itemsCol="items", minSupport=(floor - 0.5) / sessions).fit(baskets)
        found = model.freqItemsets.where(functions.size("items") <= longest).collect()
        return {tuple(sorted(row["items"])): int(row["freq"]) for row in found}

    def _frame(self, table: ir.Table) -> Any:
        return self.session.sql(self.backend.compile(table))

    def _fresh(self) -> tuple[str, Path]:
        self._tables += 1
        name = f"tillside_{self._tables}"
        return name, self.scratch / name

    def _read(self, name: str, folder: Path) -> ir.Table:
        self.session.read.parquet(folder.absolute().as_uri()).createOrReplaceTempView(name)
        return self.backend.table(name)


@contextmanager
def open_spark(scratch: Path, *, master: str) -> Iterator[SparkEngine]:
    """Open an engine on the active Spark session, or on a new one that is stopped at the end of the block.

    Raises:
        ValueError: pyspark or Java is missing, or Spark failed.
    """
    try:
        from pyspark.errors import PySparkException
        from pyspark.sql import SparkSession
    except ImportError:
        raise ValueError("engine=spark needs pyspark; pip install 'tillside[spark]'") from None
    active = SparkSession.getActiveSession()
    try:
        builder = SparkSession.builder.master(master).appName("tillside").config("spark.ui.enabled", "false")
        builder = builder.config("spark.sql.warehouse.dir", str(scratch.absolute() / "warehouse"))
        session = active or builder.getOrCreate()
    except PySparkException as error:
        raise ValueError(f"engine=spark needs Java 17 or later, and Spark did not start: {_line(error)}") from None
    fused, ibis.options.sql.fuse_selects = ibis.options.sql.fuse_selects, False
    try:
        session.sparkContext.setLogLevel("ERROR")
        yield SparkEngine(ibis.pyspark.connect(session), session, scratch)
    except PySparkException as error:
        raise ValueError(f"the engine gave up: {_line(error)}") from error
    finally:
        ibis.options.sql.fuse_selects = fused
        if active is None:
            session.stop()


def _line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0]
