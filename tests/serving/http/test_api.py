"""The API of a real server on a loopback socket: good requests, garbage, probes, what the model is."""

import asyncio
import gzip
import json
from pathlib import Path

import pytest
from msgspec import UNSET

from serving.service import Service
from serving.settings import Settings
from tests.serving.asgi import app_client, refused

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


def test_the_log_says_which_field_was_refused_and_why_and_not_what_was_sent(running, client):
    assert client.post("/v1/recommend", json={"session": [], "k": -7700}).status_code == 422
    line = running.wait_for(
        lambda: next((json.loads(each) for each in running.log.splitlines() if '"field":"k"' in each), None)
    )
    assert (line["status"], line["level"]) == (422, "warning")
    assert line["reason"] == "invalid-field; allowed: an integer from 1 to 1000"
    assert "7700" not in json.dumps(line)


class Noted(list):
    """A log of exposures in memory."""

    def note(self, request, outcome):
        self.append((request.placement, request.placements, outcome.answer.recommendation_id))


def test_every_answer_that_was_given_is_noted_and_a_refused_request_is_not():
    """No bundle is loaded, so the last tier answers: one answer, a page of two, each with what was asked there, and a
    request that is refused."""
    settings = Settings(Path("none"))
    service = Service(settings)
    service.exposures = noted = Noted()
    page = {"session": [], "placements": [{"placement": "home"}, {"placement": "cart"}]}

    async def ask():
        async with app_client(service, settings) as client:
            one = await client.post("/v1/recommend", json={"session": [], "placement": "cart"})
            two = await client.post("/v1/page", json=page)
            await client.post("/v1/recommend", json={"session": [], "k": 0})
            return [one.json(), *two.json()["placements"]]

    answers = asyncio.run(ask())
    ids = [answer["recommendation_id"] for answer in answers]
    assert noted == [("cart", UNSET, ids[0]), ("home", UNSET, ids[1]), ("cart", UNSET, ids[2])]
