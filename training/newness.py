"""Learns on validation what likeness is worth to an item without a past, from items that are made to have none.

Every tenth trained item that has attributes loses its own vector, its trend and its events in past sessions, so all
that is left of it is what a new item has. Of several factors on likeness the one is taken that ranks all validation
cases best: too small a one leaves the new items last, too large a one puts them before what shoppers do want.
"""

from dataclasses import replace
from typing import Final

import numpy as np
import torch

from tillside.blending import SessionMemory
from tillside.catalogue import Catalogue
from tillside.dataset import Sessions
from tillside.likeness import NewItems
from tillside.neighbours import SessionNeighbours
from training.cases import Cases
from training.evaluation import ModelScorer, Scorer, rank
from training.memory import LEVEL, answerable, quality, spread
from training.model import NextItemModel

EVERY: Final = 10
CASES: Final = 4_000
LIKENESSES: Final = (0.01, 0.03, 0.1, 0.2, 0.3, 0.5, 1.0, 2.0)


def learn_likeness(
    model: NextItemModel,
    memory: SessionMemory,
    sessions: Sessions,
    cases: Cases,
    *,
    catalogue: Catalogue,
    fallback: Scorer,
) -> SessionMemory:
    """The memory with the likeness that ranks validation cases best; 0 where none does better than that.

    Of those that are level with the best, to half a percent, the largest is taken, for an item that is never shown
    never gets a past.

    Args:
        sessions: what the memory was made of.
        cases: of the validation part.
    """
    memory = SessionMemory.of(memory.neighbours, memory.blend, catalogue)
    described = np.flatnonzero(np.diff(catalogue.token_offsets[: catalogue.trained + 1]))  # type: ignore[index]
    pretended = described[EVERY // 2 :: EVERY]
    if memory.new is None or not len(pretended) or not any(memory.blend.weights):
        return memory
    items = catalogue.rankable
    new_R = np.zeros(items, np.bool_)
    new_R[pretended] = True
    settings = memory.neighbours.settings
    index = SessionNeighbours.fit(sessions, items=items, settings=settings, without=new_R)
    new = NewItems.of(catalogue, pretended)
    with torch.inference_mode():
        vectors_VD = model.items(torch.from_numpy(new_R).to(model.items.item.weight.device))
    chosen = cases.only(spread(answerable(cases, items), CASES))

    def reached(likeness: float) -> float:
        blended = SessionMemory(index, replace(memory.blend, likeness=likeness), new)
        scorer = ModelScorer(model, vectors_VD, fallback, blended)
        return quality(rank(scorer, chosen, items=items, coverage=False).ranks_C)

    found = {0.0: reached(0.0)}
    for likeness in LIKENESSES:
        found[likeness] = reached(likeness)
        if found[likeness] < (1 - LEVEL) * max(found.values()):  # one hill
            break
    pays = max(found.values()) > found[0.0]
    level = [likeness for likeness, each in found.items() if each >= (1 - LEVEL) * max(found.values())]
    best = max(level) if pays else 0.0
    return replace(memory, blend=replace(memory.blend, likeness=best))
