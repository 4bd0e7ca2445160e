"""Segments of a feedback folder as lists of exposures and events; what cannot be read is counted by reason, not raised.

A log is written by machines that crash and fed by shops' browsers, so it holds torn records, other people's JSON and
clocks that are wrong. None of that may end a reading; all of it is told.
"""

import math
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, Final, TypeVar

import msgspec

from tillside.feedback.events import LATEST, LONGEST, PURCHASE, RETURN, Event, lacking
from tillside.feedback.exposures import Exposure
from tillside.feedback.segments import EVENTS, EXPOSURES, SegmentReader
from tillside.policy.file.values import DAY_MS
from training.data.parsing.values import EARLIEST

AHEAD_MS: Final = DAY_MS
"""How far a shop's clock may go ahead of the collector's."""
BATCH: Final = 20_000
"""Records that are decoded in one call."""
MOST_SLOTS: Final = 1000
"""Of one exposure; more is no answer of a recommender."""
NOT_READ: Final = {EXPOSURES: "not an exposure", EVENTS: "not an event"}
TORN: Final = "torn segment"
EARLY: Final = "time before 1990"
AHEAD: Final = "time after it was received"
LATE: Final = "received too late"
LONG_KEY: Final = f"a key of more than {LONGEST} characters"
NO_ITEM: Final = "a slot without an item"
TWICE: Final = "an item twice in one answer"
BAD_PROPENSITY: Final = "a propensity that is none"
TOO_MANY: Final = f"more than {MOST_SLOTS} slots"
Record = TypeVar("Record")


@dataclass
class Reading:
    """What was found in one segment.

    Attributes:
        read: records that were decoded and kept.
        rejected: records that were not, by reason; a torn end counts once.
        cleared: values that were left out of kept records, by reason.
        bytes_left: bytes behind a torn record.
    """

    read: int = 0
    rejected: Counter[str] = field(default_factory=Counter)
    cleared: Counter[str] = field(default_factory=Counter)
    bytes_left: int = 0


def exposures_of(path: Path, reading: Reading) -> Iterator[list[Exposure]]:
    """Exposures of a segment, in batches, in the order in which they were written.

    Raises:
        OSError: the file cannot be read.
    """
    for batch in _decoded(path, Exposure, NOT_READ[EXPOSURES], reading):
        kept = [each for one in batch if (each := _sound_exposure(one, reading)) is not None]
        reading.read += len(kept)
        yield kept


def events_of(path: Path, reading: Reading, *, late_days: float) -> Iterator[list[Event]]:
    """Events of a segment, in batches, in the order in which they were received.

    Args:
        late_days: an event that is received longer after it happened is rejected.

    Raises:
        OSError: the file cannot be read.
    """
    late_ms = late_days * DAY_MS
    for batch in _decoded(path, Event, NOT_READ[EVENTS], reading):
        kept = []
        for event in batch:
            reason = _wrong_with(event, late_ms)
            if reason is None:
                kept.append(event)
            else:
                reading.rejected[reason] += 1
        reading.read += len(kept)
        yield kept


def _decoded(path: Path, kind: type[Record], reason: str, reading: Reading) -> Iterator[list[Record]]:
    many = msgspec.json.Decoder(list[kind]).decode  # type: ignore[valid-type]
    one = msgspec.json.Decoder(kind).decode
    segment = SegmentReader(path)
    payloads = iter(segment)
    while batch := list(islice(payloads, BATCH)):
        yield _batch(batch, many, one, reason, reading)
    if segment.torn is not None:
        reading.rejected[TORN] += 1
        reading.bytes_left = segment.torn.bytes_left


def _batch(
    payloads: list[bytes],
    many: Callable[[bytes], list[Record]],
    one: Callable[[bytes], Record],
    reason: str,
    reading: Reading,
) -> list[Record]:
    """The records of the payloads: in one call, or one by one if some payload is none."""
    try:
        found = many(b"[" + b",".join(payloads) + b"]")
        if len(found) == len(payloads):  # a payload such as `1,2` would shift the others
            return found
    except (ValueError, RecursionError):  # msgspec's errors and those of its Unicode are ValueErrors
        pass
    found = []
    for payload in payloads:
        try:
            found.append(one(payload))
        except (ValueError, RecursionError):
            reading.rejected[reason] += 1
    return found


def _wrong_with(event: Event, late_ms: float) -> str | None:
    time, received = event.time, event.received
    if time < EARLIEST:
        return EARLY
    if received:
        if time > received + AHEAD_MS:
            return AHEAD
        if received - time > late_ms:
            return LATE
    missing = lacking(event)
    if missing is not None:
        what = event.kind if event.kind in (PURCHASE, RETURN) else "event"
        return f"{what} without {missing}"
    return None


def _sound_exposure(exposure: Exposure, reading: Reading) -> Exposure | None:
    """The exposure without slots that are none; None if it is unusable as a whole."""
    reason = None
    if not EARLIEST <= exposure.time <= LATEST:
        reason = EARLY if exposure.time < EARLIEST else AHEAD
    elif not 0 < len(exposure.recommendation_id) <= LONGEST:
        reason = "exposure without recommendation_id" if not exposure.recommendation_id else LONG_KEY
    elif any(key is not None and len(key) > LONGEST for key in _keys(exposure)):
        reason = LONG_KEY
    elif len(exposure.slots) > MOST_SLOTS:
        reason = TOO_MANY
    if reason is not None:
        reading.rejected[reason] += 1
        return None
    seen: set[str] = set()
    slots = []
    for slot in exposure.slots:
        if not slot.item or len(slot.item) > LONGEST or not 1 <= slot.position <= MOST_SLOTS:
            reading.cleared[NO_ITEM] += 1
        elif slot.item in seen:
            reading.cleared[TWICE] += 1
        else:
            chance = slot.propensity
            if chance is not None and not (0 < chance <= 1 and math.isfinite(chance)):
                reading.cleared[BAD_PROPENSITY] += 1
                slot = msgspec.structs.replace(slot, propensity=None)
            slots.append(slot)
            seen.add(slot.item)
    intent: Any = exposure.intent
    if intent is not None and not 0 <= intent <= 1:
        reading.cleared["an intent that is no probability"] += 1
        intent = None
    if len(slots) == len(exposure.slots) and intent is exposure.intent and slots == exposure.slots:
        return exposure
    return msgspec.structs.replace(exposure, slots=slots, intent=intent)


def _keys(exposure: Exposure) -> tuple[str | None, ...]:
    return (
        exposure.shopper, exposure.session, exposure.placement, exposure.segment, exposure.experiment, exposure.arm,
        exposure.policy, exposure.model, exposure.mode, exposure.tier, exposure.reason,
    )  # fmt: skip
