"""Synthetic sessions for speed measurements: any number of items, drawn from a power law; there is nothing to learn.

Shapes: N items, B behaviours.
"""

from pathlib import Path

import numpy as np

from tillside.atomic import atomic_directory
from tillside.catalogue import Catalogue
from tillside.dataset import Part, Sessions, write_dataset
from tillside.events import Behaviours

SESSIONS = 220_000
"""About 1.2 million events: a log of a day or two, with the batch size that large logs get."""
MEAN_LENGTH = 5.5
EXPONENT = 0.9
"""Of the power law: the n-th most popular item is drawn with probability proportional to n ** -EXPONENT."""
DAY_MS = 86_400_000


def write_sessions(path: Path, *, items: int, sessions: int = SESSIONS, seed: int = 0) -> None:
    """Write a prepared data set of clicks; validation and test are the last two hundredths of the sessions.

    Session lengths are 1 + a geometric variable: at least two events, ``MEAN_LENGTH`` on average.
    """
    rng = np.random.default_rng([seed, items])
    lengths = 1 + rng.geometric(1 / (MEAN_LENGTH - 1), sessions)
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    events = int(offsets[-1])
    cumulative = np.cumsum(np.arange(1, items + 1) ** -EXPONENT)
    ranks = np.searchsorted(cumulative, rng.random(events) * cumulative[-1]).clip(max=items - 1)
    drawn = rng.permutation(items)[ranks].astype(np.int32)  # an item's index does not tell its popularity
    behaviours = np.zeros(events, np.uint8)
    starts = np.sort(rng.integers(0, DAY_MS, sessions))
    times = np.repeat(starts, lengths) + (np.arange(events) - np.repeat(offsets[:-1], lengths)) * 30_000
    ends = [0, int(sessions * 0.98), int(sessions * 0.99), sessions]
    parts: dict[Part, tuple[int, int]] = {
        "train": (ends[0], ends[1]),
        "validation": (ends[1], ends[2]),
        "test": (ends[2], ends[3]),
    }
    names = Behaviours()
    counts_NB = np.zeros((items, len(names)), np.int64)
    counts_NB[:, 0] = np.bincount(drawn[: offsets[ends[1]]], minlength=items)
    catalogue = Catalogue([f"p-{n:07d}" for n in range(items)], items, counts_NB, np.full(items, np.nan, np.float32))
    with atomic_directory(path) as folder:
        write_dataset(
            folder,
            sessions=Sessions(drawn, behaviours, times, offsets, {}),
            catalogue=catalogue,
            behaviours=names,
            parts=parts,
            test_cases="every",
            about={"name": f"synthetic-{items}", "config": {"repeats": "keep"}, "counts": {"items": items}},
        )
