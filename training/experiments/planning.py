"""Planning: how long must an experiment run to find the effect that is worth finding?

Shoppers come back, so neither the number of subjects nor the variance of what they spend grows evenly with the weeks.
Both are read off a time that has passed, once for each number of whole weeks, and each length gets the smallest effect
that it would find; none is extrapolated.
"""

import math
from dataclasses import dataclass
from typing import Final

from scipy.stats import norm

from tillside.experiments.terms import Experiment
from training.experiments.metrics import METRICS, Metric
from training.experiments.statistics import Moments, covariates_of

DAYS: Final = 7


@dataclass(frozen=True)
class Plan:
    """One length of the experiment.

    Attributes:
        subjects: in all arms together.
        smallest: relative effect that is found with the power asked for; nan where nothing was ever counted.
    """

    weeks: int
    subjects: int
    smallest: float


def smallest_effect(
    metric: Metric, moments: Moments, *, subjects: float, ratio: float, alpha: float, power: float, cuped: bool
) -> float:
    """Smallest relative effect that a test of two arms finds.

    Args:
        moments: of subjects as they will be in one arm.
        subjects: in both arms.
        ratio: size of the arm by that of the control.
    """
    from tea_tasting.metrics import RatioOfMeans

    covariates = covariates_of(metric, moments, cuped=cuped)
    if subjects < 4 or not moments.subjects:
        return math.nan
    test = RatioOfMeans(
        metric.numerator, metric.denominator, *covariates, alpha=alpha, power=power, ratio=ratio, n_obs=int(subjects)
    )
    try:
        [found] = test.solve_power_from_aggregates(moments.aggregates(metric.sums_with(covariates)), "rel_effect_size")
    except (ZeroDivisionError, ValueError, RuntimeError):
        return math.nan
    return float(found.rel_effect_size)


def plan(experiment: Experiment, weeks: dict[int, Moments], *, held: float = 0.0) -> list[Plan]:
    """What each number of weeks would find on the experiment's goal, for its smallest pair of arms.

    Args:
        weeks: moments of the subjects of so many past weeks, all that come whatever arm they would be in.
        held: share of the holdout.
    """
    read = experiment.read
    shares = [arm.share for arm in experiment.arms.values()]
    control, smallest = shares[0], min(shares[1:])
    share = (experiment.slice.high - experiment.slice.low) * (1 - held)
    found = []
    for length, moments in sorted(weeks.items()):
        subjects = moments.subjects * share
        effect = smallest_effect(
            METRICS[read.goal],
            moments,
            subjects=subjects * (control + smallest),
            ratio=smallest / control,
            alpha=read.alpha / (len(shares) - 1),
            power=read.power,
            cuped=read.cuped,
        )
        found.append(Plan(length, int(subjects), effect))
    return found


def needed(mean: float, deviation: float, *, effect: float, alpha: float = 0.05, power: float = 0.8) -> int:
    """Subjects in each of two equal arms, by the normal approximation: 2 (z_alpha/2 + z_power)^2 (s / d)^2.

    Args:
        effect: relative to the mean.
    """
    reach = float(norm.isf(alpha / 2) + norm.isf(1 - power))
    return math.ceil(2 * (reach * deviation / (effect * mean)) ** 2)


def chosen(plans: list[Plan], effect: float) -> Plan | None:
    """The shortest that finds ``effect``; None if none does."""
    return next((each for each in plans if each.smallest <= effect), None)
