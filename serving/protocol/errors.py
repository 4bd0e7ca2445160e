"""Exceptions for refused requests, with messages that a caller can act on: invalid bodies and fields, and problems of
any status, such as 401 (no token) and 503 (no bundle yet)."""

import json
from http import HTTPStatus
from typing import Final

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
    def of_value(cls, field: str, value: object, *, allowed: str) -> "FieldError":
        """The error for an invalid ``value`` of ``field``."""
        return cls(field, f"{field} must be {allowed}, got {shown(value)}", allowed=allowed)


def shown(value: object) -> str:
    """``value`` as JSON, truncated for an error message."""
    if isinstance(value, int) and value.bit_length() > 256:
        return "an integer of more than 77 digits"
    text = json.dumps(value, ensure_ascii=False).encode("utf-8", "replace").decode()
    return text if len(text) <= SHOWN_CHARACTERS else f"{text[:SHOWN_CHARACTERS]}… ({len(text)} characters)"


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
