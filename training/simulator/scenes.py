"""Scenes, live rooms and looks: a few items shown together in sequence, for a limited time.

A scene holds a lead item, complements and substitutes of it, and other popular items; a share of the sessions comes
from a scene and follows what it shows. Shapes: R scenes, K items each, N items in all.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from training.simulator.demand import Demand
from training.simulator.goods import DAY_MS, Goods, Ints
from training.simulator.true_relations import Relations

SCENE_ITEMS: Final = 8


@dataclass(frozen=True)
class Scenes:
    """Scene r shows ``items_RK[r]`` in that order; scenes start one after another, every ``every_ms`` milliseconds."""

    items_RK: Ints
    start_ms: int
    every_ms: int

    def at(self, time: Ints) -> Ints:
        """Scene on air at each time."""
        return np.minimum((time - self.start_ms) // self.every_ms, len(self.items_RK) - 1)


def make_scenes(rng: np.random.Generator, goods: Goods, relations: Relations, demand: Demand, *, days: int) -> Scenes:
    """Generate one scene per day."""
    open_ms = demand.start_ms + np.arange(days, dtype=np.int64) * DAY_MS
    lead = demand.draw_item(demand.draw_kind(open_ms, rng.random(days)), open_ms, rng.random(days))
    items = np.empty((days, SCENE_ITEMS), np.int64)
    items[:, 0] = demand.settle(rng, lead, open_ms, relations.substitutes)
    for place in range(1, SCENE_ITEMS):
        goes = relations.complements.draw(goods.family_N[items[:, 0]], rng.random(days))
        other = demand.draw_item(demand.draw_kind(open_ms, rng.random(days)), open_ms, rng.random(days))
        near = relations.substitutes.draw(items[:, 0], rng.random(days))
        first = goes if place % 2 else near
        wanted = np.where((first >= 0) & (rng.random(days) < 0.6), first, other)
        items[:, place] = demand.settle(rng, wanted, open_ms, relations.substitutes)
    return Scenes(items, demand.start_ms, DAY_MS)
