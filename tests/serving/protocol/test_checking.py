"""What a field may hold, in words, and which of several wrong ones is named."""

import msgspec
import pytest

from serving.http.openapi import openapi_document
from serving.protocol.checking import OF_PLACEMENTS, allowed_in, check_limits, struct_at
from serving.protocol.decoding import decode_request
from serving.protocol.errors import FieldError
from serving.protocol.limits import Limits
from serving.protocol.messages import CartLine, Event, RecommendRequest

LIMITS = Limits(k=50, session_events=3, excluded_items=2, text=8)


def test_what_is_for_placements_alone_is_refused_without_one_and_said_to_be():
    named = "segment age impressions dismissed moment host scene language explain timestamp boosts"
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


def test_a_request_within_the_limits_passes_the_check_that_names_what_is_not():
    """The slow check and the fast one agree at the bounds."""
    body = b'{"session": [{"item_id": "12345678", "timestamp": 0}], "k": 50, "exclude": ["a", "b"], "placement": "p"}'
    check_limits(msgspec.json.decode(body, type=RecommendRequest), LIMITS)
    assert decode_request(body, LIMITS).k == 50
    with pytest.raises(FieldError, match=r"session\[0\].item_id must be a string of 1 to 7 characters"):
        check_limits(msgspec.json.decode(body, type=RecommendRequest), Limits(text=7))


def test_the_struct_at_a_path_is_the_one_whose_fields_are_allowed_there():
    assert struct_at("") is RecommendRequest
    assert struct_at("history[7]") is Event
    assert struct_at("cart[0]") is CartLine
