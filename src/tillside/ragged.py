"""Ragged (CSR-like) arrays: flat indices of the entries of given rows, and sums by key.

Shapes: P entries.
"""

from typing import Any, Final

import numpy as np
import numpy.typing as npt

IntArray = npt.NDArray[np.integer[Any]]
SORTING: Final = 16
"""Cost of sorting one key, relative to scanning one slot of a dense table."""


def entries(bounds: IntArray, rows: IntArray) -> tuple[IntArray, IntArray]:
    """Flat indices of the entries of the given rows of a ragged (CSR-like) array, and each row's length."""
    starts = bounds[rows]
    sizes = bounds[rows + 1] - starts
    return np.arange(sizes.sum()) + np.repeat(starts - np.cumsum(sizes) + sizes, sizes), sizes


def summed(
    keys_P: IntArray, weights_P: npt.NDArray[np.float64], *, below: int
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
    """Distinct keys, ascending, and the sum of weights of each; keys are from 0 to ``below`` - 1.

    With many keys, filling and scanning a dense table of all possible keys is faster than sorting.
    """
    if len(keys_P) * SORTING < below:
        distinct, place_P = np.unique(keys_P, return_inverse=True)
        return distinct.astype(np.int64), np.bincount(place_P, weights=weights_P).astype(np.float64)
    met = np.zeros(below, np.bool_)
    met[keys_P] = True
    distinct = np.flatnonzero(met)
    return distinct, np.bincount(keys_P, weights=weights_P, minlength=below)[distinct].astype(np.float64)
