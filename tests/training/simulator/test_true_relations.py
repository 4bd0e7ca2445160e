"""Complements and substitutes, as they are listed and as they show in the events."""

from tests.training.simulated import Shop, pairs, together
from tillside.events import CATEGORY, ITEM_ID


def test_complements_are_bought_together_far_above_chance(shop: Shop) -> None:
    bought = together(shop.of("purchase"))
    truth = shop.truth["complements"]
    known = pairs(truth) | {(other, item) for item, other in pairs(truth)}
    hits = sum(pair in known for pair in zip(bought["item_id_x"], bought["item_id_y"], strict=True))
    by_chance = len(known) / (len(shop.items) * (len(shop.items) - 1))
    assert hits / len(bought) > 10 * by_chance
    named = truth[truth["sold"] > 0]
    assert len(named) > 100
    assert pairs(named) <= set(zip(bought["item_id_x"], bought["item_id_y"], strict=True))
    category = shop.items[CATEGORY]
    assert (category.loc[truth[ITEM_ID]].to_numpy() != category.loc[truth["other_id"]].to_numpy()).all()


def test_an_accessory_fits_what_it_complements(shop: Shop) -> None:
    truth = shop.truth["complements"]
    items = shop.items[["series", "fits", "connector"]].fillna("")
    for kind, mine, theirs in (("connector", "connector", "connector"), ("series", "series", "series")):
        chosen = truth[truth["kind"] == kind]
        assert len(chosen) > 10
        assert (items[mine].loc[chosen[ITEM_ID]].to_numpy() == items[theirs].loc[chosen["other_id"]].to_numpy()).all()
    chosen = truth[truth["kind"] == "fits"]
    mine, theirs = items.loc[chosen[ITEM_ID]], items.loc[chosen["other_id"]]
    fits = theirs["fits"].to_numpy()
    assert ((fits == mine["series"].to_numpy()) | (fits == mine["fits"].to_numpy())).all()


def test_substitutes_are_looked_at_together_and_of_one_category(shop: Shop) -> None:
    truth = shop.truth["substitutes"]
    category = shop.items[CATEGORY]
    assert (category.loc[truth[ITEM_ID]].to_numpy() == category.loc[truth["other_id"]].to_numpy()).all()
    seen = together(shop.of("click"))
    known = pairs(truth)
    hits = len(seen.merge(truth, left_on=["item_id_x", "item_id_y"], right_on=[ITEM_ID, "other_id"]))
    assert hits / len(seen) > 10 * len(known) / (len(shop.items) * (len(shop.items) - 1))
