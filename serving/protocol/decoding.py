"""Strict decoding of a request's body: types by msgspec, then repeated keys, then limits.

msgspec decodes and checks types in a few microseconds, but it lets a repeated key pass and does not report the value it
refused. So a body whose colons are not all accounted for by fields that were set is parsed a second time, key by key,
and a refused body is parsed again to name the value. Neither costs an ordinary request anything.
"""

import json
import re
from typing import Any, Final

import msgspec
from msgspec import UNSET, Struct

from serving.protocol.errors import SHOWN_CHARACTERS, BodyError, FieldError, shown
from serving.protocol.limits import OF_PLACEMENTS, Limits, allowed_in, check_limits
from serving.protocol.messages import CartLine, Event, Impression, RecommendRequest

STRUCTS: Final[dict[str, type[Struct]]] = {
    "": RecommendRequest,
    "session": Event,
    "history": Event,
    "cart": CartLine,
    "impressions": Impression,
}
"""What a request is made of, by the field that holds it."""


_decoder = msgspec.json.Decoder(RecommendRequest)


def decode_request(body: bytes, limits: Limits) -> RecommendRequest:
    """Read and check a request, all but the behaviours, which only the bundle knows.

    Raises:
        BodyError: the body is empty, not UTF-8, not JSON, or repeats a key.
        FieldError: a field is wrong; the sentence names it, its value and what is allowed.
    """
    if not body:
        raise BodyError('the body is empty; send JSON such as {"session": [{"item_id": "ID"}]}')
    try:
        request = _decoder.decode(body)
    except msgspec.ValidationError as error:
        raise _explain(error, body, limits) from None
    except (ValueError, RecursionError) as error:
        raise BodyError(f"the body is not valid JSON in UTF-8: {_reason(error)}") from None
    if body.count(b":") != _fields_set(request):
        refuse_repeated_keys(body)
    check_limits(request, limits)
    return request


def refuse_repeated_keys(body: bytes) -> None:
    """Raise a BodyError that names the first key that one object holds twice."""

    def distinct(pairs: list[tuple[str, Any]]) -> None:
        seen = set()
        for key, _ in pairs:
            if key in seen:
                raise BodyError(f"the body holds the key {shown(key)} twice in one object; send every key once")
            seen.add(key)

    json.loads(body, object_pairs_hook=distinct, parse_int=len)


def _fields_set(request: RecommendRequest) -> int:
    """How many keys a body without repeated keys holds."""
    optional = (request.history, request.behaviour, request.k, request.exclude, request.deadline_ms)
    count = 1 + sum(value is not UNSET for value in optional)
    for event in (*request.session, *(request.history or ())):
        count += 1 + (event.behaviour is not UNSET) + (event.timestamp is not UNSET)
    if request.placement is not UNSET:
        count += 1 + sum(getattr(request, field) is not UNSET for field in OF_PLACEMENTS)
        for line in request.cart or ():
            count += 1 + (line.quantity is not UNSET)
        for impression in request.impressions or ():
            count += 1 + (impression.count is not UNSET) + (impression.timestamp is not UNSET)
    return count


def _explain(error: msgspec.ValidationError, body: bytes, limits: Limits) -> ValueError:
    """The sentence for what msgspec refused: its message gives the path, the body gives the value."""
    what, _, path = str(error).partition(" - at ")
    field = path.strip("`").removeprefix("$").removeprefix(".")
    unknown = re.fullmatch(r"Object contains unknown field `(.*)`", what, re.DOTALL)
    missing = re.fullmatch(r"Object missing required field `(.*)`", what)
    inside = f"{field}." if field else ""
    if unknown:
        struct = STRUCTS[field.partition("[")[0]]
        allowed = ", ".join(struct.__struct_fields__)
        name = f"{inside}{unknown[1][:SHOWN_CHARACTERS]}"
        return FieldError(name, f"{name} is not a field of the request; allowed: {allowed}", allowed=allowed)
    if missing:
        name = f"{inside}{missing[1]}"
        allowed = allowed_in(name, limits)
        return FieldError(name, f"{name} is missing; it must be {allowed}", allowed=allowed)
    allowed = allowed_in(field, limits)
    try:
        value = json.loads(body)
        for step in re.findall(r"\[(\d+)\]|(\w+)", field):
            value = value[int(step[0])] if step[0] else value[step[1]]
    except (ValueError, LookupError, TypeError, RecursionError):
        return FieldError(field, f"{field or 'the body'} must be {allowed} ({what})", allowed=allowed)
    if not field:
        return FieldError(field, f"the body must be {allowed}, got {shown(value)}", allowed=allowed)
    return FieldError.of_value(field, value, allowed=allowed)


def _reason(error: Exception) -> str:
    if isinstance(error, UnicodeDecodeError):
        return "a string holds bytes that are not UTF-8"
    return str(error).removeprefix("JSON is malformed: ") or type(error).__name__
