"""The model's score, the neighbours' evidence and the pull of what the session already holds made one.

``score + weight * log(1 + share / floor) + repeats[distance]``: the first bonus multiplies the model's odds of an item
by a power of how far its share of the neighbours' votes stands above a floor; the second one is for items of the
session itself, by how many events ago they were seen last, because shoppers go back and forth. Both are zero for most
of the catalogue, so blending the whole of it offline and a few hundred items in the server give the same list. An item
without a past, for which no past session can vote, has the square of its likeness to the session as its share, times
a factor.

Shapes: N items, A behaviours, C candidates, F items without a past, K items of a list, L events of the session, D
dimensions.
"""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from tillside.catalogue import Catalogue
from tillside.dataset import Sessions
from tillside.likeness import NewItems
from tillside.neighbours import Neighbourhood, SessionNeighbours
from tillside.search import inner_products

FloatArray = npt.NDArray[np.float32]
IntArray = npt.NDArray[np.int64]
LIMIT: Final = 1e6
MOST_NEW: Final = 200
"""So many items without a past, those most like the session, get votes."""


NOTHING: Final = np.zeros(0, np.int64)
NO_SHARES: Final = np.zeros(0, np.float32)


@dataclass(frozen=True)
class Blend:
    """How much each bonus counts, learned on validation.

    Attributes:
        weights: of the evidence, for each behaviour asked for; 0 leaves it out.
        floor: shares far below it say nothing.
        repeats: for each behaviour asked for, the bonus of the session's latest item, of the one before it, and so on;
            the last number is for all earlier ones.
        likeness: share of the votes that an item without a past gets when all its attributes are the session's; 0
            leaves it to the model alone.
    """

    weights: tuple[float, ...]
    floor: float
    repeats: tuple[tuple[float, ...], ...]
    likeness: float = 0.0

    @classmethod
    def from_document(cls, document: Mapping[str, Any], *, behaviours: int) -> "Blend":
        """Read what ``asdict`` wrote.

        Raises:
            ValueError: a number is missing or out of range.
        """
        try:
            weights, floor = tuple(float(weight) for weight in document["weights"]), float(document["floor"])
            repeats = tuple(tuple(float(bonus) for bonus in row) for row in document["repeats"])
            sound = len(weights) == len(repeats) == behaviours and 0 < floor < LIMIT and all(repeats)
            likeness = float(document.get("likeness", 0.0))  # bundles of 0.1 have none
            sound = sound and all(0 <= number < LIMIT for number in (*weights, likeness))
            sound = sound and all(abs(bonus) < LIMIT for row in repeats for bonus in row)
        except (KeyError, TypeError, ValueError, OverflowError):
            sound = False
        if not sound:
            raise ValueError(
                f"blend must give {behaviours} weights of at least 0, a floor above 0, {behaviours} rows of repeats "
                f"and a likeness of at least 0, all below {LIMIT:g}, got {document}"
            )
        return cls(weights, floor, repeats, likeness)


@dataclass(frozen=True)
class SessionMemory:
    """Past sessions and how much they count beside the model.

    Attributes:
        new: the items without a past; None where no attributes are known.
    """

    neighbours: SessionNeighbours
    blend: Blend
    new: NewItems | None = None

    @classmethod
    def of(cls, neighbours: SessionNeighbours, blend: Blend, catalogue: Catalogue | None) -> "SessionMemory":
        """With the catalogue's cold items that no past session holds."""
        if catalogue is None or not catalogue.vocabulary:
            return cls(neighbours, blend)
        counts_N = np.diff(neighbours.posting_offsets)
        cold = np.arange(catalogue.trained, len(counts_N))
        return cls(neighbours, blend, NewItems.of(catalogue, cold[counts_N[cold] == 0]))

    @classmethod
    def fit(
        cls,
        sessions: Sessions,
        *,
        items: int,
        document: Mapping[str, Any],
        behaviours: int,
        catalogue: Catalogue | None = None,
    ) -> "SessionMemory":
        """Index sessions with the settings and the blend that :meth:`document` gave.

        Args:
            catalogue: whose cold items have attributes.
        """
        settings = Neighbourhood(**document["neighbourhood"])
        index = SessionNeighbours.fit(sessions, items=items, settings=settings)
        blend = Blend.from_document(document["blend"], behaviours=behaviours)
        return cls.of(index, blend, catalogue)

    @classmethod
    def load(
        cls,
        folder: Path,
        document: Mapping[str, Any],
        *,
        items: int,
        behaviours: int,
        catalogue: Catalogue | None = None,
    ) -> "SessionMemory":
        """Map the arrays that ``neighbours.save`` wrote.

        Raises:
            ValueError: something is missing or does not fit.
        """
        blend = Blend.from_document(document["blend"], behaviours=behaviours)
        index = SessionNeighbours.load(folder, document["neighbourhood"], items=items)
        return cls.of(index, blend, catalogue)

    def document(self) -> dict[str, Any]:
        """Settings and blend, without the arrays."""
        return {"neighbourhood": asdict(self.neighbours.settings), "blend": asdict(self.blend)}

    def bonus(self, items_L: IntArray, ask: int) -> tuple[IntArray, FloatArray]:
        """Candidates [C], ascending, and what is added to the model's score of each.

        All items of the session are among them, so a bonus below zero is never missed.

        Args:
            items_L: the session, oldest first; at least one item.
        """
        seen_U, back_U = np.unique(items_L[::-1], return_index=True)
        items_C, share_C = seen_U, np.zeros(len(seen_U), np.float32)
        if self.blend.weights[ask]:
            found_C, found_share_C = self.neighbours.evidence(items_L)
            new_C, new_share_C = self._new(items_L)
            items_C = np.unique(np.concatenate([found_C, new_C, seen_U]))
            share_C = np.zeros(len(items_C), np.float32)
            share_C[np.searchsorted(items_C, found_C)] = found_share_C
            share_C[np.searchsorted(items_C, new_C)] = new_share_C
        bonus_C = self._worth(share_C, ask)
        repeats = np.array(self.blend.repeats[ask], np.float32)
        bonus_C[np.searchsorted(items_C, seen_U)] += repeats[np.minimum(back_U, len(repeats) - 1)]
        return items_C, bonus_C

    def bonus_of(self, new: NewItems, items_L: IntArray, ask: int) -> FloatArray:
        """What is added to the model's score of each item of ``new``, float32 [F], if none is in the session."""
        return self._worth(self._votes(new, items_L), ask)

    def _new(self, items_L: IntArray) -> tuple[IntArray, FloatArray]:
        """Those of the items without a past that are most like the session, and their shares."""
        if self.new is None or not self.blend.likeness or not len(self.new.items_F):
            return NOTHING, NO_SHARES
        share_F = self._votes(self.new, items_L)
        if len(share_F) <= MOST_NEW:
            return self.new.items_F, share_F
        most = np.argpartition(-share_F, MOST_NEW)[:MOST_NEW]
        return self.new.items_F[most], share_F[most]

    def _votes(self, new: NewItems, items_L: IntArray) -> FloatArray:
        alike_F = new.alike(items_L, decay=self.neighbours.settings.item_decay)
        return alike_F * alike_F * np.float32(self.blend.likeness)

    def _worth(self, share_C: FloatArray, ask: int) -> FloatArray:
        worth_C: FloatArray = np.log1p(share_C / np.float32(self.blend.floor)) * np.float32(self.blend.weights[ask])
        return worth_C


def blended_top(
    scores_K: FloatArray,
    items_K: IntArray,
    *,
    query_D: FloatArray,
    items_ND: FloatArray,
    items_C: IntArray,
    bonus_C: FloatArray,
    k: int,
) -> tuple[FloatArray, IntArray]:
    """Scores and items [k] of the blend, best first, ties in catalogue order.

    Args:
        scores_K, items_K: the model's best items, at least k and as many more as candidates with a bonus below zero;
            their scores by ``tillside.search``, so that an item has one score wherever it comes from.
        items_C: candidates, ascending, and what is added to the score of each.
    """
    candidate_C = inner_products(items_ND, items_C, query_D) + bonus_C
    place_K = np.minimum(np.searchsorted(items_C, items_K), len(items_C) - 1)
    only_model_K = items_C[place_K] != items_K
    items = np.concatenate([items_C, items_K[only_model_K]])
    scores = np.concatenate([candidate_C, scores_K[only_model_K]])
    best = np.lexsort((items, -scores))[:k]
    return scores[best], items[best]


def best_items(
    search: Callable[[int], tuple[FloatArray, IntArray]],
    memory: SessionMemory | None,
    *,
    session_L: IntArray,
    ask: int,
    query_D: FloatArray,
    items_ND: FloatArray,
    k: int,
) -> tuple[FloatArray, IntArray]:
    """Scores and items [k] of one session's answer: what the server gives and what the evaluator judges.

    Args:
        search: the model's best so many items, scores and items, best first.
        session_L: at least one item, oldest first.
    """
    if memory is None:
        return search(min(k, len(items_ND)))
    scores_K, items_K = search(min(k + len(session_L), len(items_ND)))  # items seen may sink
    items_C, bonus_C = memory.bonus(session_L, ask)
    return blended_top(scores_K, items_K, query_D=query_D, items_ND=items_ND, items_C=items_C, bonus_C=bonus_C, k=k)
