"""Popularity and availability over time."""

from tests.training.simulated import DAY_MS, START_MS, Shop
from tillside.events import ITEM_ID, TIMESTAMP


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
