"""The file of items that a report knows names, categories and costs from."""

from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as csv
import pyarrow.parquet as pq

ITEM_ID: Final = "item_id"
TEXTS: Final = (ITEM_ID, "name", "category", "full_item_id")
COST: Final = "cost"


def read_items(path: Path) -> pa.Table:
    """Items with the columns TEXTS and COST, each id once; what the file has not, or what is empty, is null.

    Raises:
        ValueError: the file is missing, damaged or has no item_id, or a cost is no number of at least 0.
    """
    try:
        if path.suffix.lower() in (".parquet", ".pq"):
            table = pq.read_table(path)
        else:
            with path.open("rb") as file:
                header = file.readline().decode("utf-8-sig").strip().split(",")
            types = {name.strip('"'): pa.string() for name in header}
            table = csv.read_csv(path, convert_options=csv.ConvertOptions(column_types=types, strings_can_be_null=True))
    except (OSError, pa.ArrowException, UnicodeDecodeError) as error:
        raise ValueError(f"items: {path} cannot be read: {str(error).splitlines()[0]}") from None
    if ITEM_ID not in table.column_names:
        raise ValueError(f"items: {path} has no column {ITEM_ID!r}; it has: {', '.join(table.column_names)}")
    columns = {
        name: _texts(table[name]) if name in table.column_names else pa.nulls(len(table), pa.string()) for name in TEXTS
    }
    cost = table[COST] if COST in table.column_names else pa.nulls(len(table), pa.float64())
    try:
        cost = cost.cast(pa.float64())
    except pa.ArrowException as error:
        raise ValueError(f"items: {path}: cost must be a number, {str(error).splitlines()[0]}") from None
    if pc.any(pc.less(cost, 0)).as_py():
        raise ValueError(f"items: {path}: cost must be at least 0, got {pc.min(cost).as_py():g}")
    whole = pa.table(columns | {COST: cost}).filter(pc.is_valid(columns[ITEM_ID]))
    first = whole.append_column("row", pa.array(range(len(whole)))).group_by(ITEM_ID).aggregate([("row", "min")])
    return whole.take(first["row_min"].sort())


def _texts(column: pa.ChunkedArray) -> pa.ChunkedArray:
    texts = column.cast(pa.string())
    return pc.if_else(pc.equal(pc.utf8_length(texts), 0), pa.scalar(None, pa.string()), texts)
