"""What came by the admin port is the same in all workers, is kept over a kill, and goes over to another server."""

import asyncio
import json
import os
import signal
import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from serving.policy.state_folder import StateFolder
from serving.process.keeping import Keeper
from serving.protocol.errors import ProblemError
from serving.service import Service
from serving.settings import Settings
from tests.serving.load import load
from tests.serving.process.test_supervisor import children
from tests.serving.server_process import DEADLINE_SECONDS, ServerProcess
from tests.tills import IDS, POLICY, till
from tillside.policy import read_feed

TOKEN = {"TILLSIDE_ADMIN_TOKEN": "secret", "TILLSIDE_STATE_TOKEN": "secret"}
HEADERS = {"authorization": "Bearer secret"}
CHECKOUT = {"session": [{"item_id": "phone"}], "cart": [{"item_id": "phone"}], "placement": "checkout", "age": 30}
FOUR = POLICY.replace("slots: 2", "slots: 4")


def put(server: ServerProcess, path: str, body: Any, **parameters: str) -> httpx.Response:
    content = body if isinstance(body, str) else json.dumps(body)
    return httpx.put(
        server.admin_url + path, content=content, headers=HEADERS, params=parameters, timeout=DEADLINE_SECONDS
    )


def feed_now(*rows: dict[str, Any]) -> dict[str, Any]:
    """A feed as of now: everything is in stock unless a row says otherwise."""
    told = {row["item_id"]: row for row in rows}
    items = [told.pop(item_id, {"item_id": item_id, "stock": 9}) for item_id in IDS]
    return {"time_ms": int(time.time() * 1000), "items": [*items, *told.values()]}


def ids(server: ServerProcess, body: dict[str, Any] = CHECKOUT) -> list[list[str]]:
    """Items of several answers, each on a connection of its own, so that all workers are asked."""
    answers = [httpx.post(f"{server.url}/v1/recommend", json=body, timeout=DEADLINE_SECONDS).json() for _ in range(6)]
    return [[item["item_id"] for item in answer["items"]] for answer in answers]


def set_all(server: ServerProcess) -> None:
    """Put one of everything."""
    said = [
        put(
            server, "/v1/items", feed_now({"item_id": "film", "stock": 0}, {"item_id": "lamp", "stock": 2, "price": 7})
        ),
        put(server, "/v1/policy", FOUR),
        put(server, "/v1/pins", [{"name": "lamps", "item": "lamp", "slot": 1, "placements": ["checkout"]}]),
        put(server, "/v1/bans", [{"name": "no wine", "category": "drinks.wine"}]),
        put(server, "/v1/pairs", [{"item": "phone", "other": "scarf"}]),
        put(server, "/v1/bundles", [{"name": "duo", "items": ["phone", "cable"], "price": 505}]),
        put(server, "/v1/prices", [{"item": "lamp", "price": 6.5}]),
    ]
    assert [response.status_code for response in said] == [200] * 7, [response.text for response in said]
    assert [response.json()["revision"] for response in said[1:]] == [1, 2, 3, 4, 5, 6]


def holds(server: ServerProcess) -> None:
    """The lamp is pinned first, then the pair set by hand; no wine, no film (sold out); the duo has its price."""
    for found in ids(server):
        assert found[:3] == ["lamp", "scarf", "case"]
        assert not {"wine", "film"} & set(found)
    answer = httpx.post(f"{server.url}/v1/recommend", json=CHECKOUT, timeout=DEADLINE_SECONDS).json()
    assert answer["bundles"][0]["discounted_price"] == 505
    assert answer["items"][0]["source"] == "pinned"


@pytest.mark.parametrize("workers", ["1", "2"])
def test_everything_that_was_put_survives_a_kill_and_no_request_fails(tmp_path, workers):
    bundle, state = till(tmp_path / "bundle"), tmp_path / "state"
    flags = ("--workers", workers, "--admin-port", "0", "--state", str(state))
    with ServerProcess(bundle, tmp_path / "log", *flags, variables=TOKEN) as server:
        with load(server.port, clients=4, bodies=[CHECKOUT]) as shoppers:
            server.wait_for(lambda: shoppers.answered > 20)
            set_all(server)
            holds(server)
            seen = shoppers.answered
            server.wait_for(lambda: shoppers.answered > seen + 20)
        assert shoppers.failed == []
        server.process.kill()  # SIGKILL: nothing is written at the end
        server.process.wait(DEADLINE_SECONDS)
    with ServerProcess(bundle, tmp_path / "log2", *flags, variables=TOKEN) as again:
        holds(again)
        outdated = put(again, "/v1/items", {"time_ms": 1, "items": []})
        assert outdated.status_code == 409

        # one call goes back, and a second one goes back further; the numbers only rise
        back = httpx.post(f"{again.admin_url}/v1/merchandising/rollback", headers=HEADERS, timeout=DEADLINE_SECONDS)
        assert (back.json()["revision"], back.json()["change"]) == (7, "rollback to 5")
        httpx.post(f"{again.admin_url}/v1/merchandising/rollback", headers=HEADERS, timeout=DEADLINE_SECONDS)
        whole = httpx.get(f"{again.admin_url}/v1/merchandising", headers=HEADERS).json()
        assert (whole["revision"], whole["change"]) == (8, "rollback to 4")
        assert (whole["by_hand"]["bundles"], whole["by_hand"]["prices"]) == ([], [])
        assert [row["revision"] for row in whole["revisions"]] == [8, 7, 6, 5, 4, 3, 2, 1]
        named = httpx.post(
            f"{again.admin_url}/v1/merchandising/rollback",
            json={"revision": 6},
            headers=HEADERS,
            timeout=DEADLINE_SECONDS,
        )
        assert named.json()["revision"] == 9
        holds(again)

        # another server without a folder takes it over, and one that is given no right token never becomes ready
        address = f"{again.admin_url}/v1/admin/state"
        with ServerProcess(
            bundle, tmp_path / "log3", "--workers", workers, "--state-from", address, variables=TOKEN
        ) as replica:
            holds(replica)
        wrong = TOKEN | {"TILLSIDE_STATE_TOKEN": "wrong"}
        with ServerProcess(
            bundle, tmp_path / "log4", "--workers", workers, "--state-from", address, variables=wrong, ready=False
        ) as stranger:
            stranger.wait_for(lambda: "could not be taken over: it answered 401" in stranger.log)
            ready = httpx.get(f"{stranger.url}/health/ready", timeout=DEADLINE_SECONDS)
            assert ready.status_code == 503
            answer = httpx.post(f"{stranger.url}/v1/recommend", json=CHECKOUT, timeout=DEADLINE_SECONDS).json()
            assert (answer["tier"], answer["degraded_reason"]) == ("empty", "not_ready")


def test_a_worker_that_is_replaced_has_what_the_others_have(tmp_path):
    flags = ("--workers", "2", "--admin-port", "0")
    with ServerProcess(till(tmp_path / "bundle"), tmp_path / "log", *flags, variables=TOKEN) as server:
        set_all(server)
        first, second = children(server)
        os.kill(first, signal.SIGKILL)
        third = server.wait_for(lambda: next((pid for pid in children(server) if pid not in (first, second)), None))
        os.kill(second, signal.SIGKILL)
        server.wait_for(lambda: third in children(server) and second not in children(server))
        server.wait_for(server.is_ready)
        holds(server)


def test_what_has_mistakes_changes_nothing_and_is_told_line_by_line(tmp_path):
    flags = ("--workers", "2", "--admin-port", "0")
    with ServerProcess(till(tmp_path / "bundle"), tmp_path / "log", *flags, variables=TOKEN) as server:
        before = ids(server)
        wrong = FOUR.replace("only: [fashion]", "only: [fasion]").replace("behaviour: purchase", "behaviour: buy")
        said = put(server, "/v1/policy", wrong)
        assert said.status_code == 409  # each value is allowed, and this shop has neither
        assert "placements.checkout.behaviour: got 'buy'; allowed: click, cart, purchase" in said.json()["detail"]
        line = 1 + FOUR[: FOUR.index("only: [fashion]")].count("\n")
        name = (
            f"PUT /v1/policy:{line}: placements.fashion.rules.categories.only[0]: 'fasion': "
            "no item has this category; did you mean fashion?"
        )
        assert name in said.json()["detail"].splitlines()
        assert name not in put(server, "/v1/policy", wrong, unknown="take").json()["detail"]
        said = put(server, "/v1/policy", FOUR.replace("only: [fashion]", "only: [fasion]"))
        hint = "?unknown=take takes names that the shop does not have yet"
        assert said.json()["detail"].splitlines() == [name, hint]
        worse = put(server, "/v1/policy", wrong.replace("slots: 2", "slots: 0").replace("slots: 4", "slots: 0"))
        assert (worse.status_code, name in worse.json()["detail"].splitlines()) == (422, True)
        said = put(server, "/v1/pins", [{"name": "x", "item": "fone", "placements": ["chekout"]}])
        assert said.status_code == 409
        assert said.json()["detail"].splitlines()[:2] == [
            "pins[0].item: 'fone': no item has this id; did you mean phone?",
            "pins[0].placements: 'chekout': no such placement; did you mean checkout?",
        ]
        assert put(server, "/v1/pairs", [{"item": "phone"}]).status_code == 422
        assert ids(server) == before
        assert httpx.get(f"{server.admin_url}/v1/merchandising", headers=HEADERS).json()["revision"] == 0
        taken = put(server, "/v1/pins", [{"name": "x", "item": "fone"}], unknown="take")
        assert taken.json()["remarks"] == ["pins[0].item: 'fone': no item has this id; did you mean phone?"]


def test_the_policy_in_force_is_read_replaced_and_given_back(tmp_path):
    flags = ("--workers", "1", "--admin-port", "0")
    with ServerProcess(till(tmp_path / "bundle"), tmp_path / "log", *flags, variables=TOKEN) as server:
        address = f"{server.admin_url}/v1/policy"
        own = httpx.get(address, headers=HEADERS)
        assert (own.text, own.headers["x-policy-source"]) == (POLICY, "policy.yaml")
        version = httpx.get(f"{server.url}/v1/model").json()["policy"]["version"]
        changed = put(server, "/v1/policy", FOUR).json()
        assert changed["placements"] == ["checkout", "fashion", "product"]
        assert [each.partition(";")[0].partition(",")[0] for each in changed["remarks"]] == [
            "placement checkout: its stock rule needs an items feed"
        ]
        assert changed["policy"] != version
        assert httpx.get(address, headers=HEADERS).text == FOUR
        reload = httpx.post(f"{server.admin_url}/v1/admin/reload", headers=HEADERS, timeout=DEADLINE_SECONDS)
        assert reload.status_code == 200
        assert httpx.get(f"{server.url}/v1/model").json()["policy"]["version"] == changed["policy"]
        assert httpx.delete(address, headers=HEADERS, timeout=DEADLINE_SECONDS).json()["policy"] == version
        assert httpx.get(address, headers=HEADERS).text == POLICY
        assert httpx.get(address).status_code == 401


def test_a_state_folder_belongs_to_one_server(tmp_path):
    settings = Settings(tmp_path, state=tmp_path / "state")
    keeper = Keeper(settings, Service(settings))
    with pytest.raises(ValueError, match="is in use by another server"):
        Keeper(settings, Service(settings))
    keeper.close()
    Keeper(settings, Service(settings)).close()


def test_a_state_is_taken_over_from_a_file_too_and_the_later_one_wins(tmp_path, caplog, monkeypatch):
    """The folder's own feed is older than the file's, its revision newer; a file that comes late is waited for."""
    file, folder = tmp_path / "state.json", tmp_path / "state"
    settings = Settings(tmp_path, state=folder, state_from=file.as_uri())
    monkeypatch.setattr("serving.process.keeping.FIRST_PAUSE", 0.01)

    async def run() -> Keeper:
        alone = Keeper(Settings(tmp_path), Service(settings))
        await alone.open()
        await alone.stock(read_feed(b'{"time_ms": 9}\n{"item_id": "a", "stock": 0}'))
        await alone.change({"policy": POLICY})
        kept = Keeper(Settings(tmp_path, state=folder), Service(settings))
        await kept.open()
        await kept.stock(read_feed(b'{"time_ms": 5}\n{"item_id": "a", "stock": 5, "price": 2}'))
        for text in (FOUR, POLICY):
            await kept.change({"policy": text})
        kept.close()
        keeper = Keeper(settings, Service(settings))
        opening = asyncio.ensure_future(keeper.open())
        while "could not be taken over" not in (keeper.waiting or ""):
            await asyncio.sleep(0)
        file.write_bytes(alone.state())
        await opening
        return keeper

    keeper = asyncio.run(run())
    assert keeper.feed is not None
    assert (keeper.feed.time_ms, keeper.feed.items[0].stock, keeper.feed.items[0].price) == (9, 0, 2)
    assert keeper.current.revision == 2
    assert keeper.waiting is None
    assert "trying again" in caplog.text
    keeper.close()
    assert StateFolder(folder).feed == keeper.feed


def test_what_cannot_be_kept_is_not_put_in_force(tmp_path, monkeypatch):
    settings = Settings(tmp_path, state=tmp_path / "state")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    async def run() -> Keeper:
        keeper = Keeper(settings, Service(settings))
        with pytest.raises(ProblemError, match="what was set by hand is being read"):
            await keeper.change({"policy": POLICY})
        await keeper.open()
        monkeypatch.setattr("serving.policy.revisions.write_text_atomically", full)
        monkeypatch.setattr("serving.policy.state_folder.os.fsync", full)
        for change in (keeper.change({"policy": POLICY}), keeper.stock(read_feed(b'{"time_ms": 5}'))):
            with pytest.raises(ProblemError, match="No space left on device") as refused:
                await change
            assert refused.value.status == 507
        return keeper

    keeper = asyncio.run(run())
    assert (keeper.current.revision, keeper.feed) == (0, None)
    keeper.close()
    assert Path(tmp_path / "state" / "items-since.jsonl").read_bytes() == b""


def test_what_ended_all_who_tried_it_on_is_not_kept(tmp_path, monkeypatch):
    """It would end them again, at every start."""
    settings = Settings(tmp_path, state=tmp_path / "state")
    service = Service(settings)

    async def ended(*_: object, **__: object) -> None:
        raise ConnectionError("all workers ended while they tried it on")

    async def run() -> None:
        keeper = Keeper(settings, service)
        await keeper.open()
        monkeypatch.setattr(service, "try_on", ended)
        with pytest.raises(ProblemError, match="nothing was changed, as all workers ended") as refused:
            await keeper.change({"policy": POLICY})
        assert refused.value.status == 503
        keeper.close()

    asyncio.run(run())
    assert StateFolder(tmp_path / "state").revisions.current.revision == 0
