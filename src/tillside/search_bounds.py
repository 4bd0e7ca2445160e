"""Error bounds of a scan's scores against those of :mod:`tillside.search`, on which its exactness proofs rest.

Shapes: B queries, N items, D columns, P blocks of columns.
"""

from collections.abc import Callable
from typing import Final

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float32]
Bound = Callable[[FloatArray], npt.NDArray[np.float64]]
"""Maps queries [B, D] to the maximum difference [B] of a proposed score from that of ``search.inner_products``."""

INT8_BLOCK: Final = 64
"""Columns per quantisation scale. Smaller blocks round less and are slower: 32 by a fifth, 16 by a factor of two."""
_UNIT: Final = 2.0**-24
"""Unit roundoff of fp32."""
_ROWS: Final = 65536
"""Rows per chunk, where a copy of the whole matrix would take too much memory."""


def largest_norm(rows_ND: FloatArray) -> float:
    """Largest Euclidean norm of a row."""
    parts = (rows_ND[start : start + _ROWS] for start in range(0, len(rows_ND), _ROWS))
    return max(float(_norms(part).max()) for part in parts)


def float_bound(items_ND: FloatArray) -> Bound:
    """Bound for fp32 inner products summed in any order: D roundings in the scan, D in ours (Higham 2002, 3.5)."""
    factor = 2 * (items_ND.shape[1] + 8) * _UNIT * largest_norm(items_ND)

    def bound(query_BD: FloatArray) -> npt.NDArray[np.float64]:
        errors_B: npt.NDArray[np.float64] = np.multiply(factor, _norms(query_BD), dtype=np.float64)
        return errors_B

    return bound


def int8_bound(items_ND: FloatArray, rounding: float) -> Bound:
    """Bound for int8 rows and queries: |qx - q'x'| <= |q| |x - x'| + |q - q'| |x'|, plus the fp32 bound.

    Quantisation moves a query element by at most 1/254 of the largest magnitude in its block. The last column (the
    trend) stays fp32.

    Args:
        rounding: largest Euclidean distance of a row, without its last column, from its int8 version.
    """
    by_float, longest = float_bound(items_ND), largest_norm(items_ND[:, :-1]) + rounding
    width = items_ND.shape[1] - 1
    starts = np.arange(0, width, INT8_BLOCK)
    steps_P = (np.sqrt(np.minimum(INT8_BLOCK, width - starts)) / 254).astype(np.float32)

    def bound(query_BD: FloatArray) -> npt.NDArray[np.float64]:
        main_BD = query_BD[:, :-1]
        peaks_BP = np.maximum.reduceat(np.abs(main_BD), starts, axis=1)
        moved_B = _norms(peaks_BP * steps_P)
        products_B = _norms(main_BD) * rounding + moved_B * longest
        errors_B: npt.NDArray[np.float64] = 1.001 * products_B + 2 * by_float(query_BD)
        return errors_B

    return bound


def _norms(rows_BD: FloatArray) -> FloatArray:
    norms_B: FloatArray = np.sqrt(np.vecdot(rows_BD, rows_BD))
    return norms_B
