"""Exposures are JSON in which what is absent stays away."""

import json

import msgspec
import pytest

from tillside.feedback.exposures import Exposure, Slot, decode_exposure, encode_exposure

EXPOSURE = Exposure(
    recommendation_id="r1",
    time=1_700_000_000_000,
    tier="model",
    slots=[Slot("fig", 1, source="complement", anchor="apple", propensity=0.25), Slot("plum", 2)],
    shopper="s",
    session="visit",
    arm="b",
)


def test_an_exposure_is_one_json_object_without_what_is_absent():
    assert json.loads(encode_exposure(EXPOSURE)) == {
        "recommendation_id": "r1",
        "time": 1_700_000_000_000,
        "tier": "model",
        "slots": [
            {"item": "fig", "position": 1, "source": "complement", "anchor": "apple", "propensity": 0.25},
            {"item": "plum", "position": 2},
        ],
        "shopper": "s",
        "session": "visit",
        "arm": "b",
    }


def test_an_exposure_is_read_as_it_was_written():
    assert decode_exposure(encode_exposure(EXPOSURE)) == EXPOSURE


def test_the_subject_is_the_shopper_else_the_session():
    assert EXPOSURE.subject == "s"
    assert msgspec.structs.replace(EXPOSURE, shopper=None).subject == "visit"
    assert msgspec.structs.replace(EXPOSURE, shopper=None, session=None).subject is None


def test_members_of_a_later_version_are_passed_over():
    later = b'{"recommendation_id":"r","time":1,"tier":"model","slots":[],"mood":"good"}'
    assert decode_exposure(later) == Exposure(recommendation_id="r", time=1, tier="model", slots=[])


@pytest.mark.parametrize("body", [b"", b"{}", b'{"recommendation_id":1}', b"[]", b"\xff"])
def test_what_is_no_exposure_is_refused(body):
    with pytest.raises((msgspec.DecodeError, UnicodeDecodeError)):
        decode_exposure(body)
