"""One live session encoded: what the server reads.

It gives what :mod:`tillside.encoding.sessions` gives for one session, in plain Python: of so few events arrays cost
three times as much, in every answer.

Shapes: B = 1 row, L events of it.
"""

import itertools
from typing import Any

import numpy as np
import numpy.typing as npt

from tillside.encoding.batch import MOST_PAST, Batch
from tillside.encoding.spec import FIRST_OR_UNKNOWN, EncodingSpec, gap_bucket

IntArray = npt.NDArray[np.integer[Any]]


def encode_session(
    items: IntArray, behaviours: IntArray, times: IntArray, *, spec: EncodingSpec, known_items: int, earlier: int = 0
) -> Batch:
    """One live session as a batch of one row, as the server feeds it to the encoder.

    Args:
        earlier: how many of the events, the first ones, belong to the shopper's earlier sessions.
    """
    if earlier and not spec.history:
        items, behaviours, times, earlier = items[earlier:], behaviours[earlier:], times[earlier:], 0
    kept: list[tuple[int, int, int]] = []
    met: list[int] = []
    before = latest = None
    own = 0
    for place, event in enumerate(zip(items.tolist(), behaviours.tolist(), times.tolist(), strict=True)):
        what, known = event[:2], 0 <= event[0] < known_items
        if not spec.collapse_repeats or what != (latest if known else before):
            if known:
                kept.append(event)
                own += place < earlier
            if place >= earlier:
                met.append(event[1])
        before = what
        latest = what if known else latest
    start = max(0, own - spec.history, len(kept) - spec.max_length)
    row = kept[start:]
    of_before = max(0, own - start) if spec.history else 0
    gaps = [FIRST_OR_UNKNOWN, *(gap_bucket(a[2], b[2], spec) for a, b in itertools.pairwise(row))]
    gaps[:of_before] = [spec.earlier_bucket] * of_before
    return Batch(
        items_BL=np.array([[event[0] for event in row] or [0]], np.int64),
        behaviours_BL=np.array([[event[1] for event in row] or [0]], np.int64),
        gaps_BL=np.array([gaps], np.int64),
        lengths_B=np.array([len(row)]),
        own_B=np.array([min(len(kept) - own, len(row))]),
        past=[np.array([event[0] for event in kept[max(0, own - MOST_PAST) : own]], np.int64)] if earlier else (),
        met=[np.array(met, np.int64)] if spec.count_all else (),
    )
