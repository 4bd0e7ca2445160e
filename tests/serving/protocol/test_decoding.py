"""Strict reading: what a request may hold, and the sentence for what it may not."""

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET

from serving.protocol.decoding import decode_request
from serving.protocol.errors import BodyError, FieldError
from serving.protocol.limits import Limits
from serving.protocol.messages import NOT_SENT

LIMITS = Limits(k=50, session_events=3, excluded_items=2, text=8)

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=8,
)
texts = st.text(st.characters(codec="utf-8") | st.just(":"), min_size=1, max_size=8)
events = st.fixed_dictionaries(
    {"item_id": texts},
    optional={"behaviour": texts, "timestamp": st.none() | st.integers(0, 2**40)},
)
requests = st.fixed_dictionaries(
    {"session": st.lists(events, max_size=3)},
    optional={
        "history": st.lists(events, max_size=3),
        "behaviour": texts,
        "k": st.integers(1, 50),
        "exclude": st.lists(texts, max_size=2),
    },
)


def test_a_server_that_remembers_visits_takes_a_shopper_in_place_of_a_session():
    request = decode_request(b'{"shopper_id": "ann"}', LIMITS, remembers=True)
    assert request.session is NOT_SENT
    assert decode_request(b'{"shopper_id": "ann", "session": []}', LIMITS, remembers=True).session is not NOT_SENT
    with pytest.raises(FieldError, match=r"session is missing; it must be a list of at most 3 events$"):
        decode_request(b'{"shopper_id": "ann"}', LIMITS)
    with pytest.raises(FieldError, match=r"at most 3 events, or be left out beside shopper_id$"):
        decode_request(b'{"session_id": "v1"}', LIMITS, remembers=True)
    with pytest.raises(BodyError, match='the key "k" twice'):
        decode_request(b'{"shopper_id": "ann", "k": 1, "k": 1}', LIMITS, remembers=True)


def test_a_session_that_was_left_out_costs_no_second_look_at_the_body(monkeypatch):
    monkeypatch.setattr("serving.protocol.decoding.refuse_repeated_keys", None)
    decode_request(b'{"shopper_id": "ann", "k": 1}', LIMITS, remembers=True)


def test_what_is_left_out_is_unset():
    request = decode_request(b'{"session": [{"item_id": "a"}]}', LIMITS)
    assert (request.behaviour, request.k, request.exclude) == (UNSET, UNSET, UNSET)
    assert (request.session[0].behaviour, request.session[0].timestamp) == (UNSET, UNSET)


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (b"", "the body is empty"),
        (b"nonsense", "not valid JSON in UTF-8: invalid character"),
        (b'{"session": []', "not valid JSON in UTF-8: Input data was truncated"),
        (b'{"session": []} {}', "not valid JSON in UTF-8: trailing characters"),
        (b'{"session": [], "k": NaN}', "not valid JSON in UTF-8: invalid character"),
        (b'{"session": [{"item_id": "\xff"}]}', "a string holds bytes that are not UTF-8"),
        (b'{"session": [{"item_id": "\\ud800"}]}', "not valid JSON in UTF-8"),
        (b"\xff\xfe{\x00}\x00", "not valid JSON in UTF-8"),
        (b'{"session": [], "k": 2, "k": 3}', 'the key "k" twice'),
        (b'{"session": [], "k": 2, "\\u006b": 3}', 'the key "k" twice'),
        (b'{"session": [{"item_id": "a", "item_id": "b"}]}', 'the key "item_id" twice'),
        (b'{"session": [{"item_id": "a:b"}], "session": []}', 'the key "session" twice'),
        (b'{"session": [{"item_id": "\\u003a"}], "k": 2, "k": 3}', 'the key "k" twice'),
    ],
)
def test_a_body_that_is_not_one_clean_document_is_refused(body, sentence):
    with pytest.raises(BodyError, match=sentence):
        decode_request(body, LIMITS)


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (
            "{'session': []}",
            """keys must be strings (byte 1: "'session': []}"); strings and keys stand in double quotes""",
        ),
        ("{session: []}", """(byte 1: "session: []}"); strings and keys stand in double quotes, in a shell"""),
        ('{"session": [{"item_id": \'a\'}]}', "double quotes"),
        ('{"session": [], "hide_seen": True}', 'byte 29: "True}"); JSON has true, false and null'),
        ('{"session": [], "k": 3,}', 'trailing comma in object (byte 23: "}")'),
        ('{"session": [', "truncated: a bracket, a brace or a quote is left open"),
        ('{"session": [], "k": ' + "x" * 999 + "}", '(byte 21: "xxxxxxxxxxxxxxxxxxxx")'),
        ('{"session": [] "früh"', "expected ',' or '}' (byte 15: \"\\\"früh\\\"\")"),
    ],
)
def test_what_is_no_json_is_shown_where_it_stands_with_what_to_write(body, sentence):
    with pytest.raises(BodyError) as caught:
        decode_request(body.encode(), LIMITS)
    assert sentence in str(caught.value)
    assert len(str(caught.value)) < 250


@pytest.mark.parametrize(
    ("body", "field", "sentence"),
    [
        ("[]", "", "the body must be a JSON object, got []"),
        ("3", "", "the body must be a JSON object, got 3"),
        ("{}", "session", "session is missing; it must be a list of at most 3 events"),
        ('{"session": null}', "session", "session must be a list of at most 3 events, got null"),
        ('{"session": {"a": 1}}', "session", 'session must be a list of at most 3 events, got {"a": 1}'),
        (
            '{"session": ["a"]}',
            "session[0]",
            'session[0] must be an object with item_id and, optionally, behaviour and timestamp, got "a"',
        ),
        ('{"session": [{}]}', "session[0].item_id", "is missing; it must be a string of 1 to 8 characters"),
        ('{"session": [{"item_id": 7}]}', "session[0].item_id", "must be a string of 1 to 8 characters, got 7"),
        ('{"session": [{"item_id": ""}]}', "session[0].item_id", 'must be a string of 1 to 8 characters, got ""'),
        ('{"session": [{"item_id": "123456789"}]}', "session[0].item_id", 'of 1 to 8 characters, got "123456789"'),
        (
            '{"session": [{"item_id": "a", "time": 1}]}',
            "session[0].time",
            "session[0].time is not a field of the request; allowed: item_id, behaviour, timestamp",
        ),
        ('{"session": [{"item_id": "a", "timestamp": -1}]}', "session[0].timestamp", "got -1"),
        ('{"session": [{"item_id": "a", "timestamp": 1.5}]}', "session[0].timestamp", "UTC milliseconds, an integer"),
        ('{"session": [{"item_id": "a", "timestamp": 1e400}]}', "session[0].timestamp", "UTC milliseconds, an integer"),
        ('{"session": [{"item_id": "a", "behaviour": 1}]}', "session[0].behaviour", "behaviours, as a string, got 1"),
        (
            '{"session": [' + ", ".join(['{"item_id": "a"}'] * 4) + "]}",
            "session",
            "session must be a list of at most 3 events, got 4 of them",
        ),
        ('{"session": [], "history": [7]}', "history[0]", "history[0] must be an object with item_id and, optionally"),
        ('{"session": [], "history": [{"item_id": ""}]}', "history[0].item_id", "a string of 1 to 8 characters"),
        ('{"session": [], "history": [{"item_id": "a", "timestamp": -1}]}', "history[0].timestamp", "got -1"),
        (
            '{"session": [], "history": [' + ", ".join(['{"item_id": "a"}'] * 4) + "]}",
            "history",
            "history must be a list of at most 3 events, got 4 of them",
        ),
        ('{"session": [], "k": 0}', "k", "k must be an integer from 1 to 50, got 0"),
        ('{"session": [], "k": 1000000000}', "k", "k must be an integer from 1 to 50, got 1000000000"),
        ('{"session": [], "k": "3"}', "k", 'k must be an integer from 1 to 50, got "3"'),
        ('{"session": [], "k": true}', "k", "k must be an integer from 1 to 50, got true"),
        ('{"session": [], "k": ' + "9" * 100 + "}", "k", "got an integer of more than 77 digits"),
        ('{"session": [], "k": ' + "9" * 5000 + "}", "k", "k must be an integer from 1 to 50 (Integer value out of"),
        ('{"session": {"a": "\\ud800"}}', "session", 'events, got {"a": "?"}'),
        ('{"session": [], "exclude": "a"}', "exclude", 'exclude must be a list of at most 2 item ids, got "a"'),
        ('{"session": [], "exclude": ["a", "b", "a"]}', "exclude", "got 3 of them"),
        ('{"session": [], "exclude": ["a", 5]}', "exclude[1]", "exclude[1] must be a string of 1 to 8 characters"),
        ('{"session": [], "exclude": [""]}', "exclude[0]", "exclude[0] must be a string of 1 to 8 characters"),
        ('{"session": [], "user": 1}', "user", "allowed: session, history, behaviour, k, exclude"),
        ('{"session": [], "behavior": "a"}', "behavior", "request; did you mean behaviour? allowed: session, history"),
        ('{"session": [], "placement": "p", "segment": "dorment"}', "segment", '"dorment"; did you mean dormant?'),
        ('{"session": [], "hide_seen": "true"}', "hide_seen", 'hide_seen must be true or false, got "true"'),
        ('{"session": ' + "[" * 60_000, "session[0]", "session[0] must be an object"),
        ('{"session": [], "deep": ' + "[" * 60_000, "deep", "deep is not a field of the request"),
    ],
)
def test_a_wrong_field_is_named_with_its_value_and_what_is_allowed(body, field, sentence):
    with pytest.raises(FieldError) as caught:
        decode_request(body.encode(), LIMITS)
    assert caught.value.field == field
    assert sentence in str(caught.value)
    assert caught.value.allowed
    assert len(str(caught.value)) < 250


@given(requests)
def test_every_request_within_the_limits_is_read_as_it_is(document):
    """Colons in ids, escapes and any order of keys change nothing."""
    request = decode_request(json.dumps(document).encode(), LIMITS)
    assert [event.item_id for event in request.session] == [event["item_id"] for event in document["session"]]
    earlier = [event["item_id"] for event in document.get("history", ())]
    assert [event.item_id for event in request.history or ()] == earlier
    assert request.k == document.get("k", UNSET)
    assert request.exclude == document.get("exclude", UNSET)


@given(requests, st.data())
def test_any_repeated_key_is_refused(document, data):
    objects = [document, *document["session"]]
    chosen = data.draw(st.integers(0, len(objects) - 1))
    key = data.draw(st.sampled_from(sorted(objects[chosen])))
    texts = [json.dumps(event) for event in document["session"]]
    if chosen:
        texts[chosen - 1] = f'{{"{key}": {json.dumps(objects[chosen][key])}, {texts[chosen - 1][1:]}'
    members = [f'"{name}": {json.dumps(value)}' for name, value in document.items() if name != "session"]
    members.append(f'"session": [{", ".join(texts)}]')
    if not chosen:
        members.append(next(member for member in members if member.startswith(f'"{key}"')))
    with pytest.raises(BodyError, match=f'the key "{key}" twice'):
        decode_request(f"{{{', '.join(members)}}}".encode(), LIMITS)


@given(st.binary(max_size=80) | json_values.map(lambda value: json.dumps(value).encode()))
def test_anything_else_is_refused_with_a_sentence(body):
    with pytest.raises((BodyError, FieldError)):
        decode_request(body, LIMITS)


@given(st.dictionaries(st.sampled_from(["session", "k", "exclude", "behaviour", "x"]), json_values))
def test_the_reader_never_fails_in_another_way(document):
    with contextlib.suppress(BodyError, FieldError):
        decode_request(json.dumps(document).encode(), LIMITS)


PATHS = st.sampled_from(["$.zzz", "$.session[0]", "$.segment", "$", "$[3].a.b", "$.cart[0].quantity"])


@given(PATHS, st.sampled_from(["", "x", "`", "field `a`"]), st.sampled_from(["key", "segment", "behaviour", "nested"]))
def test_words_that_look_like_the_librarys_own_path_change_nothing(path, before, where):
    """Keys and values stand in msgspec's message as they came; whatever they hold, the request is refused by a name."""
    word = f"{before} - at `{path}"
    document = {"session": [{"item_id": "a"}]}
    match where:
        case "key":
            document[word] = 1
        case "nested":
            document["session"][0][word] = 1
        case name:
            document[name] = [word] if name == "behaviour" else word
    with pytest.raises(FieldError) as refused:
        decode_request(json.dumps(document).encode(), Limits())
    assert refused.value.field
    if where in ("segment", "behaviour"):
        assert refused.value.field == where


@pytest.mark.parametrize("number", ["5.0", "50e-1", "0.5E1"])
def test_a_whole_number_is_an_integer_however_it_is_written(number):
    """To JSON Schema 5.0 is an integer, and some clients' only numbers are doubles."""
    body = b'{"session": [{"item_id": "a", "timestamp": 17000.0}], "k": %s}' % number.encode()
    request = decode_request(body, Limits())
    assert (request.k, request.session[0].timestamp) == (5, 17000)
    with pytest.raises(FieldError, match="k must be"):
        decode_request(body.replace(number.encode(), b"5.5"), Limits())
    with pytest.raises(BodyError, match="twice"):
        decode_request(body[:-1] + b', "k": 5.0}', Limits())
