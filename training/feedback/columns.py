"""Schemas of the tables that feedback is staged in and joined to; every column name stands here.

A key (``*_key``) is a 64-bit hash of ids, so that joins of tens of millions of rows compare integers: ``rec_key`` of a
recommendation, ``slot_key`` of a recommendation and an item, ``shopper_key`` and ``session_key`` of whose and which
item, ``subject_key`` of whose. ``day`` counts UTC days since 1970.
"""

from typing import Final

import pyarrow as pa

from training.experiments.subjects import ANSWERS, LINES, ORDERS, OUTCOMES

TABLES: Final = (OUTCOMES, ANSWERS, ORDERS, LINES)
"""What the join writes, a folder each, a file a day in them."""
SLOTS: Final = "slots"
ACTS: Final = "acts"
STAGED: Final = (SLOTS, ANSWERS, ACTS, LINES)
"""What segments are staged as."""

_ORDER: Final = [("file", pa.string()), ("record", pa.int32())]
"""Where a row stood in the log: its segment and the place in it, so that the first of two copies is known."""
_WHO: Final = [("subject", pa.string()), ("anonymous", pa.bool_())]
_WHOSE: Final = [("shopper_key", pa.int64()), ("session_key", pa.int64())]
_ANSWER: Final = [
    ("recommendation_id", pa.string()), ("time", pa.int64()), ("day", pa.int32()), *_WHO, ("placement", pa.string()),
    ("tier", pa.string()), ("mode", pa.string()), ("segment", pa.string()), ("experiment", pa.string()),
    ("arm", pa.string()), ("policy", pa.string()), ("model", pa.string()), ("rec_key", pa.int64()),
]  # fmt: skip

SLOT_SCHEMA: Final = pa.schema(
    [*_ANSWER, ("position", pa.int32()), ("item", pa.string()), ("source", pa.string()), ("anchor", pa.string()),
     ("propensity", pa.float64()), ("slot_key", pa.int64()), *_WHOSE, *_ORDER]
)  # fmt: skip
ANSWER_SCHEMA: Final = pa.schema(
    [*_ANSWER, ("reason", pa.string()), ("intent", pa.float64()), ("slots", pa.int32()), ("subject_key", pa.int64()),
     *_ORDER]
)  # fmt: skip
ACT_SCHEMA: Final = pa.schema(
    [("event_id", pa.string()), ("kind", pa.string()), ("time", pa.int64()), ("day", pa.int32()), *_WHO,
     ("item", pa.string()), ("position", pa.int32()), ("reason", pa.string()), ("rec_key", pa.int64()),
     ("slot_key", pa.int64()), *_WHOSE, ("subject_key", pa.int64()), *_ORDER]
)  # fmt: skip
LINE_SCHEMA: Final = pa.schema(
    [("event_id", pa.string()), ("kind", pa.string()), ("time", pa.int64()), ("day", pa.int32()), *_WHO,
     ("order_id", pa.string()), ("item", pa.string()), ("quantity", pa.int64()), ("price", pa.float64()),
     ("line", pa.int32()), ("rec_key", pa.int64()), ("slot_key", pa.int64()), *_WHOSE, *_ORDER]
)  # fmt: skip
STAGED_SCHEMAS: Final = {SLOTS: SLOT_SCHEMA, ANSWERS: ANSWER_SCHEMA, ACTS: ACT_SCHEMA, LINES: LINE_SCHEMA}

_JOINED: Final = [("recommendation_id", pa.string()), ("day", pa.date32()), ("time", pa.int64()), *_WHO]
_UNDER: Final = [(name, pa.string()) for name in ("segment", "experiment", "arm", "policy", "model")]
_SUMS: Final = [("quantity", pa.int64()), ("revenue", pa.float64()), ("returned_revenue", pa.float64())]
JOINED_SCHEMAS: Final = {
    OUTCOMES: pa.schema(
        [*_JOINED, ("placement", pa.string()), ("position", pa.int32()), ("item", pa.string()), ("source", pa.string()),
         ("anchor", pa.string()), ("propensity", pa.float64()), ("tier", pa.string()), ("mode", pa.string()), *_UNDER,
         *((name, pa.bool_()) for name in ("seen", "clicked", "carted", "bought")), ("dismissed", pa.string()),
         ("order_id", pa.string()), *_SUMS, ("direct", pa.bool_())]
    ),
    ANSWERS: pa.schema(
        [*_JOINED, ("placement", pa.string()), ("slots", pa.int32()), ("tier", pa.string()), ("reason", pa.string()),
         ("mode", pa.string()), ("intent", pa.float64()), *_UNDER, ("bounced", pa.bool_())]
    ),
    LINES: pa.schema(
        [("order_id", pa.string()), ("item", pa.string()), ("day", pa.date32()), ("time", pa.int64()), *_WHO, *_SUMS,
         ("recommendation_id", pa.string()), ("source", pa.string()), ("placement", pa.string()),
         ("with_tillside", pa.bool_())]
    ),
    ORDERS: pa.schema(
        [("order_id", pa.string()), ("day", pa.date32()), ("time", pa.int64()), *_WHO, ("lines", pa.int64()),
         ("quantity", pa.int64()), ("value", pa.float64()), ("returned_value", pa.float64()),
         ("with_tillside", pa.bool_())]
    ),
}  # fmt: skip
"""Of the joined tables, whichever engine joined them."""
