"""The OpenAPI document is valid, describes the message types as they are, and real answers conform to it."""

import pytest
from openapi_schema_validator import OAS31Validator
from openapi_spec_validator import validate

from serving.http.api import make_app
from serving.http.openapi import openapi_document
from serving.http.schemas import Names
from serving.protocol.limits import Limits
from serving.service import Service
from serving.settings import Settings


def conforms(document, schema: str, instance) -> None:
    OAS31Validator({"$ref": f"#/components/schemas/{schema}", "components": document["components"]}).validate(instance)


@pytest.fixture
def document(client):
    return client.get("/openapi.json").json()


def test_the_document_is_valid_openapi(document):
    assert document["openapi"] == "3.1.0"
    validate(document)


def test_the_document_lists_every_route_and_no_other(document, client, orchard):
    settings = Settings(orchard)

    async def page() -> bytes:
        return b""

    app = make_app(settings, Service(settings), page=page)
    assert list(document["paths"]) == [route.path for route in app.routes]
    app = make_app(settings, Service(settings))
    assert list(openapi_document(Limits(), metrics_page=False)["paths"]) == [route.path for route in app.routes]
    for path, methods in document["paths"].items():
        for method in methods:
            assert client.request(method, path).status_code in (200, 415)


def test_the_examples_conform_and_are_answered(document, client):
    operation = document["paths"]["/v1/recommend"]["post"]
    for example in operation["requestBody"]["content"]["application/json"]["examples"].values():
        conforms(document, "RecommendRequest", example["value"])
        assert client.post("/v1/recommend", json=example["value"]).status_code == 200
    for example in operation["responses"]["200"]["content"]["application/json"]["examples"].values():
        conforms(document, "PlacedAnswer" if "placement" in example["value"] else "Answer", example["value"])


@pytest.mark.parametrize(
    "request_body",
    [
        {"session": []},
        {"session": [{"item_id": "ghost"}], "exclude": ["ghost"]},
        {"session": [{"item_id": "pear", "behaviour": "cart", "timestamp": None}], "behaviour": "purchase"},
        {"session": [{"item_id": "pear", "timestamp": 1767225600000}], "k": 1000},
    ],
)
def test_answers_conform(document, client, request_body):
    conforms(document, "RecommendRequest", request_body)
    conforms(document, "Answer", client.post("/v1/recommend", json=request_body).json())


def test_the_other_answers_conform(document, client):
    conforms(document, "Model", client.get("/v1/model").json())
    conforms(document, "Health", client.get("/health/live").json())
    conforms(document, "Health", client.get("/health/ready").json())
    conforms(document, "Problem", client.post("/v1/recommend", json={"session": [], "k": 0}).json())
    conforms(document, "Problem", client.get("/nothing").json())


def fits(document, path: str, body) -> bool:
    schema = document["paths"][path]["post"]["requestBody"]["content"]["application/json"]["schema"]
    return OAS31Validator({**schema, "components": document["components"]}).is_valid(body)


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/page", {"session": []}),
        ("/v1/page", {"session": [], "placements": [{"placement": "home"}], "placement": "home"}),
        ("/v1/recommend", {"session": [], "placements": [{"placement": "home"}]}),
        ("/v1/recommend", {"session": [], "age": 30}),
        ("/v1/recommend", {"session": [], "placement": "home", "dismissed": [{"timestamp": 1}]}),
        ("/v1/recommend", {"session": [], "placement": "home", "dismissed": [{"item_id": "a", "category": "b"}]}),
    ],
)
def test_fields_that_do_not_go_together_neither_fit_the_document_nor_are_taken(client, path, body):
    assert not fits(openapi_document(Limits()), path, body)
    assert client.post(path, json=body).status_code == 422


def test_fields_that_go_together_fit():
    document = openapi_document(Limits())
    dismissed = [{"item_id": "a", "timestamp": 1}, {"category": "b"}, {"placement": "c"}]
    placed = {"session": [], "age": 30, "dismissed": dismissed}
    assert fits(document, "/v1/recommend", placed | {"placement": "home"})
    assert fits(document, "/v1/page", placed | {"placements": [{"placement": "home"}]})


def test_a_server_with_a_bundle_says_which_names_there_are(document):
    """The orchard has three behaviours and no policy; a document without a bundle allows any name."""
    assert [name for name in ("click", "like") if fits(document, "/v1/recommend", asked(name))] == ["click"]
    assert fits(openapi_document(Limits()), "/v1/recommend", asked("like"))
    assert not fits(document, "/v1/recommend", {"session": [], "placement": "home"})


def asked(behaviour: str) -> dict:
    return {"session": [{"item_id": "pear", "behaviour": behaviour}], "behaviour": behaviour}


def test_names_stand_in_the_document_as_they_are():
    odd = ["a.b", "(c)", "d|e", "f-g", "h\\i"]
    document = openapi_document(Limits(), names=Names(["click"], odd))
    for name in odd:
        assert fits(document, "/v1/recommend", {"session": [], "placement": name})
    assert not fits(document, "/v1/recommend", {"session": [], "placement": "aXb"})
    assert not fits(document, "/v1/recommend", {"session": [], "placement": "d"})
