"""Exceptions for refused requests, with messages that a caller can act on: invalid bodies and fields, and problems of
any status, such as 401 (no token) and 503 (no bundle yet)."""

import json
from collections.abc import Iterable
from http import HTTPStatus
from pathlib import Path
from typing import Final

from tillside.cli.likeness import did_you_mean

SHOWN_CHARACTERS: Final = 60


class BodyError(ValueError):
    """The body is not a single JSON document, or repeats a key."""


class FieldError(ValueError):
    """A field is missing, unknown, or has an invalid value.

    Attributes:
        field: path of the field, such as ``session[2].item_id``.
        allowed: the allowed values, in words.
    """

    def __init__(self, field: str, sentence: str, *, allowed: str) -> None:
        super().__init__(sentence)
        self.field = field
        self.allowed = allowed

    @classmethod
    def of_value(cls, field: str, value: object, *, allowed: str, choices: Iterable[str] = ()) -> "FieldError":
        """The error for an invalid ``value`` of ``field``; names the likeliest of the ``choices``, if there are any."""
        meant = did_you_mean(value, choices, before="; ") if isinstance(value, str) else ""
        return cls(field, f"{field} must be {allowed}, got {shown(value)}{meant}", allowed=allowed)

    def within(self, path: str, fields: Iterable[str]) -> "FieldError":
        """The error seen from outside: if the field is one of ``fields``, it is that of the struct at ``path``."""
        if self.field.partition("[")[0].partition(".")[0] not in fields:
            return self
        return FieldError(f"{path}.{self.field}", f"{path}.{self}", allowed=self.allowed)


def shown(value: object) -> str:
    """``value`` as JSON, truncated for an error message."""
    if isinstance(value, int) and value.bit_length() > 256:
        return "an integer of more than 77 digits"
    text = json.dumps(value, ensure_ascii=False).encode("utf-8", "replace").decode()
    return text if len(text) <= SHOWN_CHARACTERS else f"{text[:SHOWN_CHARACTERS]}… ({len(text)} characters)"


def unreadable(error: Exception, path: Path) -> str:
    """Why a file cannot be read, in words, and the folder that a relative path starts from."""
    if not isinstance(error, OSError) or not error.strerror:
        return str(error)
    words = error.strerror[0].lower() + error.strerror[1:]
    return words if path.is_absolute() else f"{words}, seen from {Path.cwd()}"


class ProblemError(Exception):
    """A refusal on its way to the client.

    Attributes:
        status: the HTTP status.
        kind: ends the ``type`` URN; one per cause, stable across versions.
        detail: one sentence that a caller can act on.
        members: further members of the document, such as ``field`` and ``allowed``.
    """

    def __init__(self, status: HTTPStatus, kind: str, detail: str, **members: str) -> None:
        super().__init__(detail)
        self.status = status
        self.kind = kind
        self.detail = detail
        self.members = members

    @property
    def cause(self) -> str:
        """Kind and what is allowed, for the log: nothing of what was sent."""
        allowed = self.members.get("allowed")
        return f"{self.kind}; allowed: {allowed}" if allowed else self.kind
