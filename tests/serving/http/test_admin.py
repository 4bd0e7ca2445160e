"""The admin port without a socket: what it changes, for whom, and what it says where it does not."""

import asyncio
from http import HTTPStatus

import httpx
import pytest

from serving.http.admin import BODY_BYTES, MOST_CALLS, make_admin_app
from serving.http.server import ADMIN_CONNECTIONS
from serving.policy.feeds import OutdatedFeedError
from serving.protocol.errors import ProblemError
from serving.protocol.limits import Limits
from tests.serving.asgi import refused

TOKEN = {"authorization": "Bearer secret"}
FEED = b'{"time_ms": 1767225600000, "items": []}'
SECRET = "an-id-that-no-log-may-hold"


class Control:
    """Does what it is told, writes it down, and fails as it is told to."""

    def __init__(self, *, fails=None, result="loaded"):
        self.told, self.fails, self.result = [], fails, result

    def ready(self):
        return "v1"

    async def page(self):
        return b"tillside_items 5\n"

    async def reload(self, name=None):
        return self._do(f"reload {name}")

    async def rollback(self):
        return self._do("rollback")

    async def stock(self, feed):
        self._do(f"stock {feed.time_ms}")
        return {"time_ms": feed.time_ms, "items": len(feed.items), "new_items": None, "ranked": None}

    def _do(self, what):
        self.told.append(what)
        if self.fails:
            raise self.fails
        return {"result": self.result, "at": "now", "folder": "f", "bundle": "v1", "reason": "its hash differs"}


def ask(control, method, path, *, token="secret", headers=TOKEN, **body) -> httpx.Response:
    async def run():
        app = make_admin_app(control, token=token, limits=Limits())
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://admin") as client:
            return await client.request(method, path, headers=headers, **body)

    return asyncio.run(run())


def test_probes_and_metrics_need_no_token():
    assert ask(Control(), "GET", "/health/live", headers={}).json() == {"status": "live"}
    assert ask(Control(), "GET", "/health/ready", headers={}).json() == {"status": "ready", "bundle": "v1"}
    assert ask(Control(), "GET", "/metrics", headers={}).text.startswith("tillside_items 5\n")


@pytest.mark.parametrize(
    ("method", "path"), [("POST", "/v1/admin/reload"), ("POST", "/v1/admin/rollback"), ("PUT", "/v1/items")]
)
def test_nothing_changes_without_the_token_or_where_the_server_has_none(method, path):
    control = Control()
    assert "Bearer" in refused(ask(control, method, path, headers={}), 401, field="authorization")
    assert "TILLSIDE_ADMIN_TOKEN" in refused(ask(control, method, path, token=None), 403)
    assert control.told == []


def test_an_order_may_name_a_folder():
    control = Control()
    ask(control, "POST", "/v1/admin/reload")
    ask(control, "POST", "/v1/admin/reload", json={"bundle": "2026-01-31"})
    assert ask(control, "POST", "/v1/admin/rollback").json()["bundle"] == "v1"
    assert control.told == ["reload None", "reload 2026-01-31", "rollback"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (b"nonsense", None),
        (b"[]", None),
        (b'{"bundle": 3}', "bundle"),
        (b'{"path": "good"}', "path"),
        (b"[" * 4000, None),
        (b'{"bundle": "a", "bundle": "b"}', None),
    ],
)
def test_an_order_that_is_none_is_refused_with_an_example(body, field):
    response = ask(Control(), "POST", "/v1/admin/reload", content=body)
    said = 'the body must be empty or a JSON object such as {"bundle": "NAME"}'
    assert refused(response, 400, field=field).startswith(said)


def test_an_order_is_bounded():
    assert "at most 4096 bytes" in refused(
        ask(Control(), "POST", "/v1/admin/reload", content=b" " * (BODY_BYTES + 1)), 413
    )


def test_a_refusal_is_told_with_its_reason():
    response = ask(Control(result="refused"), "POST", "/v1/admin/reload")
    assert refused(response, 409) == "its hash differs"
    mistaken = Control(fails=ValueError("no such name"))
    assert refused(ask(mistaken, "POST", "/v1/admin/reload"), 422) == "no such name"
    assert refused(ask(mistaken, "POST", "/v1/admin/rollback"), 409) == "no such name"


def test_a_feed_is_read_before_it_is_handed_on():
    control = Control()
    assert ask(control, "PUT", "/v1/items", content=FEED).json()["time_ms"] == 1767225600000
    assert control.told == ["stock 1767225600000"]
    assert refused(ask(control, "PUT", "/v1/items", content=b"{}"), 422)
    outdated = Control(fails=OutdatedFeedError("it is older"))
    assert refused(ask(outdated, "PUT", "/v1/items", content=FEED), 409) == "it is older"


def test_calls_that_take_long_leave_connections_to_the_probes():
    """As many calls as are worked on at once wait for a slow feed; one more is told so, a probe is answered."""
    control, released = Control(), asyncio.Event()

    async def stock(feed):
        await released.wait()
        return {"time_ms": feed.time_ms, "items": 0, "new_items": None, "ranked": None}

    control.stock = stock

    async def run():
        app = make_admin_app(control, token="secret", limits=Limits())
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(app), base_url="http://admin", headers=TOKEN
        ) as client:
            slow = [asyncio.create_task(client.put("/v1/items", content=FEED)) for _ in range(MOST_CALLS)]
            while (busy := await client.post("/v1/admin/reload")).status_code == HTTPStatus.OK:
                await asyncio.sleep(0.01)
            stranger = await client.post("/v1/admin/reload", headers={"authorization": "Bearer other"})
            probes = [await client.get(path) for path in ("/health/live", "/health/ready", "/metrics")]
            released.set()
            answers = await asyncio.gather(*slow)
            return busy, stranger, probes, answers, await client.post("/v1/admin/reload")

    busy, stranger, probes, answers, after = asyncio.run(run())
    assert refused(busy, 429) == "24 calls are being worked on; send this one again"
    assert stranger.status_code == HTTPStatus.UNAUTHORIZED
    assert {response.status_code for response in (*probes, *answers, after)} == {HTTPStatus.OK}
    assert MOST_CALLS < ADMIN_CONNECTIONS


def test_a_fault_is_a_problem_document_and_its_log_holds_no_ids(caplog):
    response = ask(Control(fails=KeyError(SECRET)), "POST", "/v1/admin/reload")
    assert "the log says where" in refused(response, 500)
    assert "KeyError" in caplog.text
    assert SECRET not in caplog.text


def test_a_server_that_is_not_ready_says_why(monkeypatch):
    def ready(control):
        raise ProblemError(HTTPStatus.SERVICE_UNAVAILABLE, "not-ready", "the bundle is being verified")

    monkeypatch.setattr(Control, "ready", ready)
    assert refused(ask(Control(), "GET", "/health/ready"), 503) == "the bundle is being verified"
