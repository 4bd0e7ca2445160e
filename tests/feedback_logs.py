"""Tiny feedback folders for tests."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from tillside.feedback.events import Event, Line, encode_event
from tillside.feedback.exposures import Exposure, Slot, encode_exposure
from tillside.feedback.segments import EVENTS, EXPOSURES, SegmentWriter
from training.feedback.partitions import partitions
from training.settings.attribution import AttributionConfig
from training.settings.measure import MeasureConfig

NOON = 1_767_268_800_000
"""2026-01-01T12:00:00Z in milliseconds: day 20454."""
MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000


def exposure(rec: str, items: Sequence[str], time: int = NOON, **fields: Any) -> Exposure:
    """An answer of ``items`` to shopper ``ann`` in placement ``cart``."""
    known: dict[str, Any] = {"tier": "model", "shopper": "ann", "session": "v1", "placement": "cart"} | fields
    source, anchor = known.pop("source", "complement"), known.pop("anchor", "phone")
    slots = [Slot(item=item, position=place, source=source, anchor=anchor) for place, item in enumerate(items, 1)]
    return Exposure(recommendation_id=rec, time=time, slots=slots, **known)


def event(name: str, kind: str, item: str | None, time: int = NOON, **fields: Any) -> Event:
    """An event of shopper ``ann``, received as it happened."""
    known: dict[str, Any] = {"shopper": "ann", "session": "v1", "received": time} | fields
    return Event(event_id=name, kind=kind, item=item, time=time, **known)


def order(name: str, lines: Sequence[tuple[str, int, float | None]], time: int, **fields: Any) -> Event:
    """A purchase whose event and order are called ``name``."""
    held = [Line(item=item, quantity=quantity, price=price) for item, quantity, price in lines]
    return event(f"e-{name}", fields.pop("kind", "purchase"), None, time, order_id=name, lines=held, **fields)


def write(folder: Path, exposures: Sequence[Exposure] = (), events: Sequence[Event] = ()) -> None:
    """Append a segment of each kind to a feedback folder."""
    for kind, payloads in (
        (EXPOSURES, [encode_exposure(each) for each in exposures]),
        (EVENTS, [encode_event(each) for each in events]),
    ):
        if payloads:
            writer = SegmentWriter(folder / kind)
            writer.append(payloads)
            writer.close()


def settings(folder: Path, **fields: Any) -> MeasureConfig:
    """Settings of a join from ``folder/feedback`` to ``folder/out``; rules by name."""
    rules = {name: fields.pop(name) for name in list(fields) if name in AttributionConfig.__dataclass_fields__}
    known: dict[str, Any] = {"feedback": str(folder / "feedback"), "out": str(folder / "out"), "record": False}
    return MeasureConfig(**(known | fields), attribution=AttributionConfig(**rules))


def rows(out: Path, table: str) -> list[dict[str, Any]]:
    """Rows of a joined table in the order of its files."""
    files = partitions(out, table)
    return pa.concat_tables([pq.ParquetFile(file).read() for file in files]).to_pylist() if files else []
