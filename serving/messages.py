"""What goes over the wire, and the strict reading of a request: every limit and every refusal is decided here.

msgspec decodes and checks types in a few microseconds, but it lets a repeated key pass and keeps the value it refused
to itself. So a body whose colons are not all accounted for by fields that were set is parsed a second time, key by
key; and a refused body is parsed again to name the value. Neither costs an ordinary request anything.
"""

import json
import re
from typing import Any, Final

import msgspec
from msgspec import UNSET, Struct, UnsetType

from serving.settings import LONGEST_DEADLINE_MS, Limits

LATEST_TIMESTAMP: Final = 253_402_300_799_999
"""The last millisecond of the year 9999, UTC."""
DEFAULT_K: Final = 20
SHOWN_CHARACTERS: Final = 60


class Event(Struct, forbid_unknown_fields=True, frozen=True, gc=False):
    """One thing the shopper did. A timestamp is UTC milliseconds; null or left out where there is no clock."""

    item_id: str
    behaviour: str | UnsetType = UNSET
    timestamp: int | UnsetType | None = UNSET


class RecommendRequest(Struct, forbid_unknown_fields=True, frozen=True, gc=False):
    """The body of ``POST /v1/recommend``: the session so far, oldest event first, and what is asked of it."""

    session: list[Event]
    behaviour: str | UnsetType = UNSET
    k: int | UnsetType = UNSET
    exclude: list[str] | UnsetType = UNSET
    deadline_ms: int | UnsetType = UNSET


class RecommendedItem(Struct, frozen=True, gc=False):
    """One recommended item; ``because`` is the item of the session that lies nearest to it."""

    item_id: str
    score: float
    source: str
    because: str | None


class Answer(Struct, frozen=True, gc=False):
    """The answer to a :class:`RecommendRequest`; ``degraded_reason`` says why the model did not give it."""

    recommendation_id: str
    items: list[RecommendedItem]
    tier: str
    degraded_reason: str | None
    behaviour: str
    purchase_intent: float | None
    unknown_items: list[str]
    bundle: str | None


class BodyError(ValueError):
    """The body is not one JSON document with distinct keys."""


class FieldError(ValueError):
    """A field is missing, unknown or holds what is not allowed.

    Attributes:
        field: path of the field, as ``session[2].item_id``.
        allowed: what the field may hold.
    """

    def __init__(self, field: str, sentence: str, *, allowed: str) -> None:
        super().__init__(sentence)
        self.field = field
        self.allowed = allowed

    @classmethod
    def of_value(cls, field: str, value: object, *, allowed: str) -> "FieldError":
        """``value`` is not allowed in ``field``."""
        return cls(field, f"{field} must be {allowed}, got {shown(value)}", allowed=allowed)


_decoder = msgspec.json.Decoder(RecommendRequest)
encode_answer = msgspec.json.Encoder().encode


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
    _check_limits(request, limits)
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


def shown(value: object) -> str:
    """``value`` as JSON, cut to a readable length."""
    if isinstance(value, int) and value.bit_length() > 256:
        return "an integer of more than 77 digits"
    text = json.dumps(value, ensure_ascii=False).encode("utf-8", "replace").decode()
    return text if len(text) <= SHOWN_CHARACTERS else f"{text[:SHOWN_CHARACTERS]}… ({len(text)} characters)"


def _fields_set(request: RecommendRequest) -> int:
    """How many keys a body without repeated keys holds."""
    optional = (request.behaviour, request.k, request.exclude, request.deadline_ms)
    count = 1 + sum(value is not UNSET for value in optional)
    for event in request.session:
        count += 1 + (event.behaviour is not UNSET) + (event.timestamp is not UNSET)
    return count


def _check_limits(request: RecommendRequest, limits: Limits) -> None:
    if request.k is not UNSET and not 1 <= request.k <= limits.k:
        raise FieldError.of_value("k", request.k, allowed=_allowed("k", limits))
    if request.deadline_ms is not UNSET and not 1 <= request.deadline_ms <= LONGEST_DEADLINE_MS:
        _refuse("deadline_ms", request.deadline_ms, limits)
    for field, sequence, most in (
        ("session", request.session, limits.session_events),
        ("exclude", request.exclude or (), limits.excluded_items),
    ):
        if len(sequence) > most:
            allowed = _allowed(field, limits)
            raise FieldError(field, f"{field} must be {allowed}, got {len(sequence)} of them", allowed=allowed)
    for number, event in enumerate(request.session):
        if not 0 < len(event.item_id) <= limits.text:
            _refuse(f"session[{number}].item_id", event.item_id, limits)
        time = event.timestamp
        if time is not UNSET and time is not None and not 0 <= time <= LATEST_TIMESTAMP:
            _refuse(f"session[{number}].timestamp", time, limits)
    for number, item_id in enumerate(request.exclude or ()):
        if not 0 < len(item_id) <= limits.text:
            _refuse(f"exclude[{number}]", item_id, limits)


def _refuse(field: str, value: object, limits: Limits) -> None:
    raise FieldError.of_value(field, value, allowed=_allowed(field, limits))


def _allowed(field: str, limits: Limits) -> str:
    """What ``field`` may hold, as the end of a sentence."""
    text = f"a string of 1 to {limits.text} characters"
    return {
        "": "a JSON object",
        "session": f"a list of at most {limits.session_events} events",
        "session[]": "an object with item_id and, optionally, behaviour and timestamp",
        "session[].item_id": text,
        "session[].behaviour": "one of the bundle's behaviours, as a string",
        "session[].timestamp": f"UTC milliseconds, an integer from 0 to {LATEST_TIMESTAMP}, or null",
        "behaviour": "one of the bundle's behaviours, as a string",
        "k": f"an integer from 1 to {limits.k}",
        "exclude": f"a list of at most {limits.excluded_items} item ids",
        "exclude[]": text,
        "deadline_ms": f"milliseconds, an integer from 1 to {LONGEST_DEADLINE_MS}",
    }[re.sub(r"\[\d+\]", "[]", field)]


def _explain(error: msgspec.ValidationError, body: bytes, limits: Limits) -> ValueError:
    """The sentence for what msgspec refused: its message gives the path, the body gives the value."""
    what, _, path = str(error).partition(" - at ")
    field = path.strip("`").removeprefix("$").removeprefix(".")
    unknown = re.fullmatch(r"Object contains unknown field `(.*)`", what, re.DOTALL)
    missing = re.fullmatch(r"Object missing required field `(.*)`", what)
    inside = f"{field}." if field else ""
    if unknown:
        struct: type[Struct] = Event if field else RecommendRequest
        allowed = ", ".join(struct.__struct_fields__)
        name = f"{inside}{unknown[1][:SHOWN_CHARACTERS]}"
        return FieldError(name, f"{name} is not a field of the request; allowed: {allowed}", allowed=allowed)
    if missing:
        name = f"{inside}{missing[1]}"
        allowed = _allowed(name, limits)
        return FieldError(name, f"{name} is missing; it must be {allowed}", allowed=allowed)
    allowed = _allowed(field, limits)
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
