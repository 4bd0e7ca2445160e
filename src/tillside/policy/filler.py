"""Filler: popular items that the hard rules allow, for slots that no candidate fills."""

from typing import Final

import numpy as np

from tillside.policy.items.shelves import Shelves
from tillside.policy.rules import Rulebook

PATIENT_WALK: Final = 1024
"""Items searched for filler that keeps the soft rules; past them any filler that the hard rules allow is taken."""


def filler(count: int, taken: set[int], rulebook: Rulebook, shelves: Shelves) -> list[int]:
    """Most popular items that may be shown, those that keep the soft rules first if found within PATIENT_WALK."""
    if rulebook.standing.hidden >= 0:
        return []
    by_level: dict[int, list[int]] = {}
    walked = 0
    for chunk in shelves.walk(rulebook.standing.only, rulebook.among):
        ascending = np.sort(chunk)
        verdicts, soft = rulebook.judged(ascending)
        allowed = (verdicts < 0).nonzero()[0]
        levels = dict(zip(ascending[allowed].tolist(), soft[allowed].tolist(), strict=True))
        for item in chunk.tolist():
            if item in levels and item not in taken:
                by_level.setdefault(levels[item], []).append(item)
        if rulebook.variants is not None:
            by_level = {level: rulebook.variants.apart(items, taken) for level, items in by_level.items()}
        walked += len(chunk)
        if len(by_level.get(0, ())) >= count or (walked >= PATIENT_WALK and sum(map(len, by_level.values())) >= count):
            break
    found = [item for level in sorted(by_level) for item in by_level[level]]
    return (found if rulebook.variants is None else rulebook.variants.apart(found, taken))[:count]
