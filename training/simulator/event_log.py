"""Event log file, written in time order while sessions are still being generated.

Sessions are generated in batches by start time. Events after the start of the next batch are buffered, so memory holds
one batch and its overlap with the next, never the whole log. Shapes: N items.
"""

from pathlib import Path
from types import TracebackType
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from tillside.events import (
    BEHAVIOUR,
    DEFAULT_BEHAVIOURS,
    ITEM_ID,
    PRICE,
    QUANTITY,
    SCENE_ID,
    SESSION_ID,
    TIMESTAMP,
    USER_ID,
)
from training.simulator.goods import Goods, Ints

COLUMNS: Final = (SESSION_ID, ITEM_ID, BEHAVIOUR, TIMESTAMP, USER_ID, QUANTITY, SCENE_ID)
"""Columns of the buffered arrays; ids are integers there, -1 for none."""

SCHEMA: Final = pa.schema(
    [
        (SESSION_ID, pa.string()),
        (ITEM_ID, pa.string()),
        (BEHAVIOUR, pa.string()),
        (TIMESTAMP, pa.int64()),
        (USER_ID, pa.string()),
        (PRICE, pa.float64()),
        (QUANTITY, pa.int32()),
        (SCENE_ID, pa.string()),
    ]
)


def ids(prefix: str, numbers: Ints) -> pa.Array:
    """Format ids such as ``s-00000042``; null for negative numbers."""
    digits = pc.utf8_lpad(pc.cast(pa.array(np.maximum(numbers, 0)), pa.string()), 8, "0")
    texts = pc.binary_join_element_wise(prefix, digits, "-")
    return pc.if_else(pa.array(numbers >= 0), texts, None) if (numbers < 0).any() else texts


class EventLog:
    """Parquet writer that sorts events by time; use as a context manager."""

    def __init__(self, path: Path, goods: Goods) -> None:
        self._writer = pq.ParquetWriter(path, SCHEMA, compression="zstd", store_schema=False)
        self._waiting: list[tuple[Ints, ...]] = []
        self._item_ids = pa.array(goods.item_ids())
        self._prices = goods.price_N

    def __enter__(self) -> "EventLog":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._writer.close()

    def add(self, columns: tuple[Ints, ...]) -> None:
        """Buffer events, columns in the order of COLUMNS; a session's events must be in chronological order."""
        self._waiting.append(columns)

    def write_until(self, time: int) -> None:
        """Write the buffered events before ``time`` (epoch milliseconds); no earlier event may be added afterwards."""
        columns = [np.concatenate(column) for column in zip(*self._waiting, strict=True)]
        times = columns[COLUMNS.index(TIMESTAMP)]
        ready = times < time
        self._waiting = [tuple(column[~ready] for column in columns)]
        order = np.flatnonzero(ready)
        order = order[np.argsort(times[order], kind="stable")]
        if len(order):
            self._writer.write_table(self._table(*(column[order] for column in columns)))

    def _table(
        self, session: Ints, item: Ints, behaviour: Ints, time: Ints, user: Ints, quantity: Ints, scene: Ints
    ) -> pa.Table:
        arrays = [
            ids("s", session),
            self._item_ids.take(pa.array(item)),
            pa.array(DEFAULT_BEHAVIOURS).take(pa.array(behaviour)),
            pa.array(time),
            ids("u", user),
            pa.array(self._prices[item]),
            pa.array(quantity.astype(np.int32)),
            ids("live", scene),
        ]
        return pa.table([pc.cast(array, field.type) for array, field in zip(arrays, SCHEMA, strict=True)], SCHEMA)
