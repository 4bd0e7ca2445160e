"""A body to events: JSON or a line for each; what is wrong with one of them costs the others nothing.

All events at once are decoded first; only if one of them is refused, or is in another shape, each is looked at alone.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType

from serving.collector import ga4
from serving.protocol.errors import BodyError, shown
from tillside.cli.likeness import did_you_mean
from tillside.feedback.events import CART, CLICK, IMPRESSION, Event, lacking

PLAIN: Final = frozenset({IMPRESSION, CLICK, CART})
"""Kinds that need an item and nothing else."""
EACH: Final = 5
"""Events that the items of GA4's may make of a body, for each that it may hold: its own most, 25 of 200 items, fits."""
SENTENCE_CHARACTERS: Final = 300
FIELD: Final = re.compile(r"(.*?)(?: - at `\$\.?(.*)`)?", re.DOTALL)


class SentEvent(Event, frozen=True, kw_only=True, gc=False, omit_defaults=True, forbid_unknown_fields=True):
    """An :class:`Event` as it is sent: a mistyped field is refused, as its value would be lost."""


class _Envelope(Struct):
    events: list[Raw] | UnsetType = UNSET


@dataclass(frozen=True, slots=True)
class Refusal:
    """An event that is not kept.

    Attributes:
        index: its place in the body, from 0.
        reason: a sentence that says what is wrong.
    """

    index: int
    reason: str


@dataclass(slots=True)
class Batch:
    """What a body holds.

    Attributes:
        events: those that can be kept; ``places`` are their places in the body, None if none is missing.
        ignored: events of GA4 that say nothing of items.
    """

    events: Sequence[Event]
    places: list[int] | None = None
    refusals: list[Refusal] = field(default_factory=list)
    ignored: int = 0


class TooManyError(ValueError):
    """A body holds more events than are taken at once."""


_all: Final = msgspec.json.Decoder(list[SentEvent])
_raws: Final = msgspec.json.Decoder(list[Raw])
_one: Final = msgspec.json.Decoder(SentEvent)
_envelope: Final = msgspec.json.Decoder(_Envelope)
_document: Final = msgspec.json.Decoder(dict[str, Any])
_encode: Final = msgspec.json.Encoder().encode


def decode_batch(body: bytes, *, lines: bool, most: int) -> Batch:
    """Events of a body: a list, one event, ``{"events": [...]}``, or, with ``lines``, one a line.

    Raises:
        BodyError: it is neither.
        TooManyError: it holds more than ``most`` events, or, item by item, EACH times as many.
    """
    try:
        events = _one.decode_lines(body) if lines else _all.decode(body)
        if len(events) > most:
            raise _too_many(len(events), most)
        for event in events:
            if (event.item is None or event.kind not in PLAIN) and lacking(event):
                break
            if event.received or event.source or event.untimed:
                break
        else:
            return Batch(events)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        pass
    raws, beside = _split_lines(body) if lines else _split(body)
    if len(raws) > most:
        raise _too_many(len(raws), most)
    return _each(raws, ga4.Envelope(beside), most=max(ga4.PER_EVENT, EACH * most))


def _split(body: bytes) -> tuple[Sequence[bytes | Raw], Mapping[str, Any]]:
    """The single events of a JSON body, and what stands beside them."""
    try:
        if body.lstrip()[:1] != b"{":
            return _raws.decode(body), {}
        inside = _envelope.decode(body).events
        if inside is UNSET:
            return [body], {}
        beside = _document.decode(body)
        beside.pop("events")
        return inside, beside
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        if not body.strip():
            raise BodyError("the body is empty; send a list of events") from None
        what = str(error).removeprefix("JSON is malformed: ")
        raise BodyError(
            f"the body must be a JSON list of events, one event, or an object with events: {what}"
        ) from None


def _split_lines(body: bytes) -> tuple[Sequence[bytes | Raw], Mapping[str, Any]]:
    lines = [line for line in body.split(b"\n") if line.strip()]
    if not lines:
        raise BodyError("the body is empty; send an event a line")
    return lines, {}


def _each(raws: Sequence[bytes | Raw], envelope: ga4.Envelope, *, most: int) -> Batch:
    events: list[Event] = []
    batch = Batch(events, places=[])
    assert batch.places is not None
    for index, raw in enumerate(raws):
        try:
            found = _events_of(raw, envelope)
        except (ValueError, RecursionError) as error:
            batch.refusals.append(Refusal(index, _sentence(error, raw)))
            continue
        if not found:
            batch.ignored += 1
        for event in found:
            if lack := lacking(event):
                batch.refusals.append(Refusal(index, f"{lack} is missing; {event.kind} needs it"))
                break
        else:
            events += found
            batch.places += [index] * len(found)
        if len(events) > most:
            raise TooManyError(
                f"events of GA4 are one for each of their items, and a body may hold {most} of them, got more; "
                "send them in several"
            )
    return batch


def _events_of(raw: bytes | Raw, envelope: ga4.Envelope) -> Sequence[Event]:
    try:
        event = _one.decode(raw)
    except msgspec.ValidationError:
        document = msgspec.json.decode(raw)
        if not ga4.is_ga4(document):
            raise
        return ga4.events_of(document, envelope)
    for name in ("received", "source", "untimed"):
        if getattr(event, name):
            raise ValueError(f"{name} is the collector's to say, not the shop's")
    return [event]


def _sentence(error: Exception, raw: bytes | Raw) -> str:
    """What is wrong with an event, beginning with the field."""
    if isinstance(error, UnicodeDecodeError):
        return "a string holds bytes that are not UTF-8"
    if not isinstance(error, msgspec.DecodeError):
        return str(error) or type(error).__name__
    found = FIELD.fullmatch(str(error))
    assert found is not None
    what, where = found[1], found[2] or ""
    if unknown := re.fullmatch("Object contains unknown field `(.*)`", what, re.DOTALL):
        sent = [name for name in SentEvent.__struct_fields__ if name not in ("received", "source", "untimed")]
        meant = did_you_mean(unknown[1], sent, before="; ")
        return f"{shown(unknown[1])} is not a field of {where or 'an event'}{meant}"
    if missing := re.fullmatch("Object missing required field `(.*)`", what):
        return f"{where + '.' if where else ''}{missing[1]} is missing"
    if not isinstance(error, msgspec.ValidationError):
        return f"it is no JSON: {what.removeprefix('JSON is malformed: ')}"
    return f"{where or 'an event'}: {what[0].lower()}{what[1:]}"[:SENTENCE_CHARACTERS]


def _too_many(count: int, most: int) -> TooManyError:
    return TooManyError(f"a body may hold {most} events, got {count}; send them in several")
