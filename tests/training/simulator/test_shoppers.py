"""Shoppers by hand, and when they come."""

from dataclasses import replace

import numpy as np
import pytest

from tests.training.simulated import DAY_MS, START_MS
from training.simulator.goods import BRAND_STRIDE
from training.simulator.session_plans import World
from training.simulator.shoppers import HOUR_MS, HOURS, WEEKDAYS, arrivals, make_shoppers


def test_a_favourite_brand_is_of_the_department_asked_about(world: World) -> None:
    shoppers = replace(world.shoppers, brand_rank_U=np.array([11, 0]))
    # 12 brands of electronics, 10 of household and of beauty: 11 stays 11, and 11 % 10 = 1 in the two others
    items = np.array([3, BRAND_STRIDE + 3, 2 * BRAND_STRIDE + 3])
    assert shoppers.brand(np.zeros(3, int), items).tolist() == [11, BRAND_STRIDE + 1, 2 * BRAND_STRIDE + 1]
    assert shoppers.brand(np.ones(3, int), items).tolist() == [0, BRAND_STRIDE, 2 * BRAND_STRIDE]


def test_preferences_are_in_their_ranges_and_a_few_shoppers_come_often() -> None:
    shoppers = make_shoppers(np.random.default_rng(0), 1000)
    assert ((shoppers.sensitivity_U >= 0) & (shoppers.sensitivity_U <= 1)).all()
    assert shoppers.brand_rank_U.max() < BRAND_STRIDE
    shares = np.sort(np.diff(shoppers.arrival_U, prepend=0.0))
    assert shoppers.arrival_U[-1] == 1
    assert (shares > 0).all()
    assert shares[-100:].sum() > 0.25  # the busiest tenth


def test_sessions_follow_the_hours_and_the_days() -> None:
    days = 700
    begins = arrivals(np.random.default_rng(0), sessions=200_000, start_ms=START_MS, days=days)
    assert (np.diff(begins) >= 0).all()
    assert START_MS <= begins[0] < begins[-1] < START_MS + days * DAY_MS
    hours = np.bincount(begins % DAY_MS // HOUR_MS, minlength=24) / len(begins)
    # the busiest hour has 72 of the 745 parts of a day
    assert hours[20] == pytest.approx(72 / 745, rel=0.03)
    np.testing.assert_allclose(hours, np.array(HOURS) / 745, rtol=0.25)
    # 2026-01-01 is a Thursday; Sundays have 1.25 / 0.92 of a Monday's sessions
    weekdays = np.bincount((begins - START_MS) // DAY_MS % 7, minlength=7)
    thursday, sunday, monday = weekdays[0], weekdays[3], weekdays[4]
    assert sunday / monday == pytest.approx(1.25 / 0.92, rel=0.06)
    assert thursday / monday == pytest.approx(WEEKDAYS[3] / WEEKDAYS[0], rel=0.06)
