"""The client and the server understand each other: over HTTP, on a real bundle."""

import pytest

from serving.protocol.limits import LATEST_TIMESTAMP as SERVERS_LATEST
from serving.protocol.messages import Answer as ServersAnswer
from serving.protocol.messages import RecommendRequest
from tests.bundles import tiny_bundle
from tests.serving.server_process import ServerProcess
from tillside.client import Client, Event, Recommendation, RecommendedItem
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
