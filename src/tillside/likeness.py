"""Items without a past, and how alike they are to a session's items by their attribute tokens.

No past session votes for an item that no shopper has met yet, so beside items with a past it would come last however
well the model's vector of its attributes fits. What speaks for it instead is its likeness: the cosine of its tokens,
weighted by how rare they are, to those of the session's items. :mod:`tillside.blending` counts it as votes.

Shapes: N items of the catalogue, R of them rankable, T attribute tokens, F items without a past, L events of the
session, P postings.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from tillside.catalogue import Catalogue

Ints = npt.NDArray[np.integer[Any]]
FloatArray = npt.NDArray[np.float32]


@dataclass(frozen=True)
class NewItems:
    """Items without a past, by what each token says for them.

    Attributes:
        rarity_T: what a token weighs: the logarithm of how many times more rankable items there are than such as carry
            it; 0 for a token that none of them carries.
        items_F: their numbers in the catalogue, or from its end on for newcomers, ascending.
        bounds_T: where each token's postings start, and the end [T + 1].
        places_P: which of the F items carries the token.
        weights_P: the token's share of the item's row of unit length.
    """

    catalogue: Catalogue
    rarity_T: npt.NDArray[np.float64]
    items_F: npt.NDArray[np.int64]
    bounds_T: Ints
    places_P: Ints
    weights_P: npt.NDArray[np.float64]

    @classmethod
    def of(cls, catalogue: Catalogue, items_F: npt.NDArray[np.int64]) -> "NewItems":
        """Those items of the catalogue."""
        rarity_T = _rarity(catalogue)
        return cls._by_token(catalogue, rarity_T, items_F, *_tokens(catalogue, items_F))

    def newcomers(self, items_F: npt.NDArray[np.int64], tokens_F: Sequence[Sequence[str]]) -> "NewItems":
        """Items that came after the catalogue was written, in its place; tokens that it does not know say nothing."""
        known = self.catalogue.token_index
        own = [[known[token] for token in tokens if token in known] for tokens in tokens_F]
        ids = np.array([token for tokens in own for token in tokens], np.int64)
        sizes = np.array([len(tokens) for tokens in own], np.int64)
        return self._by_token(self.catalogue, self.rarity_T, items_F, ids, sizes)

    @classmethod
    def _by_token(
        cls,
        catalogue: Catalogue,
        rarity_T: npt.NDArray[np.float64],
        items_F: npt.NDArray[np.int64],
        ids_P: Ints,
        sizes_F: Ints,
    ) -> "NewItems":
        places_P = np.repeat(np.arange(len(items_F)), sizes_F)
        weights_P = _to_unit_length(rarity_T[ids_P], places_P, len(items_F))
        said = np.flatnonzero(weights_P)
        said = said[np.argsort(ids_P[said], kind="stable")]
        bounds_T = np.searchsorted(ids_P[said], np.arange(len(rarity_T) + 1))
        return cls(catalogue, rarity_T, items_F, bounds_T, places_P[said], weights_P[said])

    def alike(self, items_L: Ints, *, decay: float) -> FloatArray:
        """How alike each of the items is to the session [F]: from 0, nothing in common, to 1, the same tokens
        throughout.

        Args:
            items_L: the session, oldest first, at least one item of the catalogue.
            decay: an item of the session counts e times less for each so many events back.
        """
        weights_L = np.exp(np.arange(len(items_L)) / -decay)[::-1]
        ids_P, sizes_L = _tokens(self.catalogue, items_L)
        rows_P = np.repeat(np.arange(len(items_L)), sizes_L)
        unit_P = _to_unit_length(self.rarity_T[ids_P], rows_P, len(items_L))
        asked_U, place_P = np.unique(ids_P, return_inverse=True)
        asked_weights_U = np.bincount(place_P, unit_P * weights_L[rows_P] / weights_L.sum(), minlength=len(asked_U))
        met, sizes_U = _entries(self.bounds_T, asked_U)
        said_P = self.weights_P[met] * np.repeat(asked_weights_U, sizes_U)
        return np.bincount(self.places_P[met], said_P, minlength=len(self.items_F)).astype(np.float32)


def _rarity(catalogue: Catalogue) -> npt.NDArray[np.float64]:
    assert catalogue.token_offsets is not None
    rankable = catalogue.token_ids[: int(catalogue.token_offsets[catalogue.rankable])]
    counts_T = np.bincount(rankable, minlength=len(catalogue.vocabulary))
    return np.log(catalogue.rankable / np.where(counts_T, counts_T, catalogue.rankable))


def _tokens(catalogue: Catalogue, items: Ints) -> tuple[Ints, Ints]:
    """The tokens of some items, one item after the other, and how many each has."""
    assert catalogue.token_offsets is not None
    places, sizes = _entries(catalogue.token_offsets, items)
    return catalogue.token_ids[places], sizes


def _entries(bounds: Ints, rows: Ints) -> tuple[Ints, Ints]:
    """Where the entries of some rows of a ragged array stand, one row after the other, and how many each has."""
    starts = bounds[rows]
    sizes = bounds[rows + 1] - starts
    return np.arange(sizes.sum()) + np.repeat(starts - np.cumsum(sizes) + sizes, sizes), sizes


def _to_unit_length(weights_P: npt.NDArray[np.float64], rows_P: Ints, rows: int) -> npt.NDArray[np.float64]:
    squares = np.bincount(rows_P, weights_P**2, minlength=rows)
    unit_P: npt.NDArray[np.float64] = weights_P / np.sqrt(np.where(squares > 0, squares, 1.0))[rows_P]
    return unit_P
