"""Model candidates of a placement: how many items the model is asked for, among which, and what the policy gets.

The server and the offline evaluator both call :class:`Proposer`, so what is judged is what is served. The model
searches among the items that the standing hard rules allow, instead of being filtered afterwards; the rules of the
request alone (cart, exclusions, viewed items, price band) are left to the policy, for which more items are asked for
than are shown.

Canonical: a list ends at the score of the last item asked for, whatever else was found. Below it, items that nobody
searched may rank higher. So the ranks and the softmax over the list do not depend on who searched how deep.

Shapes: N items known to the facts, W of them with a vector of the model, A cold items, V eligible items, K items
searched, C candidates, L events of the session, H events of the shopper's earlier sessions, D columns of a row.
"""

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt

from tillside.policy.candidates import MOST_MODEL
from tillside.policy.cold_items import ColdItems
from tillside.policy.day_rules import Standing
from tillside.policy.items.facts import ItemFacts, ItemVectors
from tillside.policy.placing import PreparedPlacement
from tillside.policy.requests import ModelCandidates, Tier
from tillside.policy.rules import Rulebook
from tillside.recommenders.blend import SessionMemory, best_items
from tillside.recommenders.cold_vectors import TokenVectors
from tillside.search import searched

OVERSAMPLING: Final = 2
"""Oversampling factor: model candidates per item shown; the search yields some dozens more at no cost."""
NARROW_OVERSAMPLING: Final = 4
"""Further oversampling factor where the request forbids kinds, misfits or all outside a price band."""
MOST_LISTED: Final = 100
"""Candidates that a policy sees of each list of a fallback tier; it fills slots left open itself."""
ELIGIBLE_BYTES: Final = 1 << 26
"""Size limit of the cache of eligible item sets.

It is an LRU of its own beside ``items.cache.Cache``: that one is FIFO, so that a run of rare rule sets would evict the
common one, and it takes None for a miss, where here None says that all items are eligible.
"""

Ints = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float32]


def wanted_items(prepared: PreparedPlacement) -> int:
    """Number of candidates the policy may need: OVERSAMPLING per item shown, and one per single item forbidden."""
    rulebook = prepared.rulebook
    factor = OVERSAMPLING * NARROW_OVERSAMPLING if rulebook.narrows else OVERSAMPLING
    return factor * prepared.k + len(rulebook.blocked) + len(rulebook.viewed)


def eligible_items(rulebook: Rulebook, items: int) -> Ints | None:
    """Those of the first ``items`` that the standing rules allow, ascending [V]; None if all are allowed."""
    allowed_W = rulebook.verdicts_N[:items] < 0
    return None if allowed_W.all() else np.flatnonzero(allowed_W)


def listed(items_C: Ints, tier: Tier) -> ModelCandidates:
    """Candidates of a tier that has an order but no scores to compare, best first."""
    return ModelCandidates(items_C, np.arange(len(items_C), 0, -1, dtype=np.float32), tier)


@dataclass(frozen=True)
class Proposer:
    """Makes the model's candidates from its search results, for one model and one state of the facts.

    Attributes:
        items_WD: the model's item rows.
        memory: the blend of past sessions (session kNN); None without one.
        cold: items without a row of their own.
    """

    items_WD: FloatArray
    memory: SessionMemory | None
    cold: ColdItems
    _eligible: "OrderedDict[Standing, Ints | None]" = field(default_factory=OrderedDict, repr=False, compare=False)

    @classmethod
    def of(
        cls, facts: ItemFacts, items_WD: FloatArray, *, tokens: TokenVectors | None, memory: SessionMemory | None
    ) -> "Proposer":
        """Proposer for the facts; the facts passed to ``place`` must carry its :attr:`vectors`."""
        return cls(items_WD, memory, ColdItems.of(facts, items_WD, tokens=tokens, memory=memory))

    def recounted(self, facts: ItemFacts, items: npt.ArrayLike, *, tokens: TokenVectors | None) -> "Proposer":
        """Proposer for facts that differ from those of this one in numbers alone, and only those of some items.

        The price of a cold item is part of what it is like.
        """
        if np.isin(self.cold.items_A, items).any():
            return Proposer.of(facts, self.items_WD, tokens=tokens, memory=self.memory)
        return Proposer(self.items_WD, self.memory, self.cold)

    @property
    def vectors(self) -> ItemVectors:
        """Rows of the model's items and of the cold ones, for the facts."""
        return ItemVectors(self.items_WD, self.cold.items_A, self.cold.rows_AD)

    def eligible(self, rulebook: Rulebook) -> Ints | None:
        """:func:`eligible_items` of the model's items, cached: the same array for the same rules."""
        if rulebook.among is not None:
            return rulebook.among.allowed(rulebook.standing, rulebook.verdicts_N, items=len(self.items_WD))
        key, known = rulebook.standing, self._eligible
        if key in known:
            known.move_to_end(key)
            return known[key]
        found = known[key] = eligible_items(rulebook, len(self.items_WD))
        while len(known) > max(2, ELIGIBLE_BYTES // (8 * max(1, len(self.items_WD)))):
            known.popitem(last=False)
        return found

    def depth(self, prepared: PreparedPlacement, *, session_L: Ints, past_H: Ints, ask: int) -> int:
        """Number of the model's top eligible items to search for, if the model is a source of the placement.

        Beyond the :func:`wanted_items` as many as the blend may push down.

        Args:
            session_L: the session's items that have a vector, oldest first.
            past_H: likewise of the shopper's earlier sessions.
            ask: index of the target behaviour.
        """
        sinking = 0 if self.memory is None else self.memory.sinking(session_L, past_H, ask)
        return min(searched(wanted_items(prepared) + sinking), len(self.items_WD))

    def candidates(
        self,
        prepared: PreparedPlacement,
        scores_K: FloatArray,
        items_K: Ints,
        *,
        query_D: FloatArray,
        session_L: Ints,
        past_H: Ints,
        ask: int,
    ) -> ModelCandidates:
        """The model's top items, the blend of past sessions added, and the cold items that score as high, best first.

        Args:
            scores_K, items_K: the model's top eligible items, best first: :meth:`depth` of them, or all there are; more
                change nothing.
            query_D: the encoded session.
            session_L, past_H, ask: as in :meth:`depth`.
        """
        depth = self.depth(prepared, session_L=session_L, past_H=past_H, ask=ask)
        scores_K, items_K = scores_K[:depth], items_K[:depth]
        scores_C, items_C = best_items(
            lambda wanted: (scores_K[:wanted], items_K[:wanted]),
            self.memory,
            session_L=session_L,
            past_H=past_H,
            ask=ask,
            query_D=query_D,
            items_ND=self.items_WD,
            k=len(self.items_WD),
        )
        if len(items_K) == depth:  # below the cut-off score, unsearched items may rank higher
            sure = int(np.count_nonzero(scores_C >= scores_K[-1]))
            scores_C, items_C = scores_C[:sure], items_C[:sure]
        if len(self.cold):
            cold_A = self.cold.scores(query_D, session_L, ask)
            if len(items_C) < wanted_items(prepared) or len(items_C) == len(self.items_WD):
                better = np.arange(len(cold_A))
            else:
                better = np.flatnonzero(cold_A >= scores_C[-1])
            if len(better):
                items_C = np.concatenate([items_C, self.cold.items_A[better]])
                scores_C = np.concatenate([scores_C, cold_A[better]])
                order = np.lexsort((items_C, -scores_C))
                items_C, scores_C = items_C[order], scores_C[order]
        if len(items_C) > MOST_MODEL:  # the policy reads only that many; none should be an item that it must not show
            places = items_C.argsort()
            allowed = np.sort(places[prepared.rulebook.judged(items_C[places])[0] < 0])
            items_C, scores_C = items_C[allowed], scores_C[allowed]
        return ModelCandidates(items_C, scores_C)
