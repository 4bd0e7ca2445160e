"""Items: families, prices, names and launches."""

from tests.training.simulated import Shop
from tillside.events import ITEM_ID, PRICE


def test_ladders_rise_in_price_within_a_series(shop: Shop) -> None:
    truth = shop.truth["ladders"]
    below, above = shop.items.loc[truth[ITEM_ID]], shop.items.loc[truth["up_id"]]
    assert len(truth) > 50
    assert (below[PRICE].to_numpy() < above[PRICE].to_numpy()).all()
    assert (below["series"].to_numpy() == above["series"].to_numpy()).all()
