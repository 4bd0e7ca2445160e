"""Strict decoding of a request's body: types and limits by msgspec, then repeated keys, then placement-only fields.

msgspec decodes and checks in a few microseconds, but it lets a repeated key pass and does not report the value it
refused. So a body with more colons than its request is parsed a second time, key by key, and a refused body is decoded
again, without limits, and parsed to name the value. Neither costs an ordinary request anything.
"""

import json
import re
from typing import Any, Final

import msgspec
from msgspec import UNSET

from serving.protocol.checking import (
    allowed_in,
    check_limits,
    choices_in,
    refuse_fields_of_placements,
    struct_at,
)
from serving.protocol.constraints import decoder_within
from serving.protocol.errors import SHOWN_CHARACTERS, BodyError, FieldError, shown
from serving.protocol.limits import Limits
from serving.protocol.messages import NOT_SENT, RecommendRequest
from tillside.cli.likeness import did_you_mean

_of_any_size: Final = msgspec.json.Decoder(RecommendRequest)
_encode: Final = msgspec.json.Encoder().encode
EXCERPT: Final = 20
"""Characters of a malformed body that are shown."""
MOST_NAMED: Final = 16
"""Fields that a sentence names; a problem's ``allowed`` has them all."""
PATH_BEGINS: Final = " - at `$"
"""Before the path in msgspec's messages."""
UNKNOWN: Final = "Object contains unknown field "
WHOLE: Final = re.compile(rb"\d\.\d|\d[eE]")
LARGEST_EXACT: Final = 2**53
"""Whole numbers up to it are exact in a double."""
IN_A_SHELL: Final = """in a shell between single ones: -d '{"session": [{"item_id": "ID"}]}'"""


def decode_request(body: bytes, limits: Limits, *, remembers: bool = False) -> RecommendRequest:
    """Decode and validate a request, except for names that only the bundle or the policy knows.

    Args:
        remembers: whether the session may be left out where ``shopper_id`` is given.

    Raises:
        BodyError: the body is empty, not UTF-8, not JSON, or repeats a key.
        FieldError: a field is invalid; the message names it, its value and the allowed values.
    """
    if not body:
        raise BodyError('the body is empty; send JSON such as {"session": [{"item_id": "ID"}]}')
    within = True
    try:
        request = decoder_within(limits).decode(body)
    except (ValueError, RecursionError):
        within, request = False, _decode_of_any_size(body, limits)
    if _may_repeat_keys(body, request):
        refuse_repeated_keys(body)
    if request.session is NOT_SENT and (request.shopper_id is UNSET or not remembers):
        raise _without_session(limits, remembers=remembers)
    if not within:
        check_limits(request, limits)
    refuse_fields_of_placements(request)
    return request


def _without_session(limits: Limits, *, remembers: bool) -> FieldError:
    allowed = allowed_in("session", limits)
    instead = ", or be left out beside shopper_id" if remembers else ""
    return FieldError("session", f"session is missing; it must be {allowed}{instead}", allowed=allowed)


def _decode_of_any_size(body: bytes, limits: Limits) -> RecommendRequest:
    try:
        return _of_any_size.decode(body)
    except msgspec.ValidationError as error:
        whole = _with_whole_numbers(body)
        if whole is not None:
            return _decode_of_any_size(whole, limits)
        raise _explain(error, body, limits) from None
    except (ValueError, RecursionError) as error:
        raise BodyError(f"the body is not valid JSON in UTF-8: {_reason(error, body)}") from None


def _with_whole_numbers(body: bytes) -> bytes | None:
    """The body with ``2546.0`` and ``1e3`` written as the integers that they are to JSON Schema; None if it has none.

    Raises:
        BodyError: the body repeats a key, of which only one would be left.
    """
    if not WHOLE.search(body):
        return None
    found = []

    def number(text: str) -> float | int:
        value = float(text)
        if not value.is_integer() or abs(value) > LARGEST_EXACT:
            return value
        found.append(value)
        return int(value)

    try:
        refuse_repeated_keys(body)
        document = json.loads(body, parse_float=number)
        return json.dumps(document).encode() if found else None
    except (RecursionError, UnicodeDecodeError, json.JSONDecodeError):
        return None


def _may_repeat_keys(body: bytes, request: RecommendRequest) -> bool:
    r"""Whether the body has more colons than the request encoded again, or writes any as ``\u003a``.

    Encoded, a request has one colon for each of its keys and those in its strings: the body's, without repeated keys.
    """
    colons = _encode(request).count(b":") - (request.session is NOT_SENT)
    return body.count(b":") != colons or (b"\\" in body and b"\\u003" in body)


def refuse_repeated_keys(body: bytes) -> None:
    """Raise BodyError naming the first key that occurs twice in one object."""

    def distinct(pairs: list[tuple[str, Any]]) -> None:
        seen = set()
        for key, _ in pairs:
            if key in seen:
                raise BodyError(f"the body holds the key {shown(key)} twice in one object; send every key once")
            seen.add(key)

    json.loads(body, object_pairs_hook=distinct, parse_int=len)


def _explain(error: msgspec.ValidationError, body: bytes, limits: Limits) -> ValueError:
    """FieldError for a msgspec error: the path comes from its message, the value from the body.

    Key and value stand in that message as they were sent, and may look like a path: the last path that holds wins.
    """
    message = str(error)
    ends = [found.start() for found in re.finditer(re.escape(PATH_BEGINS), message)]
    for end in [*reversed(ends), len(message)]:
        path = message[end:].removeprefix(PATH_BEGINS).removesuffix("`").removeprefix(".")
        try:
            return _explained(message[:end], path, body, limits)
        except (LookupError, TypeError, AttributeError, ValueError, RecursionError):
            continue
    return FieldError("", f"the body must be {allowed_in('', limits)} of the documented fields", allowed="")


def _explained(what: str, field: str, body: bytes, limits: Limits) -> FieldError:
    """The error of what happened at ``field``; LookupError if the request has no such field."""
    unknown = re.fullmatch(UNKNOWN + "`(.*)`", what, re.DOTALL)
    missing = re.fullmatch(r"Object missing required field `(.*)`", what)
    inside = f"{field}." if field else ""
    allowed_in(field, limits)
    if what.startswith(UNKNOWN) and not (unknown and _holds(field, unknown[1], body)):
        raise LookupError
    if unknown:
        allowed = ", ".join(struct_at(field).__struct_fields__)
        name = f"{inside}{unknown[1][:SHOWN_CHARACTERS]}"
        meant = did_you_mean(unknown[1], struct_at(field).__struct_fields__)
        fields = struct_at(field).__struct_fields__
        named = ", ".join(fields[:MOST_NAMED]) + (
            f" and {len(fields) - MOST_NAMED} more" if fields[MOST_NAMED:] else ""
        )
        sentence = f"{name} is not a field of the request; {meant + ' ' if meant else ''}allowed: {named}"
        return FieldError(name, sentence, allowed=allowed)
    if missing:
        name = f"{inside}{missing[1]}"
        allowed = allowed_in(name, limits)
        return FieldError(name, f"{name} is missing; it must be {allowed}", allowed=allowed)
    allowed = allowed_in(field, limits)
    try:
        value = _value_at(field, body)
    except (ValueError, LookupError, TypeError, RecursionError):
        return FieldError(field, f"{field or 'the body'} must be {allowed} ({what})", allowed=allowed)
    if not field:
        return FieldError(field, f"the body must be {allowed}, got {shown(value)}", allowed=allowed)
    return FieldError.of_value(field, value, allowed=allowed, choices=choices_in(allowed))


def _holds(field: str, key: str, body: bytes) -> bool:
    """Whether the object at a path has a key; of a body that is nested too deeply to say, it is believed."""
    try:
        return key in _value_at(field, body)
    except RecursionError:
        return True


def _value_at(field: str, body: bytes) -> Any:
    """Value at a path of the body."""
    value = json.loads(body)
    for step in re.findall(r"\[(\d+)\]|(\w+)", field):
        value = value[int(step[0])] if step[0] else value[step[1]]
    return value


def _reason(error: Exception, body: bytes) -> str:
    """What is wrong with JSON, what stands there, and what to write instead."""
    if isinstance(error, UnicodeDecodeError):
        return "a string holds bytes that are not UTF-8"
    what = str(error).removeprefix("JSON is malformed: ") or type(error).__name__
    if "truncated" in what:
        return f"{what}: a bracket, a brace or a quote is left open"
    place = re.fullmatch(r"(.*) \(byte (\d+)\)", what)
    if place is None:
        return what
    rest = body[int(place[2]) :].decode("utf-8", "replace")
    what = f"{place[1]} (byte {place[2]}: {shown(rest[:EXCERPT])})"
    if re.match(r"'|\w+'?\s*:", rest):
        return f"{what}; strings and keys stand in double quotes, {IN_A_SHELL}"
    if re.match(r"(True|False|None|NaN|-?Infinity)\b", rest):
        return f"{what}; JSON has true, false and null, and no other words"
    return what
