"""What the board looks up: placements, items by words, and names and prices behind the ids of an answer."""

import json

import pytest

from serving.answering.board import behind, described, items_like, shop
from serving.bundles.loading import load_recommender
from serving.protocol.decoding import decode_request
from serving.protocol.limits import Limits
from tests.bundles import tiny_bundle
from tests.shops import Item, Shop
from tests.tills import ask, feed, in_stock, till
from tillside.policy import read_feed


@pytest.fixture(scope="module")
def recommender(tmp_path_factory):
    told = read_feed(feed(*in_stock("film"), {"item_id": "lamp", "name": "Phone Lamp", "stock": None, "price": None}))
    return load_recommender(till(tmp_path_factory.mktemp("till") / "bundle"), Limits(), feed=told)


def test_the_shop_is_told_by_placement(recommender):
    found = shop(recommender)
    assert list(found["placements"]) == ["checkout", "fashion", "product"]
    assert found["placements"]["checkout"] == {
        "slots": 2,
        "sources": {"model": 1, "complement": 2},
        "anchors": ["cart"],
        "host": False,
        "scene": False,
        "moments": [],
    }
    assert (found["segments"], found["behaviours"]) == (["dormant"], ["click", "cart", "purchase"])


def test_items_are_found_by_id_name_and_category_whatever_the_case(recommender):
    assert list(items_like(recommender, "PHONE")) == ["phone", "phone-se", "lamp"]  # the lamp's name begins so
    assert list(items_like(recommender, "tech ca")) == ["case", "cable"]
    assert items_like(recommender, "nowhere") == {}
    assert items_like(recommender, "film") == {
        "film": {"name": "Film", "price": 15.0, "category": "tech.film", "stock": "sold out"}
    }
    assert items_like(recommender, "lamp")["lamp"] == {
        "name": "Phone Lamp",
        "price": None,
        "category": "",
        "stock": "stock unknown",
    }


def test_a_price_is_told_to_the_hundredth():
    """16.49 in single precision is 16.489999771118164."""
    facts = Shop([Item("cap", 16.49)]).facts()
    assert described(facts, ["cap", "ghost"]) == {
        "cap": {"name": "cap", "price": 16.49, "category": "", "stock": "stock unknown"}
    }


def test_what_stands_behind_an_answer_is_told_of_every_id_in_it(recommender):
    body = ask("checkout", "phone", cart=["phone"], names=True)
    request = decode_request(json.dumps(body).encode(), Limits())
    answer = recommender.answer(request).answer
    found = behind(recommender, answer, ["coat", "ghost"])
    ids = {item.item_id for item in answer.items} | {item_id for each in answer.bundles for item_id in each.items}
    assert ids
    assert found.keys() == ids | {"coat", "phone"}


def test_without_a_policy_it_says_what_to_do(tmp_path):
    bare = load_recommender(tiny_bundle(tmp_path / "orchard"), Limits())
    for look in (lambda: shop(bare), lambda: items_like(bare, "a")):
        with pytest.raises(ValueError, match="PUT /v1/policy brings one"):
            look()
