"""Builder of the tables that ``training.measure`` writes, from a few rows written by hand."""

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

ANSWER = {
    "recommendation_id": "r", "day": "2026-11-02", "time": 0, "subject": "s", "anonymous": False, "placement": "cart",
    "tier": "model", "experiment": None, "arm": None,
}  # fmt: skip
OUTCOME = {
    **ANSWER, "position": 1, "item": "i", "source": "complement", "anchor": None, "propensity": 1.0, "seen": True,
    "clicked": False, "carted": False, "bought": False, "dismissed": None, "revenue": 0.0, "returned_revenue": 0.0,
}  # fmt: skip
ORDER = {
    "order_id": "o", "day": "2026-11-02", "time": 0, "subject": "s", "anonymous": False, "lines": 1, "quantity": 1,
    "value": 10.0, "returned_value": 0.0, "with_tillside": False,
}  # fmt: skip
LINE = {
    "order_id": "o", "item": "i", "day": "2026-11-02", "time": 0, "subject": "s", "quantity": 1, "revenue": 10.0,
    "returned_revenue": 0.0,
}  # fmt: skip
DEFAULTS = {"answers": ANSWER, "outcomes": OUTCOME, "orders": ORDER, "lines": LINE}
TYPES = {
    **dict.fromkeys(("time", "position", "lines", "quantity"), pa.int64()),
    **dict.fromkeys(("anonymous", "seen", "clicked", "carted", "bought", "with_tillside"), pa.bool_()),
    **dict.fromkeys(("value", "returned_value", "revenue", "returned_revenue", "propensity"), pa.float64()),
}


def write_measured(folder: Path, **tables: list[dict[str, Any]]) -> Path:
    """Write rows, each laid over the table's defaults, as one day's files."""
    for name, rows in tables.items():
        own = folder / name / "day=2026-11-02"
        own.mkdir(parents=True, exist_ok=True)
        whole = [DEFAULTS[name] | row for row in rows]
        schema = pa.schema([(column, TYPES.get(column, pa.string())) for column in DEFAULTS[name]])
        pq.write_table(pa.Table.from_pylist(whole, schema=schema), own / "part-0.parquet")
    return folder
