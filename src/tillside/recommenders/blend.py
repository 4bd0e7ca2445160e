"""The model's score, the votes of past sessions and of likeness, and the pull of what the session already holds.

``score + weight * log(1 + votes / floor) + repeats[distance]``: the first bonus multiplies the model's odds of an item
by a power of how far its votes stand above a floor; the second one is for items of the session itself, by how many
events ago they were seen last, because shoppers go back and forth. An item's votes are its share of what similar past
sessions say, and its share of likeness to this session times a factor, which is another one for items that have no
past, for likeness is all that speaks for those. Both bonuses are zero for most of the catalogue, so blending the whole
of it offline and a few hundred items in the server give the same list.

Shapes: N items, R of them rankable, A behaviours, C candidates, F newcomers, K items of a list, L events of the
session, D dimensions.
"""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from tillside.catalogue import Catalogue
from tillside.dataset import Sessions
from tillside.encoding import NOTHING
from tillside.ragged import summed
from tillside.recommenders.attribute_walks import Likeness
from tillside.recommenders.session_knn import Neighbourhood, SessionNeighbours
from tillside.search import inner_products

FloatArray = npt.NDArray[np.float32]
IntArray = npt.NDArray[np.int64]
LIMIT: Final = 1e6
MOST_ALIKE: Final = 200
"""So many items, those for which likeness says most, get its votes."""
NOBODY: Final = (np.zeros(0, np.int64), np.zeros(0, np.float32))


@dataclass(frozen=True)
class Blend:
    """How much each bonus counts, learned on validation.

    Attributes:
        weights: of the votes, for each behaviour asked for; 0 leaves them out.
        floor: votes far below it say nothing.
        repeats: for each behaviour asked for, the bonus of the session's latest item, of the one before it, and so on;
            the last number is for all earlier ones.
        earlier: for each behaviour asked for, what an item gets that the shopper's earlier sessions hold and this one
            does not: so much times log(1 + how many events they have of it). Empty: nothing.
        alike: what all shares of likeness are worth beside all of what past sessions say: to items that have a past,
            and to those that have none.
    """

    weights: tuple[float, ...]
    floor: float
    repeats: tuple[tuple[float, ...], ...]
    alike: tuple[float, float] = (0.0, 0.0)
    earlier: tuple[float, ...] = ()

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
            alike = tuple(float(factor) for factor in document.get("alike", (0, 0)))  # bundles of 0.1 have none
            sound = sound and len(alike) == 2 and all(0 <= number < LIMIT for number in (*weights, *alike))
            earlier = tuple(float(pull) for pull in document.get("earlier", ()))  # nor those
            sound = sound and len(earlier) in (0, behaviours)
            sound = sound and all(abs(bonus) < LIMIT for row in (*repeats, earlier) for bonus in row)
        except (KeyError, TypeError, ValueError, OverflowError):
            sound = False
        if not sound:
            raise ValueError(
                f"blend must give {behaviours} weights of at least 0, a floor above 0, {behaviours} rows of repeats "
                f"and 2 factors of alike of at least 0, all below {LIMIT:g}, and {behaviours} numbers of earlier or "
                f"none, got {document}"
            )
        return cls(weights, floor, repeats, (alike[0], alike[1]), earlier)


@dataclass(frozen=True)
class SessionMemory:
    """Past sessions and how much they count beside the model.

    Attributes:
        likeness: of all items that can be ranked; None where no attributes are known.
        new_R: which of them have no past; None likewise.
    """

    neighbours: SessionNeighbours
    blend: Blend
    likeness: Likeness | None = None
    new_R: npt.NDArray[np.bool_] | None = None

    @classmethod
    def of(cls, neighbours: SessionNeighbours, blend: Blend, catalogue: Catalogue | None) -> "SessionMemory":
        """With the likeness of the catalogue's items; those that are cold and in no past session have no past."""
        if catalogue is None or not catalogue.vocabulary:
            return cls(neighbours, blend)
        new_R = np.diff(neighbours.posting_offsets) == 0
        new_R[: catalogue.trained] = False
        return cls(neighbours, blend, Likeness.of(catalogue), new_R)

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

    def bonus(self, items_L: IntArray, ask: int, past_H: IntArray = NOTHING) -> tuple[IntArray, FloatArray]:
        """Candidates [C], ascending, and what is added to the model's score of each.

        All items of the session, and of earlier ones where they count, are among them, so a bonus below zero is never
        missed.

        Args:
            items_L: the session, oldest first; may be empty where there are earlier ones.
            past_H: items of the shopper's earlier sessions.
        """
        seen_U, back_U = np.unique(items_L[::-1], return_index=True)
        items_C, votes_C = self.votes(items_L) if self.blend.weights[ask] and len(items_L) else NOBODY
        past_U, often_U = self.pulled(items_L, past_H) if self.pull(ask) else NOBODY
        below, own_U = len(self.neighbours.idf), np.union1d(seen_U, past_U) if len(past_U) else seen_U
        items_C, votes_C = _added(items_C, votes_C, own_U, np.zeros(len(own_U), np.float32), below=below)
        bonus_C = self._worth(votes_C, ask)
        if len(past_U):
            bonus_C[np.searchsorted(items_C, past_U)] += np.float32(self.pull(ask)) * often_U
        repeats = np.array(self.blend.repeats[ask], np.float32)
        bonus_C[np.searchsorted(items_C, seen_U)] += repeats[np.minimum(back_U, len(repeats) - 1)]
        return items_C, bonus_C

    @staticmethod
    def pulled(items_L: IntArray, past_H: IntArray) -> tuple[IntArray, FloatArray]:
        """Items of earlier sessions that the session does not hold, ascending, and log(1 + events) of each."""
        past_U, counts_U = np.unique(past_H, return_counts=True)
        fresh_U = ~np.isin(past_U, items_L)
        return past_U[fresh_U], np.log1p(counts_U[fresh_U]).astype(np.float32)

    def pull(self, ask: int) -> float:
        """What earlier sessions are worth."""
        return self.blend.earlier[ask] if self.blend.earlier else 0.0

    def sinking(self, items_L: IntArray, past_H: IntArray, ask: int) -> int:
        """At most so many of the model's best items may sink."""
        return len(items_L) + (len(past_H) if self.pull(ask) < 0 else 0)

    def votes(self, items_L: IntArray) -> tuple[IntArray, FloatArray]:
        """Items that past sessions or likeness speak for [C], ascending, and the votes of each."""
        items_C, votes_C = self.neighbours.evidence(items_L)
        if self.likeness is None or self.new_R is None or not self._likeness_counts:
            return items_C, votes_C
        items_E, shares_E = self._alike(self.likeness, items_L)
        past, none = np.array(self.blend.alike, np.float32)
        votes_E = shares_E * np.where(self.new_R[items_E], none, past)
        return _added(items_C, votes_C, *strongest(items_E, votes_E, MOST_ALIKE), below=len(self.new_R))

    @cached_property
    def _likeness_counts(self) -> bool:
        past, none = self.blend.alike
        return past > 0 or (none > 0 and self.new_R is not None and bool(self.new_R.any()))

    def bonus_of(self, newcomers: Likeness, items_L: IntArray, ask: int) -> FloatArray:
        """What is added to the model's score of each newcomer, float32 [F], if none is in the session."""
        votes_F = np.zeros(len(newcomers.items_F), np.float32)
        items_C, shares_C = self._alike(newcomers, items_L)
        votes_F[np.searchsorted(newcomers.items_F, items_C)] = shares_C * np.float32(self.blend.alike[1])
        return self._worth(votes_F, ask)

    def _alike(self, likeness: Likeness, items_L: IntArray) -> tuple[IntArray, FloatArray]:
        items_C, shares_C = likeness.shares(items_L, decay=self.neighbours.settings.item_decay)
        return items_C, shares_C.astype(np.float32)

    def _worth(self, votes_C: FloatArray, ask: int) -> FloatArray:
        worth_C: FloatArray = np.log1p(votes_C / np.float32(self.blend.floor)) * np.float32(self.blend.weights[ask])
        return worth_C


def strongest(items_C: IntArray, votes_C: FloatArray, most: int) -> tuple[IntArray, FloatArray]:
    """The so many items that have the most votes, ascending."""
    if len(items_C) <= most:
        return items_C, votes_C
    kept = np.sort(np.argpartition(-votes_C, most)[:most])
    return items_C[kept], votes_C[kept]


def _added(
    items_C: IntArray, votes_C: FloatArray, items_E: IntArray, votes_E: FloatArray, *, below: int
) -> tuple[IntArray, FloatArray]:
    """The votes of two sets of items in one, ascending; every item is ``below``."""
    both, given = np.concatenate([items_C, items_E]), np.concatenate([votes_C, votes_E])
    items, votes = summed(both, given, below=below)
    return items, votes.astype(np.float32)


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
    past_H: IntArray,
    ask: int,
    query_D: FloatArray,
    items_ND: FloatArray,
    k: int,
) -> tuple[FloatArray, IntArray]:
    """Scores and items [k] of one session's answer: what the server gives and what the evaluator judges.

    Args:
        search: the model's best so many items, scores and items, best first.
        session_L: the session itself, oldest first.
        past_H: items of the shopper's earlier sessions.
    """
    if memory is None:
        return search(min(k, len(items_ND)))
    scores_K, items_K = search(min(k + memory.sinking(session_L, past_H, ask), len(items_ND)))
    items_C, bonus_C = memory.bonus(session_L, ask, past_H)
    if not len(items_C):
        return scores_K, items_K
    return blended_top(scores_K, items_K, query_D=query_D, items_ND=items_ND, items_C=items_C, bonus_C=bonus_C, k=k)
