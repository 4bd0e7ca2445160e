"""The OpenAPI document is valid, describes the message types as they are, and real answers conform to it."""

import pytest
from openapi_schema_validator import OAS31Validator
from openapi_spec_validator import validate

from serving.http.api import make_app
from serving.http.openapi import openapi_document
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
