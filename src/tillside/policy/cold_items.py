"""Cold items: they came by feed, after training, and are ranked by their attributes alone.

Their rows are built from the learned vectors of their attribute tokens. In place of votes of past sessions, which they
have none of, the blend adds their attribute similarity to the session, at a weight of its own.

Shapes: N items known to the facts, W of them with a vector of the model, A cold items, D columns of a row, L events of
the session.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tillside.policy.items.facts import ItemFacts
from tillside.recommenders.attribute_walks import Likeness
from tillside.recommenders.blend import SessionMemory
from tillside.recommenders.cold_vectors import TokenVectors

Ints = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float32]


@dataclass(frozen=True)
class ColdItems:
    """The cold items of one state of the facts.

    Attributes:
        items_A: their numbers, ascending.
        rows_AD: their rows, as the model's own: a unit vector, then a trend of 0.
        memory: the blend of past sessions (session kNN); None without one.
        alike: the cold items by their attributes, for the blend; None without one.
    """

    items_A: Ints
    rows_AD: FloatArray
    memory: SessionMemory | None = None
    alike: Likeness | None = None

    @classmethod
    def of(
        cls, facts: ItemFacts, items_WD: FloatArray, *, tokens: TokenVectors | None, memory: SessionMemory | None
    ) -> "ColdItems":
        """Those of the items beyond the first W that share a learned token with the catalogue."""
        later = np.array(sorted(item for item in facts.tokens if item >= len(items_WD)), np.int64)
        if tokens is None or not len(later):
            return cls(later[:0], np.zeros((0, items_WD.shape[1]), np.float32))
        described = [facts.tokens_of(item) for item in later.tolist()]
        rankable, rows_AD = tokens.rows(described, facts.prices_N[later])
        items_A = later[rankable]
        return cls(items_A, rows_AD, memory, _likeness(facts, items_A, memory))

    def __len__(self) -> int:
        return len(self.items_A)

    def scores(self, query_D: FloatArray, session_L: Ints, ask: int) -> FloatArray:
        """Score of each cold item: model score plus attribute likeness to the session, float32 [A].

        Args:
            session_L: the session's items that have a vector, oldest first; may be empty.
            ask: index of the target behaviour.
        """
        scores_A: FloatArray = np.vecdot(self.rows_AD, query_D)
        if self.memory is None or self.alike is None or not len(session_L):
            return scores_A
        return scores_A + self.memory.bonus_of(self.alike, session_L, ask)


def _likeness(facts: ItemFacts, items_A: Ints, memory: SessionMemory | None) -> Likeness | None:
    known = None if memory is None else memory.likeness
    if known is None:
        return None
    described = []
    for item in items_A.tolist():
        band = known.catalogue.price_band(facts.prices_N.item(item))
        described.append([*facts.tokens_of(item), *([band] if band else [])])
    return known.newcomers(items_A, described)
