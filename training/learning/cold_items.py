"""Tunes on validation the weight of likeness for cold items, by making some trained items cold.

Every tenth trained item that has attributes loses its own vector, its trend and its events in past sessions, so that
only what a cold item has is left of it. Of several factors on likeness, the one that ranks all validation cases best is
taken: too small a factor ranks cold items last, too large a one ranks them above what shoppers do want.

Shapes: R rankable items, V = R rows of the model's item matrix, D width, C cases.
"""

from dataclasses import replace
from typing import Final

import numpy as np
import numpy.typing as npt
import torch

from tillside.dataset import Sessions
from tillside.recommenders import SessionNeighbours
from tillside.recommenders.blend import SessionMemory
from training.cli.progress import progress
from training.evaluation.ranking import quality, rank
from training.evaluation.remembered import remembered
from training.evaluation.scorers import Among, ModelScorer, Scorer
from training.inputs.cases import Cases
from training.learning.blend import LEVEL, answerable, spread
from training.model.next_item import NextItemModel

EVERY: Final = 10
CASES: Final = 4_000
FACTORS: Final = (0.3, 1.0, 2.0, 3.0, 4.0, 6.0, 8.0, 12.0, 16.0, 24.0, 32.0)


def learn_cold_factor(
    model: NextItemModel,
    memory: SessionMemory,
    sessions: Sessions,
    cases: Cases,
    *,
    fallback: Scorer,
    absent_R: npt.NDArray[np.bool_],
) -> SessionMemory:
    """``memory`` with the factor on cold items' likeness that ranks validation cases best; 0 where none does better.

    Among factors within half a percent of the best the largest is taken, because an item that is never shown never
    gets a past.

    Args:
        sessions: the sessions that ``memory`` was built from.
        cases: of the validation part.
        absent_R: mask of items that the shop did not have during these sessions.
    """
    if memory.likeness is None or not any(memory.blend.weights):
        return memory
    assert memory.new_R is not None
    catalogue, items = memory.likeness.catalogue, len(memory.new_R)
    described = np.flatnonzero(np.diff(catalogue.token_offsets[: catalogue.trained + 1]))  # type: ignore[index]
    pretended = described[EVERY // 2 :: EVERY]
    if not len(pretended):
        return memory
    new_R = memory.new_R.copy()
    new_R[pretended] = True
    index = SessionNeighbours.fit(sessions, items=items, settings=memory.neighbours.settings, without=new_R)
    with torch.inference_mode():
        vectors_VD = model.items(torch.from_numpy(new_R).to(model.items.item.weight.device))
    chosen = cases.only(spread(answerable(cases, items), CASES))
    without = remembered(replace(memory, neighbours=index, new_R=new_R))

    def with_factor(factor: float, memory: SessionMemory = memory) -> SessionMemory:
        return replace(memory, blend=replace(memory.blend, alike=(memory.blend.alike[0], factor)))

    def reached(factor: float) -> float:
        blended = with_factor(factor, without)
        scorer = Among(ModelScorer(model, vectors_VD, fallback, blended), ~absent_R)
        return quality(rank(scorer, chosen, items=items, coverage=False).ranks_C)

    found: dict[float, float] = {}
    for factor in progress((0.0, *FACTORS), "weighing cold items"):
        found[factor] = reached(factor)
        if found[factor] < (1 - LEVEL) * max(found.values()):  # assumes a single maximum
            break
    pays = max(found.values()) > found[0.0]
    level = [factor for factor, each in found.items() if each >= (1 - LEVEL) * max(found.values())]
    return with_factor(max(level) if pays else 0.0)
