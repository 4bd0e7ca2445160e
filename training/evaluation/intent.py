"""Purchase intent judged at the moments of the test part: AUC, calibration and reliability bins, over all and by the
length of the prefix and the last behaviour, and where no item is known, beside gradient boosting.

Shapes: M moments, S sessions, U distinct probabilities.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from tillside.ranking import Interval, area_under_roc, bootstrap_means, calibration_error, reliability
from training.inputs.moments import Moments

RESAMPLES: Final = 200
LONGEST: Final = 4
"""Prefixes of so many events and more are judged together."""
NONE_KNOWN: Final = "no known item"
"""Moments at which the server knows no item of the session."""
Floats = npt.NDArray[np.floating[Any]]
Bools = npt.NDArray[np.bool_]


def judge_intent(
    intent_M: Floats, moments: Moments, boosted_M: Floats | None, *, behaviours: Sequence[str], seed: int
) -> dict[str, Any]:
    """The ``intent`` entry of a metrics document; empty if the labels of the moments are all equal.

    Args:
        intent_M: probabilities.
        boosted_M: probabilities from gradient boosting; None if it could not be trained.
        seed: of the bootstrap.
    """
    labels_M = moments.goal_later_M
    if not labels_M.any() or labels_M.all():
        return {}
    systems = {"": intent_M} | ({} if boosted_M is None else {"boosting": boosted_M})
    found: dict[str, Any] = {}
    for name, probability_M in systems.items():
        auc = auc_interval(probability_M, labels_M, moments.sessions_M, seed=seed)
        judged = {"auc": auc.value, "auc_low": auc.low, "auc_high": auc.high}
        judged |= _level(probability_M, labels_M)
        judged |= {
            kind: {
                part: _level(probability_M[here_M], labels_M[here_M])
                | {"observed": asdict(observed(moments.only(here_M), seed=seed))}
                for part, here_M in parts.items()
            }
            for kind, parts in slices(moments, behaviours).items()
        }
        found |= {name: judged} if name else judged
    bins = reliability(intent_M, labels_M)
    told = {
        "base_rate": float(labels_M.mean()),
        "observed": asdict(observed(moments, seed=seed)),
        "sessions": len(np.unique(moments.sessions_M)),
        "goals": len(np.unique(moments.sessions_M[labels_M])),
        "reliability": bins,
    }
    return {"intent": found | told}


def _level(probability_M: Floats, labels_M: Bools) -> dict[str, float]:
    return {
        "calibration_error": calibration_error(reliability(probability_M, labels_M)),
        "mean_predicted": float(probability_M.mean()),
        "mean_observed": float(labels_M.mean()),
        "cases": len(labels_M),
    }


def observed(moments: Moments, *, seed: int) -> Interval:
    """Share of the moments after which the session reached its goal, with a bootstrap interval over sessions."""
    labels_1M = moments.goal_later_M[None, :].astype(np.float64)
    return bootstrap_means(labels_1M, moments.sessions_M, rng=np.random.default_rng(seed))[0]


def slices(moments: Moments, behaviours: Sequence[str]) -> Mapping[str, Mapping[str, Bools]]:
    """Masks [M] by events of the prefix (1, 2, 3, 4+), by behaviour of the latest event, and of those at which no item
    is known; those with moments."""
    lengths_M = np.minimum(moments.lengths_M, LONGEST)
    by_prefix = {f"{n}{'+' * (n == LONGEST)}": lengths_M == n for n in range(1, LONGEST + 1)}
    by_last = {name: moments.behaviours_M == number for number, name in enumerate(behaviours)}
    kinds = {"by_prefix": by_prefix, "by_last": by_last, "by_items": {NONE_KNOWN: ~moments.known_M}}
    found = {kind: {name: here_M for name, here_M in masks.items() if here_M.any()} for kind, masks in kinds.items()}
    return {kind: masks for kind, masks in found.items() if masks}


def auc_interval(scores_M: Floats, labels_M: Bools, sessions_M: npt.NDArray[np.int64], *, seed: int) -> Interval:
    """ROC AUC with its 95 % bootstrap interval over sessions; NaN without both classes."""
    value = area_under_roc(scores_M, labels_M)
    _, session_M = np.unique(sessions_M, return_inverse=True)
    _, place_M = np.unique(scores_M, return_inverse=True)
    size, places = int(session_M.max(initial=-1)) + 1, int(place_M.max(initial=-1)) + 1
    rng, drawn = np.random.default_rng(seed), []
    for _ in range(RESAMPLES if np.isfinite(value) else 0):
        weights_M = np.bincount(rng.integers(0, size, size), minlength=size)[session_M].astype(np.float64)
        goals_U = np.bincount(place_M, weights=weights_M * labels_M, minlength=places)
        others_U = np.bincount(place_M, weights=weights_M * ~labels_M, minlength=places)
        pairs = goals_U.sum() * others_U.sum()
        if pairs:
            drawn.append(float(goals_U @ (np.cumsum(others_U) - others_U / 2) / pairs))
    low, high = np.quantile(drawn, [0.025, 0.975]) if drawn else (float("nan"), float("nan"))
    return Interval(value, float(low), float(high))
