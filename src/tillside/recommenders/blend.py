"""Blend of the model's score with session-kNN votes, attribute similarity and a bonus for items already in the session.

``score + weight * log(1 + votes / floor) + repeats[distance]``: the first bonus multiplies the model's odds of an item
by a power of ``1 + votes / floor``; the second is for items of the session itself, by how many events ago they were
last seen, because shoppers go back and forth. An item's votes are its share of the session-kNN evidence plus its share
of attribute similarity to the session times a factor; items that occur in no past session have a factor of their own,
since similarity is their only evidence. Both bonuses are zero for most of the catalogue, so blending all of it offline
and a few hundred items in the server give the same list.

Shapes: N items, R of them rankable, C candidates, E items with attribute similarity, F items added after the catalogue
was written, K items of the model's list, L events of the session, H events of the shopper's earlier sessions,
U distinct items, D columns of an item row.
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
from tillside.encoding.batch import NOTHING
from tillside.ragged import summed
from tillside.recommenders.attribute_walks import Likeness
from tillside.recommenders.session_knn import Neighbourhood, SessionNeighbours
from tillside.search import inner_products

FloatArray = npt.NDArray[np.float32]
IntArray = npt.NDArray[np.int64]
LIMIT: Final = 1e6
MOST_ALIKE: Final = 200
"""Attribute similarity votes only for its top items, this many of them."""
NOBODY: Final = (np.zeros(0, np.int64), np.zeros(0, np.float32))


@dataclass(frozen=True)
class Blend:
    """Weights of the bonuses, fitted on the validation part.

    Attributes:
        weights: weight of the votes, one per target behaviour; 0 disables them.
        floor: scale of the votes; far below it they add next to nothing.
        repeats: one row per target behaviour: the bonus of the session's latest item, of the one before it, and so on;
            the last entry covers all earlier ones.
        earlier: one coefficient per target behaviour: an item of the shopper's earlier sessions that is not in this one
            gets ``earlier * log(1 + events)``, events being how often those sessions hold it. Empty: no such bonus.
        alike: factors of the attribute-similarity shares against the session-kNN shares (each sums to at most 1): for
            items that occur in past sessions, and for those that do not.
    """

    weights: tuple[float, ...]
    floor: float
    repeats: tuple[tuple[float, ...], ...]
    alike: tuple[float, float] = (0.0, 0.0)
    earlier: tuple[float, ...] = ()

    @classmethod
    def from_document(cls, document: Mapping[str, Any], *, behaviours: int) -> "Blend":
        """Parse what ``asdict`` wrote.

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
    """The blend of past sessions (session kNN) with the model, and attribute similarity.

    Attributes:
        likeness: attribute similarity over all rankable items; None if the catalogue has no attributes.
        new_R: mask of the cold items that occur in no past session; None likewise.
    """

    neighbours: SessionNeighbours
    blend: Blend
    likeness: Likeness | None = None
    new_R: npt.NDArray[np.bool_] | None = None

    @classmethod
    def of(cls, neighbours: SessionNeighbours, blend: Blend, catalogue: Catalogue | None) -> "SessionMemory":
        """Add attribute similarity over ``catalogue``, if it has attributes."""
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
        """Index ``sessions`` with the settings and the blend of a :meth:`document`.

        Args:
            items: N.
            catalogue: source of the attributes, for attribute similarity.
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
        """Memory-map the arrays that :meth:`SessionNeighbours.save` wrote.

        Raises:
            ValueError: a file or setting is missing, or the arrays do not fit together.
        """
        blend = Blend.from_document(document["blend"], behaviours=behaviours)
        index = SessionNeighbours.load(folder, document["neighbourhood"], items=items)
        return cls.of(index, blend, catalogue)

    def document(self) -> dict[str, Any]:
        """Settings and blend as JSON types, without the arrays."""
        return {"neighbourhood": asdict(self.neighbours.settings), "blend": asdict(self.blend)}

    def bonus(self, items_L: IntArray, ask: int, past_H: IntArray = NOTHING) -> tuple[IntArray, FloatArray]:
        """Candidates [C], ascending, and the bonus [C] added to the model's score of each.

        They include every item of the session, and of earlier sessions where those count, so no negative bonus is
        missed.

        Args:
            items_L: the session, oldest first; may be empty if ``past_H`` is not.
            ask: index of the target behaviour.
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
        """Items of earlier sessions that are not in the session [U], ascending, and ``log(1 + events)`` of each."""
        past_U, counts_U = np.unique(past_H, return_counts=True)
        fresh_U = ~np.isin(past_U, items_L)
        return past_U[fresh_U], np.log1p(counts_U[fresh_U]).astype(np.float32)

    def pull(self, ask: int) -> float:
        """Coefficient of the earlier-session bonus for a target behaviour; 0 if there is none."""
        return self.blend.earlier[ask] if self.blend.earlier else 0.0

    def sinking(self, items_L: IntArray, past_H: IntArray, ask: int) -> int:
        """Upper bound on how many of the model's top items get a negative bonus, to be searched beyond k."""
        return len(items_L) + (len(past_H) if self.pull(ask) < 0 else 0)

    def votes(self, items_L: IntArray) -> tuple[IntArray, FloatArray]:
        """Items with session-kNN or attribute-similarity votes [C], ascending, and the votes of each."""
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
        """Bonus added to the model's score of each newcomer, float32 [F]; none of them may be in the session."""
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
    """Top ``most`` items by votes, sorted by index."""
    if len(items_C) <= most:
        return items_C, votes_C
    kept = np.sort(np.argpartition(-votes_C, most)[:most])
    return items_C[kept], votes_C[kept]


def _added(
    items_C: IntArray, votes_C: FloatArray, items_E: IntArray, votes_E: FloatArray, *, below: int
) -> tuple[IntArray, FloatArray]:
    """Sum of two sparse vote vectors, items ascending; every item index is less than ``below``."""
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
    """Blended top-k: scores and items [k], best first, ties in catalogue order.

    Args:
        scores_K, items_K: the model's top items: at least k plus the number of candidates with a negative bonus.
            Scores come from ``tillside.search``, so an item has the same score whichever list it comes from.
        items_C, bonus_C: candidates, ascending, and the bonus of each.
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
    """Top-k scores and items [k] of one session; the server and the offline evaluator both call this.

    Args:
        search: maps a count to that many of the model's top items: scores and items, best first.
        memory: the blend of past sessions; None for the model alone.
        session_L: the session itself, oldest first.
        past_H: items of the shopper's earlier sessions.
        ask: index of the target behaviour.
    """
    if memory is None or not (len(session_L) or len(past_H)):
        return search(min(k, len(items_ND)))
    scores_K, items_K = search(min(k + memory.sinking(session_L, past_H, ask), len(items_ND)))
    items_C, bonus_C = memory.bonus(session_L, ask, past_H)
    if not len(items_C):
        return scores_K, items_K
    return blended_top(scores_K, items_K, query_D=query_D, items_ND=items_ND, items_C=items_C, bonus_C=bonus_C, k=k)
