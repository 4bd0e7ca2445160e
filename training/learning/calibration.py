"""Calibration of the purchase intent on the validation part, so that the probabilities can be taken at face value.

Beta calibration (Kull et al. 2017) of the sum, with how much of the head is believed and a level of its own for each
behaviour that the latest event can have: fitted at once, since each moves what the others have to mend.

How far validation may move the level is learned from the log: where the share of buyers was the same all along, that
of the newest few sessions is chance for the most part.

Shapes: M moments, K behaviours, S sessions, P pieces of the log, T values tried.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import torch

from training.model.encoder import NOT_CALIBRATED, beta_calibrated

Floats = npt.NDArray[np.floating[object]]
USUAL_SWING: Final = 0.3
"""A level that drifts by a third from one week to the next is nothing unusual, by three times it is."""
SWINGS: Final = np.linspace(0.005, 1.5, 300)


@dataclass(frozen=True)
class Prior:
    """What is held of a calibration before it is fitted, as normal distributions; little moves it with few sessions.

    Attributes:
        evidence: share of a moment that counts, one over the moments of a session: their labels go together.
        believed: mean and standard deviation of the factor on the head. It has learned sessions of which the trunk
            remembers some, and where there are too few to say how many, it is sure of much too much.
        slope: standard deviation of the slopes around 1.
        level: of how far the mean intent moves from what the counts alone expect, in log odds.
        latest: of how far a behaviour's level moves beside the others'.
    """

    evidence: float
    believed: tuple[float, float] = (0.25, 0.25)
    slope: float = 0.25
    level: float = USUAL_SWING
    latest: float = 0.3


@dataclass(frozen=True)
class Fitted:
    """Parameters of a calibration.

    Attributes:
        beta: of :func:`training.model.next_item.beta_calibrated`: two slopes >= 0, an intercept.
        believed: factor on the head's logits.
        moved_K: what is added to the logits, by behaviour of the latest event.
    """

    beta: tuple[float, float, float] = NOT_CALIBRATED
    believed: float = 1.0
    moved_K: tuple[float, ...] = ()


def fit_calibration(
    by_head_M: Floats,
    labels_M: npt.NDArray[np.bool_],
    *,
    by_counts_M: Floats | None = None,
    latest_MK: torch.Tensor | None = None,
    prior: Prior | None = None,
    steps: int = 100,
) -> Fitted:
    """Most likely parameters, with targets smoothed as in Platt (1999), so that few positives do not give probabilities
    of 0 or 1. Where one class is missing nothing is fitted.

    Args:
        by_head_M: the head's logits.
        by_counts_M: logits that are added to them; what they expect is the level that the prior holds to.
        latest_MK: one where the latest event has the behaviour, else zero.
        prior: None: slopes and intercept are fitted by the labels alone, and nothing else is.
        steps: maximum iterations of L-BFGS.
    """
    positives = int(labels_M.sum())
    negatives = len(labels_M) - positives
    if not positives or not negatives:
        return Fitted()
    head_M, counts_M = (
        torch.from_numpy(np.clip(each, -16, 16)) for each in (by_head_M, _zeros(by_counts_M, by_head_M))
    )
    kinds_MK = torch.zeros(len(labels_M), 1) if latest_MK is None else latest_MK
    kinds_MK = kinds_MK.double()
    expected = torch.logit(torch.sigmoid(counts_M).mean())
    targets_M = torch.from_numpy(np.where(labels_M, (positives + 1) / (positives + 2), 1 / (negatives + 2)))
    roots = torch.ones(2, dtype=torch.float64, requires_grad=True)
    shift = torch.zeros(1, dtype=torch.float64, requires_grad=True)
    root = torch.ones(1, dtype=torch.float64, requires_grad=prior is not None)
    moved_K = torch.zeros(kinds_MK.shape[1], dtype=torch.float64, requires_grad=prior is not None)
    with torch.no_grad():
        if prior is not None:
            root.fill_(prior.believed[0] ** 0.5)
    free = [roots, shift] if prior is None else [roots, shift, root, moved_K]
    solver = torch.optim.LBFGS(free, max_iter=steps, line_search_fn="strong_wolfe")

    def loss() -> torch.Tensor:
        solver.zero_grad()
        logits_M = counts_M + kinds_MK @ moved_K + root**2 * head_M
        calibrated_M = beta_calibrated(logits_M, torch.cat([roots**2, shift]))
        value = torch.nn.functional.binary_cross_entropy_with_logits(calibrated_M, targets_M)
        if prior is not None:
            mean, deviation = prior.believed
            away = ((roots**2 - 1) / prior.slope).square().sum() + ((root**2 - mean) / deviation).square().sum()
            away = away + ((torch.logit(torch.sigmoid(calibrated_M).mean()) - expected) / prior.level).square()
            away = away + (moved_K / prior.latest).square().sum()
            value = value + away / (2 * prior.evidence * len(labels_M))
        value.backward()  # type: ignore[no-untyped-call]
        return value

    solver.step(loss)
    low, high = (roots.detach() ** 2).tolist()
    beta = (low, high, float(shift.detach()))
    return Fitted(beta, float(root.detach()) ** 2, tuple(moved_K.detach().tolist()))


def level_swing(
    by_counts_M: Floats,
    labels_M: npt.NDArray[np.bool_],
    sessions_M: npt.NDArray[np.int64],
    pieces_M: npt.NDArray[np.int64],
) -> float:
    """Standard deviation of how far a piece of the log is off the level that the counts expect, in log odds: mean of
    its posterior, the prior being half a normal distribution of USUAL_SWING.

    What chance does is not counted in; sessions are drawn, not moments, whose labels go together.

    Args:
        by_counts_M: logits.
        sessions_M, pieces_M: whose each moment is, and of which piece that session, numbered from 0.
    """
    expected_M = 1 / (1 + np.exp(-np.asarray(by_counts_M, np.float64)))
    _, first_S, session_M = np.unique(sessions_M, return_index=True, return_inverse=True)
    off_S = np.bincount(session_M, labels_M - expected_M)
    piece_S = pieces_M[first_S]
    sessions_P, moments_P = np.bincount(piece_S), np.bincount(pieces_M)
    there = moments_P > 0
    mean_P = np.bincount(pieces_M, expected_M)[there] / moments_P[there]
    known_P = moments_P[there] * mean_P * (1 - mean_P)
    off_P = np.bincount(piece_S, off_S)[there] / known_P
    by_chance_P = sessions_P[there] * np.square(off_S).mean() / known_P**2
    variance_TP = np.square(SWINGS)[:, None] + by_chance_P
    likelihood_T = -0.5 * (np.log(variance_TP) + np.square(off_P) / variance_TP).sum(axis=1)
    posterior_T = likelihood_T - 0.5 * np.square(SWINGS / USUAL_SWING)
    weights_T = np.exp(posterior_T - posterior_T.max())
    return float(weights_T @ SWINGS / weights_T.sum())


def _zeros(given: Floats | None, like: Floats) -> Floats:
    return np.zeros_like(like) if given is None else given
