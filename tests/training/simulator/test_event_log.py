"""The log: columns and types, ids, and the order of time over all batches."""

import numpy as np

from tests.training.simulated import DAY_MS, START_MS, Shop
from tillside.events import BEHAVIOUR, ITEM_ID, PRICE, QUANTITY, SCENE_ID, SESSION_ID, TIMESTAMP, USER_ID


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
