"""Shelves by hand: most popular first, in total and by category; walked in chunks."""

import numpy as np

from tests.shops import Item, Shop
from tests.tillside.policy.items.test_facts import facts
from tillside.policy import Shelves, read_feed
from tillside.policy.items.shelves import FIRST_CHUNK, most_popular


def test_items_that_popularity_does_not_know_come_last_by_id() -> None:
    new = facts().with_feed(read_feed(b'{"time_ms": 5}\n{"item_id": "z"}\n{"item_id": "y"}'))
    assert [new.item_ids[item] for item in Shelves.of(new, popular_N=np.array([2, 0])).popular.items_P] == list("cabyz")


SHOP = Shop(
    [
        Item("d", category="x", new=True),
        Item("c", category="y", clearance=0.5),
        Item("b", category="x", clearance=0.1),
        Item("a", category="x.z", new=True),
    ]
)


def test_the_most_popular_by_behaviour_with_ties_by_id() -> None:
    """Of the numbers 0 to 3 the ids are d, c, b, a."""
    scores = np.array([[1, 1, 3, 1], [0, 2, 2, 5]], np.float32)
    assert most_popular(scores, SHOP.facts()).tolist() == [[2, 3, 1, 0], [3, 2, 1, 0]]
    assert most_popular(scores[:, :2], SHOP.facts()).tolist() == [[1, 0], [1, 0]]  # a feed's items may be missing


def test_shelves_hold_what_is_new_or_on_offer_by_category() -> None:
    shelves = Shelves.of(SHOP.facts(), popular_N=np.array([3, 2, 1, 0]))
    assert shelves.popular.items_P.tolist() == [3, 2, 1, 0]
    assert (shelves.new.items_P.tolist(), shelves.clearance.items_P.tolist()) == ([3, 0], [2, 1])
    x = int(shelves.facts.categories.codes_N[0])
    assert (shelves.popular.category(x).tolist(), shelves.clearance.category(x).tolist()) == ([2, 0], [2])


def test_a_walk_sees_everything_once_in_growing_chunks_or_a_category_with_what_lies_below() -> None:
    shop = Shop([Item(f"i{n:04}", category="even" if n % 2 == 0 else "odd.deep") for n in range(3 * FIRST_CHUNK + 1)])
    shelves = shop.shelves()
    chunks = list(shelves.walk(()))
    assert [len(chunk) for chunk in chunks] == [FIRST_CHUNK, 2 * FIRST_CHUNK, 1]
    assert np.concatenate(chunks).tolist() == list(range(3 * FIRST_CHUNK + 1))
    odd = np.concatenate(list(shelves.walk(("odd",))))
    assert odd.tolist() == list(range(1, 3 * FIRST_CHUNK + 1, 2))


def test_other_numbers_of_the_same_items_leave_the_order_and_change_what_is_new_or_on_offer() -> None:
    shelves = Shelves.of(SHOP.facts(), popular_N=np.array([3, 2, 1, 0]))
    rows = b'{"item_id": "d", "new_until_ms": 0}\n{"item_id": "b", "clearance": 0}\n{"item_id": "a", "clearance": 1}'
    facts = SHOP.facts().with_feed(read_feed(b'{"time_ms": 5}\n' + rows))
    found = shelves.recounted(facts)
    assert (found.new.items_P.tolist(), found.clearance.items_P.tolist()) == ([3], [3, 1])
    assert (found.facts, found.popular) == (facts, shelves.popular)
    assert found.recounted(facts).new is found.new  # nothing changed
