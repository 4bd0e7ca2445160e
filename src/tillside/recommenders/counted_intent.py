"""Purchase intent of a session of which no item is known: told from what was done in it, whatever the items.

The encoder reads item vectors, so of such a session it can tell nothing. How long it is and what was looked at, carted
and bought is known all the same.

Shapes: B sessions, C behaviours, F features, S lengths of short sessions.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

SHORT: Final = 3
"""Sessions of so many events and fewer have an intent level of their own for each length."""
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class CountedIntent:
    """Logistic regression on what can be counted of a session.

    Attributes:
        weights_F: of the features of :func:`counted_features`.
    """

    weights_F: tuple[float, ...]

    def at(self, counts_BC: npt.NDArray[np.int64], latest_B: npt.NDArray[np.int64]) -> Floats:
        """Probability [B] that each session still reaches its goal; NaN for a session without any event.

        Args:
            counts_BC, latest_B: of :meth:`tillside.encoding.batch.Batch.counted`.
        """
        logits_B = counted_features(counts_BC, latest_B) @ np.array(self.weights_F, np.float64)
        return np.where(latest_B < 0, np.nan, np.exp(-np.logaddexp(0.0, -logits_B)))

    def document(self) -> dict[str, Any]:
        """The weights as JSON types."""
        return {"weights": list(self.weights_F)}

    @classmethod
    def from_document(cls, document: Mapping[str, Any], *, behaviours: int) -> "CountedIntent":
        """The inverse of :meth:`document`.

        Raises:
            ValueError: there are not as many weights as features, or one is not finite.
        """
        weights = tuple(float(weight) for weight in document["weights"])
        expected = count_features(behaviours)
        if len(weights) != expected or not np.isfinite(weights).all():
            raise ValueError(f"there must be {expected} finite weights for {behaviours} behaviours, got {weights}")
        return cls(weights)


def count_features(behaviours: int) -> int:
    """Number of features of :func:`counted_features`."""
    return 2 + 3 * behaviours + SHORT


def counted_features(counts_BC: npt.NDArray[np.int64], latest_B: npt.NDArray[np.int64]) -> Floats:
    """What can be counted of a session [B, F]: a one; which behaviour its latest event has, how often it has each, and
    whether at all; whether it is of one, two or three events, and how many. The encoder's graph counts the same.

    Args:
        counts_BC, latest_B: of :meth:`tillside.encoding.batch.Batch.counted`.
    """
    latest_BC = latest_B[:, None] == np.arange(counts_BC.shape[1])
    length_B1 = counts_BC.sum(axis=1, keepdims=True)
    short_BS = length_B1 == np.arange(1, SHORT + 1)
    parts = (np.ones_like(length_B1), latest_BC, np.log1p(counts_BC), counts_BC > 0, short_BS, np.log1p(length_B1))
    return np.concatenate([part.astype(np.float64) for part in parts], axis=1)
