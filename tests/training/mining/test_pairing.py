"""Each relation from counts, by hand."""

from dataclasses import replace

import numpy as np
import pytest

from training.mining.counting import Acts, Pairs
from training.mining.pairing import Evidence, Mined, complements, gifts, ladders, of_one_group, scene_mates, substitutes
from training.mining.significance import lower_bound
from training.mining.traits import Traits

EASY = Evidence(false_share=0.5, least=1)


def traits(categories, *, prices=None, series=None, departments=None) -> Traits:
    size = len(categories)
    return Traits(
        categories=np.array(categories),
        departments=np.zeros(size, int) if departments is None else np.array(departments),
        brands=np.full(size, -1),
        series=np.full(size, -1) if series is None else np.array(series),
        prices=np.full(size, np.nan) if prices is None else np.array(prices, float),
    )


def pairs(*rows: tuple[int, int, int]) -> Pairs:
    anchors, items, counts = np.array(sorted(rows), np.int64).reshape(-1, 3).T
    return Pairs(anchors, items, counts, counts / 2)


def mined(*rows: tuple[int, int, float]) -> Mined:
    anchors, items, strengths = zip(*rows, strict=True) if rows else ((), (), ())
    return Mined(np.array(anchors, int), np.array(items, int), np.array(strengths, float))


def acts(*counts: int) -> Acts:
    return Acts(None, np.array(counts), np.array(counts) / 2, np.zeros(len(counts), np.int64), np.array([2, 2]))


def found(result: Mined) -> dict[tuple[int, int], float]:
    codes = zip(result.anchors.tolist(), result.items.tolist(), strict=True)
    return dict(zip(codes, result.strengths.round(6).tolist(), strict=True))


def test_a_complement_stands_out_of_its_departments_rate_and_is_of_another_category():
    shop = traits([0, 0, 1, 1])
    # 0 2 and 1 3 belong together; 0 3 and 1 2 are what is left of chance; 0 1 is of one category
    counted = pairs((0, 2, 40), (0, 3, 2), (1, 2, 3), (1, 3, 40), (0, 1, 50))
    result = complements(counted, acts(100, 100, 100, 100), shop, np.ones(5, bool), evidence=Evidence(0.01, 2))
    # two categories of 200: 400² - 2 * 200² = 80,000 ways, 85 seen: 10.625 expected of 100 * 100
    strength = lower_bound(np.array([20.0]), np.array([50.0]))[0] - 10.625 / 100
    assert found(result) == {(0, 2): round(strength, 6), (1, 3): round(strength, 6)}
    assert result.counts.tolist() == [40, 40]
    np.testing.assert_allclose(result.confidence, 0.4)
    np.testing.assert_allclose(result.lift, 40 / 10.625)
    assert (result.chance < 1e-9).all()


def test_what_does_not_fit_and_what_was_seen_too_seldom_is_no_complement():
    shop, taken = traits([0, 0, 1, 1]), acts(100, 100, 100, 100)
    counted = pairs((0, 2, 40), (0, 3, 2), (1, 2, 3), (1, 3, 40))
    fits = np.array([False, True, True, True])
    assert set(found(complements(counted, taken, shop, fits, evidence=Evidence(0.01, 2)))) == {(1, 3)}
    assert not len(complements(counted, taken, shop, fits, evidence=Evidence(0.01, 41)))


def test_a_substitute_is_compared_more_than_its_category_and_not_bought_with():
    shop, views = traits([0, 0, 0, 0, 1]), acts(100, 100, 100, 100, 100)
    compared = pairs((0, 1, 60), (1, 0, 60), (2, 3, 60), (3, 2, 60), (0, 2, 3), (2, 0, 3), (0, 4, 90), (4, 0, 90))
    nothing = pairs()
    result = substitutes(compared, views, nothing, shop, evidence=Evidence(0.01, 2))
    assert set(found(result)) == {(0, 1), (1, 0), (2, 3), (3, 2)}
    bought = pairs((0, 1, 30), (1, 0, 30))
    result = substitutes(compared, views, bought, shop, evidence=Evidence(0.01, 2))
    assert set(found(result)) == {(2, 3), (3, 2)}


def test_in_a_category_of_equals_all_are_substitutes():
    size = 3
    equal = [(a, b, 30) for a in range(size) for b in range(size) if a != b]
    elsewhere = [(a, b, 1) for a in range(3, 20) for b in range(3, 20) if a != b]
    shop, views = traits([0] * size + list(range(1, 18))), acts(*[100] * 20)
    result = substitutes(pairs(*equal, *elsewhere), views, pairs(), shop, evidence=Evidence(0.01, 2))
    assert set(found(result)) == {(a, b) for a, b, _ in equal}


def test_ladders_are_substitutes_and_models_of_a_series_within_bounds():
    shop = traits([0, 0, 0, 0, 1], prices=[10, 15, 30, 10.2, 15], series=[0, 0, 0, 0, 0])
    series = mined((0, 1, 0.7), (0, 2, 0.2), (1, 2, 0.3), (0, 4, 0.9))
    up, down = ladders(mined((0, 1, 0.5), (1, 0, 0.5), (0, 3, 0.4)), series, shop, least=1.05, most=2.0)
    # 0 1 is 1.5 times as dear and counts what is stronger; 1 2 twice; 0 2 three times; 0 3 nothing; 4 is something else
    assert found(up) == {(0, 1): 0.7, (1, 2): 0.3}
    assert found(down) == {(1, 0): 0.5}


def test_items_without_a_price_stand_on_no_ladder():
    shop = traits([0, 0, 0], prices=[np.nan, 15, 0])
    up, down = ladders(mined((0, 1, 0.5), (1, 0, 0.5), (2, 1, 0.5), (1, 2, 0.5)), mined(), shop, least=1.1, most=2.0)
    assert not len(up)
    assert not len(down)


def test_of_one_group_goes_by_meetings_and_else_by_popularity():
    groups, counts = np.array([0, 0, 0, -1]), np.array([9, 4, 4, 9])
    met = replace(pairs((0, 1, 20)), recent=np.array([10.0]))
    # popularity 10, 5, 5; from 0: (10 + 10 * 5/10) / (10 + 10) and (0 + 10 * 5/10) / 20; from 1: 10/15 and 5/15
    expected = {(0, 1): 0.75, (0, 2): 0.25, (1, 0): 0.666667, (1, 2): 0.333333, (2, 0): 0.666667, (2, 1): 0.333333}
    assert found(of_one_group(met, groups, counts, most=5)) == expected
    assert found(of_one_group(pairs(), np.full(4, -1), counts, most=5)) == {}


def test_scene_mates_are_shown_in_one_scene():
    scenes = np.repeat([0, 0, 1, 1, -1], [4, 4, 4, 4, 9])
    items = np.repeat([0, 1, 2, 3, 0], [4, 4, 4, 4, 9])
    # 2 events expected of each of the four cells with 4: chance 0.143, and 0.143 <= 0.5 * 4/8
    expected = {(0, 1): 1.0, (1, 0): 1.0, (2, 3): 1.0, (3, 2): 1.0}
    assert found(scene_mates(scenes, items, items=5, evidence=EASY)) == expected
    assert not len(scene_mates(scenes, items, items=5, evidence=Evidence(0.01, 1)))
    assert not len(scene_mates(np.full(3, -1), np.arange(3), items=5, evidence=EASY))


def test_a_gift_is_a_cheap_complement():
    shop = traits([0, 1, 2, 3, 4], prices=[100, 20, 21, np.nan, 60])
    taken = acts(10, 10, 10, 10, 10)
    pairs_of_it = mined((0, 1, 0.5), (0, 2, 0.5), (0, 3, 0.5), (4, 1, 0.5))
    assert found(gifts(pairs_of_it, taken, shop, share=0.2, alone=1.0)) == {(0, 1): 0.5}
    unknown = traits([0, 1])
    assert not len(gifts(mined((0, 1, 0.5)), acts(10, 10), unknown, share=0.2, alone=1.0))


def test_what_people_go_and_buy_by_itself_is_no_gift():
    """Alone in 12 of 30 takings on average: 4 of 10 of the anchor, 3 of item 1, 5 of item 2, none of item 3."""
    shop = traits([0, 1, 2, 3], prices=[100, 5, 5, 5])
    taken = replace(acts(10, 10, 10, 0), alone_N=np.array([4, 3, 5, 0]))
    pairs_of_it = mined((0, 1, 0.5), (0, 2, 0.5), (0, 3, 0.5))
    assert found(gifts(pairs_of_it, taken, shop, share=0.2, alone=1.0)) == {(0, 1): 0.5, (0, 3): 0.5}
    assert len(gifts(pairs_of_it, taken, shop, share=0.2, alone=1.25)) == 3


@pytest.mark.parametrize("name", ["counts", "confidence", "lift", "chance"])
def test_what_was_not_tested_says_so(name):
    assert len(getattr(mined((0, 1, 0.5)), name)) == 1


def test_what_is_faint_beside_the_best_of_its_anchor_is_left_out():
    shop, taken = traits(list(range(24))), acts(1000, *[100] * 23)
    counted, fits = pairs((0, 2, 90), (0, 3, 15)), np.ones(2, bool)
    # 105 seen in 3300² - 1000² - 23 * 100² ways: 1.09 expected of 1000 * 100, so both are beyond chance
    every = found(complements(counted, taken, shop, fits, evidence=Evidence(0.01, 2)))
    assert set(every) == {(0, 2), (0, 3)}
    assert every[(0, 3)] < 0.15 * every[(0, 2)]
    clear = complements(counted, taken, shop, fits, evidence=Evidence(0.01, 2, 0.15))
    assert found(clear) == {(0, 2): every[(0, 2)]}


def test_a_scene_does_not_show_what_its_visitors_went_on_to():
    scenes, items = np.repeat([0, 0, 0, 1, 1], [40, 40, 3, 40, 40]), np.repeat([0, 1, 4, 2, 3], [40, 40, 3, 40, 40])
    loose = found(scene_mates(scenes, items, items=5, evidence=Evidence(0.5, 1)))
    clear = found(scene_mates(scenes, items, items=5, evidence=Evidence(0.5, 1, 0.1)))
    assert (0, 4) in loose
    assert set(clear) == {(0, 1), (1, 0), (2, 3), (3, 2)}
