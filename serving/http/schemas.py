"""OpenAPI schemas of requests and answers, as msgspec generates them from the structs.

What a request's fields may hold comes from the table of fields (serving.protocol.fields), what an answer's fields mean
from serving.http.meanings. Surprising: closed choices become schemas of their own, since a generator gives a type that
has no name a name of its own, or none; and no field has a ``default``, since some generators send it, and some then
require it.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from serving.http.meanings import ENUMS, MEANINGS
from serving.http.operations import REFERENCE, Document, a_reference
from serving.protocol.checking import OF_PLACEMENTS
from serving.protocol.constraints import constrained
from serving.protocol.fields import request_fields
from serving.protocol.limits import Limits
from serving.protocol.messages import Answer, PageAnswer, PlacedAnswer, PlacedItem, RecommendRequest

NEVER: Final[Document] = {"not": {}}


@dataclass(frozen=True)
class Names:
    """What a request may name, as bundle and policy in force have it."""

    behaviours: Sequence[str]
    placements: Sequence[str]


def message_schemas(limits: Limits, names: Names | None = None, *, remembers: bool = False) -> dict[str, Document]:
    """Schemas of requests, answers and their parts, by name.

    Args:
        names: what requests may name; None where no bundle is known, so that any name may be one.
        remembers: whether requests may leave their session out.
    """
    structs = (constrained(RecommendRequest, request_fields(limits)), Answer, PlacedItem, PlacedAnswer, PageAnswer)
    _, generated = msgspec.json.schema_components(structs, ref_template=REFERENCE)
    own = {name: named_enums(_described(schema, MEANINGS.get(name, {}))) for name, schema in generated.items()}
    own = {name: schema | TOGETHER.get(name, {}) for name, schema in own.items()}
    request = own["RecommendRequest"]
    del request["properties"]["session"]["default"]
    request |= _any_given("session", "shopper_id") if remembers else {"required": ["session"]}
    if names is not None:
        _name(own, names)
    return {**own, **{name: {"type": "string", "enum": list(choices)} for name, choices in ENUMS.items()}}


def request_schemas(limits: Limits) -> dict[str, Document]:
    """Those of the schemas that a request refers to."""
    every = message_schemas(limits)
    wanted = dict[str, Document]()
    waiting = ["RecommendRequest"]
    while waiting:
        name = waiting.pop()
        if name not in wanted:
            wanted[name] = every[name]
            waiting += [each.rpartition("/")[2] for each in _references(every[name])]
    return {name: each for name, each in every.items() if name in wanted}


def _references(schema: Any) -> Iterator[str]:
    if isinstance(schema, list):
        for each in schema:
            yield from _references(each)
    elif isinstance(schema, dict):
        for key, each in schema.items():
            if key == "$ref":
                yield each
            else:
                yield from _references(each)


def of_recommend() -> Document:
    """Schema of the body of ``POST /v1/recommend``."""
    return {**a_reference("RecommendRequest"), "not": _all_given("placements")}


def of_page() -> Document:
    """Schema of the body of ``POST /v1/page``."""
    return {**a_reference("RecommendRequest"), **_all_given("placements")}


def _all_given(*fields: str) -> Document:
    return {"properties": {field: {} for field in fields}, "required": list(fields)}


def _any_given(*fields: str) -> Document:
    return {"anyOf": [_all_given(field) for field in fields]}


TOGETHER: Final[Mapping[str, Document]] = {
    "RecommendRequest": {
        "not": _all_given("placement", "placements"),
        "if": {"not": _any_given("placement", "placements")},
        "then": {"not": _any_given(*OF_PLACEMENTS)},
    },
    "Dismissal": {
        "not": {
            "anyOf": [
                {"not": _any_given("item_id", "category", "placement")},
                _all_given("item_id", "category"),
                _all_given("item_id", "placement"),
                _all_given("category", "placement"),
            ]
        }
    },
}
"""Which fields of a struct go together, in words that generators of clients pass over."""


def _name(schemas: dict[str, Document], names: Names) -> None:
    """Write into generated schemas which behaviours and placements there are."""
    request, event = schemas["RecommendRequest"]["properties"], schemas["Event"]["properties"]
    for properties, field, known in (
        (request, "behaviour", names.behaviours),
        (event, "behaviour", names.behaviours),
        (request, "placement", names.placements),
        (schemas["PagePlacement"]["properties"], "placement", names.placements),
    ):
        properties[field] |= {"pattern": f"^({'|'.join(map(_verbatim, known))})$"} if known else NEVER
    if not names.placements:
        request["placements"] |= NEVER


def _verbatim(text: str) -> str:
    """A regular expression of ECMA 262, as JSON Schema has them, that a text alone matches."""
    return re.sub(r"[$()*+./?\\\[\]^{|}]", r"\\\g<0>", text)


def named_enums(schema: Any) -> Any:
    """The schema with references in place of the closed choices that have a name; null remains beside one."""
    if isinstance(schema, list):
        return [named_enums(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    choices = schema.get("enum")
    if not isinstance(choices, (list, tuple)):
        return {key: named_enums(each) for key, each in schema.items()}
    named = {frozenset(values): name for name, values in ENUMS.items()}
    name = named.get(frozenset(choices) - {None})
    if name is None:
        return schema
    rest = {key: each for key, each in schema.items() if key not in ("enum", "type")}
    if None in choices:
        return {"anyOf": [a_reference(name), {"type": "null"}], **rest}
    return {**a_reference(name), **rest}


def _described(schema: Document, meanings: Document) -> Document:
    """A generated schema without the docstring, which is for programmers, and with what its fields mean."""
    properties = {}
    for name, own in schema["properties"].items():
        meaning = meanings.get(name, {})
        plain = {} if "enum" in meaning else _with_null_as_type(own)
        properties[name] = {**plain, **meaning}
    return {**{key: schema[key] for key in schema if key not in ("title", "description")}, "properties": properties}


def _with_null_as_type(schema: Document) -> Document:
    """``anyOf`` of a plain type and null as one schema with two types."""
    match schema.get("anyOf"):
        case [{"type": _} as plain, {"type": "null"}]:
            return {**{key: schema[key] for key in schema if key != "anyOf"}, **plain, "type": [plain["type"], "null"]}
    return schema
