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
    assert schema["required"] == [field.name for field in msgspec.structs.fields(struct) if field.required]


@pytest.mark.parametrize("answer", ["Answer", "PlacedAnswer"])
def test_the_one_word_for_two_things_is_said_to_be_deprecated(answer):
    properties = openapi_document(Limits())["components"]["schemas"][answer]["properties"]
    assert [name for name, schema in properties.items() if schema.get("deprecated")] == ["bundle"]
    assert properties["model_version"]["type"] == properties["bundle"]["type"] == ["string", "null"]
