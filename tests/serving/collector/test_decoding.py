"""A body is read in each of its forms, and what is wrong with one event costs the others nothing."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.collector.decoding import EACH, Refusal, SentEvent, TooManyError, decode_batch
from serving.protocol.errors import BodyError

CLICK = {"event_id": "e", "kind": "click", "item": "fig"}
READ = SentEvent(**CLICK)


def decoded(document, *, lines=False, most=10):
    return decode_batch(
        document if isinstance(document, bytes) else json.dumps(document).encode(), lines=lines, most=most
    )


@pytest.mark.parametrize("document", [[CLICK], CLICK, {"events": [CLICK]}])
def test_a_list_an_event_and_an_object_with_events_are_the_same(document):
    batch = decoded(document)
    assert list(batch.events) == [READ]
    assert batch.refusals == []


def test_a_line_for_each_event():
    line = json.dumps(CLICK).encode()
    assert list(decoded(line + b"\n\n" + line, lines=True).events) == [READ, READ]


def test_the_good_ones_are_kept_and_the_others_told_by_place_and_reason():
    bad = [
        {**CLICK, "itemm": "x"},
        {"kind": "click", "item": "a"},
        {**CLICK, "position": 0},
        {**CLICK, "item": None},
        {**CLICK, "kind": "purchase"},
        {**CLICK, "kind": "purchase", "lines": [{"item": "a", "quantity": "2"}]},
        {**CLICK, "received": 5},
        5,
        {"name": "select_item", "params": {}},
        {**CLICK, "kind": "dismiss", "reason": "dull"},
    ]
    batch = decoded([CLICK, *bad, CLICK], most=20)
    assert (list(batch.events), batch.places) == ([READ, READ], [0, 11])
    assert batch.refusals == [
        Refusal(1, '"itemm" is not a field of an event; did you mean item?'),
        Refusal(2, "event_id is missing"),
        Refusal(3, "position: expected `int` >= 1"),
        Refusal(4, "item is missing; click needs it"),
        Refusal(5, "lines is missing; purchase needs it"),
        Refusal(6, "lines[0].quantity: expected `int`, got `str`"),
        Refusal(7, "received is the collector's to say, not the shop's"),
        Refusal(8, "an event: expected `object`, got `int`"),
        Refusal(9, "items of select_item must be a list of at least one item"),
        Refusal(10, "reason: invalid enum value 'dull'"),
    ]


def test_a_broken_line_is_one_of_many():
    batch = decoded(json.dumps(CLICK).encode() + b'\n{"event_id": \n\xff\n', lines=True)
    assert list(batch.events) == [READ]
    assert [each.index for each in batch.refusals] == [1, 2]
    assert all(each.reason.startswith("it is no JSON: ") for each in batch.refusals)


def test_ga4_stands_among_other_events_and_its_envelope_says_whose_they_are():
    viewed = {"name": "view_item_list", "params": {"items": [{"item_id": "a"}, {"item_id": "b"}]}}
    batch = decoded({"client_id": "c", "events": [{"name": "page_view", "params": {}}, viewed, CLICK]})
    assert [(event.item, event.shopper) for event in batch.events] == [("a", "c"), ("b", "c"), ("fig", None)]
    assert (batch.places, batch.ignored) == ([1, 1, 2], 1)


@pytest.mark.parametrize(
    "body", [b"", b" ", b"[", b"nonsense", b"5", b'"a"', b"[1,", b'{"events": 5}', b"\xff\xfe", b"[" * 5000]
)
def test_what_is_no_list_of_events_is_refused_whole(body):
    with pytest.raises(BodyError):
        decoded(body)


@pytest.mark.parametrize("lines", [False, True])
def test_more_than_are_taken_at_once_are_refused(lines):
    body = b"\n".join([json.dumps(CLICK).encode()] * 3) if lines else [CLICK] * 3
    with pytest.raises(TooManyError, match="a body may hold 2 events, got 3"):
        decoded(body, lines=lines, most=2)
    with pytest.raises(TooManyError, match="a body may hold 2 events, got 3"):
        decoded(b"x\nx\nx" if lines else [5, 5, 5], lines=lines, most=2)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
NAMES = st.sampled_from([*SentEvent.__struct_fields__, "name", "event", "params", "ecommerce", "items", "events"])


@given(
    st.lists(st.dictionaries(NAMES, JSON | st.sampled_from(["click", "purchase", "view_item_list"])), max_size=4),
    st.booleans(),
)
def test_whatever_comes_each_event_is_kept_refused_or_passed_over(documents, lines):
    if lines:
        body = b"\n".join(json.dumps(each).encode() for each in documents) or b"{}"
    else:
        body = json.dumps(documents).encode()
    batch = decode_batch(body, lines=lines, most=100)
    places = set(batch.places if batch.places is not None else range(len(batch.events)))
    told = {each.index for each in batch.refusals}
    assert not places & told
    assert len(places) + len(told) + batch.ignored == max(len(documents), lines)


def test_the_items_of_all_events_of_ga4_are_bounded_together():
    """3 MB of them made 200,000 events, more than may wait: the body was told to come again, for ever."""

    def body(items):
        return [{"name": "view_item_list", "params": {"items": [{"item_id": "fig"}] * each}} for each in items]

    assert len(decoded(body([200] * 25), most=1000).events) == EACH * 1000
    with pytest.raises(TooManyError, match="a body may hold 5000 of them"):
        decoded(body([200] * 25 + [1]), most=1000)
    assert len(decoded(body([200]), most=1).events) == 200


@pytest.mark.parametrize("name", ["a" * 100_000, " - at `$." * 10_000, "`" * 100_000, "\n" * 100_000])
def test_a_refusal_is_short_however_long_the_name_of_a_field_is(name):
    (refusal,) = decoded([{**CLICK, name: 1}]).refusals
    assert len(refusal.reason) < 400
