"""What both documents are made of: every operation is complete, and examples are what the server writes."""

import json
from http import HTTPStatus

import pytest

from serving.http.admin_openapi import admin_openapi_document
from serving.http.openapi import openapi_document
from serving.http.operations import EXAMPLES, example_problem, operation
from serving.http.problems import problem_response
from serving.protocol.errors import ProblemError
from serving.protocol.limits import Limits

DOCUMENTS = {"main": openapi_document(Limits()), "admin": admin_openapi_document()}


def parts_of(node):
    """Every object within a document."""
    if isinstance(node, dict):
        yield node
    for each in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from parts_of(each)


@pytest.mark.parametrize("port", DOCUMENTS)
def test_every_operation_has_a_name_a_tag_words_and_what_a_wrong_address_gets(port):
    document = DOCUMENTS[port]
    assert document["servers"]
    tags = [tag["name"] for tag in document["tags"]]
    operations = [each for methods in document["paths"].values() for each in methods.values()]
    assert len({each["operationId"] for each in operations}) == len(operations)
    for each in operations:
        assert set(each["tags"]) <= set(tags)
        assert each["summary"]
        assert each["description"]
        assert {"404", "405"} <= each["responses"].keys()
        assert "security" in each


@pytest.mark.parametrize("port", DOCUMENTS)
def test_no_field_has_a_default_that_a_generated_client_would_send_or_require(port):
    assert not [each for each in parts_of(DOCUMENTS[port]["components"]) if "default" in each]


@pytest.mark.parametrize("port", DOCUMENTS)
def test_closed_choices_are_schemas_with_a_name(port):
    schemas = DOCUMENTS[port]["components"]["schemas"]
    enums = [name for name, schema in schemas.items() if "enum" in schema]
    inside = [each for schema in schemas.values() for each in parts_of(schema) if "enum" in each and each != schema]
    assert enums
    assert inside == []
    assert all(schemas[name]["type"] == "string" for name in enums)


@pytest.mark.parametrize("port", DOCUMENTS)
def test_every_reference_leads_somewhere(port):
    document = DOCUMENTS[port]
    named = {each["$ref"].rpartition("/")[2] for each in parts_of(document) if "$ref" in each}
    assert named <= document["components"]["schemas"].keys()


def test_times_are_wider_than_32_bits_for_languages_that_ask():
    event = DOCUMENTS["main"]["components"]["schemas"]["Event"]["properties"]
    assert "int64" in json.dumps(event["timestamp"])


def test_a_refusal_of_its_own_comes_before_those_of_any_path_by_status():
    made = operation("x", "X", tag="t", description="d", answers={}, refusals={"503": "later", "401": "first"})
    assert list(made["responses"]) == ["401", "404", "405", "503"]


@pytest.mark.parametrize("status", EXAMPLES)
def test_an_example_is_written_as_the_server_writes_a_problem(status):
    kind, members = EXAMPLES[status]
    rest = {name: value for name, value in members.items() if name != "detail"}
    body = problem_response(ProblemError(HTTPStatus(int(status)), kind, members["detail"], **rest)).body
    assert json.loads(body) == example_problem(int(status), kind, members)
