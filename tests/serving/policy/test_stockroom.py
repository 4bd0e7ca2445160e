"""The stockroom: what is sold out by the feed, and filters, which are one object for one meaning."""

import json

import pytest

from serving.policy import stockroom as room
from serving.policy.stockroom import Stockroom, conditions_of
from serving.protocol.messages import AttributeIs, Filter, PriceRange
from tests.tills import IDS, feed, in_stock, till
from tillside.bundle import open_bundle
from tillside.policy import read_feed


@pytest.fixture(scope="module")
def stockroom(tmp_path_factory) -> Stockroom:
    """Without a feed."""
    return Stockroom.of(open_bundle(till(tmp_path_factory.mktemp("stockroom") / "bundle")))


def test_without_a_feed_nothing_is_sold_out(stockroom):
    assert not stockroom.fed
    assert stockroom.in_stock(len(IDS)) is None


def test_a_feed_tells_what_is_sold_out_and_what_it_leaves_out_may_be_shown(stockroom):
    fed = stockroom.restocked(read_feed(feed({"item_id": "case", "stock": 0}, {"item_id": "film", "stock": None})))
    assert fed.fed
    assert fed.in_stock(len(IDS)).tolist() == [n for n, item in enumerate(IDS) if item != "case"]
    assert fed.in_stock(len(IDS)) is fed.in_stock(
        len(IDS)
    )  # requests that may see the same items are searched together
    assert fed.in_stock(3) is None  # of the first three none is sold out
    assert stockroom.restocked(read_feed(feed(*in_stock()))).in_stock(len(IDS)) is None


def test_a_later_feed_is_laid_over_the_catalogue_and_not_over_the_one_before(stockroom):
    once = stockroom.restocked(read_feed(feed({"item_id": "case", "stock": 0})))
    assert once.restocked(read_feed(feed({"item_id": "film", "price": 1}))).in_stock(len(IDS)) is None
    assert once.price("film") == 15.0
    assert once.price("ghost") is None


def test_one_meaning_is_one_object(stockroom):
    one = stockroom.among(Filter(categories=["tech.phone", "fashion"], price=PriceRange(at_most=300)))
    again = stockroom.among(Filter(categories=["fashion", "tech.phone", "fashion"], price=PriceRange(at_most=300.0)))
    assert one is again
    assert [IDS[item] for item in one.items_A] == ["phone-se", "coat", "scarf"]
    assert stockroom.among(Filter()).items_A.tolist() == list(range(len(IDS)))


def test_a_new_price_is_what_a_filter_goes_by(stockroom):
    fed = stockroom.restocked(read_feed(feed({"item_id": "scarf", "price": 301})))
    asked = Filter(categories=["fashion"], price=PriceRange(at_most=300))
    assert [IDS[item] for item in fed.among(asked).items_A] == ["coat"]
    assert [IDS[item] for item in stockroom.among(asked).items_A] == ["coat", "scarf"]


def test_filters_are_remembered_by_their_bytes(stockroom, monkeypatch):
    monkeypatch.setattr(room, "FILTER_BYTES", 0)
    for price in range(20):
        stockroom.among(Filter(price=PriceRange(at_least=price)))
    assert len(stockroom._filters) == room.LEAST_FILTERS


def test_conditions_are_read_off_every_field():
    asked = Filter(
        categories=["b", "a"], without=["c"], price=PriceRange(1, 2), attributes=[AttributeIs("brand", ["y", "x"])]
    )
    said = json.dumps(conditions_of(asked)._asdict())
    assert json.loads(said) == {
        "categories": ["a", "b"], "without": ["c"], "low": 1, "high": 2, "attributes": [["brand", ["x", "y"]]],
    }  # fmt: skip
