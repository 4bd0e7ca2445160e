"""Effects against arithmetic by hand and published figures: delta method, CUPED, caps, sequences, corrections."""

import math

import numpy as np
import pytest
from scipy.stats import ttest_ind

from training.experiments.metrics import METRICS, SUMS
from training.experiments.statistics import (
    NO_EFFECT,
    Effect,
    Moments,
    adjusted,
    capped,
    compare,
    sequence_factor,
    sequential,
)

BENJAMINI_HOCHBERG = [
    0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240, 0.4262, 0.5719, 0.6528, 0.7590, 1.0,
]  # fmt: skip
"""The fifteen p-values of their paper of 1995, section 3.2."""


def sums(**columns: list[float]) -> dict[str, np.ndarray]:
    return {name: np.array(column, float) for name, column in columns.items()}


def test_moments_are_means_and_covariances() -> None:
    """Of (1, 3) and (2, 6): means 2 and 4; squares about them 2 and 8, products 4, over 1 each."""
    found = Moments.of(sums(a=[1, 3], b=[2, 6]))
    assert (found.subjects, found.means_K.tolist()) == (2, [2, 4])
    assert found.covariances_KK.tolist() == [[2, 4], [4, 8]]


def test_a_mean_is_compared_as_welch_does() -> None:
    rng = np.random.default_rng(1)
    left, right = rng.exponential(2, 300), rng.exponential(2.2, 500)
    found = compare(METRICS["revenue"], *(Moments.of({"revenue": each}) for each in (left, right)), cuped=False)
    theirs = ttest_ind(right, left, equal_var=False)
    interval = theirs.confidence_interval(0.95)
    assert (found.pvalue, found.low, found.high) == pytest.approx(
        (theirs.pvalue, interval.low, interval.high), rel=1e-9
    )


def test_a_ratio_has_the_delta_methods_variance() -> None:
    """Revenue 10, 20, 30 over orders 1, 2, 2: ratio 20 / (5/3) = 12. The variance of the ratio is that of
    (revenue - 12 orders) / (5/3), here (-2, -4, 6) / (5/3): squares 4 + 16 + 36 = 56, over 2 = 28, times 9/25 = 10.08,
    over 3 subjects 3.36. Two such arms: sqrt(6.72)."""
    arm = Moments.of(sums(revenue=[10, 20, 30], orders=[1, 2, 2]))
    found = compare(METRICS["order_value"], arm, arm, cuped=False)
    assert (found.control, found.difference) == (12, 0)
    assert found.pvalue == 1
    other = Moments.of(sums(revenue=[20, 40, 60], orders=[1, 2, 2]))  # ratio 24, variance four times as large
    found = compare(METRICS["order_value"], arm, other, cuped=False)
    assert (found.difference, found.error) == (pytest.approx(12), pytest.approx(math.sqrt(3.36 + 4 * 3.36)))


def test_cuped_takes_out_what_the_time_before_explains() -> None:
    """With a correlation of r the variance shrinks to 1 - r^2 of it; here r^2 = .64, so errors shrink to .6."""
    rng = np.random.default_rng(2)
    before = rng.normal(10, 1, 40_000)
    now = 0.8 * before + rng.normal(0, 0.6, 40_000)
    half = np.arange(40_000) % 2 == 0
    arms = [Moments.of({"revenue": now, "revenue_before": before}, rows) for rows in (half, ~half)]
    plain, narrow = (compare(METRICS["revenue"], *arms, cuped=cuped) for cuped in (False, True))
    assert narrow.error / plain.error == pytest.approx(0.6, rel=0.02)


def test_without_a_time_before_nothing_is_taken_out() -> None:
    """A young shop has no orders before, and revenue over no orders is no number."""
    arm = sums(revenue=[10, 20, 30], orders=[1, 2, 2])
    before = sums(revenue_before=[0, 0, 0], orders_before=[0, 0, 0])
    plain = compare(METRICS["order_value"], Moments.of(arm), Moments.of(arm), cuped=False)
    assert compare(METRICS["order_value"], Moments.of(arm | before), Moments.of(arm | before)) == plain
    assert plain.control == 12


def test_a_confidence_sequence_is_as_wide_as_the_paper_says() -> None:
    """At the planned size and alpha = .05: l = -2 ln .05 = 5.9915, v = l + ln(l + 1) = 7.9361,
    sqrt(2 * (1 + 1/v) * ln(sqrt(1 + v) / .05)) = sqrt(2 * 1.12601 * 4.0909) = 3.035, against 1.96 for one look."""
    assert sequence_factor(1, alpha=0.05) == pytest.approx(3.035, abs=5e-4)
    assert sequence_factor(0.05, alpha=0.05) > sequence_factor(0.3, alpha=0.05) > sequence_factor(1, alpha=0.05)


def test_peeking_at_a_confidence_sequence_gives_few_false_alarms() -> None:
    """Fourteen looks at nothing: at 1.96 errors about 22 of 100 runs would alarm, here at most 5 of 100 may."""
    rng = np.random.default_rng(3)
    walks = rng.normal(0, 1, (4000, 14)).cumsum(1) / np.sqrt(np.arange(1, 15))
    fixed = (abs(walks) > 1.96).any(1).mean()
    factors = [sequence_factor(day / 14, alpha=0.05) for day in range(1, 15)]
    assert fixed > 0.18
    assert (abs(walks) > factors).any(1).mean() < 0.05


def test_a_sequential_effect_is_centred_and_wider() -> None:
    effect = Effect(10, 11, 1, 0.02, 1.98, 0.1, 0.002, 0.2, 0.04, 0.5)
    found = sequential(effect, progress=1, alpha=0.05)
    assert (found.low, found.high) == pytest.approx((1 - 3.035 * 0.5, 1 + 3.035 * 0.5), abs=1e-3)
    assert found.relative_low == pytest.approx(found.low / 10)
    assert math.isnan(found.pvalue)


def test_money_is_capped_among_those_who_spent_any() -> None:
    """Of 10, 20, 30 the median is 20; who spent nothing moves it not, and counts stay."""
    found = capped(sums(revenue=[0, 0, 0, 0, 10, 20, 30], orders=[0, 0, 0, 0, 1, 1, 9]), 0.5)
    assert found["revenue"].tolist() == [0, 0, 0, 0, 10, 20, 20]
    assert found["orders"].tolist() == [0, 0, 0, 0, 1, 1, 9]


def test_corrections_reject_as_published() -> None:
    """Benjamini and Hochberg reject the first four at .05, Bonferroni's way and Holm's the first three."""
    for correction, rejected in (("benjamini_hochberg", 4), ("holm", 3)):
        assert sum(p <= 0.05 for p in adjusted(BENJAMINI_HOCHBERG, correction)) == rejected  # type: ignore[arg-type]


def test_holm_by_hand() -> None:
    """.005, .01, .03, .04 times 4, 3, 2, 1: .02, .03, .06, .04, and no later one below an earlier: .06."""
    assert adjusted([0.01, 0.04, 0.03, 0.005], "holm") == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert adjusted([0.01, math.nan], "holm")[0] == 0.01
    assert adjusted([0.01, 0.04], "none") == [0.01, 0.04]


@pytest.mark.parametrize("column", ["revenue", "clicks"])
def test_what_cannot_be_compared_says_so(column: str) -> None:
    nothing = {name: np.zeros(5) for name in SUMS}
    metric = METRICS["order_value" if column == "revenue" else "click_rate"]
    assert math.isnan(compare(metric, Moments.of(nothing), Moments.of(nothing)).pvalue)
    assert compare(metric, Moments.of(nothing, np.array([0])), Moments.of(nothing)) == NO_EFFECT
