"""One table of request fields: a field has one row, which alone says its limit, its words and its description."""

import msgspec
import pytest

from serving.protocol.checking import allowed_in
from serving.protocol.decoding import decode_request
from serving.protocol.errors import FieldError
from serving.protocol.fields import request_fields
from serving.protocol.limits import Limits
from serving.protocol.messages import CartLine, Dismissal, Event, Impression, RecommendRequest

LIMITS = Limits(k=50, session_events=3, excluded_items=2, cart_lines=2, impressions=2, scene_items=2, text=8)
TABLE = request_fields(LIMITS)


@pytest.mark.parametrize("struct", [RecommendRequest, Event, CartLine, Impression, Dismissal])
def test_every_field_has_a_row_and_every_row_a_field(struct):
    assert sorted(TABLE[struct]) == sorted(struct.__struct_fields__)


HOLDERS = {
    RecommendRequest: None,
    Event: "session",
    CartLine: "cart",
    Impression: "impressions",
    Dismissal: "dismissed",
}


def cases():
    """Each bounded field at its lowest and highest value, and beyond: path, request, whether it is taken."""
    for struct, holder in HOLDERS.items():
        for name, row in TABLE[struct].items():
            if row.high is None or not row.enforced:
                continue
            for size in (row.low - 1, row.low, row.high, row.high + 1):
                if size < 0 and "integer" not in row.words:
                    continue
                if "list" in row.words:
                    value = [{"item_id": "a"} if name not in ("exclude", "scene") else "a"] * size
                else:
                    value = size if "integer" in row.words else "x" * size
                part = {name: value} if holder is None else {holder: [{"item_id": "a", name: value}]}
                path = name if holder is None else f"{holder}[0].{name}"
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
