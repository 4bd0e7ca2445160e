"""Events are JSON within limits, and each kind has what it needs to say something."""

import msgspec
import pytest
from msgspec import structs

from tillside.feedback.events import Event, Line, decode_event, encode_event, lacking, payload_of

CLICK = Event(event_id="e1", kind="click", time=5, item="fig", recommendation_id="r", position=2)
ORDER = Event(event_id="e2", kind="purchase", time=6, order_id="o", lines=[Line("fig", 2, 3.5), Line("plum")])


@pytest.mark.parametrize("event", [CLICK, ORDER])
def test_an_event_is_read_as_it_was_written(event):
    assert decode_event(encode_event(event)) == event


def test_an_event_is_one_json_object_without_what_is_absent():
    assert encode_event(ORDER) == (
        b'{"event_id":"e2","kind":"purchase","time":6,"order_id":"o",'
        b'"lines":[{"item":"fig","quantity":2,"price":3.5},{"item":"plum"}]}'
    )


def test_the_payload_is_what_the_shop_said_alone():
    """When and by which token it came does not make another event of it; any other field does."""
    assert payload_of(structs.replace(CLICK, received=99, source="web")) == encode_event(CLICK)
    assert payload_of(structs.replace(CLICK, position=3)) != payload_of(CLICK)
    untimed = structs.replace(CLICK, time=99, untimed=True)
    assert (
        payload_of(untimed)
        == payload_of(structs.replace(untimed, time=100))
        == encode_event(structs.replace(CLICK, time=0))
    )


@pytest.mark.parametrize(
    ("change", "lacks"),
    [
        ({}, None),
        ({"item": None}, "item"),
        ({"kind": "viewed"}, None),  # a behaviour of the log
        ({"kind": "viewed", "item": None}, "item"),
        ({"kind": "purchase", "order_id": "o"}, "lines"),
        ({"kind": "purchase", "lines": [Line("fig")]}, "order_id"),
        ({"kind": "return", "order_id": "o", "lines": [Line("fig")]}, None),
        ({"kind": "dismiss", "reason": "pushed"}, None),
        ({"kind": "dismiss", "item": None, "recommendation_id": None}, "item"),
        ({"kind": "dismiss", "item": None}, None),  # the answer as a whole
    ],
)
def test_an_event_needs_what_its_kind_speaks_of(change, lacks):
    assert lacking(structs.replace(CLICK, **change)) == lacks


@pytest.mark.parametrize(
    "body",
    [
        '{"kind":"click","time":1}',
        '{"event_id":"","kind":"click","time":1}',
        '{"event_id":"%s","kind":"click","time":1}' % ("x" * 257),
        '{"event_id":"e","kind":"click","time":-1}',
        '{"event_id":"e","kind":"click","time":253402300800000}',
        '{"event_id":"e","kind":"click","time":1.5}',
        '{"event_id":"e","kind":"click","time":1,"position":0}',
        '{"event_id":"e","kind":"dismiss","time":1,"reason":"bored"}',
        '{"event_id":"e","kind":"purchase","time":1,"lines":[{"item":"a","quantity":0}]}',
        '{"event_id":"e","kind":"purchase","time":1,"lines":[{"item":"a","price":-1}]}',
    ],
)
def test_what_is_beyond_the_limits_is_refused(body):
    with pytest.raises(msgspec.ValidationError):
        decode_event(body.encode())
