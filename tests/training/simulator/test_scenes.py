"""Scenes: which is on air, and what it shows."""

import numpy as np

from training.simulator.goods import DAY_MS
from training.simulator.scenes import SCENE_ITEMS, Scenes
from training.simulator.session_plans import World


def test_the_scene_on_air_is_the_last_that_began() -> None:
    scenes = Scenes(np.zeros((3, SCENE_ITEMS), np.int64), start_ms=1000, every_ms=10)
    assert scenes.at(np.array([1000, 1009, 1010, 1029, 9999])).tolist() == [0, 0, 1, 2, 2]


def test_a_scene_a_day_shows_what_is_on_sale_when_it_opens(world: World) -> None:
    items = world.scenes.items_RK
    assert items.shape == (60, SCENE_ITEMS)
    opens = world.demand.start_ms + np.arange(60) * DAY_MS
    assert world.demand.on_sale(items.ravel(), np.repeat(opens, SCENE_ITEMS)).all()


def test_odd_places_show_complements_of_the_lead_and_even_ones_substitutes(world: World) -> None:
    """In 0.6 of the places; others are popular items, and some that were gone are replaced."""
    items, goods, relations = world.scenes.items_RK, world.goods, world.relations
    for lists, owners, places in (
        (relations.complements, goods.family_N[items[:, 0]], range(1, SCENE_ITEMS, 2)),
        (relations.substitutes, items[:, 0], range(2, SCENE_ITEMS, 2)),
    ):
        there = [(lists.items_K[owners] == items[:, [place]]).any(axis=1) for place in places]
        some = (lists.items_K[owners] >= 0).any(axis=1)
        assert 0.35 < np.array(there)[:, some].mean() < 0.85
