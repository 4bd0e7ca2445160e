"""What explains an item that the model chose: the item of the session whose vector is the most similar.

Shapes: N items that can be recommended, K items to explain, L items seen, D columns of an item row, E = D - 1 of
them without the trend.
"""

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]


class NearestItem:
    """Cosine similarity of item vectors.

    Args:
        items_ND: item rows; the last column, the trend, says nothing about likeness.
    """

    def __init__(self, items_ND: npt.NDArray[np.float32]) -> None:
        self._alike_NE = items_ND[:, :-1]
        norms_N = np.linalg.norm(self._alike_NE, axis=1)
        self._inverse_norms_N = 1.0 / np.maximum(norms_N, np.finfo(np.float32).tiny)

    def __len__(self) -> int:
        return len(self._alike_NE)

    def among(self, items_K: Ints, seen_L: Ints) -> Ints:
        """Seen item with the greatest cosine similarity to each item [K]; ties go to the latest."""
        latest_L = seen_L[::-1]
        unit_LE = self._alike_NE[latest_L] * self._inverse_norms_N[latest_L, None]
        nearest: Ints = latest_L[(self._alike_NE[items_K] @ unit_LE.T).argmax(axis=1)]
        return nearest
