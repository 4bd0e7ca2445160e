"""The benchmark of experiments: each part on a shop small enough to run in a second, against what must hold of any."""

import numpy as np
import pytest

from benchmarks import experiments
from benchmarks.experiments import (
    answers_for,
    coverage,
    false_alarms,
    lift,
    off_policy,
    off_policy_coverage,
    size_alarms,
)
from training.experiments.metrics import METRICS, SUMS


def figures(rows) -> dict[tuple[str, str], float]:
    return {(each["system"], each["metric"]): each["value"] for each in rows}


def test_splits_of_the_same_policy_seldom_differ() -> None:
    found = figures(false_alarms(splits=20, shoppers=400, seed=1))
    assert len(found) == 1 + len(METRICS)
    assert found["aa", "false_alarm_share"] == pytest.approx(
        np.mean([value for (system, _), value in found.items() if system != "aa"])
    )
    assert found["aa", "false_alarm_share"] < 0.2


def test_true_lifts_lie_within_their_intervals() -> None:
    found = figures(coverage(runs=8, shoppers=1500, seed=2))
    assert all(value >= 0.75 for value in found.values())  # two misses of eight at a true .95 come once in 60 times
    assert ("coverage", "share") in found


def test_a_lift_is_relative_to_what_nobody_was_shown() -> None:
    """Revenue 12 against 10; order value 12 / 3 = 4 against 10 / 2 = 5."""
    sums = [{name: np.array([value]) for name in SUMS} for value in (1.0, 1.0)]
    shown, without = (
        each | {"revenue": np.array([r]), "orders": np.array([o])}
        for each, r, o in zip(sums, (12.0, 10.0), (3.0, 2.0), strict=True)
    )
    assert lift("revenue", shown, without) == pytest.approx(0.2)
    assert lift("order_value", shown, without) == pytest.approx(-0.2)


def test_a_mismatch_is_found_and_none_invented() -> None:
    found = figures(size_alarms(runs=50, shoppers=30_000, seed=3))
    assert found["srm", "median_day"] <= 10
    assert found["srm", "false_alarm_share"] <= 0.001


def test_policies_are_ranked_as_they_are() -> None:
    found = figures(off_policy(shoppers=3000, seed=4))
    assert found["ope", "rank_correlation"] >= 0.9
    assert found["ope", "mean_relative_error"] < 0.1


def test_true_click_rates_lie_within_their_intervals(monkeypatch) -> None:
    """Of thirty intervals at a true .95 more than six miss once in a thousand times."""
    monkeypatch.setattr(experiments, "SMALL", 100)
    found = figures(off_policy_coverage(runs=6, seed=3))
    assert set(found) == {(system, "share") for system in ("ope-coverage", "ope-coverage ips", "ope-coverage dr")}
    assert all(value >= 0.8 for value in found.values())


def test_answers_are_cut_where_enough_are_effective() -> None:
    """Weights 1, 1, 2: effective sizes 1, 2 and 16 / 6 = 2.67."""
    weights = np.array([1.0, 1.0, 2.0])
    assert [answers_for(size, weights) for size in (1, 2, 2.5, 3)] == [1, 2, 3, 3]
