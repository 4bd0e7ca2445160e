"""What goes over the wire, and the strict reading of a request; how large its values may be stands in ``bounds``.

msgspec decodes and checks types in a few microseconds, but it lets a repeated key pass and keeps the value it refused
to itself. So a body whose colons are not all accounted for by fields that were set is parsed a second time, key by
key; and a refused body is parsed again to name the value. Neither costs an ordinary request anything.
"""

import json
import re
from typing import Any, Final

import msgspec
from msgspec import UNSET, Struct, UnsetType

from serving.bounds import LATEST_TIMESTAMP, OF_PLACEMENTS, allowed_in, check_limits
from serving.refusals import SHOWN_CHARACTERS, BodyError, FieldError, shown
from serving.settings import Limits
from tillside.policy.asking import Language, Mode
from tillside.policy.terms import SegmentName

__all__ = [
    "DEFAULT_K",
    "LATEST_TIMESTAMP",
    "Answer",
    "BodyError",
    "CartLine",
    "Event",
    "FieldError",
    "Impression",
    "OfferedBundle",
    "PlacedAnswer",
    "PlacedItem",
    "PromotionHint",
    "RecommendRequest",
    "RecommendedItem",
    "decode_request",
    "encode_answer",
    "refuse_repeated_keys",
]

DEFAULT_K: Final = 20


class Event(Struct, forbid_unknown_fields=True, frozen=True, gc=False):
    """One thing the shopper did. A timestamp is UTC milliseconds; null or left out where there is no clock."""

    item_id: str
    behaviour: str | UnsetType = UNSET
    timestamp: int | UnsetType | None = UNSET


class CartLine(Struct, forbid_unknown_fields=True, frozen=True, gc=False):
    """One line of the cart; one piece where there is no quantity."""

    item_id: str
    quantity: int | UnsetType = UNSET


class Impression(Struct, forbid_unknown_fields=True, frozen=True, gc=False):
    """An item that the shopper was shown: how often (once), and when the last time (now), UTC milliseconds."""

    item_id: str
    count: int | UnsetType = UNSET
    timestamp: int | UnsetType = UNSET


class RecommendRequest(Struct, forbid_unknown_fields=True, frozen=True, gc=False):
    """The body of ``POST /v1/recommend``: the session so far and, of a shopper who returns, what came before it, oldest
    event first, and what is asked of it.

    What follows ``placement`` is for placements alone; a cart that is left out is what the session's cart events say.
    """

    session: list[Event]
    history: list[Event] | UnsetType = UNSET
    behaviour: str | UnsetType = UNSET
    k: int | UnsetType = UNSET
    exclude: list[str] | UnsetType = UNSET
    deadline_ms: int | UnsetType = UNSET
    placement: str | UnsetType = UNSET
    cart: list[CartLine] | UnsetType = UNSET
    segment: SegmentName | UnsetType = UNSET
    age: int | UnsetType = UNSET
    impressions: list[Impression] | UnsetType = UNSET
    host: str | UnsetType = UNSET
    scene: list[str] | UnsetType = UNSET
    language: Language | UnsetType = UNSET
    explain: bool | UnsetType = UNSET
    timestamp: int | UnsetType = UNSET


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


class PlacedItem(RecommendedItem, frozen=True, gc=False):
    """One item of a placement's answer.

    Attributes:
        because: the item that led to it: of the cart or session, of the scene, or the host's.
        origin: the source in words, for the shop's own people.
        rule: the rule that set it by hand, or null.
        reason: a sentence for the shopper; ``reason_key`` names it, for shops that write their own.
        parts: what each source gave, the boost, and what diversity took; only where it was asked for.
    """

    origin: str
    rule: str | None
    reason_key: str
    reason: str
    parts: dict[str, float] | UnsetType = UNSET


class OfferedBundle(Struct, frozen=True, gc=False):
    """Items that go together, those of the cart first, and what they cost together."""

    items: list[str]
    missing: list[str]
    price: float
    discounted_price: float | None
    promotion: str | None


class PromotionHint(Struct, frozen=True, gc=False):
    """What is missing to a promotion's next step: so many more items, then so many per cent."""

    promotion: str
    missing: int
    percent: float
    reached_percent: float
    text: str


class PlacedAnswer(Answer, frozen=True, gc=False):
    """The answer to a request with a placement; its items are :class:`PlacedItem`.

    Attributes:
        why: what led to the mode, such as ``intent 0.82``.
        policy: the policy's version, first 12 hex digits of its file's SHA-256.
    """

    placement: str
    mode: Mode
    why: list[str]
    bundles: list[OfferedBundle]
    promotion: PromotionHint | None
    policy: str


STRUCTS: Final[dict[str, type[Struct]]] = {
    "": RecommendRequest,
    "session": Event,
    "history": Event,
    "cart": CartLine,
    "impressions": Impression,
}
"""What a request is made of, by the field that holds it."""
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
