"""Error bounds by hand, and held by random rows and queries."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tillside.search_bounds import float_bound, int8_bound, largest_norm


def test_the_largest_norm_by_hand_whatever_the_parts(monkeypatch):
    rows_ND = np.array([[3, 4], [0, 1], [-6, 8], [0, 0]], np.float32)  # 5, 1, 10 and 0
    assert largest_norm(rows_ND) == 10
    monkeypatch.setattr("tillside.search_bounds._ROWS", 1)
    assert largest_norm(rows_ND) == 10


def test_the_bounds_by_hand():
    # longest row: (3, 0, 4), of length 5; query (0, 0, 2), of length 2; 2 * (3 columns + 8) * 2^-24 * 5 * 2
    items_ND = np.array([[1, 0, 0], [3, 0, 4]], np.float32)
    float_error = 220 * 2.0**-24
    assert float_bound(items_ND)(np.array([[0, 0, 2]], np.float32)) == pytest.approx([float_error])
    # without the trend: longest row 3, query (3, 4) of length 5, its two numbers rounded by 4 / 254 at most
    query_BD = np.array([[3, 4, 0]], np.float32)
    main = 5 * 0.1 + np.sqrt(2) * 4 / 254 * (3 + 0.1)
    assert int8_bound(items_ND, 0.1)(query_BD) == pytest.approx([1.001 * main + 2 * float_error * 2.5], rel=1e-6)


@settings(max_examples=100, deadline=None)
@given(dim=st.integers(2, 140), seed=st.integers(0, 999), scale=st.sampled_from([1e-3, 1.0, 60.0]))
def test_eight_bit_scores_stay_within_their_bound(dim, seed, scale):
    """As onnxruntime computes them: rows and queries both rounded in blocks of 64."""
    rng = np.random.default_rng(seed)
    items_ND = (rng.standard_normal((30, dim)) * rng.exponential(1, (30, 1))).astype(np.float32)
    query_BD = (scale * rng.standard_normal((3, dim)) ** 3).astype(np.float32)

    def rounded(rows):
        main = rows[:, :-1].astype(np.float64)
        for start in range(0, main.shape[1], 64):
            block = main[:, start : start + 64]
            steps = np.abs(block).max(axis=1, keepdims=True) / 127
            main[:, start : start + 64] = np.rint(block / steps) * steps
        return main

    rounding = float(np.linalg.norm(rounded(items_ND) - items_ND[:, :-1], axis=1).max())
    coarse_BN = rounded(query_BD) @ rounded(items_ND).T + query_BD[:, -1:] * items_ND[:, -1].astype(np.float64)
    exact_BN = query_BD.astype(np.float64) @ items_ND.T
    worst_B = np.abs(coarse_BN - exact_BN).max(axis=1)
    assert (worst_B <= int8_bound(items_ND, rounding)(query_BD)).all()
