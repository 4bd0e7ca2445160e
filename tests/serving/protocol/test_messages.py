"""The structs of the wire format: what is left out is not written, and keys stand in the structs' order."""

import json

import msgspec
import pytest

from serving.protocol.messages import (
    Answer,
    PlacedAnswer,
    PlacedItem,
    RecommendedItem,
    RecommendRequest,
    encode_answer,
)

FIELDS = {
    "recommendation_id": "r",
    "items": [],
    "tier": "model",
    "degraded_reason": None,
    "behaviour": "click",
    "purchase_intent": None,
    "unknown_items": [],
    "model_version": "v",
    "bundle": "v",
}


def test_the_keys_of_an_answer_are_all_there_in_their_order():
    assert list(json.loads(encode_answer(Answer(**FIELDS)))) == list(FIELDS)


def test_a_placed_answer_begins_as_any_answer_does():
    own = {
        "placement": "till",
        "mode": "balanced",
        "why": [],
        "bundles": [],
        "promotion": None,
        "policy": "p",
        "segment": None,
        "notes": [],
    }
    assert list(json.loads(encode_answer(PlacedAnswer(**FIELDS, **own)))) == [*FIELDS, *own]


def test_the_parts_of_a_score_are_written_only_where_they_were_asked_for():
    common = RecommendedItem("a", 1.0, "model", None, False)
    item = PlacedItem(*msgspec.structs.astuple(common), origin="model", rule=None, reason_key="model", reason="For you")
    assert "parts" not in json.loads(encode_answer(item))
    explained = msgspec.structs.replace(item, parts={"model": 1.0})
    assert json.loads(encode_answer(explained))["parts"] == {"model": 1.0}


def test_a_name_is_written_only_where_it_was_asked_for_and_seen_always():
    item = RecommendedItem("a", 1.0, "model", None, True)
    assert json.loads(encode_answer(item)) == {
        "item_id": "a", "score": 1.0, "source": "model", "because": None, "seen": True,
    }  # fmt: skip
    assert json.loads(encode_answer(msgspec.structs.replace(item, name=None)))["name"] is None


@pytest.mark.parametrize(
    "wrong", [b'{"session": [], "user": 1}', b'{"session": [{"item_id": "a", "price": 1}]}', b'{"session": [{}]}']
)
def test_unknown_and_missing_fields_are_refused(wrong):
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(wrong, type=RecommendRequest)
