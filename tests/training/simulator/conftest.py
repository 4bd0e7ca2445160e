"""One simulated shop for all tests of the simulator."""

from pathlib import Path

import pytest

from tests.training.simulated import Shop
from training.simulate import SimulateConfig, simulate


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    config = SimulateConfig(items=400, sessions=20_000, shoppers=4000, days=60, out_of_stock=0.1)
    config.out = str(tmp_path_factory.mktemp("shop") / "out")
    simulate(config)
    return Shop(Path(config.out), config)
