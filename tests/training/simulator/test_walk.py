"""Sessions: a lawful funnel, and shares that look like a shop."""

from dataclasses import replace

import numpy as np
import pytest

from tests.training.simulated import START_MS, Shop
from tillside.events import BEHAVIOUR, ITEM_ID, QUANTITY, SESSION_ID, TIMESTAMP
from training.simulator.session_plans import Plans, World, first_visits
from training.simulator.walk import (
    CART,
    CLICK,
    DESIRES,
    LOOKS,
    MOST_STEPS,
    PURCHASE,
    STAGES,
    STATES,
    Habits,
    Trail,
    walk,
)


def test_cart_follows_click_and_purchase_follows_cart(shop: Shop) -> None:
    first = shop.events.groupby([SESSION_ID, ITEM_ID, BEHAVIOUR])[TIMESTAMP].min().unstack()
    carted, bought = first[first["cart"].notna()], first[first["purchase"].notna()]
    assert len(bought) > 1000
    assert (carted["click"] < carted["cart"]).all()
    assert (bought["cart"] < bought["purchase"]).all()
    times = shop.events.groupby([SESSION_ID, ITEM_ID, BEHAVIOUR]).size().unstack(fill_value=0)
    assert (times["purchase"] <= times["cart"]).all()
    quantities = shop.events[shop.events[BEHAVIOUR] != "click"].groupby([SESSION_ID, ITEM_ID])[QUANTITY].nunique()
    assert quantities.max() == 1


def test_shares_look_like_a_shop(shop: Shop) -> None:
    by_session = shop.events.groupby(SESSION_ID)
    buyers = shop.of("purchase")[SESSION_ID].nunique() / by_session.ngroups
    later = len(shop.events) - by_session.ngroups
    repeats = shop.events.duplicated([SESSION_ID, ITEM_ID]).sum() / later
    assert 0.05 < buyers < 0.25
    assert 0.2 < repeats < 0.4
    assert shop.events[ITEM_ID].value_counts().head(4).sum() / len(shop.events) < 0.1


USUAL = Habits(noise=0.15, revisit=0.14, attach=0.7)


@pytest.fixture(scope="module")
def walked(world: World) -> tuple[Plans, Trail]:
    begins = np.sort(np.random.default_rng(0).integers(START_MS, world.end_ms, 3000))
    plans = first_visits(np.random.default_rng(0), world, begins, anonymous=0.2, scenes=0.1)
    return plans, walk(np.random.default_rng(1), world, plans, USUAL)


def test_a_state_tells_intent_stage_desire_and_looks(walked: tuple[Plans, Trail]) -> None:
    """((intent * stages + stage) * desires + desire) * looks + looks; nothing is in the cart or looked at to begin."""
    plans, trail = walked
    assert (trail.begin_state // (STAGES * DESIRES * LOOKS) == plans.intent_S).all()
    assert (trail.begin_state // (DESIRES * LOOKS) % STAGES == 0).all()
    assert (trail.begin_state % LOOKS == 0).all()
    assert (trail.state < STATES).all()
    assert (trail.state // (STAGES * DESIRES * LOOKS) == plans.intent_S[trail.session]).all()
    # bins of half a unit from -2 on
    expected = np.clip(np.floor((plans.desire_S + 2) * 2), 0, DESIRES - 1)
    inside = plans.desire_S > -2
    assert (trail.begin_state // LOOKS % DESIRES == expected)[inside].all()


def test_every_session_begins_with_a_click_ends_in_time_and_within_the_log(
    world: World, walked: tuple[Plans, Trail]
) -> None:
    plans, trail = walked
    first = np.unique(trail.session, return_index=True)[1]
    assert len(first) == len(plans)
    assert (trail.behaviour[first] == CLICK).all()
    assert (trail.time[first] == plans.begin_S).all()
    assert np.bincount(trail.session).max() <= MOST_STEPS
    assert (trail.time < world.end_ms).all()
    assert world.demand.on_sale(trail.item, trail.time).all()


def test_what_is_bought_was_put_into_the_cart_in_that_quantity(walked: tuple[Plans, Trail]) -> None:
    _, trail = walked
    carts: dict[tuple[int, int], int] = {}
    rows = zip(trail.session, trail.item, trail.behaviour, trail.quantity, trail.because, strict=True)
    bought = 0
    for session, item, behaviour, quantity, because in rows:
        assert behaviour in (CART, PURCHASE) or quantity == 1
        assert behaviour == PURCHASE or because == -1
        if behaviour == CART:
            assert (session, item) not in carts
            carts[session, item] = quantity
        elif behaviour == PURCHASE:
            assert carts[session, item] == quantity
            assert because == -1 or ((session, because) in carts and because != item)
            bought += 1
    assert 100 < bought < len(carts)


def test_who_is_not_to_come_back_or_attach_does_so_only_by_chance(world: World, walked: tuple[Plans, Trail]) -> None:
    plans, usual = walked

    def repeats(trail: Trail) -> float:
        clicks = trail.behaviour == CLICK
        pairs = trail.session[clicks] * len(world.goods) + trail.item[clicks]
        return 1 - len(np.unique(pairs)) / len(pairs)

    onwards = walk(np.random.default_rng(1), world, plans, replace(USUAL, revisit=0.0))
    alone = walk(np.random.default_rng(1), world, plans, replace(USUAL, attach=0.0))
    # of 18,000 clicks a share has a standard error of sqrt(0.25 * 0.75 / 18000) = 0.003
    assert repeats(onwards) < repeats(usual) - 0.015
    assert (alone.because >= 0).sum() < 0.5 * (usual.because >= 0).sum()
