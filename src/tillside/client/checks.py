"""Checks of what a caller gives and of what a server answers: the value itself, or an error."""

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Final, TypeVar

MOST_TEXT: Final = 256
T = TypeVar("T")


def refusal(field: str, value: object, allowed: str) -> ValueError:
    """The error for an invalid ``value`` of ``field``."""
    return ValueError(f"{field} must be {allowed}, got {repr(value)[:60]}")


def text(field: str, value: object) -> str:
    """A string that a server takes for an id or a name.

    Raises:
        ValueError: it is none; names the field, the value and what is allowed.
    """
    if not isinstance(value, str) or not 0 < len(value) <= MOST_TEXT:
        raise refusal(field, value, f"a string of 1 to {MOST_TEXT} characters")
    return value


def integer(field: str, value: object, low: int, high: int) -> int:
    """An integer within bounds; ValueError as in :func:`text`."""
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise refusal(field, value, f"an integer from {low} to {high}")
    return value


def real(field: str, value: object, low: float, high: float) -> float:
    """A number within bounds; ValueError as in :func:`text`."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not low <= value <= high:
        raise refusal(field, value, f"a number from {low:g} to {high:g}")
    return value


def flag(field: str, value: object) -> bool:
    """True or False; ValueError as in :func:`text`."""
    if not isinstance(value, bool):
        raise refusal(field, value, "True or False")
    return value


def texts(field: str, values: object) -> list[str]:
    """The strings of a collection; ValueError as in :func:`text`."""
    if isinstance(values, (str, Mapping)) or not isinstance(values, Collection):
        raise refusal(field, values, "a collection of item ids")
    return [text(field, value) for value in values]


def each(field: str, values: object, kind: type[T], to_json: Callable[[str, T], Any]) -> list[Any]:
    """The entries of a sequence as JSON types; ValueError as in :func:`text`."""
    if isinstance(values, str) or not isinstance(values, Sequence):
        raise refusal(field, values, f"a sequence of {kind.__name__}")
    return [
        to_json(f"{field}[{number}]", one_of_kind(f"{field}[{number}]", own, kind)) for number, own in enumerate(values)
    ]


def one_of_kind(field: str, value: object, kind: type[T]) -> T:
    """An instance of a class; ValueError as in :func:`text`."""
    if not isinstance(value, kind):
        raise refusal(field, value, f"{'an' if kind.__name__[0] in 'AEIOU' else 'a'} {kind.__name__}")
    return value


def typed(value: Any, *kinds: type) -> Any:
    """A part of an answer; TypeError if it is of another type."""
    if not isinstance(value, kinds):
        raise TypeError
    return value


def number(value: Any) -> float | None:
    """A finite number of an answer, or None; TypeError for anything else."""
    if value is None:
        return None
    if isinstance(value, bool) or not math.isfinite(typed(value, int, float)):
        raise TypeError
    return float(value)


def strings(values: Any) -> tuple[str, ...]:
    """A list of strings of an answer; TypeError for anything else."""
    return tuple(typed(value, str) for value in typed(values, list))
