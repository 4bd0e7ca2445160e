"""One table of request fields: a field has one row, which alone says its limit, its words and its description."""

import msgspec
import pytest
from msgspec import UNSET, UnsetType

from serving.http.openapi import openapi_document
from serving.protocol.checking import OF_PLACEMENTS, allowed_in, words_by_path
from serving.protocol.constraints import constrained
from serving.protocol.decoding import decode_request
from serving.protocol.errors import FieldError
from serving.protocol.fields import Row, request_fields
from serving.protocol.limits import Limits
from serving.protocol.messages import CartLine, Event, Impression, RecommendRequest

LIMITS = Limits(k=50, session_events=3, excluded_items=2, cart_lines=2, impressions=2, scene_items=2, text=8)
TABLE = request_fields(LIMITS)


class ArmedRequest(RecommendRequest, frozen=True, gc=False):
    """A request with a field of a later version."""

    arm: str | UnsetType = UNSET


@pytest.mark.parametrize("struct", [RecommendRequest, Event, CartLine, Impression])
def test_every_field_has_a_row_and_every_row_a_field(struct):
    assert sorted(TABLE[struct]) == sorted(struct.__struct_fields__)


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


HOLDERS = {RecommendRequest: None, Event: "session", CartLine: "cart", Impression: "impressions"}


def cases():
    """Each bounded field at its lowest and highest value, and beyond: path, request, whether it is taken."""
    for struct, holder in HOLDERS.items():
        for name, row in TABLE[struct].items():
            if row.high is None or not row.enforced:
                continue
            for size in (row.low - 1, row.low, row.high, row.high + 1):
                if size < 0 and "integer" not in row.words:
                    continue
                if "list" in row.words:
                    value = [{"item_id": "a"} if name not in ("exclude", "scene") else "a"] * size
                else:
                    value = size if "integer" in row.words else "x" * size
                part = {name: value} if holder is None else {holder: [{"item_id": "a", name: value}]}
                path = name if holder is None else f"{holder}[0].{name}"
                yield path, {"session": [], "placement": "p", **part}, row.low <= size <= row.high


@pytest.mark.parametrize(
    ("path", "document", "taken"),
    [pytest.param(*case, id=f"{case[0]}-{number}") for number, case in enumerate(cases())],
)
def test_the_bounds_of_a_row_are_those_that_are_enforced(path, document, taken):
    body = msgspec.json.encode(document)
    if taken:
        decode_request(body, LIMITS)
        return
    with pytest.raises(FieldError) as caught:
        decode_request(body, LIMITS)
    assert (caught.value.field, caught.value.allowed) == (path, allowed_in(path, LIMITS))


def test_what_is_for_placements_alone_is_refused_without_one_and_said_to_be():
    named = "cart segment age impressions host scene language explain timestamp"
    assert list(OF_PLACEMENTS) == named.split()
    properties = openapi_document(LIMITS)["components"]["schemas"]["RecommendRequest"]["properties"]
    for name, schema in properties.items():
        assert schema.get("description", "").endswith("For placements alone.") == (name in OF_PLACEMENTS)
    with pytest.raises(FieldError, match="age is for placements alone; give placement, or leave age out"):
        decode_request(b'{"session": [], "age": 30}', LIMITS)


def test_the_words_of_a_choice_are_those_of_its_type():
    assert allowed_in("segment", LIMITS) == "one of new, returning, dormant, high_value"
    assert allowed_in("explain", LIMITS) == "true or false"
    assert allowed_in("cart[3]", LIMITS) == "an object with item_id and, optionally, quantity"
    assert allowed_in("session[1].timestamp", LIMITS).endswith("to 253402300799999, or null")


def test_of_several_wrong_fields_the_first_of_the_table_is_named_in_any_order_of_keys():
    wrong = {"session": [{"item_id": "a", "timestamp": -1}], "exclude": ["a", "b", "c"], "placement": "p", "age": 131}
    with pytest.raises(FieldError, match="exclude must be a list of at most 2 item ids, got 3 of them"):
        decode_request(msgspec.json.encode(wrong), LIMITS)
    with pytest.raises(FieldError, match="exclude must be a list of at most 2 item ids, got 3 of them"):
        decode_request(msgspec.json.encode(dict(reversed(wrong.items()))), LIMITS)
