"""Bounds and descriptions of a row become part of the type that msgspec decodes and describes."""

import msgspec
import pytest
from msgspec import UNSET, UnsetType

from serving.protocol.checking import words_by_path
from serving.protocol.constraints import constrained, decoder_within
from serving.protocol.fields import Row, request_fields
from serving.protocol.limits import Limits
from serving.protocol.messages import RecommendRequest

TABLE = request_fields(Limits(text=8))


class ArmedRequest(RecommendRequest, frozen=True, gc=False):
    """A request with a field of a later version."""

    arm: str | UnsetType = UNSET


def test_a_field_without_a_row_is_an_error_at_once():
    with pytest.raises(KeyError, match="arm"):
        constrained(ArmedRequest, {**TABLE, ArmedRequest: TABLE[RecommendRequest]})


def test_a_new_field_costs_an_attribute_and_a_row():
    """Its bounds are enforced, its sentence is there and it stands in the schema; nothing else is told of it."""
    arm = Row("one of the experiment's arms, as a string", "The arm of an experiment.", 1, 8)
    table = {**TABLE, ArmedRequest: {**TABLE[RecommendRequest], "arm": arm}}
    armed = constrained(ArmedRequest, table)
    assert msgspec.json.decode(b'{"session": [], "arm": "b"}', type=armed).arm == "b"
    with pytest.raises(msgspec.ValidationError, match="arm"):
        msgspec.json.decode(b'{"session": [], "arm": "123456789"}', type=armed)
    assert dict(words_by_path(ArmedRequest, table))["arm"] == "one of the experiment's arms, as a string"
    _, schemas = msgspec.json.schema_components([armed])
    described = {"type": "string", "minLength": 1, "maxLength": 8, "description": "The arm of an experiment."}
    assert schemas["ArmedRequest"]["properties"]["arm"] == described


def test_the_parts_of_a_request_are_one_schema_each():
    """Events stand in the session and in the history; both refer to the same schema."""
    _, schemas = msgspec.json.schema_components([constrained(RecommendRequest, TABLE)])
    of_filters = ["AttributeIs", "Boost", "Filter", "PagePlacement", "PriceRange"]
    assert sorted(schemas) == sorted(["CartLine", "Dismissal", "Event", "Impression", "RecommendRequest", *of_filters])
    items = {field: schemas["RecommendRequest"]["properties"][field]["items"] for field in ("session", "history")}
    assert items["session"] == items["history"]


def test_equal_limits_share_a_decoder_and_others_do_not():
    assert decoder_within(Limits(k=3)) is decoder_within(Limits(k=3))
    assert decoder_within(Limits(k=3)) is not decoder_within(Limits(k=4))
    assert decoder_within(Limits(k=3)).decode(b'{"session": [], "k": 3}').k == 3
    with pytest.raises(msgspec.ValidationError, match="<= 3"):
        decoder_within(Limits(k=3)).decode(b'{"session": [], "k": 4}')


def test_what_is_decoded_is_a_request():
    assert isinstance(decoder_within(Limits()).decode(b'{"session": []}'), RecommendRequest)
