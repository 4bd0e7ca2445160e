"""Bases of a policy file's terms: bounded values, mappings without unknown keys, spans of days, and conflicts."""

import contextlib
import json
from collections.abc import Collection
from datetime import date
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta, Struct

HOUR_MS: Final = 3_600_000
DAY_MS: Final = 24 * HOUR_MS
LARGEST_EXACT: Final = 2**53
"""Up to here every integer is a float of its own."""
UNIX_DAY: Final = date(1970, 1, 1).toordinal()

Share = Annotated[float, Meta(ge=0, le=1)]
Weight = Annotated[float, Meta(ge=0, le=100)]
Shift = Annotated[float, Meta(ge=-1, le=1)]
Count = Annotated[int, Meta(ge=1, le=1000)]
Name = Annotated[str, Meta(min_length=1)]
Seconds = Annotated[float, Meta(ge=0)]


def on_one_line(sentence: str) -> str:
    """A sentence without line breaks, which names and keys in it may hold, and without other unprintable characters."""
    if sentence.isprintable():
        return sentence
    return "".join(each if each.isprintable() else ascii(each)[1:-1] for each in sentence)


class TermError(ValueError):
    """What is wrong with the values of a term, one mistake a line.

    Attributes:
        field: the field at fault, of several mistakes of the first; empty where it is none.
        allowed: what that may hold, in words; empty where nobody said.
    """

    def __init__(self, sentence: str, *, field: str = "", allowed: str = "") -> None:
        super().__init__(sentence)
        self.field = on_one_line(field)
        self.allowed = on_one_line(allowed)


class ConflictError(TermError):
    """Values of which each is allowed, and which do not go together: with one another, or in this shop as it stands.

    What breaks a type or a bound is none; a schema can say that, and cannot say this.
    """

    @classmethod
    def of(
        cls, mistakes: Collection[str], conflicts: Collection[str], *, field: str = "", allowed: str = ""
    ) -> TermError:
        """The error that tells some mistakes, one a line: a conflict if each of them is one.

        Args:
            field, allowed: of the first mistake.
        """
        kind = cls if set(mistakes) <= set(conflicts) else TermError
        return kind("\n".join(map(on_one_line, mistakes)), field=field, allowed=allowed)


class Term(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of all mappings in a policy file; unknown keys are rejected."""


class Span(Term, frozen=True, kw_only=True, rename={"since": "from"}):
    """Validity period in days, half open; an omitted bound is open."""

    since: date | None = None
    until: date | None = None

    def __post_init__(self) -> None:
        if self.since and self.until and self.since >= self.until:
            sentence = f"until must be after from ({self.since}), got {self.until}"
            raise ConflictError(sentence, field="until", allowed=f"a date after {self.since}, or nothing")

    def holds(self, day: date) -> bool:
        """Whether ``day`` is in the span."""
        return (self.since is None or self.since <= day) and (self.until is None or day < self.until)


def exactly_one(term: Struct, *names: str) -> None:
    """Raise TermError unless one of the fields is given."""
    given = [name for name in names if getattr(term, name) is not None]
    if len(given) != 1:
        sentence = f"exactly one of {', '.join(names)} must be given, got {', '.join(given) or 'none'}"
        raise TermError(sentence, allowed=f"{', '.join(names[:-1])} or {names[-1]} alone")


def repeated_key(data: bytes, decoded: Any) -> str | None:
    """The first key that stands twice in one object of a JSON text, so that a value is lost; None without one.

    Args:
        decoded: what was read from the text. Encoded again it has as many colons, if no key was lost and none is
            written as an escape; only otherwise the text is walked.
    """
    if data.count(b":") == msgspec.json.encode(decoded).count(b":") and b"\\u003" not in data:
        return None
    found: list[str] = []

    def distinct(pairs: list[tuple[str, Any]]) -> None:
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                found.append(key)
            seen.add(key)

    with contextlib.suppress(ValueError, RecursionError):  # what cannot be read is told elsewhere
        json.loads(data, object_pairs_hook=distinct)
    return found[0] if found else None


def with_whole_numbers(document: Any) -> Any:
    """A JSON object whose own numbers without a fraction are integers, as 36.0 is one to JSON Schema."""
    if not isinstance(document, dict):
        return document
    return {
        key: int(value) if isinstance(value, float) and value.is_integer() and abs(value) <= LARGEST_EXACT else value
        for key, value in document.items()
    }


def local_day(now_ms: int, utc_offset_hours: float) -> date:
    """The local date at ``now_ms`` (UTC ms); the last day of the year 9999 has no morrow."""
    day = UNIX_DAY + int(now_ms + utc_offset_hours * HOUR_MS) // DAY_MS
    return date.fromordinal(max(1, min(day, date.max.toordinal())))
