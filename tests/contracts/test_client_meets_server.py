"""The client and the server understand each other: over HTTP, on a real bundle."""

import asyncio
from dataclasses import replace

import pytest

from serving.protocol.limits import LATEST_TIMESTAMP as SERVERS_LATEST
from serving.protocol.messages import Answer as ServersAnswer
from serving.protocol.messages import PlacedAnswer as ServersPlacedAnswer
from serving.protocol.messages import RecommendRequest
from tests.bundles import tiny_bundle
from tests.serving.server_process import ServerProcess
from tests.tills import IDS, NOW_MS, till
from tests.tillside.client.test_requests import WHOLE
from tillside.client import (
    AdminClient,
    AdminError,
    AsyncClient,
    CartLine,
    Client,
    Event,
    FeedItem,
    Filter,
    PagePlacement,
    PlacedRecommendation,
    Recommendation,
    RecommendedItem,
    Request,
)
from tillside.client.messages import LATEST_TIMESTAMP


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("client-meets-server")
    server = ServerProcess(tiny_bundle(folder / "bundle"), folder / "log")
    yield server
    server.process.kill()
    server.process.wait()


@pytest.fixture
def client(server):
    with Client(server.url, fallback=["own"], timeout_ms=10_000) as client:
        yield client


def test_the_golden_request(client):
    """One click on apple: the scores are the items' first coordinates, see tests/bundles.py."""
    answer = client.recommend([Event("apple", "click", 1767225600000), Event("quince")], k=3, exclude=["fig"])
    assert answer.tier == "model"
    assert answer.degraded_reason is None
    assert answer.unknown_items == ("quince",)
    assert len(answer.items) == 3
    assert "fig" not in {item.item_id for item in answer.items}
    assert all(isinstance(item, RecommendedItem) and item.because == "apple" for item in answer.items)


def test_items_of_the_session_are_told_and_left_out_on_demand(client):
    session = [Event("apple"), Event("pear")]
    found = client.recommend(session, k=5)
    assert {item.item_id for item in found.items if item.seen} == {"apple", "pear"}
    fresh = client.recommend(session, k=5, hide_seen=True)
    assert [item.item_id for item in fresh.items] == [item.item_id for item in found.items if not item.seen]


def test_what_only_the_server_can_refuse(client, caplog):
    answer = client.recommend([Event("apple")], behaviour="borrow")
    assert (answer.tier, answer.degraded_reason) == ("caller", "refused")
    assert [item.item_id for item in answer.items] == ["own"]
    assert "behaviour must be one of click, cart, purchase" in caplog.text


def test_both_sides_have_the_same_fields():
    asked = {"session", "behaviour", "k", "exclude", "hide_seen", "deadline_ms"}
    assert asked <= set(RecommendRequest.__struct_fields__)
    assert set(ServersAnswer.__struct_fields__) == set(Recommendation.__slots__)
    assert SERVERS_LATEST == LATEST_TIMESTAMP
    placed = set(PlacedRecommendation.__slots__) | set(Recommendation.__slots__)
    assert placed == set(ServersPlacedAnswer.__struct_fields__)


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    """A server with a policy, see tests/tills.py."""
    folder = tmp_path_factory.mktemp("client-meets-till")
    variables = {"TILLSIDE_ADMIN_TOKEN": "secret"}
    with ServerProcess(till(folder / "bundle"), folder / "log", "--admin-port", "0", variables=variables) as server:
        with AdminClient(server.admin_url, token="secret") as admin:
            admin.put_items([FeedItem(item_id, stock=9) for item_id in IDS], time_ms=NOW_MS)
        yield server


CARTED = Request(session=[Event("phone", "cart")], cart=[CartLine("phone")], timestamp=NOW_MS, explain=True)


def test_a_checkout_is_answered_with_all_that_the_policy_says(shop):
    with Client(shop.url, timeout_ms=10_000) as client:
        answer = client.place("checkout", CARTED)
        by_chance = client.place("no-such-placement", CARTED)
    assert [item.item_id for item in answer.items] == ["case", "film"]
    assert answer.items[0].reason == "Goes well with Phone"
    assert answer.items[0].parts["complement"] > 0
    assert [bundle.missing for bundle in answer.bundles] == [("case", "film")]
    assert answer.promotion is not None
    assert (answer.placement, answer.tier, answer.segment) == ("checkout", "model", None)
    assert by_chance.degraded_reason == "refused"


def test_both_clients_say_all_that_a_request_can_and_are_understood(shop):
    """Nothing that the client sends is refused, and both read the same."""
    whole = replace(WHOLE, candidates=None, filter=None, exclude=(), language="en", scene=["coat"], moment=None)
    page = ["checkout", PagePlacement("fashion", k=1, filter=Filter(categories=["fashion"]))]

    async def awaited():
        async with AsyncClient(shop.url, timeout_ms=10_000) as client:
            return await client.place("checkout", whole), await client.page(page, CARTED), await client.ask(LIST)

    with Client(shop.url, timeout_ms=10_000) as client:
        found = client.place("checkout", whole), client.page(page, CARTED), client.ask(LIST)
    for answer in (found, asyncio.run(awaited())):
        placed, several, listed = answer
        assert placed.degraded_reason is None, placed
        assert placed.segment == "new"
        assert [[item.item_id for item in each.items] for each in several] == [["case", "film"], ["scarf"]]
        assert [item.item_id for item in listed.items] == ["film", "scarf", "ghost"]
        assert [item.name for item in listed.items] == ["Film", "Scarf", None]


LIST = Request(session=[Event("phone")], candidates=["ghost", "scarf", "film"], names=True)


def test_the_feed_counts_and_what_is_wrong_in_it_is_an_error(shop):
    with AdminClient(shop.admin_url, token="secret") as admin, Client(shop.url, timeout_ms=10_000) as client:
        report = admin.put_items([FeedItem("cable", stock=0)], time_ms=NOW_MS)
        assert (report.items, report.new_items) == (1, 0)
        assert "cable" not in {item.item_id for item in client.recommend([Event("phone")]).items}
        admin.put_items([FeedItem("cable", stock=9)], time_ms=NOW_MS)
        assert "cable" in {item.item_id for item in client.recommend([Event("phone")]).items}
        with pytest.raises(AdminError, match="stock") as caught:
            admin.put_items([FeedItem("cable", stock=-1)], time_ms=NOW_MS)
        assert caught.value.status == 422
        assert "tillside" in admin.get("/metrics")
