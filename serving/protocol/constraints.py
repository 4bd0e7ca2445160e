"""Request structs with the table's limits as msgspec constraints, for decoding and for the JSON schema.

A constrained struct is a subclass, made at run time for given limits, of the struct in serving.protocol.messages. A
valid request thus costs no check in Python, and its schema is generated.
"""

import functools
from types import GenericAlias
from typing import Annotated, Any, Final, Literal, Union, cast, get_args, get_origin

import msgspec
from msgspec import Meta, Struct

from serving.protocol.fields import PLACEMENTS_ONLY, STRUCTS, Row, Table, request_fields
from serving.protocol.limits import Limits
from serving.protocol.messages import RecommendRequest

LARGEST_INT32: Final = 2**31 - 1
RequestDecoder = msgspec.json.Decoder[RecommendRequest]
_latest: tuple[Limits | None, Any] = (None, None)


def decoder_within(limits: Limits) -> RequestDecoder:
    """Decoder for these limits. The last one is cached by identity: hashing the limits would take a microsecond."""
    global _latest
    known, decoder = _latest
    if known is not limits:
        decoder = _decoder(limits)
        _latest = limits, decoder
    return cast(RequestDecoder, decoder)


@functools.lru_cache
def _decoder(limits: Limits) -> RequestDecoder:
    return msgspec.json.Decoder(constrained(RecommendRequest, request_fields(limits)))


def constrained(struct: type[Struct], table: Table, made: dict[type[Struct], type[Any]] | None = None) -> type[Any]:
    """Subclass of ``struct`` with the bounds and descriptions of its rows, and of the structs in its fields and lists.

    Args:
        made: cache of constrained structs by the struct they extend; a struct used twice must have one schema.

    Raises:
        KeyError: a field has no row.
    """
    made = {} if made is None else made
    if struct not in made:
        fields: list[Any] = []
        for field in msgspec.structs.fields(struct):
            row = table[struct][field.name]
            kind: Any = Annotated[_bounded(field.type, row, table, made), _about(row)]
            fields.append((field.name, kind) if field.required else (field.name, kind, field.default))
        made[struct] = msgspec.defstruct(
            struct.__name__, fields, bases=(struct,), forbid_unknown_fields=True, frozen=True, gc=False
        )
    return made[struct]


def _bounded(kind: Any, row: Row, table: Table, made: dict[type[Struct], type[Any]]) -> Any:
    """A field's type with its row's bounds."""
    if kind in (int, float) and row.enforced:
        return Annotated[kind, Meta(ge=row.low, le=row.high)]
    if kind is str and row.enforced:
        return Annotated[str, Meta(min_length=_length(row.low), max_length=_length(row.high))]
    if isinstance(kind, type) and issubclass(kind, Struct):
        return constrained(kind, table, made)
    if get_origin(kind) is list:
        (own,), each = get_args(kind), row.each or STRUCTS
        entry = constrained(own, table, made) if issubclass(own, Struct) else _bounded(own, each, table, made)
        return Annotated[
            GenericAlias(list, Annotated[entry, _about(each)]),
            Meta(min_length=_length(row.low) or None, max_length=_length(row.high)),
        ]
    if get_origin(kind) in (None, Literal):
        return kind
    return Union[tuple(_bounded(own, row, table, made) for own in get_args(kind))]  # noqa: UP007


def _length(bound: float | None) -> int | None:
    return None if bound is None else int(bound)


def _about(row: Row) -> Meta:
    """Description of a row, its default included, and bounds that are documented but not enforced here.

    A ``default`` in the schema would make some generated clients send it, and others require it.
    """
    extra: dict[str, Any] = {}
    if row.high is not None and row.high > LARGEST_INT32:
        extra["format"] = "int64"
    if not row.enforced:
        extra |= {"minLength": row.low, "maxLength": row.high}
    texts = (row.description, row.otherwise, PLACEMENTS_ONLY if row.for_placements else "")
    return Meta(description=" ".join(filter(None, texts)) or None, extra_json_schema=extra or None)
