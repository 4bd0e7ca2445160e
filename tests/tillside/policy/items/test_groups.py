"""Sets of values by item: which items a category or brand covers, what lies above, and what a feed changes."""

from tests.shops import Item, Shop
from tests.tillside.policy.items.test_facts import facts
from tillside.policy import read_feed


def test_attributes_of_a_known_item_are_replaced() -> None:
    new = facts().with_feed(read_feed(b'{"time_ms": 5}\n{"item_id": "a", "attributes": {"category": "z"}}'))
    assert new.categories.having(("z",))[new.categories.codes_N].tolist() == [True, False, False]
    assert not new.categories.having(("x",))[new.categories.codes_N].any()
    assert not new.brands.codes_N[0]


def test_an_item_in_two_categories_is_in_both() -> None:
    feed = b'{"time_ms": 5}\n{"item_id": "a", "attributes": {"category": ["x.y", "w"]}}'
    groups = facts().with_feed(read_feed(feed)).categories
    assert [bool(groups.having((path,))[groups.codes_N[0]]) for path in ("x", "x.y", "w", "y")] == [
        True,
        True,
        True,
        False,
    ]


def test_items_with_the_same_values_share_a_code_and_0_is_none() -> None:
    shop = Shop([Item("a", category="x.y"), Item("b"), Item("c", category="x.y"), Item("d", category="x.z")])
    groups = shop.facts().categories
    assert groups.codes_N.tolist() == [1, 0, 1, 2]
    assert groups.sets == ((), ("x", "x.y"), ("x", "x.z"))
    assert groups.having(("x",)).tolist() == [False, True, True]
    assert groups.having(("x.z", "y")).tolist() == [False, False, True]


def test_the_finest_path_and_the_one_above() -> None:
    shop = Shop([Item("a", category="x.y.z"), Item("b", category="x.y.w"), Item("c", category="x")])
    groups = shop.facts().categories
    assert [groups.finest(code) for code in range(4)] == ["", "x.y.z", "x.y.w", "x"]
    assert groups.near_G.tolist() == [0, 1, 1, 3]  # 1 and 2 are both below x.y; the others have no parent
