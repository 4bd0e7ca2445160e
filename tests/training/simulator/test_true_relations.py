"""Complements and substitutes, as they are listed and as they show in the events."""

import numpy as np
import pytest

from tests.training.simulated import Shop, pairs, together
from tillside.events import CATEGORY, ITEM_ID
from training.simulator.session_plans import World
from training.simulator.true_relations import Lists


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


LISTS = Lists(np.array([[5, 7, -1], [-1, -1, -1], [2, 3, 4]]), np.array([[0.25, 1, 1], [1, 1, 1], [0.5, 0.75, 1]]))


def test_an_entry_is_drawn_by_its_weight_and_an_empty_list_has_none() -> None:
    owners = np.array([0, 0, 0, 1, 1, 2, 2, 2])
    chances = np.array([0.0, 0.25, 0.999, 0.0, 0.999, 0.499, 0.5, 0.75])
    assert LISTS.draw(owners, chances).tolist() == [5, 7, 7, -1, -1, 2, 3, 4]


def test_weights_are_the_steps_of_their_sums() -> None:
    np.testing.assert_allclose(LISTS.weights()[[0, 2]], [[0.25, 0.75, 0], [0.5, 0.25, 0.25]])


@pytest.mark.parametrize("name", ["substitutes", "complements"])
def test_lists_hold_each_other_item_once_the_strongest_first(world: World, name: str) -> None:
    lists, goods = getattr(world.relations, name), world.goods
    weights = lists.weights()
    for owner, (items, shares) in enumerate(zip(lists.items_K.tolist(), weights, strict=True)):
        entries = [item for item in items if item >= 0]
        assert len(set(entries)) == len(entries)
        assert items[: len(entries)] == entries  # no gaps
        assert (np.diff(shares[: len(entries)]) <= 1e-12).all()
        assert (owner not in entries) if name == "substitutes" else not set(entries) & set(goods.families[owner].items)
    filled = (lists.items_K >= 0).any(axis=1)
    np.testing.assert_allclose(lists.cumulative_K[filled, -1], 1)


def test_each_complement_has_its_reason(world: World) -> None:
    for items, reasons in zip(world.relations.complements.items_K.tolist(), world.relations.why_FK, strict=True):
        assert len(reasons) == sum(item >= 0 for item in items)
