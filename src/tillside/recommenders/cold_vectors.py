"""Vectors of items added after training, built from attribute tokens exactly as training builds those of cold items.

A bundle carries the learned vector of every token. A row of zeros marks a token that fewer than two items of the
training part carry: nothing was learned about it, and it is ignored here.

Shapes: T attribute tokens, A newcomers (items added after training), D dimensions, E = D + 1 columns of a served row.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from tillside.catalogue import Catalogue

FloatArray = npt.NDArray[np.float32]


@dataclass(frozen=True)
class TokenVectors:
    """Learned token vectors [T, D] of a catalogue's vocabulary; only the item rows made of them are normalised."""

    vectors_TD: FloatArray
    catalogue: Catalogue

    def rows(
        self, tokens_A: Sequence[Sequence[str]], prices_A: npt.NDArray[np.floating]
    ) -> tuple[npt.NDArray[np.int64], FloatArray]:
        """Indices of the rankable newcomers, and their served rows [rankable, E]: a unit vector, then a trend of 0.

        A newcomer that shares at most its price band with the catalogue cannot be ranked.

        Args:
            tokens_A: attribute tokens, without price bands.
            prices_A: prices; NaN if unknown.
        """
        rankable: list[int] = []
        rows: list[FloatArray] = []
        for newcomer, (tokens, price) in enumerate(zip(tokens_A, prices_A.tolist(), strict=True)):
            known = [number for token in tokens if (number := self._learned.get(token)) is not None]
            if not known:
                continue
            own = self._learned.get(self.catalogue.price_band(price) or "")
            mean_D = self.vectors_TD[known if own is None else [*known, own]].mean(axis=0)
            length = float(np.linalg.norm(mean_D))
            if length > 0:
                rankable.append(newcomer)
                rows.append(mean_D / np.float32(length))
        rows_AD = np.stack(rows) if rows else np.zeros((0, self.vectors_TD.shape[1]), np.float32)
        return np.array(rankable, np.int64), np.pad(rows_AD, ((0, 0), (0, 1))).astype(np.float32)

    def fault(self, *, dim: int) -> str | None:
        """Message about what is wrong with the array; None if it is valid."""
        shape = (len(self.catalogue.vocabulary), dim)
        if self.vectors_TD.shape != shape or self.vectors_TD.dtype != np.float32:
            found = f"{self.vectors_TD.dtype} {list(self.vectors_TD.shape)}"
            return f"it must be float32 {list(shape)}, one row for each token of the vocabulary, got {found}"
        return None if np.isfinite(self.vectors_TD).all() else "it holds values that are not finite"

    @cached_property
    def _learned(self) -> dict[str, int]:
        learned = np.any(self.vectors_TD != 0, axis=1)
        return {token: number for token, number in self.catalogue.token_index.items() if learned[number]}
