"""The log: columns and types, ids, and the order of time over all batches."""

from pathlib import Path

import numpy as np
import pandas as pd

from tests.training.simulated import DAY_MS, START_MS, Shop
from tillside.events import BEHAVIOUR, ITEM_ID, PRICE, QUANTITY, SCENE_ID, SESSION_ID, TIMESTAMP, USER_ID
from training.simulator.event_log import EventLog, ids
from training.simulator.session_plans import World


def test_the_log_is_in_order_of_time_and_inside_its_range(shop: Shop) -> None:
    times = shop.log[TIMESTAMP].to_numpy()
    assert (np.diff(times) >= 0).all()
    assert times[0] >= START_MS
    assert times[-1] < START_MS + shop.config.days * DAY_MS
    same_session = shop.events[SESSION_ID].to_numpy()[1:] == shop.events[SESSION_ID].to_numpy()[:-1]
    assert (np.diff(shop.events[TIMESTAMP])[same_session] > 0).all()


def test_columns_hold_what_they_should(shop: Shop) -> None:
    events = shop.events
    assert list(shop.log.columns) == [
        SESSION_ID, ITEM_ID, BEHAVIOUR, TIMESTAMP, USER_ID, PRICE, QUANTITY, SCENE_ID,
    ]  # fmt: skip
    assert (events[PRICE] > 0).all()
    assert (events[PRICE].to_numpy() == shop.items[PRICE].loc[events[ITEM_ID]].to_numpy()).all()
    assert events[QUANTITY].between(1, 3).all()
    assert events.groupby(SESSION_ID)[[USER_ID, SCENE_ID]].nunique().max().max() == 1
    assert shop.items["name"].is_unique
    assert len(shop.items) == shop.config.items
    assert 0.05 < events[SCENE_ID].notna().mean() < 0.2
    assert events[USER_ID].isna().mean() > 0.1


def test_ids_are_numbers_of_eight_digits_and_null_below_0() -> None:
    assert ids("s", np.array([42, 0, 123_456_789])).to_pylist() == ["s-00000042", "s-00000000", "s-123456789"]
    assert ids("live", np.array([-1, 7])).to_pylist() == [None, "live-00000007"]


def test_what_overlaps_the_next_batch_waits_for_it(tmp_path: Path, world: World) -> None:
    def batch(session: int, *times: int) -> tuple[np.ndarray, ...]:
        size = len(times)
        numbers = [np.full(size, value) for value in (session, 3, 0)]
        return (*numbers, np.array(times), np.full(size, -1), np.full(size, 2), np.full(size, -1))

    path = tmp_path / "events.parquet"
    with EventLog(path, world.goods) as log:
        log.add(batch(0, 10, 40))
        log.add(batch(1, 5, 20))
        log.write_until(20)  # what comes at 20 waits as well
        log.add(batch(2, 20, 30))
        log.write_until(20)  # nothing is ready
        log.write_until(100)
    frame = pd.read_parquet(path)
    assert frame[TIMESTAMP].tolist() == [5, 10, 20, 20, 30, 40]
    assert frame[SESSION_ID].str[-1].tolist() == ["1", "0", "1", "2", "2", "0"]  # of one time: as they were added
    assert (frame[ITEM_ID] == "p-000003").all()
    assert (frame[PRICE] == world.goods.price_N[3]).all()
    assert frame[USER_ID].isna().all()
