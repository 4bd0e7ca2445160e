"""Attribute similarity of items to a session: end points of random walks session -> item -> token -> item.

A walk starts at an item of the session, chosen with recency weights, moves to one of its tokens, chosen with idf
weights, and from there uniformly to an item that carries the token. So the few items that share a rare token get a
large share each, and the many that share a common one get next to nothing. Interactions play no part: session kNN has
no evidence about a new item and little about a rare one, attribute similarity has. :mod:`tillside.recommenders.blend`
adds both.

Shapes: N items of the catalogue, R of them rankable, P item-token entries of the catalogue, T attribute tokens,
F listed items, Q item-token entries of those (postings), L events of the session, M item-token entries of its items,
U distinct tokens of those, E postings of these tokens, C candidate items.
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
"""Walks start at the latest events of the session, this many."""
CROWD: Final = 500
"""Tokens that more items carry are closed to walks: each item would get next to nothing."""


@dataclass(frozen=True)
class Likeness:
    """Inverted index from attribute tokens to items, with walk probabilities.

    Attributes:
        share_P: per token of each catalogue item, the probability that a walk from the item ends via this token at any
            given one of its carriers: idf of the token, normalised over the item's tokens, over the number of carriers.
            The idf is log(R / carriers).
        open_T: mask of the tokens that walks may take, see CROWD.
        items_F: the listed items, ascending: catalogue indices, or numbers from N up for newcomers.
        bounds_T: start of each token's postings, and the end [T + 1].
        places_Q: postings: positions in ``items_F`` of the items that carry each token.
    """

    catalogue: Catalogue
    share_P: Floats
    open_T: npt.NDArray[np.bool_]
    items_F: npt.NDArray[np.int64]
    bounds_T: Ints
    places_Q: Ints

    @classmethod
    def of(cls, catalogue: Catalogue) -> "Likeness":
        """Index of all rankable items."""
        assert catalogue.token_offsets is not None
        ids_P, sizes_N = np.asarray(catalogue.token_ids), np.diff(catalogue.token_offsets)
        ranked_Q = ids_P[: int(catalogue.token_offsets[catalogue.rankable])]
        carriers_T = np.bincount(ranked_Q, minlength=len(catalogue.vocabulary))
        carriers_T[carriers_T == 0] = catalogue.rankable  # no carriers: idf 0, like a token that all items carry
        rarity_P = np.log(catalogue.rankable / carriers_T)[ids_P]
        items_P = np.repeat(np.arange(len(sizes_N)), sizes_N)
        sums_N = np.bincount(items_P, rarity_P, minlength=len(sizes_N))
        share_P = rarity_P / np.where(sums_N > 0, sums_N, 1.0)[items_P] / carriers_T[ids_P]
        open_T = carriers_T <= min(CROWD, catalogue.rankable - 1)
        items_R, sizes_R = np.arange(catalogue.rankable), sizes_N[: catalogue.rankable]
        return cls(catalogue, share_P, open_T, items_R, *_postings(ranked_Q, sizes_R, open_T))

    def newcomers(self, items_F: npt.NDArray[np.int64], tokens_F: Sequence[Sequence[str]]) -> "Likeness":
        """Index of items added after the catalogue was written, in place of its own; unknown tokens are ignored."""
        known = self.catalogue.token_index
        own = [[known[token] for token in tokens if token in known] for tokens in tokens_F]
        ids_Q = np.array([token for tokens in own for token in tokens], np.int64)
        sizes_F = np.array([len(tokens) for tokens in own], np.int64)
        bounds_T, places_Q = _postings(ids_Q, sizes_F, self.open_T)
        return replace(self, items_F=items_F, bounds_T=bounds_T, places_Q=places_Q)

    def shares(self, items_L: Ints, *, decay: float) -> tuple[npt.NDArray[np.int64], Floats]:
        """Listed items [C], ascending, and the share [C] of walks that end at each; the shares sum to at most 1.

        A newcomer gets the share that a catalogue item with its tokens would get.

        Args:
            items_L: the session as catalogue indices, oldest first, at least one.
            decay: in events; the weight of a start is exp(-events back / decay).
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
    """Postings of the open tokens: ``bounds_T`` and ``places_Q`` of :class:`Likeness`."""
    places_Q = np.repeat(np.arange(len(sizes_F), dtype=np.int32), sizes_F)
    told = np.flatnonzero(open_T[ids_Q])
    told = told[np.argsort(ids_Q[told], kind="stable")]
    return np.searchsorted(ids_Q[told], np.arange(len(open_T) + 1)), places_Q[told]
