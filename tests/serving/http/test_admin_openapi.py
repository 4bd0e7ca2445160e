"""The admin port's document is valid, lists its routes and no other, and its examples are taken and answered."""

import asyncio
import json

import httpx
import msgspec
import pytest
from openapi_schema_validator import OAS31Validator
from openapi_spec_validator import validate

from serving.http.admin import Order, make_admin_app
from serving.http.admin_openapi import EXAMPLE_FEED, admin_openapi_document
from serving.policy.feeds import FeedReport
from serving.protocol.limits import Limits
from tillside.policy import read_feed
from tillside.policy.items.feed import FeedItem

DOCUMENT = admin_openapi_document()
SCHEMAS = DOCUMENT["components"]["schemas"]


def conforms(schema: str, instance) -> None:
    OAS31Validator({"$ref": f"#/components/schemas/{schema}", "components": DOCUMENT["components"]}).validate(instance)


def test_the_document_is_valid_openapi():
    validate(DOCUMENT)


def test_the_port_answers_with_it_and_it_lists_every_route():
    app = make_admin_app(None, token=None, limits=Limits())

    async def ask() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://admin") as client:
            return await client.get("/openapi.json")

    assert asyncio.run(ask()).json() == json.loads(json.dumps(DOCUMENT))
    assert set(DOCUMENT["paths"]) == {route.path_format for route in app.routes}
    for route in app.routes:
        methods = {method.lower() for method in route.methods} - {"head"}
        assert DOCUMENT["paths"][route.path_format].keys() == methods, route.path


def test_a_feed_has_the_fields_that_are_read():
    assert SCHEMAS["FeedItem"]["properties"].keys() == set(FeedItem.__struct_fields__)
    assert SCHEMAS["FeedItem"]["required"] == ["item_id"]
    assert SCHEMAS["FeedReport"]["properties"].keys() == FeedReport.__annotations__.keys()
    assert SCHEMAS["ReloadOrder"]["properties"].keys() == set(Order.__struct_fields__)


def test_the_example_of_a_feed_is_read_and_conforms():
    conforms("ItemsFeed", EXAMPLE_FEED)
    feed = read_feed(msgspec.json.encode(EXAMPLE_FEED))
    assert [item.item_id for item in feed.items] == ["1004856", "case-9"]


@pytest.mark.parametrize(
    "item",
    [
        {"item_id": "a", "stock": -1},
        {"item_id": "a", "price": 0},
        {"item_id": "a", "clearance": 1.5},
        {"item_id": "a", "colour": "red"},
        {"stock": 1},
    ],
)
def test_what_the_schema_refuses_the_server_refuses(item):
    feed = {"time_ms": 1, "items": [item]}
    with pytest.raises(ValueError):
        read_feed(msgspec.json.encode(feed))
    with pytest.raises(Exception, match=r".+"):
        conforms("ItemsFeed", feed)


def test_null_and_left_out_are_two_things():
    conforms("ItemsFeed", {"time_ms": 1, "items": [{"item_id": "a", "stock": None, "price": None, "margin": None}]})
