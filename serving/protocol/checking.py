"""Allowed values of request fields in words, and range and length checks that name the first invalid field.

The checks run only on requests that msgspec rejected (serving.protocol.constraints). They follow the order of the table
of fields, so which of several invalid fields is named does not depend on the order of the body's keys.
"""

import functools
import re
from collections.abc import Iterator, Mapping
from itertools import groupby
from operator import attrgetter
from types import NoneType
from typing import Any, Final, Literal, get_args, get_origin

import msgspec
from msgspec import UNSET, Struct

from serving.protocol.errors import FieldError
from serving.protocol.fields import STRUCTS, Row, Table, request_fields
from serving.protocol.limits import Limits
from serving.protocol.messages import RecommendRequest

_rows = request_fields(Limits())[RecommendRequest]
ONE_OF: Final = "one of "
OF_PLACEMENTS: Final = tuple(field for field in RecommendRequest.__struct_fields__ if _rows[field].for_placements)
"""Fields that are allowed only together with ``placement``."""
_given: Final = attrgetter(*OF_PLACEMENTS)
_NONE_GIVEN: Final = (UNSET,) * len(OF_PLACEMENTS)


def struct_at(path: str) -> type[Struct]:
    """Struct type at a path such as ``session[3]`` or ``boosts[0].where``; that of the request at the empty path."""
    struct: type[Struct] = RecommendRequest
    for name in re.sub(r"\[\d+\]", "", path).split(".") if path else ():
        kinds = {field.name: field.type for field in msgspec.structs.fields(struct)}
        struct = _struct_in(kinds[name]) or struct
    return struct


def _struct_in(kind: Any) -> type[Struct] | None:
    """Struct type of a field, or of the entries of its list, if there is one."""
    if isinstance(kind, type) and issubclass(kind, Struct):
        return kind
    return next((found for own in get_args(kind) if (found := _struct_in(own))), None)


def _is_list(kind: Any) -> bool:
    return get_origin(kind) is list or any(map(_is_list, get_args(kind)))


def allowed_in(path: str, limits: Limits) -> str:
    """Allowed values of the field at ``path`` as the end of a sentence; list indices in it are ignored."""
    return _words_within(limits)[re.sub(r"\[\d+\]", "[]", path)]


@functools.lru_cache
def _words_within(limits: Limits) -> Mapping[str, str]:
    """Allowed values by path, such as ``session[].item_id``."""
    return {"": "a JSON object", **dict(words_by_path(RecommendRequest, request_fields(limits)))}


def words_by_path(struct: type[Struct], table: Table, prefix: str = "") -> Iterator[tuple[str, str]]:
    """Path and allowed values, in words, of every field of ``struct`` and of the structs in its lists.

    Raises:
        KeyError: a field has no row.
    """
    for field in msgspec.structs.fields(struct):
        row, path = table[struct][field.name], prefix + field.name
        own = _struct_in(field.type)
        words = row.words or (_words_of_struct(own) if own else _words_of_type(field.type))
        yield path, f"{words}, or null" if NoneType in get_args(field.type) else words
        if own:
            place = f"{path}[]" if _is_list(field.type) else path
            if place != path:
                yield place, _words_of_struct(own)
            yield from words_by_path(own, table, f"{place}.")
        elif row.each:
            yield f"{path}[]", row.each.words


def choices_in(allowed: str) -> list[str]:
    """The choices in a field's words, such as ``one of en, zh``; none if it has no closed choice."""
    return allowed.removeprefix(ONE_OF).split(", ") if allowed.startswith(ONE_OF) else []


def _words_of_type(kind: Any) -> str:
    choices = next((get_args(own) for own in get_args(kind) if get_origin(own) is Literal), ())
    return f"{ONE_OF}{', '.join(choices)}" if choices else "true or false"


def _words_of_struct(struct: type[Struct]) -> str:
    fields = msgspec.structs.fields(struct)
    needed = " and ".join(field.name for field in fields if field.required)
    optional = " and ".join(field.name for field in fields if not field.required)
    if not needed:
        return f"an object with, optionally, {optional}"
    return f"an object with {needed} and, optionally, {optional}" if optional else f"an object with {needed}"


def check_limits(request: RecommendRequest, limits: Limits) -> None:
    """Check the range of every value and the length of every list.

    Raises:
        FieldError: names the first field out of bounds.
    """
    for path, value in _out_of_bounds(request, request_fields(limits)):
        allowed = allowed_in(path, limits)
        if isinstance(value, list):
            raise FieldError(path, f"{path} must be {allowed}, got {len(value)} of them", allowed=allowed)
        raise FieldError.of_value(path, value, allowed=allowed)


def _out_of_bounds(request: RecommendRequest, table: Table) -> Iterator[tuple[str, Any]]:
    """Path and value of each field out of bounds, in table order; adjacent lists: all lengths before any entry."""
    rows = table[RecommendRequest].items()
    for (alone, _), group in groupby(rows, key=lambda named: (named[1].for_placements, named[1].each is not None)):
        if alone and request.placement is UNSET and request.placements is UNSET:
            return
        given = [(name, row, value) for name, row in group if (value := getattr(request, name)) is not UNSET]
        yield from ((name, value) for name, row, value in given if not row.holds(value))
        for name, row, value in given:
            yield from _within(name, row, value, table)


def _within(path: str, row: Row, value: Any, table: Table) -> Iterator[tuple[str, Any]]:
    """What is out of bounds inside a value that is within them itself: fields of a struct, entries of a list."""
    if isinstance(value, Struct):
        for name, own in table[type(value)].items():
            part = getattr(value, name)
            if part is not UNSET and part is not None:
                if not own.holds(part):
                    yield f"{path}.{name}", part
                yield from _within(f"{path}.{name}", own, part, table)
    elif isinstance(value, list):
        for number, entry in enumerate(value):
            if row.each and not isinstance(entry, Struct) and not row.each.holds(entry):
                yield f"{path}[{number}]", entry
            yield from _within(f"{path}[{number}]", STRUCTS, entry, table)


def refuse_fields_of_placements(request: RecommendRequest) -> None:
    """Refuse fields for placements in a request without ``placement`` or ``placements``, and both at once.

    Raises:
        FieldError: names the first such field.
    """
    if request.placements is not UNSET:
        if request.placement is not UNSET:
            sentence = "placements is for several placements instead of placement; leave one of the two out"
            raise FieldError("placements", sentence, allowed="nothing beside placement")
        return
    if request.placement is not UNSET or _given(request) == _NONE_GIVEN:
        return
    field = next(field for field in OF_PLACEMENTS if getattr(request, field) is not UNSET)
    sentence = f"{field} is for placements alone; give placement, or leave {field} out"
    raise FieldError(field, sentence, allowed="nothing without placement")
