"""The model's score and the neighbours' evidence made one: ``score + weight * log(1 + share / floor)``.

In words: the evidence multiplies the model's odds of an item by a power of how far its share of the neighbours' votes
stands above a floor. It is never negative and zero for most of the catalogue, so the best k of the blend are among the
model's best k and the candidates: blending the whole catalogue offline and a few hundred items in the server give the
same list.

Shapes: N items, A behaviours, C candidates, K items of a list, D dimensions.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from tillside.dataset import Sessions
from tillside.neighbours import Neighbourhood, SessionNeighbours

FloatArray = npt.NDArray[np.float32]
IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Blend:
    """How much the evidence counts, learned on validation.

    Attributes:
        weights: of each behaviour asked for; 0 leaves the model alone.
        floor: shares far below it say nothing.
    """

    weights: tuple[float, ...]
    floor: float

    def bonus(self, share_C: FloatArray, ask: int) -> FloatArray:
        """What is added to the candidates' scores [C]."""
        bonus_C: FloatArray = np.log1p(share_C / np.float32(self.floor)) * np.float32(self.weights[ask])
        return bonus_C

    @classmethod
    def from_document(cls, document: Mapping[str, Any], *, behaviours: int) -> "Blend":
        """Read what ``asdict`` wrote.

        Raises:
            ValueError: a weight or the floor is missing or out of range.
        """
        try:
            weights, floor = tuple(float(weight) for weight in document["weights"]), float(document["floor"])
            sound = len(weights) == behaviours and all(0 <= weight < 1e6 for weight in weights) and 0 < floor < 1e6
        except (KeyError, TypeError, ValueError, OverflowError):
            sound = False
        if not sound:
            raise ValueError(f"blend must give {behaviours} weights of at least 0 and a floor above 0, got {document}")
        return cls(weights, floor)


@dataclass(frozen=True)
class SessionMemory:
    """Past sessions and how much they count beside the model."""

    neighbours: SessionNeighbours
    blend: Blend

    @classmethod
    def fit(cls, sessions: Sessions, *, items: int, document: Mapping[str, Any], behaviours: int) -> "SessionMemory":
        """Index sessions with the settings and the blend that :meth:`document` gave."""
        settings = Neighbourhood(**document["neighbourhood"])
        index = SessionNeighbours.fit(sessions, items=items, settings=settings)
        return cls(index, Blend.from_document(document["blend"], behaviours=behaviours))

    @classmethod
    def load(cls, folder: Path, document: Mapping[str, Any], *, items: int, behaviours: int) -> "SessionMemory":
        """Map the arrays that ``neighbours.save`` wrote.

        Raises:
            ValueError: something is missing or does not fit.
        """
        blend = Blend.from_document(document["blend"], behaviours=behaviours)
        return cls(SessionNeighbours.load(folder, document["neighbourhood"], items=items), blend)

    def document(self) -> dict[str, Any]:
        """Settings and blend, without the arrays."""
        return {"neighbourhood": asdict(self.neighbours.settings), "blend": asdict(self.blend)}

    def bonus(self, items_L: IntArray, ask: int) -> tuple[IntArray, FloatArray]:
        """Candidates [C], ascending, and what is added to the model's score of each; none where it has no weight.

        Args:
            items_L: the session, oldest first; at least one item.
        """
        if not self.blend.weights[ask]:
            return np.zeros(0, np.int64), np.zeros(0, np.float32)
        items_C, share_C = self.neighbours.evidence(items_L)
        return items_C, self.blend.bonus(share_C, ask)


def blended_top(
    scores_K: FloatArray,
    items_K: IntArray,
    *,
    query_D: FloatArray,
    items_ND: FloatArray,
    items_C: IntArray,
    bonus_C: FloatArray,
) -> tuple[FloatArray, IntArray]:
    """Scores and items [K] of the blend, best first, ties in catalogue order.

    Args:
        scores_K, items_K: the model's best items.
        items_C: candidates, ascending, and what is added to the score of each.
    """
    if not len(items_C):
        return scores_K, items_K
    candidate_C = items_ND[items_C] @ query_D + bonus_C
    place_K = np.minimum(np.searchsorted(items_C, items_K), len(items_C) - 1)
    only_model_K = items_C[place_K] != items_K
    items = np.concatenate([items_C, items_K[only_model_K]])
    scores = np.concatenate([candidate_C, scores_K[only_model_K]])
    best = np.lexsort((items, -scores))[: len(items_K)]
    return scores[best], items[best]
