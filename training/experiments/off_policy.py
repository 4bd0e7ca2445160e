"""Off-policy estimates: what another policy would have earned, from the log of one that left something to chance.

Every logged slot knows the probability that its item stood there, given the slots before (:mod:`tillside.policy
.exploring`); the policy that is judged says how probable the same would have been under it. Three estimators weigh the
rewards by the ratio: inverse propensity scoring (Horvitz and Thompson, 1952), the same self-normalised (Swaminathan and
Joachims, 2015), and doubly robust, around a model of the reward (Dudik, Langford and Li, 2011). Three forms say what a
slot's reward depends on: its own item (Li et al., 2018), the items up to it (McInerney et al., 2020), or the whole
answer. The less it depends on, the smaller the weights and the narrower the interval, if it is true.

Surprising: ``slot`` is exact for probabilities of an item in a slot whatever stands before it. With those of the log,
given the slots before, it asks what the judged policy would have put there after what was shown; ``prefix`` is exact.

Intervals are clustered by shopper. An estimate from too few effective answers is refused, not given with a warning.

Shapes: A answers, L slots.
"""

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import numpy.typing as npt
from scipy.stats import norm

Floats = npt.NDArray[np.float64]
Estimator = Literal["ips", "snips", "dr"]
Form = Literal["slot", "prefix", "answer"]
ESTIMATORS: Final[tuple[Estimator, ...]] = ("ips", "snips", "dr")
FORMS: Final[tuple[Form, ...]] = ("slot", "prefix", "answer")
LEAST_EFFECTIVE: Final = 200.0
"""Effective answers below which nothing is estimated: some dozen weights would decide."""
SLACK: Final = 1e-9


@dataclass(frozen=True)
class Logged:
    """Answers of one policy, and what another one makes of them.

    Attributes:
        rewards_AL: what came of each slot, such as 1 for a click.
        propensities_AL: probability of the slot's item under the policy that answered, given the slots before.
        chances_AL: the same under the policy that is judged.
        shown_AL: whether the answer had the slot at all.
        subjects_A: whose answer it was, as numbers; answers of one subject are not independent.
        predicted_AL: reward that a model expects of the slot's item; for ``dr``.
        expected_AL: reward that the model expects of the slot under the policy that is judged, after the slots before;
            for ``dr``.
        judged_AL: whether the policy that is judged would have filled the slot; those that were shown if left out.

    Raises:
        ValueError: a propensity of a slot that was shown is not a probability above 0, or a chance is no probability.
    """

    rewards_AL: Floats
    propensities_AL: Floats
    chances_AL: Floats
    shown_AL: npt.NDArray[np.bool_]
    subjects_A: npt.NDArray[np.integer]
    predicted_AL: Floats | None = None
    expected_AL: Floats | None = None
    judged_AL: npt.NDArray[np.bool_] | None = None

    def __post_init__(self) -> None:
        given = self.propensities_AL[self.shown_AL]
        if not np.all((given > 0) & (given <= 1 + SLACK)):
            raise ValueError(
                "every slot that was shown needs the propensity that it was shown with, above 0 and at most 1: log "
                "with a policy whose placements explore"
            )
        judged = self.chances_AL[self.shown_AL]
        if not np.all((judged >= 0) & (judged <= 1 + SLACK)):
            raise ValueError("chances must be from 0 to 1 in every slot that was shown")

    def weights_AL(self, form: Form) -> Floats:  # noqa: N802
        """Weight of each slot's reward [A, L]; 0 where no slot was shown."""
        ratio_AL = np.ones(self.rewards_AL.shape)
        np.divide(self.chances_AL, self.propensities_AL, out=ratio_AL, where=self.shown_AL)
        if form == "prefix":
            ratio_AL = np.cumprod(ratio_AL, axis=1)
        elif form == "answer":
            ratio_AL = np.broadcast_to(np.prod(ratio_AL, axis=1, keepdims=True), ratio_AL.shape)
        found: Floats = np.where(self.shown_AL, ratio_AL, 0.0)
        return found


@dataclass(frozen=True)
class Estimate:
    """Reward per answer that the judged policy would have earned.

    Attributes:
        low, high: interval, clustered by subject.
        effective: effective sample size, of the slot where it is smallest.
        answers: of the log.
        change: by how much it is above what the log earned, with an interval of its own: both are of the same answers.
    """

    estimator: Estimator
    form: Form
    value: float
    low: float
    high: float
    effective: float
    answers: int
    change: float
    change_low: float
    change_high: float


def effective_size(weights_AL: Floats, shown_AL: npt.NDArray[np.bool_]) -> float:
    """Kish's effective sample size (sum w)^2 / sum w^2, of the slot where it is smallest among those that all share.

    A slot that fewer than half of the answers have says too little of the rest to decide.
    """
    common = shown_AL.mean(0) >= 0.5 if len(shown_AL) else np.zeros(0, bool)
    sums, squares = weights_AL[:, common].sum(0), (weights_AL[:, common] ** 2).sum(0)
    if not len(sums) or not squares.all():
        return 0.0
    return float((sums**2 / squares).min())


def estimate(
    logged: Logged,
    estimator: Estimator = "snips",
    form: Form = "prefix",
    *,
    level: float = 0.95,
    least_effective: float = LEAST_EFFECTIVE,
) -> Estimate:
    """Estimate the reward per answer under the judged policy.

    Args:
        level: of the interval.
        least_effective: effective answers needed.

    Raises:
        ValueError: too few answers are effective; or ``dr`` without a model of the reward.
    """
    weights_AL = logged.weights_AL(form)
    effective, answers = effective_size(weights_AL, logged.shown_AL), len(weights_AL)
    if effective < least_effective:
        raise ValueError(
            f"the log holds {effective:.0f} effective answers for this policy, of {answers}, and {least_effective:g} "
            "are needed: log longer, explore more, or judge a policy that is nearer to the one that answered"
        )
    rewards_AL = np.where(logged.shown_AL, logged.rewards_AL, 0.0)
    if estimator == "dr":
        if logged.predicted_AL is None or logged.expected_AL is None:
            raise ValueError("dr needs a model of the reward: predicted_AL and expected_AL must be given")
        predicted_AL = np.where(logged.shown_AL, logged.predicted_AL, 0.0)
        expected_AL = np.where(logged.shown_AL, logged.expected_AL, 0.0)
        before_AL = np.ones(weights_AL.shape)
        if form == "prefix":  # what is expected of a slot is so only after the slots before it
            before_AL[:, 1:] = logged.weights_AL("prefix")[:, :-1]
        terms_A = (before_AL * expected_AL + weights_AL * (rewards_AL - predicted_AL)).sum(1)
        value = float(terms_A.mean())
        parts_A = terms_A - value
    elif estimator == "ips":
        terms_A = (weights_AL * rewards_AL).sum(1)
        value = float(terms_A.mean())
        parts_A = terms_A - value
    else:
        total_L = weights_AL.sum(0)
        kept = total_L > 0
        mean_L = np.zeros(len(total_L))
        mean_L[kept] = (weights_AL * rewards_AL).sum(0)[kept] / total_L[kept]
        both_AL = logged.shown_AL if logged.judged_AL is None else logged.shown_AL & logged.judged_AL
        share_L = both_AL.mean(0)  # of answers that have the slot under both
        value = float((mean_L * share_L).sum())
        scale_L = np.where(kept, share_L / np.where(kept, total_L / answers, 1.0), 0.0)
        parts_A = (weights_AL * (rewards_AL - mean_L) * scale_L).sum(1)
    earned_A = rewards_AL.sum(1)
    change, z = value - float(earned_A.mean()), float(norm.isf((1 - level) / 2))
    half = z * clustered_error(parts_A, logged.subjects_A)
    moved = z * clustered_error(parts_A - (earned_A - earned_A.mean()), logged.subjects_A)
    return Estimate(
        estimator, form, value, value - half, value + half, effective, answers, change, change - moved, change + moved
    )


def clustered_error(parts_A: Floats, subjects_A: npt.NDArray[np.integer]) -> float:
    """Standard error of a mean whose centred parts are independent between subjects only."""
    _, places = np.unique(subjects_A, return_inverse=True)
    sums = np.bincount(places, weights=parts_A)
    clusters = len(sums)
    if clusters < 2:
        return float("inf")
    return float(np.sqrt(clusters / (clusters - 1) * (sums**2).sum()) / len(parts_A))


def reward_by_cell(rewards: Floats, cells: npt.NDArray[np.integer], *, count: int, prior: float = 20.0) -> Floats:
    """Mean reward of each cell, such as an item at a position, drawn towards the mean of all.

    Args:
        cells: number of the cell of each reward, below ``count``.
        prior: rewards that the mean of all is worth.
    """
    whole = float(rewards.mean()) if len(rewards) else 0.0
    sums, sizes = np.bincount(cells, weights=rewards, minlength=count), np.bincount(cells, minlength=count)
    found: Floats = (sums + prior * whole) / (sizes + prior)
    return found
