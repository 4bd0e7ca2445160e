"""What is wrong with a request, as exceptions whose sentences a caller can act on."""

import json
from http import HTTPStatus
from typing import Final

SHOWN_CHARACTERS: Final = 60


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


def shown(value: object) -> str:
    """``value`` as JSON, cut to a readable length."""
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
