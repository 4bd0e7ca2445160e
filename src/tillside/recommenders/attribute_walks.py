"""How alike items are to a session by their attribute tokens: where walks from the session over tokens end.

A walk starts at one of the session's items, a later one more often, goes to one of that item's tokens, a rarer one more
often, and on to any of the items that carry the token. So where few share what is rare each gets much, where half the
catalogue is of one kind none does, and it makes no difference how many of them shoppers have met already: what
shoppers did in past sessions says nothing of an item that is new, and little of a rare one, and its likeness does.
:mod:`tillside.recommenders.blend` adds the two up.

Shapes: N items of the catalogue, P tokens of all of them, R of them rankable, F listed items, T attribute tokens, Q
postings, L events of the session, C candidate items.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from tillside.catalogue import Catalogue
from tillside.ragged import entries, summed

Ints = npt.NDArray[np.integer[Any]]
Floats = npt.NDArray[np.float64]
LATEST: Final = 10
"""Walks start at so many of the session's events."""
CROWD: Final = 500
"""No walk comes to an end over a token that more items carry: each of them would get next to nothing."""


@dataclass(frozen=True)
class Likeness:
    """Items by the tokens that walks come over.

    Attributes:
        share_P: for each token of each item of the catalogue, the share of the item's walks that end, over this token,
            at any one of those that carry it. A token is taken by the logarithm of how many times more rankable items
            there are than such as carry it.
        open_T: whether walks come to an end over a token.
        items_F: the items that are listed, ascending, by their number in the catalogue, or from its end on for
            newcomers.
        bounds_T: where each token's postings start, and the end [T + 1].
        places_Q: which of the F items carries the token.
    """

    catalogue: Catalogue
    share_P: Floats
    open_T: npt.NDArray[np.bool_]
    items_F: npt.NDArray[np.int64]
    bounds_T: Ints
    places_Q: Ints

    @classmethod
    def of(cls, catalogue: Catalogue) -> "Likeness":
        """All items that can be ranked."""
        assert catalogue.token_offsets is not None
        ids_P, sizes_N = np.asarray(catalogue.token_ids), np.diff(catalogue.token_offsets)
        ranked_Q = ids_P[: int(catalogue.token_offsets[catalogue.rankable])]
        carriers_T = np.bincount(ranked_Q, minlength=len(catalogue.vocabulary))
        carriers_T[carriers_T == 0] = catalogue.rankable  # leads nowhere and is never taken, as what all carry
        rarity_P = np.log(catalogue.rankable / carriers_T)[ids_P]
        items_P = np.repeat(np.arange(len(sizes_N)), sizes_N)
        sums_N = np.bincount(items_P, rarity_P, minlength=len(sizes_N))
        share_P = rarity_P / np.where(sums_N > 0, sums_N, 1.0)[items_P] / carriers_T[ids_P]
        open_T = carriers_T <= min(CROWD, catalogue.rankable - 1)
        items_R, sizes_R = np.arange(catalogue.rankable), sizes_N[: catalogue.rankable]
        return cls(catalogue, share_P, open_T, items_R, *_postings(ranked_Q, sizes_R, open_T))

    def newcomers(self, items_F: npt.NDArray[np.int64], tokens_F: Sequence[Sequence[str]]) -> "Likeness":
        """Items that came after the catalogue was written, in its place; tokens that it does not know say nothing."""
        known = self.catalogue.token_index
        own = [[known[token] for token in tokens if token in known] for tokens in tokens_F]
        ids_Q = np.array([token for tokens in own for token in tokens], np.int64)
        sizes_F = np.array([len(tokens) for tokens in own], np.int64)
        bounds_T, places_Q = _postings(ids_Q, sizes_F, self.open_T)
        return replace(self, items_F=items_F, bounds_T=bounds_T, places_Q=places_Q)

    def shares(self, items_L: Ints, *, decay: float) -> tuple[npt.NDArray[np.int64], Floats]:
        """Listed items [C], ascending, and the share [C] of all walks that end at each: their sum is at most 1.

        A newcomer's share is that of an item of the catalogue with its tokens.

        Args:
            items_L: the session, oldest first, at least one item of the catalogue.
            decay: e times fewer walks start at an event for each so many events back.
        """
        assert self.catalogue.token_offsets is not None
        items_L = items_L[-LATEST:]
        starting_L = np.exp(np.arange(len(items_L)) / -decay)[::-1]
        places_M, sizes_L = entries(self.catalogue.token_offsets, items_L)
        share_M = self.share_P[places_M] * np.repeat(starting_L / starting_L.sum(), sizes_L)
        tokens_U, share_U = summed(self.catalogue.token_ids[places_M], share_M, below=len(self.open_T))
        met_E, sizes_U = entries(self.bounds_T, tokens_U)
        places_C, shares_C = summed(self.places_Q[met_E], np.repeat(share_U, sizes_U), below=len(self.items_F))
        return self.items_F[places_C], shares_C


def _postings(ids_Q: Ints, sizes_F: Ints, open_T: npt.NDArray[np.bool_]) -> tuple[Ints, Ints]:
    """Which items carry each token that walks end over, one token after the other, and where each one's start."""
    places_Q = np.repeat(np.arange(len(sizes_F), dtype=np.int32), sizes_F)
    told = np.flatnonzero(open_T[ids_Q])
    told = told[np.argsort(ids_Q[told], kind="stable")]
    return np.searchsorted(ids_Q[told], np.arange(len(open_T) + 1)), places_Q[told]
