"""Readings: sequences before the end and one test at it; shoppers decide, anonymous visits stand apart."""

from datetime import date

import numpy as np
import pytest

from tillside.experiments.terms import Arm, Experiment, Reading
from tillside.policy.file.values import DAY_MS
from training.experiments.metrics import BEFORE_SUMS, SUMS
from training.experiments.reading import read_experiment, roles, starts_ms
from training.experiments.subjects import Subjects
from training.experiments.verdict import Word

SINCE, UNTIL = date(2026, 11, 2), date(2026, 11, 16)
START = starts_ms(SINCE, 0)
EXPERIMENT = Experiment(
    since=SINCE,
    until=UNTIL,
    arms={"eight": Arm(share=0.5), "four": Arm(share=0.5)},
    read=Reading(also=("orders",), guardrails={}),
)


def shoppers(lift: float, *, count: int = 4000, share: float = 0.5, anonymous: float = 0.0) -> Subjects:
    rng = np.random.default_rng(7)
    arm = (rng.random(count) < share).astype(np.int64)
    orders = rng.poisson(1.0, count).astype(float)
    revenue = orders * rng.gamma(4, 10, count) * np.where(arm == 1, 1 + lift, 1)
    sums = {name: np.zeros(count) for name in (*SUMS, *BEFORE_SUMS)} | {"orders": orders, "revenue": revenue}
    first = START + rng.integers(0, 14 * DAY_MS, count)
    return Subjects(("eight", "four"), arm, rng.random(count) < anonymous, first, sums)


def test_local_days_begin_at_the_shops_midnight() -> None:
    """2026-11-02 is day 20759 of 1970; eight hours east it begins eight hours earlier."""
    assert START == 20759 * 86_400_000
    assert starts_ms(SINCE, 8) == START - 8 * 3_600_000


def test_metrics_are_read_once_each_the_goal_first() -> None:
    read = Reading(goal="orders", also=("orders", "revenue"))
    assert roles(read)[:2] == [("orders", "goal"), ("revenue", "also")]
    assert dict(roles(read))["dismissal_rate"] == "guardrail"


def test_at_its_end_an_experiment_is_tested_once() -> None:
    found = read_experiment("slots", EXPERIMENT, shoppers(0.2), since_ms=START, last_ms=START + 14 * DAY_MS)
    assert (found.ended, found.days) == (True, (14, 14))
    assert found.verdict.word is Word.better
    assert found.verdict.arm == "four"
    goal, orders = found.findings
    assert goal.effect.relative_low < 0.2 < goal.effect.relative_high
    assert goal.adjusted == pytest.approx(2 * goal.effect.pvalue)  # Holm: the smaller of two p-values counts twice
    assert orders.adjusted >= goal.adjusted


def test_while_it_runs_intervals_are_wider_and_no_p_value_is_told() -> None:
    subjects = shoppers(0.2)
    ended = read_experiment("slots", EXPERIMENT, subjects, since_ms=START, last_ms=START + 14 * DAY_MS)
    running = read_experiment("slots", EXPERIMENT, subjects, since_ms=START, last_ms=START + 7 * DAY_MS)
    assert not running.ended
    assert np.isnan(running.findings[0].adjusted)
    widths = [each.findings[0].effect.high - each.findings[0].effect.low for each in (running, ended)]
    assert widths[0] > 1.5 * widths[1]


def test_wrong_sizes_break_an_experiment_whatever_it_says() -> None:
    subjects = shoppers(0.2, share=0.6)
    found = read_experiment("slots", EXPERIMENT, subjects, since_ms=START, last_ms=START + 14 * DAY_MS)
    assert found.verdict.word is Word.broken
    assert found.fixed < 1e-6


def test_anonymous_visits_are_told_apart() -> None:
    subjects = shoppers(0.0, anonymous=0.5)
    found = read_experiment("slots", EXPERIMENT, subjects, since_ms=START, last_ms=START + 14 * DAY_MS)
    assert sum(found.counts.values()) + sum(found.anonymous_counts.values()) == 4000
    assert len(found.anonymous) == len(found.findings) == 2
    assert found.anonymous[0].effect != found.findings[0].effect
