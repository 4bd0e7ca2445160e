"""What is said of an answer's fields is said of fields that there are, and choices are those of the code."""

import pytest

from serving.http.meanings import ENUMS, MEANINGS
from serving.protocol import messages
from tillside.policy.fusion import SOURCES


@pytest.mark.parametrize("name", MEANINGS)
def test_only_fields_of_the_struct_have_a_meaning(name):
    struct = getattr(messages, name)
    assert MEANINGS[name].keys() <= set(struct.__struct_fields__)


def test_a_meaning_is_a_sentence():
    told = [each["description"] for fields in MEANINGS.values() for each in fields.values() if "description" in each]
    assert all(text[0].isupper() and text.endswith(".") for text in told)


def test_a_placed_item_comes_from_a_source_of_the_policy_a_tier_or_a_rule():
    assert set(ENUMS["PlacedItemSource"]) - set(ENUMS["ItemSource"]) == {*SOURCES, "pinned", "host"} - {"model"}
