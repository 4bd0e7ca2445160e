"""A bundle that does not answer as it did at export is refused."""

import json

import pytest

from serving.bundles.goldens import difference_of_lists
from tests.bundles import GOLDENS_OF_TINY
from tests.serving.bundles.refusals import refusal, resealed
from tillside.bundle import GOLDENS


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"items": ["apple", "fig", "pear"]}, "are not the expected ones"),
        ({"items": ["apple", "plum"]}, "3 items, expected 2"),
        ({"scores": [1.1, 1.0, 1.0]}, "score 1.0 at rank 1, expected 1.1"),
        ({"purchase_intent": 0.3}, "purchase_intent is 0.268"),
        ({"purchase_intent": None}, "purchase_intent is 0.268"),
        ({"request": {"session": [], "k": 0}}, "golden 0 is not a valid request: k must be"),
        ({"request": {"session": [], "behaviour": "like"}}, "golden 0 is not a valid request: behaviour must be"),
        ({"items": 3}, "a golden is malformed: Expected"),
        ({"scores": ["a", "b", "c"]}, "a golden is malformed: Expected"),
        ({"scores": None}, "a golden is malformed: Expected"),
    ],
)
def test_a_golden_that_is_answered_otherwise(bundle, change, sentence):
    goldens = [{**GOLDENS_OF_TINY[0], **change}]
    if change.get("items") == ["apple", "fig", "pear"]:
        goldens[0]["request"] = {"session": [{"item_id": "apple", "behaviour": "cart"}, {"item_id": "pear"}], "k": 3}
        goldens[0].update(scores=[1.0, 1.0, 0.5], purchase_intent=0.5)
    (bundle / GOLDENS).write_text(json.dumps({"goldens": goldens}))
    assert sentence in refusal(resealed(bundle))


@pytest.mark.parametrize("document", [{"goldens": []}, {"goldens": [7]}, {"goldens": {"a": 1}}, {}, [], 7])
def test_goldens_that_prove_nothing(bundle, document):
    (bundle / GOLDENS).write_text(json.dumps(document))
    refusal(resealed(bundle))


def test_level_items_may_change_places():
    scores = [3.0, 2.0, 2.000001, 1.0, 1.0]
    assert difference_of_lists("abcde", scores, "acbde", [3.0, 2.000001, 2.0, 1.0, 1.0]) is None
    assert difference_of_lists("abcde", scores, "abcdf", scores) is None  # the cut may have fallen elsewhere
    assert (
        difference_of_lists("abcde", scores, "bacde", scores)
        == "1 of the items at ranks 1 to 1 are not the expected ones"
    )
    assert (
        difference_of_lists("abcde", scores, "abfde", scores)
        == "1 of the items at ranks 2 to 3 are not the expected ones"
    )


def test_numbers_may_differ_a_little_and_no_more():
    assert difference_of_lists("ab", [2.0, 1.0], "ab", [2.00009, 1.0]) is None
    assert difference_of_lists("ab", [2.0, 1.0], "ab", [2.0002, 1.0]) == "score 2.0002 at rank 1, expected 2.0"
    assert difference_of_lists("ab", [2.0, 1.0], "ab", [2.0, float("nan")]) == "score nan at rank 2, expected 1.0"
