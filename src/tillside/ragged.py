"""Rows of different lengths in flat arrays: where the entries of some rows stand, and what their values add up to.

Shapes: P entries.
"""

from typing import Any, Final

import numpy as np
import numpy.typing as npt

IntArray = npt.NDArray[np.integer[Any]]
SORTING: Final = 16
"""What it costs to sort a number, in units of what it costs to pass over a place of a table."""


def entries(bounds: IntArray, rows: IntArray) -> tuple[IntArray, IntArray]:
    """Where the entries of some rows of a ragged array stand, one row after the other, and how many each has."""
    starts = bounds[rows]
    sizes = bounds[rows + 1] - starts
    return np.arange(sizes.sum()) + np.repeat(starts - np.cumsum(sizes) + sizes, sizes), sizes


def summed(
    keys_P: IntArray, weights_P: npt.NDArray[np.float64], *, below: int
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
    """The distinct keys, ascending, and the sum of each one's weights; every key is ``below``.

    Where keys are many, a table of all that there may be is filled and read sooner than the keys are sorted.
    """
    if len(keys_P) * SORTING < below:
        distinct, place_P = np.unique(keys_P, return_inverse=True)
        return distinct.astype(np.int64), np.bincount(place_P, weights=weights_P).astype(np.float64)
    met = np.zeros(below, np.bool_)
    met[keys_P] = True
    distinct = np.flatnonzero(met)
    return distinct, np.bincount(keys_P, weights=weights_P, minlength=below)[distinct].astype(np.float64)
