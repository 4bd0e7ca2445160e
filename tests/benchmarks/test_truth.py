"""The judge of placements: what fits, what goes together and what is a rival, on a shop of seven items by hand."""

import pytest

from benchmarks.truth import MAIN, Truth

PHONE, OTHER, CASE, FILM, PLAIN, MOUSE, LAPTOP = range(7)
RULES = [
    {
        "one": {"category": MAIN[0], "attribute": "series"},
        "other": {"category": "case", "attribute": "fits"},
        "unknown": "refused",
    },
    {"one": {"category": "case", "attribute": "fits"}, "other": {"category": "film", "attribute": "fits"}},
]
ITEMS = [
    {"category": MAIN[0], "series": "a", "fits": None},
    {"category": MAIN[0], "series": "b", "fits": None},
    {"category": "case", "series": None, "fits": "a"},
    {"category": "film", "series": None, "fits": "b"},
    {"category": "case", "series": None, "fits": None},
    {"category": "mouse", "series": None, "fits": None},
    {"category": MAIN[1], "series": "c", "fits": None},
]
TRUTH = Truth(
    [item["category"] for item in ITEMS],
    ITEMS,
    frozenset({(PHONE, CASE)}),
    frozenset({(MAIN[1], "mouse")}),
    RULES,
)


@pytest.mark.parametrize(
    ("one", "other", "fits"),
    [
        (PHONE, CASE, True),
        (CASE, PHONE, True),
        (OTHER, CASE, False),
        (CASE, FILM, False),
        (PHONE, PLAIN, False),  # a case that does not say what it fits is refused
        (PLAIN, FILM, True),  # but by the rule that does not refuse it
        (PHONE, FILM, None),
        (PHONE, MOUSE, None),
    ],
)
def test_what_fits_is_read_from_the_rules_either_way(one: int, other: int, fits: bool | None) -> None:
    assert TRUTH.verdict(one, other) is fits


def test_a_misfit_fits_nothing_of_the_cart_that_a_rule_speaks_of() -> None:
    assert TRUTH.misfit(CASE, [OTHER])
    assert not TRUTH.misfit(CASE, [OTHER, PHONE])
    assert not TRUTH.misfit(MOUSE, [OTHER])
    assert TRUTH.misfit(CASE, [OTHER, MOUSE])


def test_what_goes_with_an_item_is_listed_or_fits_or_is_merely_used_with_it() -> None:
    assert TRUTH.true(CASE, [MOUSE, PHONE])
    assert not TRUTH.true(CASE, [OTHER])
    assert TRUTH.related(CASE, PHONE)
    assert TRUTH.related(MOUSE, LAPTOP)
    assert not TRUTH.listed(MOUSE, LAPTOP)
    assert not TRUTH.related(CASE, OTHER)
    assert TRUTH.mains() == [PHONE, OTHER, LAPTOP]
