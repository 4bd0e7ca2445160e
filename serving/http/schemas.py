"""OpenAPI schemas of requests and answers, as msgspec generates them from the structs.

What a request's fields may hold comes from the table of fields (serving.protocol.fields); what an answer's fields mean
stands here. Surprising: closed choices become schemas of their own, since a generator gives a type that has no name a
name of its own, or none; and no field has a ``default``, since some generators send it, and some then require it.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, get_args

import msgspec

from serving.answering.fallbacks import Reason, Tier
from serving.http.operations import REFERENCE, a_reference
from serving.protocol.checking import OF_PLACEMENTS
from serving.protocol.constraints import constrained
from serving.protocol.fields import request_fields
from serving.protocol.limits import Limits
from serving.protocol.messages import Answer, PageAnswer, PlacedAnswer, PlacedItem, RecommendRequest
from tillside.policy.candidates import SOURCES
from tillside.policy.file.terms import SegmentName
from tillside.policy.requests import Language, Mode

Document = dict[str, Any]
STAND_INS: Final = ("covisitation", "popularity", "given", "static")
"""Tiers that are the source of an item where the model is not."""
ENUMS: Final[Mapping[str, tuple[str, ...]]] = {
    "Tier": get_args(Tier),
    "DegradedReason": get_args(Reason),
    "ItemSource": ("model", *STAND_INS),
    "PlacedItemSource": (*SOURCES, *STAND_INS, "pinned", "host"),
    "Mode": get_args(Mode),
    "Segment": get_args(SegmentName),
    "Language": get_args(Language),
}
"""Closed choices by the name of their schema."""
ITEM: Final[Document] = {
    "score": {"description": "Comparable within one answer only."},
    "source": {"enum": ENUMS["ItemSource"], "description": "The tier it came from."},
    "because": {"description": "The item of the session, or of the history, that lies nearest; null without."},
    "seen": {"description": "Whether the session holds it; with hide_seen no item of the answer does."},
    "name": {"description": "What the catalogue calls it, null where it has no name; on names."},
}
PLACED_ITEM: Final[Document] = {
    "score": ITEM["score"],
    "source": {
        "enum": ENUMS["PlacedItemSource"],
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
        "enum": ENUMS["Tier"],
        "description": "The best tier that gave an item; a lower one may have filled the list up.",
    },
    "degraded_reason": {
        "enum": (*ENUMS["DegradedReason"], None),
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
    "experiment": {
        "description": "What the shopper takes part in, several joined by |; holdout: nothing is shown. Left out: none."
    },
    "arm": {"description": "The arm that answered, of several experiments in the same order, joined by |."},
    "remembered_events": {
        "minimum": 0,
        "description": "Events of the shopper's visit that the server remembered; left out where the request had its "
        "own session.",
    },
    "bundle": {"deprecated": True, "description": "The same as model_version, which takes its place."},
}
PLACED_ANSWER: Final[Document] = {
    **ANSWER,
    "items": {"items": {"$ref": REFERENCE.format(name="PlacedItem")}},
    "mode": {"description": "What the shopper's intent made of it."},
    "why": {"description": "What led to the mode."},
    "policy": {"pattern": "^[0-9a-f]{12}$", "description": "The policy's version."},
    "notes": {"description": "For the shop's own people: needs that are not met, and why nothing is shown."},
    "removed": {"description": "Items that each rule removed; on explain, and where nothing is shown."},
    "segment": {"description": "The shopper's, as sent or from the history; null without either."},
}
OFFERED_BUNDLE: Final[Document] = {
    "items": {"description": "Items that go together, those of the cart first."},
    "missing": {"description": "Those that are not in the cart."},
    "price": {"description": "The sum of their prices."},
    "discounted_price": {"description": "With the best promotion; null without one."},
}
PROMOTION_HINT: Final[Document] = {
    "missing": {"minimum": 0, "description": "Items to the next step; 0 for one that asks for a sum."},
    "percent": {"description": "What that step takes off; 0 for one that gives something else."},
    "reached_percent": {"description": "What the step that is reached takes off."},
    "text": {"description": "A sentence for the shopper."},
    "missing_spend": {"description": "Sum to the next step; null for one that counts items."},
    "amount": {"description": "The sum that step takes off; null for others."},
    "gift": {"description": "The item that comes free with that step; null for others."},
}
MEANINGS: Final[Mapping[str, Document]] = {
    "RecommendedItem": ITEM,
    "PlacedItem": PLACED_ITEM,
    "Answer": ANSWER,
    "PlacedAnswer": PLACED_ANSWER,
    "PageAnswer": {
        "placements": {
            "items": {"anyOf": [a_reference("PlacedAnswer"), a_reference("Answer")]},
            "description": "In the order asked for; an Answer where no policy could be asked. Empty under overload.",
        }
    },
    "OfferedBundle": OFFERED_BUNDLE,
    "PromotionHint": PROMOTION_HINT,
}
"""What a type does not say of an answer's fields, by struct and field."""


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
        "text": "1 more accessory: 10 % off the cheapest of them",
        "missing_spend": None,
        "amount": None,
        "gift": None,
    }
    placed = {"placement": "checkout", "mode": "cross_sell", "why": ["intent 0.41", "cart +0.20"]}
    told = {"bundles": [bundle], "promotion": promotion, "policy": "3f9a1c0b7d2e", "segment": None, "notes": []}
    return {**answer, "items": [item], **placed, **told}
