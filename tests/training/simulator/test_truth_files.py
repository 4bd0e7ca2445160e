"""What is written beside the log: the truth that no log tells."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.training.simulated import Shop
from tillside.events import ITEM_ID, SESSION_ID
from training.simulator.demand import FAR
from training.simulator.session_plans import Plans, World
from training.simulator.truth_files import Outcomes, write_scenes, write_stock
from training.simulator.walk import CART, CLICK, PURCHASE, Trail


def test_intent_tells_who_buys(shop: Shop) -> None:
    truth = shop.truth["intent"].set_index(SESSION_ID)
    bought = truth.index.isin(shop.of("purchase")[SESSION_ID].unique())
    assert (truth["will_purchase"].to_numpy() == bought).all()
    sizes = shop.events.groupby(SESSION_ID).size().loc[truth.index]
    assert (truth["probabilities"].map(len).to_numpy() == sizes.to_numpy()).all()
    share = truth.groupby("intent")["will_purchase"].mean()
    assert share["decided"] > 2 * share["comparing"] > 2 * share["browsing"]
    # states are calibrated on themselves, so the mean is the share of buyers up to rounding
    assert truth["probability"].mean() == pytest.approx(truth["will_purchase"].mean(), abs=1e-3)
    assert truth.loc[bought, "probability"].mean() > truth.loc[~bought, "probability"].mean() + 0.1


def test_outcomes_by_hand(tmp_path: Path) -> None:
    """Two sessions that began in one state, of which one bought: click, cart and purchase of item 6, after item 3."""
    none = np.full(2, -1)
    plans = Plans(
        begin_S=none, shopper_S=none, known_S=none, intent_S=np.array([0, 2]), wish_S2=none[:, None].repeat(2, 1),
        price_S=none * 1.0, desire_S=none * 1.0, scene_S=none, after_S=none,
    )  # fmt: skip
    trail = Trail(
        session=np.array([0, 0, 0, 1]),
        item=np.array([6, 6, 6, 8]),
        behaviour=np.array([CLICK, CART, PURCHASE, CLICK]),
        time=np.arange(4),
        quantity=np.ones(4, int),
        state=np.array([7, 8, 9, 7]),
        because=np.array([-1, -1, 3, -1]),
        begin_state=np.array([5, 5]),
    )
    outcomes = Outcomes(10)
    outcomes.add(plans, trail, follows=np.array([-1, 0]))
    assert outcomes.behaviours.tolist() == [2, 1, 1]
    assert (outcomes.repeats, outcomes.later) == (2, 2)  # item 6 came twice more; two events after the first ones
    assert outcomes.buyers() == 0.5
    assert [each.tolist() for each in outcomes.sold()] == [[3 * 10 + 6], [1]]
    outcomes.write(tmp_path / "intent.parquet")
    rows = pd.read_parquet(tmp_path / "intent.parquet")
    assert rows["intent"].tolist() == ["decided", "browsing"]
    assert rows["will_purchase"].tolist() == [True, False]
    assert rows["probability"].tolist() == [0.5, 0.5]  # of the two that began in state 5 one bought
    # state 7 was met twice and once before a purchase, 8 once before one; nothing comes after the purchase in 9
    assert [row.tolist() for row in rows["probabilities"]] == [[0.5, 1.0, 0.0], [0.5]]
    assert [None if pd.isna(each) else each for each in rows["follows"]] == [None, "s-00000000"]


def test_spells_and_scenes_are_written_one_by_one(tmp_path: Path, world: World) -> None:
    write_stock(tmp_path / "stock.parquet", world.goods, world.demand)
    stock = pd.read_parquet(tmp_path / "stock.parquet")
    assert len(stock) == (world.demand.gone_from_NK < FAR).sum() > 0
    item = int(np.flatnonzero(world.demand.gone_from_NK[:, 0] < FAR)[0])
    assert stock.iloc[0].tolist()[1:] == [world.demand.gone_from_NK[item, 0], world.demand.gone_until_NK[item, 0]]
    assert stock.iloc[0][ITEM_ID] == f"p-{item:06d}"
    write_scenes(tmp_path / "scenes.parquet", world.goods, world.scenes)
    scenes = pd.read_parquet(tmp_path / "scenes.parquet")
    second = scenes[scenes["scene_id"] == "live-00000001"]
    assert second["place"].tolist() == list(range(8))
    assert second[ITEM_ID].tolist() == [f"p-{number:06d}" for number in world.scenes.items_RK[1]]
