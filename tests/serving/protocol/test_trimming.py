"""An id with spaces around it is the id that prepare read from a padded column, wherever a request names items."""

import msgspec
import pytest

from serving.protocol.decoding import decode_request
from serving.protocol.limits import Limits
from serving.protocol.trimming import with_trimmed_ids

PADDED = {
    "session": [{"item_id": "  lead"}],
    "history": [{"item_id": "pad   "}],
    "exclude": [" a ", "b"],
    "candidates": ["c "],
    "cart": [{"item_id": " d", "quantity": 2}],
    "placement": "home",
    "impressions": [{"item_id": "e "}],
    "dismissed": [{"item_id": " f"}, {"category": " shoes "}],
    "scene": [" g"],
    "host": "h ",
    "moment": " said ",
}
READ = {
    **PADDED,
    "session": [{"item_id": "lead"}],
    "history": [{"item_id": "pad"}],
    "exclude": ["a", "b"],
    "candidates": ["c"],
    "cart": [{"item_id": "d", "quantity": 2}],
    "impressions": [{"item_id": "e"}],
    "dismissed": [{"item_id": "f"}, {"category": " shoes "}],
    "scene": ["g"],
    "host": "h",
}


def trimmed(document):
    return with_trimmed_ids(decode_request(msgspec.json.encode(document), Limits()))


def test_ids_are_trimmed_in_every_field_that_names_items_and_no_other_text_is():
    assert msgspec.to_builtins(trimmed(PADDED)) == READ


@pytest.mark.parametrize("field", [field for field in PADDED if PADDED[field] != READ[field]])
def test_each_field_alone_is_enough(field):
    body = {"session": [], "placement": "home", field: PADDED[field]}
    assert msgspec.to_builtins(getattr(trimmed(body), field)) == READ[field]


def test_those_of_one_placement_of_several_too():
    [placement] = trimmed({"session": [], "placements": [{"placement": "home", "candidates": ["a "]}]}).placements
    assert placement.candidates == ["a"]


def test_inner_spaces_and_an_id_of_nothing_else_stay():
    request = trimmed({"session": [{"item_id": " a b "}, {"item_id": "  "}]})
    assert [event.item_id for event in request.session] == ["a b", "  "]
