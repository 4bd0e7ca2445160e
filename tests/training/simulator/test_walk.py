"""Sessions: a lawful funnel, and shares that look like a shop."""

from tests.training.simulated import Shop
from tillside.events import BEHAVIOUR, ITEM_ID, QUANTITY, SESSION_ID, TIMESTAMP


def test_cart_follows_click_and_purchase_follows_cart(shop: Shop) -> None:
    first = shop.events.groupby([SESSION_ID, ITEM_ID, BEHAVIOUR])[TIMESTAMP].min().unstack()
    carted, bought = first[first["cart"].notna()], first[first["purchase"].notna()]
    assert len(bought) > 1000
    assert (carted["click"] < carted["cart"]).all()
    assert (bought["cart"] < bought["purchase"]).all()
    times = shop.events.groupby([SESSION_ID, ITEM_ID, BEHAVIOUR]).size().unstack(fill_value=0)
    assert (times["purchase"] <= times["cart"]).all()
    quantities = shop.events[shop.events[BEHAVIOUR] != "click"].groupby([SESSION_ID, ITEM_ID])[QUANTITY].nunique()
    assert quantities.max() == 1


def test_shares_look_like_a_shop(shop: Shop) -> None:
    by_session = shop.events.groupby(SESSION_ID)
    buyers = shop.of("purchase")[SESSION_ID].nunique() / by_session.ngroups
    later = len(shop.events) - by_session.ngroups
    repeats = shop.events.duplicated([SESSION_ID, ITEM_ID]).sum() / later
    assert 0.05 < buyers < 0.25
    assert 0.2 < repeats < 0.4
    assert shop.events[ITEM_ID].value_counts().head(4).sum() / len(shop.events) < 0.1
