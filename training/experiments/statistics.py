"""Effects with intervals: delta method for ratios, caps, CUPED, confidence sequences, corrections for many metrics.

Tests at a fixed horizon are tea-tasting's, from means and covariances per arm alone (Deng, Xu, Kohavi and Walker, 2013;
Deng, Knoblich and Lu, 2018), so a comparison costs nothing beyond one pass over the subjects. What may be looked at
every day is a confidence sequence: an interval that holds at all times at once (Waudby-Smith, Arbour, Sinha, Kennedy
and Ramdas, 2021).

Shapes: S subjects, K sums.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from scipy.stats import false_discovery_control, norm

from tillside.experiments.terms import Correction
from training.experiments.metrics import CAPPED, Metric

LEVEL: Final = 0.95

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Moments:
    """What effects are computed from: number of subjects, means and covariances of their sums."""

    subjects: int
    names: tuple[str, ...]
    means_K: Floats
    covariances_KK: Floats

    @classmethod
    def of(cls, sums: Mapping[str, Floats], rows_S: npt.NDArray[Any] | None = None) -> "Moments":
        """Moments of subjects' sums.

        Args:
            rows_S: which subjects, as a mask or rows; None for all.
        """
        names = tuple(sums)
        table_KS = np.stack([column if rows_S is None else column[rows_S] for column in sums.values()])
        subjects = table_KS.shape[1]
        if not subjects:
            return cls(0, names, np.full(len(names), np.nan), np.full((len(names),) * 2, np.nan))
        means_K = table_KS.mean(1)
        table_KS = table_KS - means_K[:, None]
        return cls(subjects, names, means_K, table_KS @ table_KS.T / max(subjects - 1, 1))

    def aggregates(self, columns: Sequence[str]) -> Any:
        """tea-tasting's aggregates of some sums."""
        from tea_tasting.aggr import Aggregates

        place = {name: self.names.index(name) for name in columns}
        return Aggregates(
            count_=self.subjects,
            mean_={name: self.means_K.item(row) for name, row in place.items()},
            var_={name: self.covariances_KK.item(row, row) for name, row in place.items()},
            cov_={
                (left, right): self.covariances_KK.item(row, column)
                for left, row in place.items()
                for right, column in place.items()
                if left < right
            },
        )


@dataclass(frozen=True)
class Effect:
    """Difference of a metric between an arm and the control.

    Attributes:
        control, treatment: values of the metric; under CUPED with the part taken out that the time before explains.
        difference, low, high: absolute, and its interval.
        relative, relative_low, relative_high: of the control's value.
        pvalue: two-sided; nan where there is nothing to compare.
        error: standard error of the difference.
    """

    control: float
    treatment: float
    difference: float
    low: float
    high: float
    relative: float
    relative_low: float
    relative_high: float
    pvalue: float
    error: float


NO_EFFECT: Final = Effect(*(math.nan,) * 10)
LEAST_SUBJECTS: Final = 2
"""Subjects that an arm needs for a variance."""


def covariates_of(metric: Metric, *arms: Moments, cuped: bool) -> tuple[str | None, str | None]:
    """What CUPED takes out of a metric; nothing where it is off, or where an arm had none of it in the time before."""
    found = metric.covariates if cuped else None
    names = [name for name in found or () if name]
    for each in arms:
        if not all(name in each.names and each.means_K[each.names.index(name)] > 0 for name in names):
            return None, None
    return found or (None, None)


def compare(
    metric: Metric, control: Moments, treatment: Moments, *, level: float = LEVEL, cuped: bool = True
) -> Effect:
    """Effect of an arm on a metric, by Welch's test on the delta method's variances.

    Args:
        level: of the interval.
        cuped: whether to take out what the same metric in the time before explains.
    """
    from tea_tasting.metrics import RatioOfMeans

    if min(control.subjects, treatment.subjects) < LEAST_SUBJECTS:
        return NO_EFFECT
    covariates = covariates_of(metric, control, treatment, cuped=cuped)
    columns = metric.sums_with(covariates)
    test = RatioOfMeans(metric.numerator, metric.denominator, *covariates, confidence_level=level)
    with np.errstate(all="ignore"):
        try:
            found = test.analyze_aggregates(control.aggregates(columns), treatment.aggregates(columns))
        except (ZeroDivisionError, OverflowError, ValueError):  # nothing was ever seen, or all is the same
            return NO_EFFECT
    if not math.isfinite(found.statistic):
        return NO_EFFECT
    half = (found.effect_size_ci_upper - found.effect_size_ci_lower) / 2
    error = found.effect_size / found.statistic if found.statistic else half / norm.ppf((1 + level) / 2)
    return Effect(
        found.control,
        found.treatment,
        found.effect_size,
        found.effect_size_ci_lower,
        found.effect_size_ci_upper,
        found.rel_effect_size,
        found.rel_effect_size_ci_lower,
        found.rel_effect_size_ci_upper,
        found.pvalue,
        error,
    )


def sequence_factor(progress: float, *, alpha: float) -> float:
    """Half width of a confidence sequence, in standard errors, at a share ``progress`` of the planned subjects.

    It is narrowest at about 1 and holds at all others too: sqrt(2 (1 + 1/v) log(sqrt(1 + v) / alpha)) with
    v = progress * (log(l + 1) + l) and l = -2 log alpha.
    """
    wide = -2 * math.log(alpha)
    variance = max(progress, 1e-9) * (wide + math.log(wide + 1))
    return math.sqrt(2 * (1 + 1 / variance) * math.log(math.sqrt(1 + variance) / alpha))


def sequential(effect: Effect, *, progress: float, alpha: float) -> Effect:
    """The effect with an interval that may be looked at every day, and without a p-value."""
    half = sequence_factor(progress, alpha=alpha) * effect.error
    scale = (
        effect.relative / effect.difference if effect.difference else 1 / effect.control if effect.control else math.nan
    )
    low, high = effect.difference - half, effect.difference + half
    return Effect(
        effect.control, effect.treatment, effect.difference, low, high, effect.relative, low * scale, high * scale,
        math.nan, effect.error,
    )  # fmt: skip


def capped(sums: Mapping[str, Floats], percentile: float) -> dict[str, Floats]:
    """The sums, money capped at a percentile of the subjects who spent any, all arms together."""
    return {
        name: np.minimum(column, np.quantile(column[column > 0], percentile))
        if name in CAPPED and percentile < 1 and (column > 0).any()
        else column
        for name, column in sums.items()
    }


def adjusted(pvalues: Sequence[float], correction: Correction) -> list[float]:
    """P-values corrected for their number, by Holm (1979) or Benjamini and Hochberg (1995); nan does not count."""
    given = np.array(pvalues, np.float64)
    known = ~np.isnan(given)
    found = given.copy()
    if known.any() and correction == "benjamini_hochberg":
        found[known] = false_discovery_control(given[known])
    elif known.any() and correction == "holm":
        ascending = np.argsort(given[known], kind="stable")
        count = len(ascending)
        stepped = np.minimum(np.maximum.accumulate(given[known][ascending] * np.arange(count, 0, -1)), 1.0)
        own = np.empty(count)
        own[ascending] = stepped
        found[known] = own
    return [float(each) for each in found]
