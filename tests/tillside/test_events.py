"""Behaviours are an ordered list of distinct names, and a wrong one is answered with the allowed ones."""

import pytest

from tillside.events import (
    BEHAVIOUR,
    ITEM_ID,
    PRICE,
    QUANTITY,
    SCENE_ID,
    SESSION_ID,
    TIMESTAMP,
    USER_ID,
    Behaviours,
)


def test_the_last_behaviour_is_the_goal_and_the_order_gives_the_index():
    behaviours = Behaviours(("click", "like", "cart", "purchase"))
    assert len(behaviours) == 4
    assert behaviours.goal == "purchase"
    assert [behaviours.index(name) for name in behaviours.names] == [0, 1, 2, 3]


def test_the_default_is_click_cart_purchase():
    assert Behaviours().names == ("click", "cart", "purchase")


def test_an_unknown_behaviour_is_answered_with_the_allowed_ones():
    with pytest.raises(ValueError, match=r"^behaviour 'buy' is unknown; allowed: click, cart, purchase$"):
        Behaviours().index("buy")


@pytest.mark.parametrize("names", [(), ("click", "click"), ("click", ""), (" click",), ("click\n",)])
def test_empty_or_repeated_names_are_refused(names):
    with pytest.raises(ValueError, match="behaviours must"):
        Behaviours(names)


def test_32_behaviours_are_allowed_and_33_are_not():
    names = tuple(f"b{number}" for number in range(33))
    assert len(Behaviours(names[:32])) == 32
    with pytest.raises(ValueError, match="1 to 32 names, got 33"):
        Behaviours(names)


def test_no_column_has_two_roles():
    columns = (SESSION_ID, ITEM_ID, BEHAVIOUR, TIMESTAMP, USER_ID, PRICE, QUANTITY, SCENE_ID)
    assert len(set(columns)) == len(columns)
