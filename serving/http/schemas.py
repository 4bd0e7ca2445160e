"""OpenAPI schemas: of requests and answers as msgspec generates them from the structs, and of ``/v1/model`` by hand.

What a request's fields may hold comes from the table of fields (serving.protocol.fields); what an answer's fields mean
stands here.
"""

from collections.abc import Mapping
from typing import Any, Final, get_args

import msgspec

from serving.answering.fallbacks import Reason, Tier
from serving.bundles.reloading import Result
from serving.protocol.constraints import constrained
from serving.protocol.fields import request_fields
from serving.protocol.limits import Limits
from serving.protocol.messages import Answer, PlacedAnswer, PlacedItem, RecommendRequest
from tillside.policy.candidates import SOURCES

Document = dict[str, Any]
REFERENCE: Final = "#/components/schemas/{name}"
STAND_INS: Final = ("covisitation", "popularity", "static")
"""Tiers that are the source of an item where the model is not."""
ITEM: Final[Document] = {
    "score": {"description": "Comparable within one answer only."},
    "source": {"enum": ["model", *STAND_INS], "description": "The tier it came from."},
    "because": {"description": "The item of the session, or of the history, that lies nearest; null without."},
    "seen": {"description": "Whether the session holds it; with hide_seen no item of the answer does."},
    "name": {"description": "What the catalogue calls it, null where it has no name; on names."},
}
PLACED_ITEM: Final[Document] = {
    "score": ITEM["score"],
    "source": {
        "enum": [*SOURCES, *STAND_INS, "pinned"],
        "description": "A source of the policy, or the tier that stood in for the model.",
    },
    "because": {"description": "The item that led to it, of cart, session or scene; null without."},
    "seen": ITEM["seen"],
    "name": ITEM["name"],
    "origin": {"description": "The source in words, for the shop's own people."},
    "rule": {"description": "The rule that set it by hand; null without."},
    "reason_key": {"description": "Names the reason, for shops that write their own."},
    "reason": {"description": "A sentence for the shopper."},
    "parts": {"description": "What each source gave, the boost, and what diversity took; on explain."},
}
ANSWER: Final[Document] = {
    "recommendation_id": {"pattern": "^[0-9a-f]{32}$", "description": "Report feedback by it."},
    "tier": {
        "enum": list(get_args(Tier)),
        "description": "The best tier that gave an item; a lower one may have filled the list up.",
    },
    "degraded_reason": {
        "enum": [*get_args(Reason), None],
        "description": "Why it was not the model; null where it was.",
    },
    "behaviour": {"description": "What was asked for."},
    "purchase_intent": {
        "minimum": 0,
        "maximum": 1,
        "description": "Probability that the session still reaches the last behaviour; null where nothing tells.",
    },
    "unknown_items": {
        "uniqueItems": True,
        "description": "Items of the session, the history and the exclusions that the bundle does not know.",
    },
    "model_version": {"description": "Version of the bundle that answered; null for not_ready."},
    "hint": {"description": "For whoever wrote the request: what is hardly meant so; left out where nothing is."},
    "bundle": {"deprecated": True, "description": "The same as model_version, which takes its place."},
}
PLACED_ANSWER: Final[Document] = {
    **ANSWER,
    "items": {"items": {"$ref": REFERENCE.format(name="PlacedItem")}},
    "mode": {"description": "What the shopper's intent made of it."},
    "why": {"description": "What led to the mode."},
    "policy": {"pattern": "^[0-9a-f]{12}$", "description": "The policy's version."},
}
OFFERED_BUNDLE: Final[Document] = {
    "items": {"description": "Items that go together, those of the cart first."},
    "missing": {"description": "Those that are not in the cart."},
    "price": {"description": "The sum of their prices."},
    "discounted_price": {"description": "With the best promotion; null without one."},
}
PROMOTION_HINT: Final[Document] = {
    "missing": {"minimum": 1, "description": "Items to the next step."},
    "percent": {"description": "What that step takes off."},
    "reached_percent": {"description": "What the step that is reached takes off."},
    "text": {"description": "A sentence for the shopper."},
}
MEANINGS: Final[Mapping[str, Document]] = {
    "RecommendedItem": ITEM,
    "PlacedItem": PLACED_ITEM,
    "Answer": ANSWER,
    "PlacedAnswer": PLACED_ANSWER,
    "OfferedBundle": OFFERED_BUNDLE,
    "PromotionHint": PROMOTION_HINT,
}
"""What a type does not say of an answer's fields, by struct and field."""


def an_object(properties: Document, *required: str) -> Document:
    """Object schema with these properties."""
    return {"type": "object", "properties": properties, "required": list(required)}


def a_reference(name: str) -> Document:
    """Reference to a schema by name."""
    return {"$ref": REFERENCE.format(name=name)}


def message_schemas(limits: Limits) -> dict[str, Document]:
    """Schemas of requests, answers and their parts, by name."""
    structs = (constrained(RecommendRequest, request_fields(limits)), Answer, PlacedItem, PlacedAnswer)
    _, generated = msgspec.json.schema_components(structs, ref_template=REFERENCE)
    return {name: _described(schema, MEANINGS.get(name, {})) for name, schema in generated.items()}


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


def example_placed_answer(answer: Document) -> Document:
    """Example answer to a placement, extending that of other answers."""
    item = {
        "item_id": "case-5",
        "score": 1.84,
        "source": "complement",
        "because": "1004856",
        "seen": False,
        "origin": "complement of 1004856",
        "rule": None,
        "reason_key": "complement",
        "reason": "Goes well with Aster 5",
    }
    bundle = {
        "items": ["1004856", "case-5", "film-5"],
        "missing": ["case-5", "film-5"],
        "price": 535.0,
        "discounted_price": 533.5,
        "promotion": "accessory-tiers",
    }
    promotion = {
        "promotion": "accessory-tiers",
        "missing": 1,
        "percent": 10.0,
        "reached_percent": 0.0,
        "text": "1 more and one of them is 10 % off",
    }
    placed = {"placement": "checkout", "mode": "cross_sell", "why": ["intent 0.41", "cart +0.20"]}
    return {**answer, "items": [item], **placed, "bundles": [bundle], "promotion": promotion, "policy": "3f9a1c0b7d2e"}


def model_schema() -> Document:
    """Schema of the ``/v1/model`` response."""
    properties = {
        "bundle": {"type": "string"},
        "loaded_at": {"type": "string", "format": "date-time"},
        "behaviours": {"type": "array", "items": {"type": "string"}, "minItems": 1},
        "items": {"type": "integer", "minimum": 1, "description": "Items that can be recommended."},
        "dim": {"type": "integer", "minimum": 1},
        "max_length": {"type": "integer", "minimum": 1, "description": "Events of a session that are looked at."},
        "history": {"type": "integer", "minimum": 0, "description": "So many of them may be of earlier sessions."},
        "purchase_intent": {"type": "boolean", "description": "Whether answers carry a purchase intent."},
        "dataset": {"description": "Name and digest of the data set."},
        "git": {"description": "The commit that trained it."},
        "run": {"description": "The tracking run that trained it."},
        "measurements": {"description": "What was measured at export."},
        "policy": _policy(),
        "items_feed": _items_feed(),
        "last_reload": _last_reload(),
    }
    return an_object(properties, *properties)


def _policy() -> Document:
    properties = {
        "version": {"type": "string", "pattern": "^[0-9a-f]{12}$"},
        "file": {"type": "string", "description": "Name of the policy's file."},
        "placements": {"type": "array", "items": {"type": "string"}, "minItems": 1},
    }
    return {**an_object(properties, *properties), "type": ["object", "null"], "description": "Null: no placements."}


def _items_feed() -> Document:
    properties = {
        "time_ms": {"type": "integer", "description": "When the latest feed was made, UTC milliseconds."},
        "items": {"type": "integer", "minimum": 0, "description": "Items that feeds have said something of."},
    }
    return {**an_object(properties, *properties), "type": ["object", "null"], "description": "Null: no feed came."}


def _last_reload() -> Document:
    properties = {
        "result": {"enum": list(get_args(Result))},
        "at": {"type": "string", "format": "date-time"},
        "folder": {"type": "string", "description": "Name of the bundle's folder."},
        "bundle": {"type": ["string", "null"], "description": "Its version; null where it was refused."},
        "reason": {"type": ["string", "null"], "description": "Why it was refused; what was there went on answering."},
    }
    return an_object(properties, *properties)
