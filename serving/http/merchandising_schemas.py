"""OpenAPI schemas of what is set by hand: the rows, the policy file, revisions, and what is answered.

Schemas of the rows are made from the types that read them, so they cannot say anything else.
"""

from typing import Any, Final

import msgspec

from serving.http.operations import REFERENCE, Document, a_reference, an_object
from serving.http.policy_schemas import ONE_OF, exactly_one, policy_schemas
from tillside.policy.merchandising import PARTS, ROW_OF, Part

NAMED: Final = {"relation": "Relation", "action": "PairAction"}
"""Fields whose choices have a schema of their own, so that generated code has a name for them."""
TOGETHER: Final[Document] = {
    "PlacedBan": exactly_one(*ONE_OF["Ban"]),
    "Pair": {
        "not": {
            "properties": {"action": {"const": "ban"}, "strength": {"type": "number"}},
            "required": ["action", "strength"],
        }
    },
}
"""Which fields of a row go together: exactly one thing is banned, and a ban has no strength."""


def merchandising_schemas() -> dict[str, Document]:
    """Schemas of the rows and of what is answered, by name."""
    _, generated = msgspec.json.schema_components(tuple(ROW_OF.values()), ref_template=REFERENCE)
    pair = generated["Pair"]["properties"]
    parts: Document = {part: list_of(part) for part in PARTS}
    revision: Document = {
        "revision": {"type": "integer", "minimum": 0},
        "at": {"type": "string", "description": "UTC, ISO 8601; empty for revision 0."},
        "change": {"type": "string", "description": "What made it: a part, policy, or rollback to a revision."},
        "before": {"type": ["integer", "null"], "description": "Revision that a rollback goes to."},
    }
    return {
        **{name: _row(schema) | TOGETHER.get(name, {}) for name, schema in generated.items()},
        **policy_schemas(),
        "Relation": {"type": "string", "enum": pair["relation"]["enum"]},
        "PairAction": {"type": "string", "enum": pair["action"]["enum"]},
        "UnknownNames": {"type": "string", "enum": ["refuse", "take"]},
        "RevisionOrder": {**an_object({"revision": {"type": ["integer", "null"]}}), "additionalProperties": False},
        "Revision": an_object(revision, *revision),
        "RevisionReport": an_object(
            {
                **{name: revision[name] for name in ("revision", "at", "change")},
                "policy": {"type": ["string", "null"], "description": "Version that answers name; null without one."},
                "placements": {"type": "array", "items": {"type": "string"}},
                "remarks": {
                    "type": "array",
                    "items": {"type": "string"},
                    "description": "What is odd, a sentence each.",
                },
            },
            *("revision", "at", "change", "policy", "placements", "remarks"),
        ),
        "ByHand": an_object(
            {"policy": {"type": ["string", "null"], "description": "YAML; null for the server's own."}, **parts},
            *("policy", *PARTS),
        ),
        "Merchandising": an_object(
            {
                **revision,
                "by_hand": a_reference("ByHand"),
                "revisions": {"type": "array", "items": a_reference("Revision")},
            },
            *(*revision, "by_hand", "revisions"),
        ),
    }


def list_of(part: Part) -> Document:
    """Schema of all rows of a part."""
    return {"type": "array", "items": a_reference(ROW_OF[part].__name__)}


def _row(schema: Document) -> Document:
    """A generated schema without defaults, which generators would send, and without the docstring."""
    properties = {}
    for name, own in schema["properties"].items():
        plain = _plain({key: value for key, value in own.items() if key != "default"})
        properties[name] = a_reference(NAMED[name]) if name in NAMED else plain
    if "minItems" in properties.get("items", {}):
        properties["items"]["uniqueItems"] = True  # of a bundle
    found: Document = {"type": "object", "properties": properties, "additionalProperties": False}
    return found | ({"required": schema["required"]} if schema.get("required") else {})


def _plain(schema: Any) -> Any:
    match schema.get("anyOf"):
        case [{"type": str(kind)} as bounded, {"type": "null"}] | [{"type": "null"}, {"type": str(kind)} as bounded]:
            return {**bounded, "type": [kind, "null"]}
    return schema
