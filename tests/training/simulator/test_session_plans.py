"""What a session wants before its first click, and the visits that follow a purchase."""

from dataclasses import replace

import numpy as np
import pytest

from tests.training.simulated import DAY_MS, START_MS, Shop
from tillside.events import SESSION_ID, TIMESTAMP, USER_ID
from training.simulator import intents
from training.simulator.session_plans import CONSUMABLE, GIFT, Plans, World, first_visits, later_visits, utility


def test_later_visits_follow_a_purchase_of_the_same_shopper(shop: Shop) -> None:
    truth = shop.truth["intent"]
    follows = truth[truth["follows"].notna()]
    session = shop.events.groupby(SESSION_ID).agg(user=(USER_ID, "first"), begin=(TIMESTAMP, "min"))
    then, now = session.loc[follows["follows"]], session.loc[follows[SESSION_ID]]
    assert len(follows) > 100
    assert (then["user"].to_numpy() == now["user"].to_numpy()).all()
    assert (then["begin"].to_numpy() < now["begin"].to_numpy()).all()


def planned(world: World, *, sessions: int = 4000, anonymous: float = 0.0, scenes: float = 0.0, seed: int = 0) -> Plans:
    begins = np.sort(np.random.default_rng(seed).integers(START_MS, world.end_ms, sessions))
    return first_visits(np.random.default_rng(seed), world, begins, anonymous=anonymous, scenes=scenes)


def test_utility_by_hand(world: World) -> None:
    # shopper 0 does not mind the price, shopper 1 minds it as much as one can; both like the brand of item 0
    goods = replace(world.goods, position_N=np.where(np.arange(len(world.goods)) == 0, 0.5, 1.0))
    rank = world.goods.brand_N[0] % 12
    shoppers = replace(world.shoppers, sensitivity_U=np.array([0.0, 1.0]), brand_rank_U=np.array([rank, rank]))
    other = int(np.flatnonzero(world.goods.brand_N != world.goods.brand_N[0])[0])
    other_likes = shoppers.brand(np.zeros(1, int), world.goods.brand_N[[other]])[0] == world.goods.brand_N[other]
    shop = replace(world, goods=goods, shoppers=shoppers)
    wanted, items = np.full(4, 0.5), np.array([0, other, 0, other])
    # 0.7 for the brand + 0.3 - 1.3 * distance * (0.6 + 1.4 * sensitivity); the distances are 0 and 0.5
    brand = 0.7 * other_likes
    expected = [1.0, brand + 0.3 - 1.3 * 0.5 * 0.6, 1.0, brand + 0.3 - 1.3 * 0.5 * 2.0]
    np.testing.assert_allclose(utility(shop, np.array([0, 0, 1, 1]), wanted, items), expected)


def test_shares_of_sessions_are_those_asked_for(world: World) -> None:
    plans = planned(world, anonymous=0.25, scenes=0.5)
    # 4,000 sessions: four standard deviations are at most 4 * sqrt(0.25 / 4000) = 0.032
    assert 1 - plans.known_S.mean() == pytest.approx(0.25, abs=0.032)
    assert (plans.scene_S >= 0).mean() == pytest.approx(0.5, abs=0.032)
    shares = np.bincount(plans.intent_S, minlength=len(intents.INTENTS)) / len(plans)
    np.testing.assert_allclose(shares, [intent.share for intent in intents.INTENTS], atol=0.032)
    from_scene = plans.scene_S >= 0
    assert (plans.scene_S[from_scene] == world.scenes.at(plans.begin_S[from_scene])).all()
    assert (plans.after_S == -1).all()


def test_wishes_suit_the_intent(world: World) -> None:
    plans = planned(world)
    kinds = world.goods.kind_N[plans.wish_S2]
    for intent, suits in ((intents.GIFT, GIFT), (intents.REPLENISHER, CONSUMABLE)):
        assert suits[kinds[plans.intent_S == intent, 0]].mean() > suits[kinds[:, 0]].mean() + 0.2
    same = kinds[:, 0] == kinds[:, 1]
    assert same[plans.intent_S == intents.COMPARING].mean() > same[plans.intent_S == intents.BROWSING].mean() + 0.2


def bought(world: World, plans: Plans, items: list[int], *, follow_up: float = 1.0) -> Plans:
    size = len(items)
    return later_visits(
        np.random.default_rng(0),
        world,
        plans,
        session_B=np.arange(size),
        item_B=np.array(items),
        time_B=np.full(size, START_MS),
        follow_up=follow_up,
    )


def test_who_bought_something_that_runs_out_comes_back_for_it_after_about_four_weeks(world: World) -> None:
    lasting_goes = (world.relations.complements.items_K >= 0).any(axis=1)[world.goods.family_N]
    consumable = int(np.flatnonzero(CONSUMABLE[world.goods.kind_N])[0])
    lasting = int(np.flatnonzero(~CONSUMABLE[world.goods.kind_N] & lasting_goes)[0])
    plans = planned(world, sessions=600)
    later = bought(world, plans, [consumable] * 300 + [lasting] * 300)
    again = later.after_S < 300
    assert (later.wish_S2[again, 0] == consumable).all()
    assert (later.intent_S == np.where(again, intents.REPLENISHER, intents.ACCESSORY)).all()
    delay = (later.begin_S - START_MS) / DAY_MS
    assert delay[again].mean() == pytest.approx(28, abs=4 * 5 / np.sqrt(300))
    assert delay[~again].mean() == pytest.approx(3.1, abs=4 * 3 / np.sqrt(300))
    row = world.relations.complements.items_K[world.goods.family_N[lasting]]
    assert np.isin(later.wish_S2[~again, 0], row[row >= 0]).all()
    assert (later.shopper_S == plans.shopper_S[later.after_S]).all()


def test_nobody_comes_back_who_is_not_known_or_is_not_to(world: World) -> None:
    consumable = int(np.flatnonzero(CONSUMABLE[world.goods.kind_N])[0])
    assert not len(bought(world, planned(world, sessions=50), [consumable] * 50, follow_up=0.0))
    assert not len(bought(world, planned(world, sessions=50, anonymous=1.0), [consumable] * 50))
