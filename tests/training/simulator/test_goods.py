"""Items: families, prices, names and launches."""

import numpy as np
import pytest

from tests.training.simulated import DAY_MS, START_MS, Shop
from tillside.events import ITEM_ID, PRICE
from training.simulator.goods import Goods, make_goods
from training.simulator.products import KINDS
from training.simulator.session_plans import World


def test_ladders_rise_in_price_within_a_series(shop: Shop) -> None:
    truth = shop.truth["ladders"]
    below, above = shop.items.loc[truth[ITEM_ID]], shop.items.loc[truth["up_id"]]
    assert len(truth) > 50
    assert (below[PRICE].to_numpy() < above[PRICE].to_numpy()).all()
    assert (below["series"].to_numpy() == above["series"].to_numpy()).all()


def made(*, seed: int = 0, items: int = 250, new_items: float = 0.2) -> Goods:
    return make_goods(np.random.default_rng(seed), items=items, start_ms=START_MS, days=90, new_items=new_items)


@pytest.mark.parametrize("items", [100, 101, 777])
def test_there_are_as_many_items_as_asked_for_in_ranges_of_kinds_and_families(items: int) -> None:
    goods = made(items=items)
    assert len(goods) == len(goods.item_ids()) == len(set(goods.item_ids())) == items
    assert (goods.kind_ranges[0], goods.kind_ranges[-1]) == (0, items)
    assert (np.diff(goods.kind_ranges) >= 1).all()
    assert (goods.kind_N == np.repeat(np.arange(len(KINDS)), np.diff(goods.kind_ranges))).all()
    members = [item for family in goods.families for item in family.items]
    assert members == list(range(items))
    names = [name for family in goods.families for name in family.names]
    assert len(set(names)) == len(names) == items


def test_a_position_is_the_rank_of_the_price_within_the_kind(world: World) -> None:
    goods = world.goods
    for start, end in zip(goods.kind_ranges[:-1], goods.kind_ranges[1:], strict=True):
        ranked = np.argsort(goods.price_N[start:end], kind="stable")
        expected = np.linspace(0, 1, end - start) if end - start > 1 else np.zeros(1)
        np.testing.assert_allclose(goods.position_N[start:end][ranked], expected)


def test_prices_look_like_prices_and_a_rung_costs_a_twentieth_more_at_least() -> None:
    goods = made(items=1000)
    cents = (goods.price_N * 100).round().astype(int)
    assert (cents[cents >= 10_000] % 1000 == 900).all()  # 1199, 349; 104 becomes 99
    assert (cents[(cents >= 2000) & (cents < 9900)] % 100 == 99).all()  # 24.99
    assert np.isin(cents[cents < 1900] % 100, [49, 99]).all()  # 6.49
    for family in goods.families:
        if KINDS[family.kind].ladder:
            assert (np.diff(family.prices) > 0.05 * np.array(family.prices[:-1])).all()


def test_an_accessory_comes_out_with_what_it_fits_and_a_kind_s_first_family_before_the_log() -> None:
    for family in (goods := made(items=600, new_items=1.0)).families:
        if family.fits >= 0:
            assert family.launch == goods.families[family.fits].launch
            assert goods.families[family.fits].title in family.names[0]
    first = goods.kind_ranges[:-1]
    assert (goods.launch_N[first] < START_MS).all()
    assert START_MS <= goods.launch_N.max() < START_MS + 90 * DAY_MS
    assert (made(new_items=0.0).launch_N < START_MS).all()


def test_the_series_of_a_family_and_of_none() -> None:
    goods = made()
    assert goods.series_of(0) == goods.families[0].series != ""
    assert goods.series_of(-1) == ""
