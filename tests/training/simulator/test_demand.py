"""Popularity and availability over time."""

from dataclasses import replace

import numpy as np

from tests.training.simulated import DAY_MS, START_MS, Shop
from tillside.events import ITEM_ID, TIMESTAMP
from training.simulator.demand import FAR
from training.simulator.products import KINDS
from training.simulator.session_plans import World


def test_nothing_happens_to_an_item_that_is_not_on_sale(shop: Shop) -> None:
    launch = shop.items["launch"].loc[shop.events[ITEM_ID]].to_numpy()
    assert (shop.events[TIMESTAMP].to_numpy() >= launch).all()
    assert (shop.items["launch"] > START_MS + DAY_MS).any()
    spells = shop.truth["stock"]
    assert len(spells) > 100
    assert (spells["from"] < spells["until"]).all()
    both = shop.events[[ITEM_ID, TIMESTAMP]].merge(spells, on=ITEM_ID)
    assert not both[TIMESTAMP].between(both["from"], both["until"], inclusive="left").any()


def test_new_items_are_taken_up_after_their_launch(shop: Shop) -> None:
    late = shop.items.index[shop.items["launch"].between(START_MS, START_MS + 30 * DAY_MS)]
    assert shop.events[ITEM_ID].isin(late).sum() > 100


def test_a_period_holds_the_times_from_its_start_to_the_next_and_the_last_one_all_later(world: World) -> None:
    demand = replace(world.demand, start_ms=1000, period_ms=10, kind_cumulative=np.zeros(3 * len(KINDS)))
    assert demand.period(np.array([1000, 1009, 1010, 1029, 9999])).tolist() == [0, 0, 1, 2, 2]


def test_a_kind_is_drawn_by_the_weights_of_its_period(world: World) -> None:
    # first period: kind 0 has a quarter and kind 3 the rest; second: the last kind has it all
    first = np.where(np.arange(len(KINDS)) < 3, 0.25, 1.0)
    second = np.where(np.arange(len(KINDS)) < len(KINDS) - 1, 0.0, 1.0) + 1
    demand = replace(world.demand, start_ms=0, period_ms=10, kind_cumulative=np.concatenate([first, second]))
    chances = np.array([0.0, 0.2499, 0.25, 0.9999])
    assert demand.draw_kind(np.zeros(4, np.int64), chances).tolist() == [0, 0, 3, 3]
    assert demand.draw_kind(np.full(4, 10), chances).tolist() == [len(KINDS) - 1] * 4


def test_a_drawn_item_is_of_the_kind_and_launched_before_its_period_ends(world: World) -> None:
    demand, goods = world.demand, world.goods
    periods = len(demand.kind_cumulative) // len(KINDS)
    kinds, begins, chances = (
        each.ravel()
        for each in np.meshgrid(
            np.arange(len(KINDS)),
            demand.start_ms + np.arange(periods) * demand.period_ms,
            np.append(np.linspace(0, 1, 20, endpoint=False), 1 - 1e-12),
        )
    )
    items = demand.draw_item(kinds, begins, chances)
    assert (goods.kind_N[items] == kinds).all()
    assert (goods.launch_N[items] < begins + demand.period_ms).all()
    assert len(np.unique(items)) > 0.9 * len(goods)


def test_an_item_is_on_sale_from_its_launch_except_in_its_spells(world: World) -> None:
    launch = int(world.goods.launch_N[0])
    begin = np.full((len(world.goods), 2), FAR)
    end = begin.copy()
    begin[0], end[0] = (launch + 10, launch + 30), (launch + 20, launch + 31)
    demand = replace(world.demand, gone_from_NK=begin, gone_until_NK=end)
    times = launch + np.array([-1, 0, 9, 10, 19, 20, 30, 31])
    expected = [False, True, True, False, False, True, False, True]
    assert demand.on_sale(np.zeros(8, np.int64), times).tolist() == expected


def test_who_finds_an_item_gone_settles_for_one_that_is_on_sale(world: World) -> None:
    rng = np.random.default_rng(1)
    items = rng.integers(0, len(world.goods), 5000)
    times = rng.integers(START_MS, world.end_ms, 5000)
    there = world.demand.on_sale(items, times)
    settled = world.demand.settle(rng, items, times, world.relations.substitutes)
    assert 0.1 < 1 - there.mean() < 0.5
    assert (settled[there] == items[there]).all()
    assert world.demand.on_sale(settled, times).all()
    assert (world.goods.kind_N[settled] == world.goods.kind_N[items]).all()


def test_spells_cover_about_their_share_and_spare_the_first_item_of_each_kind(world: World) -> None:
    begin, end = world.demand.gone_from_NK, world.demand.gone_until_NK
    assert (begin[world.demand.evergreen_T] == FAR).all()
    gone = np.where(begin < FAR, np.minimum(end, world.end_ms) - begin, 0).sum()
    asked = 0.2 * 60 * DAY_MS * (len(world.goods) - len(KINDS))
    assert 0.7 * asked < gone < 1.2 * asked
    assert (begin[:, 1:] >= end[:, :-1])[begin[:, 1:] < FAR].all()  # one after another
