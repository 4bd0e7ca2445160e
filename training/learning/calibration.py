"""Beta calibration (Kull et al. 2017) of the purchase intent's logits on the validation part, so that the probabilities
can be taken at face value.

Shapes: B rows of a batch, L events of a row, C cases or learned places, V rankable items, D width.
"""

from collections.abc import Iterable
from typing import Final

import numpy as np
import numpy.typing as npt
import torch
from scipy.optimize import brentq
from torch.nn import functional

from training.cli.progress import progress, step
from training.evaluation.ranking import rank
from training.evaluation.scorers import ModelScorer
from training.inputs.batches import TrainingBatch
from training.inputs.cases import Cases
from training.model.next_item import NOT_CALIBRATED, NextItemModel, beta_calibrated

WIDEST: Final = 1e4
"""Bound of the search for a logit's shift."""


def calibrate_intent(model: NextItemModel, scorer: ModelScorer, cases: Cases, *, items: int) -> None:
    """Fit the calibration of the intent logit on validation cases and store it in the encoder."""
    calibration = model.encoder.get_buffer("intent_calibration")
    calibration.copy_(torch.tensor(NOT_CALIBRATED))
    with step("calibrating the purchase intent", 1):
        intent_C = rank(scorer, cases, items=items, coverage=False).intent_C
    assert intent_C is not None
    answered_C = ~np.isnan(intent_C)  # the others hold no known item
    fitted = fit_calibration(intent_C[answered_C].astype(np.float64), cases.goal_later_C[answered_C])
    calibration.copy_(torch.tensor(fitted))


def level_intent(model: NextItemModel, batches: Iterable[TrainingBatch]) -> None:
    """Re-estimate the calibration's intercept: over the training batches the mean intent equals the share of positions
    whose session reaches its goal, with the loss's row weights.

    A refitted model has learned from the validation part too, so nothing held out is left to calibrate it on. The
    slopes fitted on validation carry over; the intercept does not, for it differs between fits and with dropout.
    """
    encoder, logits, labels, weights = model.encoder, [], [], []
    calibration = encoder.get_buffer("intent_calibration")
    with torch.inference_mode():
        vectors_VD = model.items()[:, :-1]
        for batch in progress(batches, "levelling the purchase intent"):
            moved = batch.to(vectors_VD.device)
            rows_BLD = functional.embedding(moved.items_BL, vectors_VD)
            logits_BL = encoder.intent_logits(encoder.trunk(rows_BLD, moved.behaviours_BL, moved.gaps_BL))
            logits.append(logits_BL[moved.learn_BL])
            labels.append(moved.goal_later_BL[moved.learn_BL])
            weights.append(moved.weights_B[:, None].expand_as(moved.learn_BL)[moved.learn_BL])
    logits_C, labels_C, weights_C = (torch.cat(parts).double().cpu() for parts in (logits, labels, weights))
    unshifted_C = beta_calibrated(logits_C, calibration.double().cpu()) - float(calibration[2])

    def excess(shift: float) -> float:
        return float(((unshifted_C + shift).sigmoid() - labels_C) @ weights_C)

    if 0 < float(labels_C.mean()) < 1:
        calibration[2] = brentq(excess, -WIDEST, WIDEST)


def fit_calibration(
    probabilities_C: npt.NDArray[np.float64], labels_C: npt.NDArray[np.bool_], *, steps: int = 50
) -> tuple[float, float, float]:
    """Maximum-likelihood parameters of :func:`training.model.next_item.beta_calibrated`: two slopes >= 0, an intercept.

    Targets are smoothed as in Platt (1999), so that few positives do not give probabilities of 0 or 1. Returns
    ``NOT_CALIBRATED`` where one class is missing.

    Args:
        steps: maximum iterations of L-BFGS.
    """
    positives = int(labels_C.sum())
    negatives = len(labels_C) - positives
    if not positives or not negatives:
        return NOT_CALIBRATED
    clipped = torch.from_numpy(np.clip(probabilities_C, 1e-7, 1 - 1e-7))
    logits_C = torch.logit(clipped)
    targets_C = torch.from_numpy(np.where(labels_C, (positives + 1) / (positives + 2), 1 / (negatives + 2)))
    roots = torch.ones(2, dtype=torch.float64, requires_grad=True)
    shift = torch.zeros(1, dtype=torch.float64, requires_grad=True)
    solver = torch.optim.LBFGS([roots, shift], max_iter=steps, line_search_fn="strong_wolfe")

    def loss() -> torch.Tensor:
        solver.zero_grad()
        calibrated_C = beta_calibrated(logits_C, torch.cat([roots**2, shift]))
        value = torch.nn.functional.binary_cross_entropy_with_logits(calibrated_C, targets_C)
        value.backward()  # type: ignore[no-untyped-call]
        return value

    solver.step(loss)
    low, high = (roots.detach() ** 2).tolist()
    return low, high, float(shift.detach())
