"""One table of request fields: a field has one row, which alone says its limit, its words and its description."""

import msgspec
import pytest

from serving.protocol.checking import allowed_in
from serving.protocol.decoding import decode_request
from serving.protocol.errors import FieldError
from serving.protocol.fields import request_fields
from serving.protocol.limits import Limits
from serving.protocol.messages import (
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

LIMITS = Limits(
    k=50,
    session_events=3,
    excluded_items=2,
    cart_lines=2,
    impressions=2,
    scene_items=2,
    candidates=4,
    placements=2,
    boosts=2,
    filter_values=3,
    text=8,
)
TABLE = request_fields(LIMITS)


STRUCTS = (RecommendRequest, Event, CartLine, Impression, Dismissal)
OF_FILTERS = (Filter, PriceRange, AttributeIs, Boost, PagePlacement)


@pytest.mark.parametrize("struct", [*STRUCTS, *OF_FILTERS])
def test_every_field_has_a_row_and_every_row_a_field(struct):
    assert sorted(TABLE[struct]) == sorted(struct.__struct_fields__)


ITEM = {"item_id": "a"}
FILTERED = {"where": {}, "factor": 1}
HOLDERS = {
    RecommendRequest: ("", {}),
    Event: ("session[0]", ITEM),
    CartLine: ("cart[0]", ITEM),
    Impression: ("impressions[0]", ITEM),
    Dismissal: ("dismissed[0]", {}),
    Filter: ("filter", {}),
    PriceRange: ("filter.price", {}),
    AttributeIs: ("boosts[0].where.attributes[0]", {"name": "a", "any_of": ["b"]}),
    Boost: ("boosts[0]", FILTERED),
}
"""Where each struct stands in a request, and what it must hold."""
ENTRIES = {
    "session": ITEM,
    "history": ITEM,
    "cart": ITEM,
    "impressions": ITEM,
    "dismissed": ITEM,
    "attributes": {"name": "a", "any_of": ["b"]},
    "boosts": FILTERED,
}
"""An entry of each list of structs; of other lists it is a string."""


def at(path: str, value: dict) -> dict:
    """A request's part that holds ``value`` at a path."""
    for step in reversed(path.split(".")):
        name, indexed, _ = step.partition("[")
        value = {name: [value] if indexed else value}
        if name == "where":
            value["factor"] = 1
    return value


def cases():
    """Each bounded field at its lowest and highest value, and beyond: path, request, whether it is taken."""
    for struct, (holder, needed) in HOLDERS.items():
        for name, row in TABLE[struct].items():
            if row.high is None or not row.enforced or name == "placements":
                continue
            step = row.low / 2 if 0 < row.low < 1 else 1
            for size in (row.low - step, row.low, row.high, row.high + 1):
                number = "integer" in row.words or "number" in row.words
                if size < 0 and not number:
                    continue
                several = [ENTRIES.get(name, "a")] if "list" in row.words else "x"
                value = size if number else several * size
                part = {name: value} if not holder else at(holder, {**needed, name: value})
                path = f"{holder}.{name}".lstrip(".")
                yield path, {"session": [], "placement": "p", **part}, row.low <= size <= row.high


@pytest.mark.parametrize(
    ("path", "document", "taken"),
    [pytest.param(*case, id=f"{case[0]}-{number}") for number, case in enumerate(cases())],
)
def test_the_bounds_of_a_row_are_those_that_are_enforced(path, document, taken):
    body = msgspec.json.encode(document)
    if taken:
        decode_request(body, LIMITS)
        return
    with pytest.raises(FieldError) as caught:
        decode_request(body, LIMITS)
    assert (caught.value.field, caught.value.allowed) == (path, allowed_in(path, LIMITS))


@pytest.mark.parametrize(
    ("placements", "wrong"),
    [
        ([], "placements must be a list of 1 to 2 placements, got 0 of them"),
        ([{"placement": "p"}] * 3, "placements must be a list of 1 to 2 placements, got 3 of them"),
        ([{"placement": "p", "k": 51}], r"placements\[0\].k must be an integer from 1 to 50, got 51"),
        (
            [{"placement": "p"}, {"placement": "q", "filter": {"price": {"at_least": -1}}}],
            r"placements\[1\].filter.price.at_least must be a number from 0 to 1e\+12, got -1",
        ),
        ([{"k": 3}], r"placements\[0\].placement is missing; it must be one of the policy's placements, as a string"),
    ],
)
def test_several_placements_are_held_to_the_same_bounds(placements, wrong):
    with pytest.raises(FieldError, match=wrong):
        decode_request(msgspec.json.encode({"session": [], "placements": placements}), LIMITS)


def test_one_placement_and_several_at_once_are_refused():
    body = msgspec.json.encode({"session": [], "placement": "p", "placements": [{"placement": "q"}]})
    with pytest.raises(FieldError, match="leave one of the two out"):
        decode_request(body, LIMITS)


@pytest.mark.parametrize(
    ("asked", "wrong"),
    [
        ({"category": ["a"]}, "filter.category is not a field of the request; did you mean categories?"),
        ({"categories": "a"}, 'filter.categories must be a list of at most 3 categories, got "a"'),
        ({"price": 5}, "filter.price must be an object with, optionally, at_least and at_most, got 5"),
        (
            {"attributes": [{"name": "a"}]},
            r"filter.attributes\[0\].any_of is missing; it must be a list of 1 to 3 values",
        ),
        ("price < 5", "filter must be an object with, optionally, categories and without and price and attributes"),
    ],
)
def test_a_filter_is_no_code_and_what_is_wrong_in_it_is_named(asked, wrong):
    with pytest.raises(FieldError, match=wrong):
        decode_request(msgspec.json.encode({"session": [], "filter": asked}), LIMITS)
