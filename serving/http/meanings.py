"""What a type does not say of an answer's fields: which choices there are, bounds, and what it means in a sentence."""

from collections.abc import Mapping
from typing import Final, get_args

from serving.answering.fallbacks import Reason, Tier
from serving.http.operations import REFERENCE, Document, a_reference
from tillside.policy.file.terms import SegmentName
from tillside.policy.fusion import SOURCES
from tillside.policy.requests import Language, Mode

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
