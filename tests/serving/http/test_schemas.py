"""Schemas have the fields of the structs."""

import msgspec
import pytest

from serving.http.openapi import openapi_document
from serving.protocol.limits import Limits
from serving.protocol.messages import (
    Answer,
    CartLine,
    Event,
    Impression,
    OfferedBundle,
    PlacedAnswer,
    PlacedItem,
    PromotionHint,
    RecommendedItem,
    RecommendRequest,
)

STRUCTS = (
    *(Event, RecommendRequest, RecommendedItem, Answer),
    *(CartLine, Impression, OfferedBundle, PlacedAnswer, PlacedItem, PromotionHint),
)


@pytest.mark.parametrize("struct", STRUCTS)
def test_the_document_has_the_fields_of_the_messages(struct):
    schema = openapi_document(Limits())["components"]["schemas"][struct.__name__]
    assert tuple(schema["properties"]) == struct.__struct_fields__
    required = ["session"] if struct is RecommendRequest else []  # only a server that remembers visits goes without it
    assert schema["required"] == required + [field.name for field in msgspec.structs.fields(struct) if field.required]


def test_a_server_that_remembers_visits_takes_a_shopper_in_place_of_a_session():
    schema = openapi_document(Limits(), remembers=True)["components"]["schemas"]["RecommendRequest"]
    assert [each["required"] for each in schema["anyOf"]] == [["session"], ["shopper_id"]]
    assert "required" not in schema or not schema["required"]
    assert "default" not in schema["properties"]["session"]


@pytest.mark.parametrize("answer", ["Answer", "PlacedAnswer"])
def test_the_one_word_for_two_things_is_said_to_be_deprecated(answer):
    properties = openapi_document(Limits())["components"]["schemas"][answer]["properties"]
    assert [name for name, schema in properties.items() if schema.get("deprecated")] == ["bundle"]
    assert properties["model_version"]["type"] == properties["bundle"]["type"] == ["string", "null"]
