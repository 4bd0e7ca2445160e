"""The table of request fields: each one's limits, words and description.

Types stand in serving.protocol.messages alone; a row adds what a type cannot say. The decoder's constraints, the
sentences of refusals (serving.protocol.checking) and the OpenAPI schema (serving.http.schemas) are read off both. So a
new field costs an attribute there and a row here.
"""

import functools
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from msgspec import UNSET, Struct

from serving.protocol.limits import (
    DEAREST,
    LATEST_TIMESTAMP,
    LONGEST_DEADLINE_MS,
    MOST_BOOST,
    MOST_PIECES,
    OLDEST,
    Limits,
)
from serving.protocol.messages import (
    DEFAULT_K,
    AttributeIs,
    Boost,
    CartLine,
    Dismissal,
    Event,
    Filter,
    Impression,
    PagePlacement,
    PriceRange,
    RecommendRequest,
)

PLACEMENTS_ONLY: Final = "For placements alone."


@dataclass(frozen=True, slots=True)
class Row:
    """Constraints and documentation of one field.

    Attributes:
        words: allowed values, as the end of a sentence; derived from the type if empty.
        description: text for the OpenAPI document.
        low, high: inclusive bounds of a number, or of the length of a string or list; None for unbounded.
        enforced: whether the bounds are checked. Names of behaviours and placements are not: bundle or policy refuse
            an unknown one with the list of those they have.
        default: value where the field is left out, as documented; none where the description says it.
        each: row of the entries of a list.
        for_placements: whether the field is allowed only together with ``placement``.
    """

    words: str = ""
    description: str = ""
    low: float | None = None
    high: float | None = None
    enforced: bool = True
    default: Any = UNSET
    each: "Row | None" = None
    for_placements: bool = False

    @property
    def otherwise(self) -> str:
        """Sentence on the value of a field that is left out; empty if there is none."""
        return "" if self.default is UNSET else f"When left out: default {json.dumps(self.default)}."

    def holds(self, value: Any) -> bool:
        """Whether a value of the right type is within the bounds."""
        if self.high is None or not self.enforced:
            return True
        size = value if isinstance(value, (int, float)) else len(value)
        return (self.low or 0) <= size <= self.high


STRUCTS: Final = Row()
"""Row of list entries that are structs, whose fields have rows of their own."""
Table = Mapping[type[Struct], Mapping[str, Row]]


@functools.lru_cache
def request_fields(limits: Limits) -> Table:
    """Rows of all request fields, in the order of the checks: the first invalid field is the one named."""
    item_id = _text(limits, "The item.")
    return {
        RecommendRequest: {
            **_of_all_requests(limits),
            **{name: replace(row, for_placements=True) for name, row in _of_placements(limits).items()},
        },
        Event: {
            "item_id": _text(limits, "One the bundle does not know is listed in the answer's unknown_items."),
            "behaviour": _name(
                limits,
                "one of the bundle's behaviours",
                "One of the bundle's behaviours (see /v1/model); the first one when left out.",
            ),
            "timestamp": _time("UTC, milliseconds since the epoch; null or left out where there is no clock."),
        },
        CartLine: {"item_id": item_id, "quantity": _integer(1, MOST_PIECES, default=1)},
        Impression: {
            "item_id": item_id,
            "count": _integer(1, MOST_PIECES, default=1),
            "timestamp": _time("When it was shown last, UTC milliseconds; now when left out."),
        },
        Dismissal: {
            "item_id": _text(limits, "The item."),
            "category": _text(limits, "A category path, for it and all below."),
            "placement": _text(limits, "The placement as a whole."),
            "timestamp": _time("When, UTC milliseconds; now when left out."),
        },
        **_of_filters(limits),
        PagePlacement: {
            "placement": _placement(limits, "The place of the shop that is filled, one of the policy's."),
            "k": _integer(1, limits.k, "How many items; the request's when left out."),
            "candidates": _candidates(limits, "As of the request, for this placement alone."),
            "filter": Row(description="As of the request, for this placement alone."),
        },
    }


def _of_filters(limits: Limits) -> Table:
    values = limits.filter_values
    category = _text(limits, "A category, such as electronics.phone, with those below it.")
    return {
        Filter: {
            "categories": _list(values, "categories", "Items of one of these alone.", each=category),
            "without": _list(values, "categories", "No item of any of these.", each=category),
            "price": Row(description="Items of a known price in this range alone."),
            "attributes": _list(values, "attributes", "Items that have all of these."),
        },
        PriceRange: {"at_least": _price("The lowest."), "at_most": _price("The highest.")},
        AttributeIs: {
            "name": _text(limits, "Of an attribute of the catalogue, such as brand."),
            "any_of": _list(
                values, "values", "Values, one of which the item has.", each=_text(limits, "A value."), least=1
            ),
        },
        Boost: {
            "where": Row(description="The items that are boosted."),
            "factor": _number(1 / MOST_BOOST, MOST_BOOST, "On their scores; below 1 they sink."),
        },
    }


def _of_all_requests(limits: Limits) -> dict[str, Row]:
    return {
        "k": _integer(
            1,
            limits.k,
            f"How many items, clamped to what is eligible. Left out: default {DEFAULT_K}, of a placement its slots.",
        ),
        "deadline_ms": _integer(
            1,
            LONGEST_DEADLINE_MS,
            "What would take longer than this, by the server's estimate, a lower tier answers at once.",
            unit="milliseconds",
        ),
        "behaviour": _name(
            limits,
            "one of the bundle's behaviours",
            "What the items are wanted for; the bundle's first behaviour when left out.",
        ),
        "placement": _placement(
            limits,
            "The place of the shop that is filled, one of the policy's (see /v1/model). With it, behaviour and k are "
            "the policy's where they are left out, and the answer is a PlacedAnswer.",
        ),
        "placements": _list(
            limits.placements,
            "placements",
            "Several places of the shop in one call, instead of placement: no item is shown in two of them, the first "
            "chooses first, and the answer is a PageAnswer.",
            least=1,
        ),
        "session": _list(
            limits.session_events,
            "events",
            "What the shopper did, oldest first. May be empty: popularity answers. A server that remembers visits "
            "(--shoppers) takes what it remembers of shopper_id where this is left out.",
        ),
        "history": _list(
            limits.session_events,
            "events",
            "What the same shopper did in earlier sessions, oldest first. A bundle that was trained without (see "
            "history of /v1/model) passes over it.",
        ),
        "exclude": _list(
            limits.excluded_items,
            "item ids",
            each=_text(limits, "An item that must not be recommended."),
            default=[],
        ),
        "hide_seen": Row(
            description="Whether items of the session are left out. Those of the history alone may come; what is in "
            "the cart no placement shows anyway.",
            default=False,
        ),
        "names": Row(description="Whether items carry their name, for people who read the answer.", default=False),
        "candidates": _candidates(
            limits,
            "The shop's own list, such as a search result, of which items are answered and no other. Those that the "
            "bundle cannot rank come last, in the order sent. k is the length of the list where it is left out and "
            "there is no placement.",
        ),
        "filter": Row(
            description="Only items that meet it are answered, such as those of a category's page. An item that no "
            "source knows anything of does not meet it."
        ),
        "cart": _list(
            limits.cart_lines,
            "lines",
            "What is in the cart, which is not answered; what the session's cart events say when left out.",
        ),
        "shopper_id": _text(
            limits,
            "A key of the shopper's that stays the same from visit to visit, such as a customer number. It changes no "
            "score; a server that keeps a log of its answers writes it there, hashed where it has a salt.",
        ),
        "session_id": _text(limits, "A key of the visit, likewise; it stands for the shopper where there is no key."),
    }


def _of_placements(limits: Limits) -> dict[str, Row]:
    return {
        "impressions": _list(limits.impressions, "items", "What the shopper was shown of late, for frequency caps."),
        "dismissed": _list(
            limits.impressions, "dismissals", "What the shopper waved away: items, categories, placements."
        ),
        "scene": _list(
            limits.scene_items,
            "item ids",
            "Items of the live room, video or look.",
            each=_text(limits, "An item of the scene."),
        ),
        "host": _text(limits, "The item that a live room's host shows now."),
        "moment": _text(limits, "What goes on, such as explanation in a live room; the policy says when it is silent."),
        "age": _integer(0, OLDEST, "Years; without it nothing with an age limit is shown.", unit="years"),
        "timestamp": _time("Now, UTC milliseconds; the server's clock without."),
        "segment": Row(description="The shopper's; from the history where that is sent and this is left out."),
        "language": Row(description="Of reasons.", default="en"),
        "explain": Row(description="Whether items have parts.", default=False),
        "boosts": _list(
            limits.boosts, "boosts", "On top of the policy's; of several that an item matches the factors multiply."
        ),
    }


def _text(limits: Limits, description: str) -> Row:
    return Row(f"a string of 1 to {limits.text} characters", description, 1, limits.text)


def _name(limits: Limits, of: str, description: str) -> Row:
    return Row(f"{of}, as a string", description, 1, limits.text, enforced=False)


def _integer(low: int, high: int, description: str = "", *, unit: str = "", default: Any = UNSET) -> Row:
    words = f"an integer from {low} to {high}"
    return Row(f"{unit}, {words}" if unit else words, description, low, high, default=default)


def _placement(limits: Limits, description: str) -> Row:
    return _name(limits, "one of the policy's placements", description)


def _candidates(limits: Limits, description: str) -> Row:
    return _list(limits.candidates, "item ids", description, each=_text(limits, "An item that may be answered."))


def _number(low: float, high: float, description: str) -> Row:
    return Row(f"a number from {low:g} to {high:g}", description, low, high)


def _price(description: str) -> Row:
    return _number(0, DEAREST, description)


def _time(description: str) -> Row:
    return _integer(0, LATEST_TIMESTAMP, description, unit="UTC milliseconds")


def _list(
    most: int, of: str, description: str = "", *, each: Row = STRUCTS, default: Any = UNSET, least: int = 0
) -> Row:
    size = f"{least} to {most}" if least else f"at most {most}"
    return Row(f"a list of {size} {of}", description, least, most, each=each, default=default)
