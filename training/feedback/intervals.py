"""Confidence intervals of rates and ratios whose rows come in clusters: a shopper's clicks are not independent.

The variance of a ratio of sums is the delta method's over clusters (Cochran, Sampling Techniques, 6.4); a share's
interval is Wilson's with the sample size that this variance amounts to, so that it stays within 0 and 1.
Shapes: G groups.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any, Final

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
ROUNDING: Final = 1e-12
"""Share of a sum of squares below which what is left of it is rounding."""


@dataclass(frozen=True)
class Moments:
    """Sums over clusters of a numerator y and a denominator x, and of their products (each G)."""

    clusters_G: Floats
    x_G: Floats
    y_G: Floats
    xx_G: Floats
    xy_G: Floats
    yy_G: Floats

    @property
    def ratio(self) -> Floats:
        """y by x; NaN where there is no x."""
        return divided(self.y_G, self.x_G)

    @property
    def variance(self) -> Floats:
        """Of the ratio; NaN for fewer than two clusters."""
        ratio_G = self.ratio
        residual_G = self.yy_G - 2 * ratio_G * self.xy_G + ratio_G**2 * self.xx_G
        residual_G = np.where(residual_G > ROUNDING * self.yy_G, residual_G, 0.0)
        inflated_G = residual_G * divided(self.clusters_G, self.clusters_G - 1)
        return np.where(self.clusters_G > 1, divided(inflated_G, self.x_G**2), np.nan)


def divided(above_G: Any, below_G: Any) -> Floats:
    """``above_G / below_G``, NaN where it is divided by 0."""
    above_G, below_G = np.asarray(above_G, np.float64), np.asarray(below_G, np.float64)
    out_G = np.full(np.broadcast(above_G, below_G).shape, np.nan)
    return np.divide(above_G, below_G, out=out_G, where=below_G != 0)


def z_of(confidence: float) -> float:
    """Standard normal quantile of a two-sided interval."""
    return NormalDist().inv_cdf(0.5 + confidence / 2)


def ratio_interval(moments: Moments, z: float) -> tuple[Floats, Floats]:
    """Interval of a ratio (G, G); NaN for fewer than two clusters."""
    half_G = z * np.sqrt(moments.variance)
    return moments.ratio - half_G, moments.ratio + half_G


def share_interval(moments: Moments, z: float) -> tuple[Floats, Floats]:
    """Interval of a ratio that is a share (G, G); NaN for fewer than two clusters."""
    return wilson(moments.ratio, effective_size(moments), z)


def effective_size(moments: Moments) -> Floats:
    """Number of independent trials whose share would vary as much (G), at most x.

    Where nothing varies, each cluster counts once: a shopper who never clicked says little more than one trial.
    """
    share_G, variance_G = moments.ratio, moments.variance
    size_G = divided(share_G * (1 - share_G), variance_G)
    size_G = np.where(variance_G > 0, size_G, np.minimum(moments.clusters_G, moments.x_G))
    return np.where(moments.clusters_G > 1, np.minimum(size_G, moments.x_G), np.nan)


def wilson(share_G: Floats, size_G: Floats, z: float) -> tuple[Floats, Floats]:
    """Wilson's score interval of a share among ``size_G`` independent trials (G, G)."""
    inflated_G = 1 + divided(z**2, size_G)
    middle_G = (share_G + divided(z**2, 2 * size_G)) / inflated_G
    half_G = z / inflated_G * np.sqrt(divided(share_G * (1 - share_G), size_G) + divided(z**2, 4 * size_G**2))
    return np.maximum(middle_G - half_G, 0), np.minimum(middle_G + half_G, 1)


def surely(p_values: Sequence[float] | Floats, false_share: float) -> npt.NDArray[np.bool_]:
    """Which hypotheses are kept so that about ``false_share`` of them are false (Benjamini and Hochberg, 1995)."""
    p_G = np.asarray(p_values, np.float64)
    order = np.argsort(p_G)
    passed = p_G[order] <= false_share * np.arange(1, len(p_G) + 1) / max(len(p_G), 1)
    kept_G = np.zeros(len(p_G), bool)
    if passed.any():
        kept_G[order[: int(np.flatnonzero(passed)[-1]) + 1]] = True
    return kept_G
