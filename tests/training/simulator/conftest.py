"""One simulated shop for all tests of the simulator."""

from pathlib import Path

import numpy as np
import pytest

from tests.training.simulated import DAY_MS, START_MS, Shop
from training.settings.simulate import SimulateConfig
from training.simulator.demand import make_demand
from training.simulator.goods import make_goods
from training.simulator.scenes import make_scenes
from training.simulator.session_plans import World
from training.simulator.shoppers import make_shoppers
from training.simulator.true_relations import make_relations
from training.stages.simulate import simulate


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    config = SimulateConfig(items=400, sessions=20_000, shoppers=4000, days=60, out_of_stock=0.1)
    config.out = str(tmp_path_factory.mktemp("shop") / "out")
    simulate(config)
    return Shop(Path(config.out), config)


@pytest.fixture(scope="session")
def world() -> World:
    """A shop of 300 items and 60 days, of which an item is out of stock a fifth."""
    rng, days = np.random.default_rng(0), 60
    goods = make_goods(rng, items=300, start_ms=START_MS, days=days, new_items=0.2)
    relations = make_relations(rng, goods)
    demand = make_demand(rng, goods, start_ms=START_MS, days=days, day_of_year=1, out_of_stock=0.2)
    scenes = make_scenes(rng, goods, relations, demand, days=days)
    return World(goods, relations, demand, make_shoppers(rng, 500), scenes, START_MS + days * DAY_MS)
