"""Range and length checks of request fields, and each field's allowed values in words, for error messages."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, get_args

from msgspec import UNSET

from serving.protocol.errors import FieldError
from tillside.policy.file.terms import SegmentName
from tillside.policy.requests import Language

if TYPE_CHECKING:
    from serving.protocol.messages import Event, RecommendRequest

LONGEST_DEADLINE_MS: Final = 10_000


@dataclass(frozen=True, slots=True)
class Limits:
    """The largest request that is taken; what exceeds a limit is refused, never cut.

    Attributes:
        k: items asked for.
        session_events: events in the session, and as many of the shopper's earlier ones.
        excluded_items: items in the exclusion list.
        cart_lines, impressions, scene_items: entries of these lists.
        text: characters of an item id or a behaviour.
        body_bytes: bytes of the body.
        body_seconds: time the client may take to send its body, and before that its headers.
        header_bytes: bytes of the request line and the headers.
        feed_bytes, feed_seconds: the same of an items feed on the admin port.
    """

    k: int = 1000
    session_events: int = 1000
    excluded_items: int = 1000
    cart_lines: int = 100
    impressions: int = 1000
    scene_items: int = 100
    text: int = 256
    body_bytes: int = 1 << 20
    body_seconds: float = 10.0
    header_bytes: int = 1 << 15
    feed_bytes: int = 1 << 26
    feed_seconds: float = 60.0


LATEST_TIMESTAMP: Final = 253_402_300_799_999
"""The last millisecond of the year 9999, UTC."""
OLDEST: Final = 130
MOST_PIECES: Final = 1_000_000
OF_PLACEMENTS: Final = (
    "cart",
    "segment",
    "age",
    "impressions",
    "host",
    "scene",
    "language",
    "explain",
    "timestamp",
)
"""Fields that are allowed only together with ``placement``."""


def check_limits(request: "RecommendRequest", limits: Limits) -> None:
    """Check the range of every value and the length of every list.

    Raises:
        FieldError: names the first field out of bounds.
    """
    if request.k is not UNSET and not 1 <= request.k <= limits.k:
        _refuse("k", request.k, limits)
    if request.deadline_ms is not UNSET and not 1 <= request.deadline_ms <= LONGEST_DEADLINE_MS:
        _refuse("deadline_ms", request.deadline_ms, limits)
    _check_lengths(
        (
            ("session", request.session, limits.session_events),
            ("history", request.history or (), limits.session_events),
            ("exclude", request.exclude or (), limits.excluded_items),
        ),
        limits,
    )
    _check_events("session", request.session, limits)
    _check_events("history", request.history or (), limits)
    for number, item_id in enumerate(request.exclude or ()):
        if not 0 < len(item_id) <= limits.text:
            _refuse(f"exclude[{number}]", item_id, limits)
    if request.placement is not UNSET:
        _check_placement(request, limits)
        return
    for field in OF_PLACEMENTS:
        if getattr(request, field) is not UNSET:
            sentence = f"{field} is for placements alone; give placement, or leave {field} out"
            raise FieldError(field, sentence, allowed="nothing without placement")


def allowed_in(field: str, limits: Limits) -> str:
    """Allowed values of ``field`` as the end of a sentence; list indices in its path are ignored."""
    text = f"a string of 1 to {limits.text} characters"
    time = f"UTC milliseconds, an integer from 0 to {LATEST_TIMESTAMP}"
    return {
        "": "a JSON object",
        **{
            f"{events}{what}": allowed
            for events in ("session", "history")
            for what, allowed in (
                ("", f"a list of at most {limits.session_events} events"),
                ("[]", "an object with item_id and, optionally, behaviour and timestamp"),
                ("[].item_id", text),
                ("[].behaviour", "one of the bundle's behaviours, as a string"),
                ("[].timestamp", f"{time}, or null"),
            )
        },
        "behaviour": "one of the bundle's behaviours, as a string",
        "k": f"an integer from 1 to {limits.k}",
        "exclude": f"a list of at most {limits.excluded_items} item ids",
        "exclude[]": text,
        "deadline_ms": f"milliseconds, an integer from 1 to {LONGEST_DEADLINE_MS}",
        "placement": "one of the policy's placements, as a string",
        "cart": f"a list of at most {limits.cart_lines} lines",
        "cart[]": "an object with item_id and, optionally, quantity",
        "cart[].item_id": text,
        "cart[].quantity": f"an integer from 1 to {MOST_PIECES}",
        "segment": f"one of {', '.join(get_args(SegmentName))}",
        "age": f"years, an integer from 0 to {OLDEST}",
        "impressions": f"a list of at most {limits.impressions} items",
        "impressions[]": "an object with item_id and, optionally, count and timestamp",
        "impressions[].item_id": text,
        "impressions[].count": f"an integer from 1 to {MOST_PIECES}",
        "impressions[].timestamp": time,
        "host": text,
        "scene": f"a list of at most {limits.scene_items} item ids",
        "scene[]": text,
        "language": f"one of {', '.join(get_args(Language))}",
        "explain": "true or false",
        "timestamp": time,
    }[re.sub(r"\[\d+\]", "[]", field)]


def _check_events(field: str, events: Sequence["Event"], limits: Limits) -> None:
    for number, event in enumerate(events):
        if not 0 < len(event.item_id) <= limits.text:
            _refuse(f"{field}[{number}].item_id", event.item_id, limits)
        time = event.timestamp
        if time is not UNSET and time is not None and not 0 <= time <= LATEST_TIMESTAMP:
            _refuse(f"{field}[{number}].timestamp", time, limits)


def _check_placement(request: "RecommendRequest", limits: Limits) -> None:
    cart, impressions, scene = request.cart or (), request.impressions or (), request.scene or ()
    lists = (
        ("cart", cart, limits.cart_lines),
        ("impressions", impressions, limits.impressions),
        ("scene", scene, limits.scene_items),
    )
    _check_lengths(lists, limits)
    for number, line in enumerate(cart):
        if not 0 < len(line.item_id) <= limits.text:
            _refuse(f"cart[{number}].item_id", line.item_id, limits)
        if line.quantity is not UNSET and not 1 <= line.quantity <= MOST_PIECES:
            _refuse(f"cart[{number}].quantity", line.quantity, limits)
    for number, shown in enumerate(impressions):
        if not 0 < len(shown.item_id) <= limits.text:
            _refuse(f"impressions[{number}].item_id", shown.item_id, limits)
        if shown.count is not UNSET and not 1 <= shown.count <= MOST_PIECES:
            _refuse(f"impressions[{number}].count", shown.count, limits)
        if shown.timestamp is not UNSET and not 0 <= shown.timestamp <= LATEST_TIMESTAMP:
            _refuse(f"impressions[{number}].timestamp", shown.timestamp, limits)
    for number, item_id in enumerate(scene):
        if not 0 < len(item_id) <= limits.text:
            _refuse(f"scene[{number}]", item_id, limits)
    if request.host is not UNSET and not 0 < len(request.host) <= limits.text:
        _refuse("host", request.host, limits)
    if request.age is not UNSET and not 0 <= request.age <= OLDEST:
        _refuse("age", request.age, limits)
    if request.timestamp is not UNSET and not 0 <= request.timestamp <= LATEST_TIMESTAMP:
        _refuse("timestamp", request.timestamp, limits)


def _check_lengths(lists: tuple[tuple[str, Sequence[object], int], ...], limits: Limits) -> None:
    for field, sequence, most in lists:
        if len(sequence) > most:
            allowed = allowed_in(field, limits)
            raise FieldError(field, f"{field} must be {allowed}, got {len(sequence)} of them", allowed=allowed)


def _refuse(field: str, value: object, limits: Limits) -> None:
    raise FieldError.of_value(field, value, allowed=allowed_in(field, limits))
