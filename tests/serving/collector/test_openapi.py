"""The collector's OpenAPI document is valid, and its examples are events that are taken."""

import json

import pytest
from openapi_spec_validator import validate

from serving.collector.decoding import SentEvent, decode_batch
from serving.collector.openapi import EXAMPLES, collector_document


def test_the_document_is_valid_openapi():
    validate(collector_document(1000))


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_examples_are_taken(name):
    batch = decode_batch(json.dumps(EXAMPLES[name]).encode(), lines=False, most=10)
    assert batch.events
    assert batch.refusals == []


def test_the_event_has_all_that_may_be_sent_and_nothing_else():
    schema = collector_document(1000)["components"]["schemas"]["ShopEvent"]
    assert set(schema["properties"]) == set(SentEvent.__struct_fields__) - {"received", "source", "untimed"}
    assert schema["required"] == ["event_id", "kind"]
