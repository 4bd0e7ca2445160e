"""OpenAPI schemas: builders shared by all, the placement fields of requests and answers, and ``/v1/model``."""

from typing import Any, Final, get_args

from serving.bundles.reloading import Result
from serving.protocol.limits import LATEST_TIMESTAMP, MOST_PIECES, OLDEST, Limits
from tillside.policy.candidates import SOURCES
from tillside.policy.file.terms import SegmentName
from tillside.policy.requests import Language, Mode

Document = dict[str, Any]
TIME: Final[Document] = {"type": "integer", "minimum": 0, "maximum": LATEST_TIMESTAMP}
PLACEMENTS_ONLY: Final = "For placements alone."


def an_object(properties: Document, *required: str) -> Document:
    """Object schema with these properties."""
    return {"type": "object", "properties": properties, "required": list(required)}


def a_text(limits: Limits, description: str) -> Document:
    """Schema of a non-empty string within the length limit."""
    return {"type": "string", "minLength": 1, "maxLength": limits.text, "description": description}


def a_reference(name: str) -> Document:
    """Reference to a schema by name."""
    return {"$ref": f"#/components/schemas/{name}"}


def a_list(items: Document, *, most: int, description: str) -> Document:
    """Array schema of at most ``most`` items."""
    return {"type": "array", "items": items, "maxItems": most, "description": description}


def placement_schemas(limits: Limits) -> dict[str, Document]:
    """Schemas used only by placements, by name."""
    pieces = {"type": "integer", "minimum": 1, "maximum": MOST_PIECES, "default": 1}
    line = {"item_id": a_text(limits, "The item."), "quantity": pieces}
    impression = {
        "item_id": a_text(limits, "The item."),
        "count": pieces,
        "timestamp": {**TIME, "description": "When it was shown last, UTC milliseconds; now when left out."},
    }
    return {
        "CartLine": {**an_object(line, "item_id"), "additionalProperties": False},
        "Impression": {**an_object(impression, "item_id"), "additionalProperties": False},
        "OfferedBundle": _bundle(),
        "PromotionHint": _promotion(),
    }


def placement_fields(limits: Limits) -> Document:
    """Request properties of placements."""
    return {
        "placement": a_text(
            limits,
            "The place of the shop that is filled, one of the policy's (see /v1/model). With it, behaviour and k are "
            "the policy's where they are left out, and the answer is a PlacedAnswer.",
        ),
        "cart": a_list(
            a_reference("CartLine"),
            most=limits.cart_lines,
            description=f"What is in the cart; what the session's cart events say when left out. {PLACEMENTS_ONLY}",
        ),
        "segment": {"enum": list(get_args(SegmentName)), "description": PLACEMENTS_ONLY},
        "age": {
            "type": "integer",
            "minimum": 0,
            "maximum": OLDEST,
            "description": f"Years; without it nothing with an age limit is shown. {PLACEMENTS_ONLY}",
        },
        "impressions": a_list(
            a_reference("Impression"),
            most=limits.impressions,
            description=f"What the shopper was shown of late, for frequency caps. {PLACEMENTS_ONLY}",
        ),
        "host": a_text(limits, f"The item that a live room's host shows now. {PLACEMENTS_ONLY}"),
        "scene": a_list(
            a_text(limits, "An item of the scene."),
            most=limits.scene_items,
            description=f"Items of the live room, video or look. {PLACEMENTS_ONLY}",
        ),
        "language": {
            "enum": list(get_args(Language)),
            "default": "en",
            "description": f"Of reasons. {PLACEMENTS_ONLY}",
        },
        "explain": {"type": "boolean", "default": False, "description": f"Whether items have parts. {PLACEMENTS_ONLY}"},
        "timestamp": {**TIME, "description": f"Now, UTC milliseconds; the server's clock without. {PLACEMENTS_ONLY}"},
    }


def placed_item(item: Document) -> Document:
    """Schema of a placed item, extending that of a recommended item."""
    own = {
        "source": {
            "enum": [*SOURCES, "covisitation", "popularity", "static", "pinned"],
            "description": "A source of the policy, or the tier that stood in for the model.",
        },
        "because": {
            "type": ["string", "null"],
            "description": "The item that led to it, of cart, session or scene; null without.",
        },
        "origin": {"type": "string", "description": "The source in words, for the shop's own people."},
        "rule": {"type": ["string", "null"], "description": "The rule that set it by hand; null without."},
        "reason_key": {"type": "string", "description": "Names the reason, for shops that write their own."},
        "reason": {"type": "string", "description": "A sentence for the shopper."},
        "parts": {
            "type": "object",
            "additionalProperties": {"type": "number"},
            "description": "What each source gave, the boost, and what diversity took; on explain.",
        },
    }
    properties = {**item["properties"], **own}
    return an_object(properties, *(name for name in properties if name != "parts"))


def placed_answer(answer: Document) -> Document:
    """Schema of the answer to a placement, extending that of other answers."""
    own = {
        "placement": {"type": "string"},
        "mode": {"enum": list(get_args(Mode)), "description": "What the shopper's intent made of it."},
        "why": {"type": "array", "items": {"type": "string"}, "description": "What led to the mode."},
        "bundles": {"type": "array", "items": a_reference("OfferedBundle")},
        "promotion": {"anyOf": [a_reference("PromotionHint"), {"type": "null"}]},
        "policy": {"type": "string", "pattern": "^[0-9a-f]{12}$", "description": "The policy's version."},
    }
    items = {"type": "array", "items": a_reference("PlacedItem")}
    properties = {**answer["properties"], "items": items, **own}
    return an_object(properties, *properties)


def example_placed_answer(answer: Document) -> Document:
    """Example answer to a placement, extending that of other answers."""
    item = {
        "item_id": "case-5",
        "score": 1.84,
        "source": "complement",
        "because": "1004856",
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


def _bundle() -> Document:
    ids = {"type": "array", "items": {"type": "string"}}
    properties = {
        "items": {**ids, "description": "Items that go together, those of the cart first."},
        "missing": {**ids, "description": "Those that are not in the cart."},
        "price": {"type": "number", "description": "The sum of their prices."},
        "discounted_price": {"type": ["number", "null"], "description": "With the best promotion; null without one."},
        "promotion": {"type": ["string", "null"]},
    }
    return an_object(properties, *properties)


def _promotion() -> Document:
    properties = {
        "promotion": {"type": "string"},
        "missing": {"type": "integer", "minimum": 1, "description": "Items to the next step."},
        "percent": {"type": "number", "description": "What that step takes off."},
        "reached_percent": {"type": "number", "description": "What the step that is reached takes off."},
        "text": {"type": "string", "description": "A sentence for the shopper."},
    }
    return an_object(properties, *properties)
