"""Whatever is refused, and whatever fails, is a problem document."""

import asyncio
import json
import re
from http import HTTPStatus
from pathlib import Path
from unittest.mock import Mock

import pytest

from serving.http import problems
from serving.http.admin import make_admin_app
from serving.http.problems import ADMIN_PATHS, problem_response
from serving.protocol.errors import ProblemError
from serving.protocol.limits import Limits
from serving.service import Service
from serving.settings import Settings
from tests.serving.asgi import app_client, refused

ITEM_ID = "an-id-that-no-log-may-hold"


def test_paths_and_methods(client):
    assert "/openapi.json" in refused(client.get("/v1/nothing"), 404)
    assert "/openapi.json" in refused(client.post("/v1/recommend/", json={"session": []}), 404)
    assert "/v1/recommend" in refused(client.get("/"), 404)
    response = client.get("/v1/recommend")
    assert "the method GET is not allowed on /v1/recommend; allowed: POST, with a JSON body" in refused(response, 405)
    assert response.headers["allow"] == "POST"
    assert "GET" in refused(client.delete("/v1/model"), 405)


@pytest.mark.parametrize(
    ("path", "meant"),
    [
        ("/recommend", "/v1/recommend"),
        ("/v1/recommendations", "/v1/recommend"),
        ("/v1/Recommend/", "/v1/recommend"),
        ("/v1/recomend", "/v1/recommend"),
        ("/model", "/v1/model"),
        ("/health", "/health/live"),
        ("/healthz/ready", "/health/ready"),
        ("/openapi", "/openapi.json"),
    ],
)
def test_an_unknown_path_is_told_which_one_is_meant(client, path, meant):
    assert f'nothing at "{path}"; did you mean {meant}?' in refused(client.post(path, json={"session": []}), 404)


@pytest.mark.parametrize("host", ["[", "shop/v1/pins?", "a b", "x:99999999", ""])
def test_the_path_is_the_requests_whatever_its_host_says(client, host):
    """An earlier Starlette makes its URL of the header: another path, or none that can be read."""
    headers = {"host": host}
    assert 'nothing at "/v1/nothing"' in refused(client.get("/v1/nothing", headers=headers), 404)
    assert "not allowed on /v1/recommend" in refused(client.get("/v1/recommend", headers=headers), 405)


def test_no_handler_asks_for_the_url():
    texts = {path.name: path.read_text(encoding="utf-8") for path in Path(problems.__file__).parent.glob("*.py")}
    assert texts
    assert [name for name, text in texts.items() if re.search(r"\brequest\.url\b", text)] == []


def test_no_path_is_guessed_where_none_is_alike_and_a_long_one_is_cut(client):
    assert "did you mean" not in refused(client.get("/shop/basket"), 404)
    assert len(refused(client.get("/" + "x" * 5000), 404)) < 300


def test_a_path_of_the_admin_port_is_said_to_be_one(client):
    for path in ADMIN_PATHS:
        assert "admin port" in refused(client.post(path, json={}), 404)
    routes = [route.path_format for route in make_admin_app(Mock(), token=None, limits=Limits()).routes]
    assert {path for path in routes if path.startswith("/v1/")} == set(ADMIN_PATHS)


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
