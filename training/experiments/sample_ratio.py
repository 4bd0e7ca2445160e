"""Sample ratio mismatch: are the arms as large as was asked for? If not, the experiment is broken, whatever it says.

Two tests: chi-square, for the one look at the end; and a sequential one for looks at any time, a Bayes factor of the
multinomial against a Dirichlet-multinomial around the shares asked for (Lindon and Malek, 2022).

Shapes: A arms, T looks.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.special import gammaln
from scipy.stats import chisquare

CONCENTRATION: Final = 10_000.0
"""Weight of the alternative's prior, in subjects: about as many as a small mismatch is found from."""

Floats = npt.NDArray[np.float64]


def mismatch(counts: Sequence[float], shares: Sequence[float]) -> float:
    """P-value of the arms' sizes by chi-square; valid for one look.

    Args:
        counts: subjects by arm [A].
        shares: asked for [A], summing to 1.
    """
    total = float(np.sum(counts))
    if not total or len(counts) < 2:
        return 1.0
    return float(chisquare(np.asarray(counts, float), np.asarray(shares, float) * total).pvalue)


def log_odds(counts_TA: Floats, shares_A: Floats, *, concentration: float = CONCENTRATION) -> Floats:
    """Log of the Bayes factor for a mismatch after each look [T].

    Args:
        counts_TA: subjects by look and arm, cumulative.
    """
    counts_TA, prior_A = np.asarray(counts_TA, float), np.asarray(shares_A, float) * concentration
    found: Floats = (
        gammaln(prior_A.sum())
        - gammaln(prior_A.sum() + counts_TA.sum(-1))
        + (gammaln(prior_A + counts_TA) - gammaln(prior_A)).sum(-1)
        - (counts_TA * np.log(shares_A)).sum(-1)
    )
    return found


def sequential_mismatch(counts_TA: Floats, shares_A: Floats, *, concentration: float = CONCENTRATION) -> Floats:
    """P-value after each look [T], valid at all looks together: it falls only."""
    odds_T = np.maximum.accumulate(log_odds(counts_TA, shares_A, concentration=concentration))
    found: Floats = np.exp(-np.maximum(odds_T, 0.0))
    return found
