"""Optional JSON bodies that name what a call shall do: which bundle to load, which revision to go back to."""

from http import HTTPStatus
from typing import TypeVar

import msgspec

from serving.http.bodies import JSON_BLANKS
from serving.protocol.errors import ProblemError
from tillside.policy.file.values import repeated_key, with_whole_numbers
from tillside.policy.row_reader import mistake_of

T = TypeVar("T", bound=msgspec.Struct)


def read_order(body: bytes, kind: type[T], *, example: str) -> T:
    """The order in a body; ``kind()`` for an empty one.

    Args:
        example: a body such as it may be.

    Raises:
        ProblemError: 400, it is none; the sentence names the key or the value at fault, and what is allowed.
    """
    if not body.strip(JSON_BLANKS):
        return kind()
    detail, about = f"the body must be empty or a JSON object such as {example}", {}
    try:
        document = msgspec.json.decode(body)
        twice = repeated_key(body, document)
        if twice is None:
            return msgspec.convert(with_whole_numbers(document), kind)
        detail += f"; the key {twice} stands twice"
    except msgspec.ValidationError as error:
        mistake = mistake_of(error, document, kind, at="")
        detail += f"; {mistake.sentence}"
        if mistake.field:
            about = {"field": mistake.field, "allowed": mistake.allowed}
    except (ValueError, RecursionError):
        pass
    raise ProblemError(HTTPStatus.BAD_REQUEST, "invalid-body", detail, **about)
