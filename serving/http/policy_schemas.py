"""JSON Schema of a policy file, as ``PUT /v1/policy`` takes it, generated from the types that read it.

Surprising: a text may stand as a number or a truth value, since YAML's text is taken as written (an item id 0123). And
what is merged, defaults under placements and segments over the file, may be incomplete in each part, so those terms
have nothing that is required; what stands in a list is never merged, and complete.
"""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, get_args

import msgspec
from msgspec import inspect

from serving.http.operations import REFERENCE, Document, a_reference
from tillside.policy.file.reader import DEFAULTS, PLACEMENTS, SEGMENTS
from tillside.policy.file.rule_terms import SourceName
from tillside.policy.file.terms import PlacementPolicy, Policy, SegmentName

TEXT: Final = ("string", "number", "boolean")
NAMED: Final = {"Policy": "PolicyFile", "PlacementPolicy": "PolicyPlacement", "OwnBundle": "PolicyBundle"}
"""Terms whose schema is called otherwise than ``Policy`` and their name."""
SOURCE: Final = "PolicySource"
ONE_OF: Final[Mapping[str, Sequence[Sequence[str]]]] = {
    "Ban": [("item", "category", "brand")],
    "AtLeast": [("category", "brand", "source")],
    "Step": [("items", "spend"), ("percent", "amount", "gift")],
}
"""Fields of which a term has exactly one."""


def policy_schemas() -> dict[str, Document]:
    """Schemas by name: ``PolicyFile``, ``PolicySegment``, one of every term and one of every closed choice."""
    _, generated = msgspec.json.schema_components((Policy,), ref_template=REFERENCE)
    complete = _in_lists(generated)
    schemas = dict[str, Document]()
    for name, schema in generated.items():
        properties = {key: _of_yaml(own) for key, own in schema["properties"].items()}
        required = {"required": schema["required"]} if name in complete and schema["required"] else {}
        own = {"type": "object", "properties": properties, "additionalProperties": False}
        schemas[_named(name)] = own | required
    for name, groups in ONE_OF.items():
        schemas[_named(name)] |= exactly_one(*groups)
    schemas["PolicyBundle"]["properties"]["items"]["uniqueItems"] = True
    placement, file = schemas["PolicyPlacement"], schemas["PolicyFile"]
    weight = placement["properties"]["sources"]["additionalProperties"]
    placement["properties"]["sources"] = _mapping(dict.fromkeys(get_args(SourceName), weight))
    file["properties"] = {DEFAULTS: a_reference("PolicyPlacement"), **file["properties"]}
    segment = {key: own for key, own in file["properties"].items() if key != SEGMENTS}
    file["properties"][SEGMENTS] = _mapping(dict.fromkeys(get_args(SegmentName), a_reference("PolicySegment")))
    wanting = {"not": {"additionalProperties": _whole(inspect.type_info(PlacementPolicy))}}
    together = {"not": {"properties": {PLACEMENTS: wanting}, "not": given(DEFAULTS)}}
    schemas |= {
        "PolicyFile": {**file, "required": [PLACEMENTS], **together},
        "PolicySegment": _mapping(segment),
    }
    choices = dict[str, Document]()
    return {name: _with_named_choices(schema, name, choices) for name, schema in schemas.items()} | choices


def given(*names: str) -> Document:
    """Schema of an object that says something, and not null, of each of the names."""
    return {"properties": {name: {"not": {"type": "null"}} for name in names}, "required": list(names)}


def exactly_one(*groups: Sequence[str]) -> Document:
    """Schema of an object that says something of one of the names of each group, in words that generators of clients
    pass over."""
    pairs = [given(*pair) for names in groups for pair in itertools.combinations(names, 2)]
    none = [{"not": {"anyOf": [given(name) for name in names]}} for names in groups]
    return {"not": {"anyOf": [*pairs, *none]}}


def _with_named_choices(schema: Any, name: str, choices: dict[str, Document]) -> Any:
    """``schema`` that refers to its closed choices, which are added to ``choices`` under the term's name and the
    key's; those of sources have one name wherever they stand."""
    if isinstance(schema, list):
        return [_with_named_choices(each, name, choices) for each in schema]
    if not isinstance(schema, dict):
        return schema
    if "enum" in schema:
        own = SOURCE if set(schema["enum"]) == set(get_args(SourceName)) else name
        choices[own] = {"type": "string", "enum": schema["enum"]}
        return a_reference(own)
    found = {key: _with_named_choices(each, name, choices) for key, each in schema.items() if key != "properties"}
    if "properties" in schema:
        found["properties"] = {
            key: _with_named_choices(each, name + key.title().replace("_", ""), choices)
            for key, each in schema["properties"].items()
        }
    return found


def _mapping(properties: Document) -> Document:
    return {"type": "object", "properties": properties, "additionalProperties": False}


def _named(name: str) -> str:
    return NAMED.get(name, f"Policy{name}")


def _in_lists(schemas: Document) -> set[str]:
    """Terms that stand in a list, and the terms of those."""
    found = {name for schema in schemas.values() for name in _referred(schema, within="items")}
    while more := {each for name in found for each in _referred(schemas[name])} - found:
        found |= more
    return found


def _referred(schema: Any, within: str | None = None) -> Iterator[str]:
    """Names that a schema refers to; ``within`` a key alone if one is given."""
    if isinstance(schema, list):
        for each in schema:
            yield from _referred(each, within)
    elif isinstance(schema, dict):
        for key, each in schema.items():
            if key == "$ref" and within is None:
                yield each.rpartition("/")[2]
            elif key != "default" and isinstance(each, dict | list):
                yield from _referred(each, None if key == within and "type" in schema else within)


def _of_yaml(schema: Any) -> Any:
    """A generated schema of a value as YAML writes it, without the default, which generators would send."""
    if not isinstance(schema, dict):
        return [_of_yaml(each) for each in schema] if isinstance(schema, list) else schema
    match schema.get("anyOf"):
        case [{"type": str()} as plain, {"type": "null"}] | [{"type": "null"}, {"type": str()} as plain]:
            own = _of_yaml(plain)
            kinds = own["type"] if isinstance(own["type"], list) else [own["type"]]
            return {**own, "type": [*kinds, "null"]}
    if "$ref" in schema:
        return a_reference(_named(schema["$ref"].rpartition("/")[2]))
    if "enum" in schema:
        return {"type": "string", "enum": schema["enum"]}
    own = {key: _of_yaml(each) for key, each in schema.items() if key != "default"}
    return own | {"type": list(TEXT)} if own.get("type") == "string" and "format" not in own else own


def _whole(kind: inspect.Type) -> Document:
    """Schema of what a placement must have if there are no defaults under it, also in terms of its terms."""
    if isinstance(kind, inspect.UnionType):
        kind = next((each for each in kind.types if isinstance(each, inspect.StructType)), kind)
    if not isinstance(kind, inspect.StructType):
        return {}
    required = [field.encode_name for field in kind.fields if field.required]
    inner = {field.encode_name: own for field in kind.fields if (own := _whole(field.type))}
    properties: Document = {key: {} for key in required} | inner
    return ({"required": required} if required else {}) | ({"properties": properties} if properties else {})
