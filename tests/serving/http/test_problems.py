"""Whatever is refused, and whatever fails, is a problem document."""

import asyncio
import json
from http import HTTPStatus

from serving.http.problems import problem_response
from serving.protocol.errors import ProblemError
from serving.service import Service
from serving.settings import Settings
from tests.serving.asgi import app_client, refused

ITEM_ID = "an-id-that-no-log-may-hold"


def test_paths_and_methods(client):
    assert "/openapi.json" in refused(client.get("/v1/nothing"), 404)
    assert "/openapi.json" in refused(client.post("/v1/recommend/", json={"session": []}), 404)
    response = client.get("/v1/recommend")
    assert "allowed: POST" in refused(response, 405)
    assert response.headers["allow"] == "POST"
    assert "GET" in refused(client.delete("/v1/model"), 405)


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


def test_a_problem_is_a_document_of_its_own_type():
    response = problem_response(ProblemError(HTTPStatus.CONFLICT, "bundle-refused", "it is bad", allowed="good ones"))
    assert json.loads(response.body) == {
        "type": "urn:tillside:problem:bundle-refused",
        "title": "Bundle refused",
        "status": 409,
        "detail": "it is bad",
        "allowed": "good ones",
    }
    assert response.headers["content-type"] == "application/problem+json"
    assert response.headers["cache-control"] == "no-store"
    assert "www-authenticate" not in response.headers


def test_a_401_carries_the_challenge():
    problem = ProblemError(HTTPStatus.UNAUTHORIZED, "unauthorized", "no token")
    assert problem_response(problem).headers["www-authenticate"] == "Bearer"
