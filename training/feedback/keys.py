"""Join keys: 64-bit hashes of ids, the same on every machine and in every run, since staged files hold them.

Among a hundred million rows that meet in one join, two different ids share a key with a probability of 3 in 10,000.
Shapes: N rows.
"""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pandas.util import hash_array

Keys = npt.NDArray[np.uint64]
ODD: Final = np.uint64(0x9E3779B97F4A7C15)
MIX: Final = np.uint64(0xBF58476D1CE4E5B9)
SHIFT: Final = np.uint64(31)


def hashes(ids: Sequence[str | None]) -> tuple[Keys, npt.NDArray[np.bool_]]:
    """Hash of each id (N), and where there is none (N)."""
    given_N = np.array(ids, dtype=object)
    missing_N = given_N == None  # noqa: E711, by element
    given_N[missing_N] = ""
    return hash_array(given_N, categorize=False), missing_N


def key(*parts: tuple[Keys, npt.NDArray[np.bool_]]) -> pa.Array:
    """One key of several ids' hashes (N); null where an id is missing."""
    key_N, missing_N = parts[0]
    for other_N, absent_N in parts[1:]:
        mixed_N = (key_N * ODD) ^ (other_N + MIX)
        key_N = (mixed_N ^ (mixed_N >> SHIFT)) * MIX
        missing_N = missing_N | absent_N
    return _signed(key_N, missing_N)


def _signed(key_N: Keys, missing_N: Any) -> pa.Array:
    return pa.array(key_N.view(np.int64), mask=missing_N)
