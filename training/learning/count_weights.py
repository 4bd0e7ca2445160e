"""Weights of what can be counted of a session: beneath the intent head, and alone where no item is known.

Moments of the second kind may be few, or of one class. So they have weights of their own as far as they say how they
differ from the others, and else those of all. Nothing of it reads the network, and the refit keeps it as it is.

Shapes: M moments, F counts of a session.
"""

from typing import Final

import numpy as np
import numpy.typing as npt
import torch
from scipy.optimize import brentq
from torch.nn import functional

from tillside.dataset import Dataset
from tillside.encoding.spec import EncodingSpec
from tillside.recommenders.counted_intent import CountedIntent, counted_features
from training.inputs.moments import Moments, moments_of, moments_without_items
from training.learning.calibration import USUAL_SWING

WEIGHT: Final = 1.0
"""Standard deviation of a count's weight, before anything is seen; counts go up to three or so."""
DIFFERENT: Final = 0.5
"""Of how far a weight is another where no item is known."""
WIDEST: Final = 30.0
"""Bound of the search for a level, in log odds."""


def fit_counts(counted_MF: torch.Tensor, moments: Moments, *, around_F: torch.Tensor | None = None) -> torch.Tensor:
    """Weights [F] of a logistic regression of the labels on the counts, shrunk by a normal prior.

    Args:
        around_F: mean of the prior, whose deviation is DIFFERENT; None: of WEIGHT around 0, and the first count, which
            is one for all, is not shrunk.
    """
    counts_MF, labels_M = counted_MF.double(), torch.from_numpy(moments.goal_later_M).double()
    mean_F = torch.zeros(counts_MF.shape[1], dtype=torch.float64) if around_F is None else around_F.double()
    deviation, first = (WEIGHT, 1) if around_F is None else (DIFFERENT, 0)
    evidence = _evidence(moments)
    weights_F = mean_F.clone().requires_grad_()
    solver = torch.optim.LBFGS([weights_F], max_iter=100, line_search_fn="strong_wolfe")

    def loss() -> torch.Tensor:
        solver.zero_grad()
        losses = functional.binary_cross_entropy_with_logits(counts_MF @ weights_F, labels_M)
        away = ((weights_F - mean_F)[first:] / deviation).square().sum() / (2 * evidence * len(labels_M))
        value = losses + away
        value.backward()  # type: ignore[no-untyped-call]
        return value

    solver.step(loss)
    return weights_F.detach().float()


def learn_counted_intent(
    around_F: torch.Tensor, dataset: Dataset, *, spec: EncodingSpec, drift: float, learned_at: int, level_at: int
) -> CountedIntent:
    """Purchase intent of sessions without a known item: weights from the training part, the level from validation.

    Args:
        around_F: weights of the counts at the moments at which an item is known.
        drift: how far validation moved the level there, in log odds; it is expected to be the same here, give or take
            the usual swing.
        learned_at, level_at: approximate maximum of the moments that weights and level are learned from.
    """
    learned = moments_without_items(dataset, spec=spec, limit=learned_at)
    weights_F = around_F
    if len(learned):
        weights_F = fit_counts(torch.from_numpy(_counted(learned, dataset)), learned, around_F=around_F)
    held = moments_of(dataset, "validation", spec=spec, limit=level_at, known=False)
    weights = weights_F.double().numpy().copy()
    weights[0] += _shift(_counted(held, dataset) @ weights, held, around=drift)
    return CountedIntent(tuple(weights.tolist()))


def _counted(moments: Moments, dataset: Dataset) -> npt.NDArray[np.float64]:
    return counted_features(*moments.batch(np.arange(len(moments))).counted(len(dataset.behaviours)))


def _shift(logits_M: npt.NDArray[np.float64], moments: Moments, *, around: float) -> float:
    """Most likely shift of the logits, the prior being a normal distribution of USUAL_SWING around ``around``."""
    evidence = _evidence(moments)

    def pull(shift: float) -> float:
        expected = torch.from_numpy(logits_M + shift).sigmoid().sum()
        return float(expected - moments.goal_later_M.sum()) * evidence + (shift - around) / USUAL_SWING**2

    return float(brentq(pull, around - WIDEST, around + WIDEST, xtol=1e-6))


def _evidence(moments: Moments) -> float:
    """Share of a moment that counts: the labels of a session go together."""
    return len(np.unique(moments.sessions_M)) / max(len(moments), 1)
