"""The API of a real server on a loopback socket: good requests, garbage, probes, metrics."""

import asyncio
import gzip
import json
import socket

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families
from starlette.requests import Request

from serving.bundles.reloading import Reloads
from serving.http.api import make_app, read_body
from serving.process.lifecycle import in_background
from serving.protocol.errors import ProblemError
from serving.service import Service
from serving.settings import Settings

ITEM_ID = "an-id-that-no-log-may-hold"
JSON = {"content-type": "application/json"}


def test_an_answer(client):
    response = client.post(
        "/v1/recommend", json={"session": [{"item_id": "pear"}, {"item_id": "apple"}], "k": 3, "exclude": ["fig", "x"]}
    )
    assert response.status_code == 200
    assert response.headers["content-type"] == "application/json"
    assert response.headers["cache-control"] == "no-store"
    answer = response.json()
    assert [item["item_id"] for item in answer["items"]] == ["plum", "apple", "pear"]
    assert answer["unknown_items"] == ["x"]
    assert answer["purchase_intent"] == pytest.approx(0.5)
    assert answer["bundle"] == client.get("/v1/model").json()["bundle"]
    assert answer["model_version"] == answer["bundle"]


def test_every_answer_has_its_own_id(client):
    ids = {client.post("/v1/recommend", json={"session": []}).json()["recommendation_id"] for _ in range(3)}
    assert len(ids) == 3


@pytest.mark.parametrize(
    "content_type", ["application/json", "application/json; charset=utf-8", 'Application/JSON;charset="UTF-8"']
)
def test_content_types_that_are_json(client, content_type):
    headers = {"content-type": content_type}
    assert client.post("/v1/recommend", content=b'{"session":[]}', headers=headers).status_code == 200


def refused(response: httpx.Response, status: int, *, field: str | None = None) -> str:
    """Check that ``response`` is a problem document and return its sentence."""
    problem = response.json()
    assert response.status_code == status
    assert response.headers["content-type"] == "application/problem+json"
    assert problem["status"] == status
    assert problem["type"].startswith("urn:tillside:problem:")
    assert problem["title"]
    assert problem.get("field") == field
    return problem["detail"]


@pytest.mark.parametrize(
    ("body", "status", "field", "words"),
    [
        (b"", 400, None, "empty"),
        (b"\x80\x81", 400, None, "not valid JSON"),
        (b'{"session": [{"item_id": "\xff"}]}', 400, None, "not UTF-8"),
        (b"not json", 400, None, "not valid JSON"),
        (b'{"session": [', 400, None, "truncated"),
        (b'{"session": [], "k": NaN}', 400, None, "not valid JSON"),
        (b'{"session": [], "session": []}', 400, None, '"session" twice'),
        (b"[]", 422, "", "JSON object"),
        (b"null", 422, "", "JSON object"),
        (b"{}", 422, "session", "missing"),
        (b'{"session": [], "k": 0}', 422, "k", "an integer from 1 to 1000, got 0"),
        (b'{"session": [], "k": 1000000000}', 422, "k", "an integer from 1 to 1000, got 1000000000"),
        (b'{"session": [], "k": ' + b"9" * 9000 + b"}", 422, "k", "an integer from 1 to 1000"),
        (b'{"session": [], "behaviour": "like"}', 422, "behaviour", "one of click, cart, purchase, got"),
        (
            b'{"session": [{"item_id": "pear", "behaviour": "like"}]}',
            422,
            "session[0].behaviour",
            "one of click, cart, purchase, got",
        ),
        (b'{"session": [{"item_id": 3}]}', 422, "session[0].item_id", "a string of 1 to 256 characters, got 3"),
        (b'{"session": [], "limit": 3}', 422, "limit", "allowed: session, history, behaviour, k, exclude, deadline_ms"),
        (b'{"session": ' + b"[" * 30_000, 422, "session[0]", "an object with item_id"),
        (b'{"session": [' + b'{"item_id":"a"},' * 1000 + b'{"item_id":"a"}]}', 422, "session", "at most 1000 events"),
        (b'{"session": [], "exclude": [' + b'"a",' * 1000 + b'"a"]}', 422, "exclude", "at most 1000 item ids"),
    ],
)
def test_garbage_is_refused_by_name(client, body, status, field, words):
    assert words in refused(client.post("/v1/recommend", content=body, headers=JSON), status, field=field)


@pytest.mark.parametrize(
    "content_type", [None, "text/plain", "application/json; charset=latin-1", "multipart/form-data"]
)
def test_another_content_type(client, content_type):
    headers = {} if content_type is None else {"content-type": content_type}
    response = client.post("/v1/recommend", content=b'{"session":[]}', headers=headers)
    assert "application/json" in refused(response, 415, field="content-type")


def test_a_compressed_body(client):
    headers = {**JSON, "content-encoding": "gzip"}
    response = client.post("/v1/recommend", content=gzip.compress(b'{"session":[]}'), headers=headers)
    assert "identity" in refused(response, 415, field="content-encoding")


def test_ten_megabytes(client):
    body = b'{"session": [' + b" " * 10_000_000 + b"]}"
    assert "at most 65536 bytes" in refused(client.post("/v1/recommend", content=body, headers=JSON), 413)


def test_ten_megabytes_of_no_stated_length(client):
    chunks = (b" " * 100_000 for _ in range(100))
    assert "at most 65536 bytes" in refused(client.post("/v1/recommend", content=chunks, headers=JSON), 413)


def test_a_body_that_never_ends_is_given_up():
    async def receive():
        await asyncio.Event().wait()

    async def read():
        return await read_body(Request({"type": "http"}, receive), limit=10, seconds=0.01)

    with pytest.raises(ProblemError, match="not complete after") as caught:
        asyncio.run(read())
    assert caught.value.status == 408


def test_paths_and_methods(client):
    assert "/openapi.json" in refused(client.get("/v1/nothing"), 404)
    assert "/openapi.json" in refused(client.post("/v1/recommend/", json={"session": []}), 404)
    response = client.get("/v1/recommend")
    assert "allowed: POST" in refused(response, 405)
    assert response.headers["allow"] == "POST"
    assert "GET" in refused(client.delete("/v1/model"), 405)


def test_a_line_that_is_not_http(running):
    with socket.create_connection(("127.0.0.1", running.port), timeout=30) as connection:
        connection.sendall(b"\x16\x03\x01 nonsense\r\n\r\n")
        assert connection.recv(100).startswith(b"HTTP/1.1 400")


def test_probes(client):
    assert client.get("/health/live").json() == {"status": "live"}
    ready = client.get("/health/ready")
    assert (ready.status_code, ready.json()["status"]) == (200, "ready")


def test_the_model_says_what_it_is(client, orchard):
    model = client.get("/v1/model").json()
    manifest = json.loads((orchard / "manifest.json").read_text())
    assert model["bundle"] == manifest["version"]
    assert (model["items"], model["dim"], model["max_length"]) == (5, 2, 4)
    assert model["behaviours"] == ["click", "cart", "purchase"]
    assert model["purchase_intent"] is True
    assert {key: model[key] for key in ("dataset", "git", "run", "measurements")} == {
        key: manifest[key] for key in ("dataset", "git", "run", "measurements")
    }


def values(client) -> dict[tuple[str, ...], float]:
    page = client.get("/metrics")
    assert page.headers["content-type"].startswith("text/plain")
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(page.text)
        for sample in family.samples
    }


def test_the_metrics_count(client):
    before = values(client)
    client.post("/v1/recommend", json={"session": [{"item_id": "pear"}, {"item_id": "x"}], "behaviour": "cart"})
    client.post("/v1/recommend", json={"session": []})
    client.post("/v1/recommend", json={"session": [], "k": 0})
    after = values(client)
    grown = {key: after[key] - before.get(key, 0.0) for key in after if not key[0].endswith(("_created", "_sum"))}
    assert grown["tillside_answers_total", "cart", "", "", "model"] == 1
    assert grown["tillside_answers_total", "click", "", "empty_session", "popularity"] == 1
    assert grown["tillside_responses_total", "200"] == 2
    assert grown["tillside_responses_total", "422"] == 1
    assert grown["tillside_stage_seconds_count", "total"] == 2
    assert grown["tillside_stage_seconds_count", "queue"] == 1
    assert grown["tillside_stage_seconds_count", "encode"] == 1
    assert grown["tillside_stage_seconds_count", "search"] == 1
    assert grown["tillside_unknown_items_total",] == 1
    assert after["tillside_items",] == 5
    assert after["tillside_model_failures_total",] == 0
    assert after["tillside_queue_depth",] == 0
    assert after["tillside_bundle_reloads_total", "loaded"] == 1
    assert after["tillside_catalogue_timestamp_seconds",] > 0
    assert after["tillside_bundle_info", client.get("/v1/model").json()["bundle"]] == 1


def app_client(service: Service, settings: Settings) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(make_app(settings, service)), base_url="http://server")


def test_until_a_bundle_is_proven_the_server_is_live_and_not_ready_and_answers(tmp_path):
    """The shop's own list without what is excluded, or else an empty answer; never an error."""
    settings = Settings(tmp_path)

    async def ask(*static: str) -> dict:
        service = Service(settings, static=static)  # which nobody gives a bundle
        async with app_client(service, settings) as client:
            assert (await client.get("/health/live")).status_code == 200
            for response in (await client.get("/health/ready"), await client.get("/v1/model")):
                assert refused(response, 503) == "the bundle is being verified"
            body = {"session": [{"item_id": "a"}], "behaviour": "buy", "k": 2, "exclude": ["best"]}
            response = await client.post("/v1/recommend", json=body)
            assert response.status_code == 200
            return response.json()

    answer = asyncio.run(ask("best", "good", "fair", "poor"))
    assert (answer["tier"], answer["degraded_reason"], answer["bundle"]) == ("static", "not_ready", None)
    assert [(item["item_id"], item["source"]) for item in answer["items"]] == [("good", "static"), ("fair", "static")]
    answer = asyncio.run(ask())
    assert (answer["tier"], answer["degraded_reason"], answer["items"]) == ("empty", "not_ready", [])


def test_what_one_turn_of_the_loop_cannot_read_gets_an_empty_answer_and_the_next_turn_reads_again(orchard, monkeypatch):
    monkeypatch.setattr("serving.http.shedding.MOST_OF_A_TURN", 2)
    body = {"session": [{"item_id": "pear"}]}

    async def ask():
        settings = Settings(orchard, queue=3)  # which the first three fill
        service = Service(settings)
        await Reloads(orchard, service).reload()
        async with in_background(service.run()), app_client(service, settings) as client:
            together = await asyncio.gather(*(client.post("/v1/recommend", json=body) for _ in range(5)))
            return [*together, await client.post("/v1/recommend", json=body)]

    answers = [response.json() for response in asyncio.run(ask())]
    told = [(answer["tier"], answer["degraded_reason"]) for answer in answers]
    assert told == [*[("model", None)] * 3, *[("empty", "overload")] * 2, ("model", None)]
    assert answers[3]["items"] == []


@pytest.mark.parametrize("broken", ["answer_questions", "degraded", "read"])
def test_a_bug_is_answered_too_and_its_log_holds_no_ids(orchard, monkeypatch, caplog, broken):
    def fail(recommender, *_, **__):
        raise KeyError(ITEM_ID)

    async def ask():
        settings = Settings(orchard)
        service = Service(settings, static=["fallback"])
        await Reloads(orchard, service).reload()
        monkeypatch.setattr(f"serving.answering.recommender.Recommender.{broken}", fail)
        async with in_background(service.run()), app_client(service, settings) as client:
            session = [] if broken == "degraded" else [{"item_id": "pear"}]
            return await client.post("/v1/recommend", json={"session": session})

    response = asyncio.run(ask())
    assert response.status_code == 200
    answer = response.json()
    assert answer["degraded_reason"] == "model_failed"
    expected = ("popularity", "apple") if broken == "answer_questions" else ("static", "fallback")
    assert (answer["tier"], answer["items"][0]["item_id"]) == expected
    assert "KeyError" in caplog.text
    assert ITEM_ID not in caplog.text


def test_a_fault_outside_the_answer_is_a_problem_document(monkeypatch, tmp_path, caplog):
    def fail(*_):
        raise KeyError(ITEM_ID)

    async def ask():
        settings = Settings(tmp_path)
        async with app_client(Service(settings), settings) as client:
            return await client.post("/v1/recommend", json={"session": []})

    monkeypatch.setattr("serving.http.api.decode_request", fail)
    assert "the log says where" in refused(asyncio.run(ask()), 500)
    assert ITEM_ID not in caplog.text


def test_a_token_opens_what_it_guards_and_probes_are_open(tmp_path):
    settings = Settings(tmp_path, token="open-sesame")

    async def page() -> bytes:
        return b""

    async def ask():
        app = make_app(settings, Service(settings), page=page)
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://server") as client:
            for wrong in ({}, {"authorization": "Bearer open-sesam"}, {"authorization": "Basic open-sesame"}):
                for response in (
                    await client.post("/v1/recommend", json={"session": []}, headers=wrong),
                    await client.get("/v1/model", headers=wrong),
                    await client.get("/metrics", headers=wrong),
                ):
                    assert "Bearer" in refused(response, 401, field="authorization")
                    assert response.headers["www-authenticate"] == "Bearer"
            right = {"authorization": "bearer open-sesame"}
            assert (await client.post("/v1/recommend", json={"session": []}, headers=right)).status_code == 200
            assert (await client.get("/metrics", headers=right)).status_code == 200
            assert (await client.get("/health/live")).status_code == 200
            assert (await client.get("/openapi.json")).status_code == 200

    asyncio.run(ask())


@pytest.mark.parametrize(
    "request_line",
    [b"GET /" + b"a" * 40_000 + b" HTTP/1.1\r\n", b"GET / HTTP/1.1\r\n" + b"a: b\r\n" * 10_000],
    ids=["a long line", "many fields"],
)
@pytest.mark.parametrize("end", [b"", b"\r\n\r\n"], ids=["unfinished", "finished"])
def test_headers_are_bounded(running, request_line, end):
    with socket.create_connection(("127.0.0.1", running.port), timeout=30) as connection:
        connection.sendall(request_line + end)
        assert connection.recv(100).startswith(b"HTTP/1.1 431")
