"""Complements by kind, by hand: how the strength of two categories is shared out, and to whom."""

import numpy as np
import pytest

from tests.datasets import make_catalogue, make_sessions
from tillside.catalogue import attribute_tokens
from tillside.events import BRAND, CATEGORY
from tillside.fitting.kinship import Kinship
from tillside.fitting.matching import Matching
from tillside.fitting.rules import Kin, Rule, Side
from tillside.policy.items.groups import Groups

CASES = Rule("made for", Side("tech.phone", "series"), Side("tech.case", "fits"), unknown="refused")
SHOP = [
    {"category": "tech.phone", "brand": "acme", "series": "p1"},
    {"category": "tech.phone", "brand": "acme", "series": "p2"},
    {"category": "tech.case", "brand": "acme", "fits": "p1"},
    {"category": "tech.case.leather", "brand": "other", "fits": "p1"},
    {"category": "tech.case", "brand": "other", "fits": "p2"},
    {"category": "home.kettle"},
]
PHONE, PHONE_2, ACME, LEATHER, CASE_2, KETTLE = range(len(SHOP))


def kinship(*kin: Kin, late: tuple[int, ...] = (), worth: tuple[float, ...] = (1, 1, 3, 1, 2, 1)) -> Kinship:
    tokens = [attribute_tokens(item) for item in SHOP]
    catalogue = make_catalogue(make_sessions([]), trained=len(SHOP), tokens=tokens)

    def groups(attribute: str) -> Groups:
        return Groups.of(catalogue, attribute)

    return Kinship.of(
        kin,
        Matching.of([CASES], groups, items=len(SHOP)),
        categories=groups(CATEGORY),
        brands=groups(BRAND),
        late_N=np.isin(np.arange(len(SHOP)), late),
        worth_N=np.array(worth, float),
    )


def proposed(found: Kinship, anchor: int) -> dict[int, float]:
    items, strengths = found.proposals(anchor)
    return dict(zip(items.tolist(), strengths.tolist(), strict=True))


def test_a_late_phone_gets_the_cases_that_fit_by_how_much_each_is_taken() -> None:
    """.4 over worths of 3 and 1; the leather case lies below the category that is named."""
    found = kinship(Kin("tech.phone", "tech.case", 0.4), late=(PHONE,))
    assert proposed(found, PHONE) == pytest.approx({ACME: 0.3, LEATHER: 0.1})
    assert list(proposed(found, PHONE)) == [ACME, LEATHER]
    assert proposed(found, PHONE_2) == {}


def test_a_late_case_is_proposed_with_the_phone_it_fits_and_leaves_the_others_to_the_table() -> None:
    found = kinship(Kin("tech.phone", "tech.case", 0.4), late=(LEATHER,))
    assert proposed(found, PHONE) == pytest.approx({LEATHER: 0.1})
    assert proposed(found, PHONE_2) == {}


def test_the_own_brand_counts_more() -> None:
    """.4 over 5 * 3 and 1."""
    found = kinship(Kin("tech.phone", "tech.case", 0.4, same_brand=5.0), late=(PHONE,))
    assert proposed(found, PHONE) == pytest.approx({ACME: 0.4 * 15 / 16, LEATHER: 0.4 / 16})


def test_of_two_kin_the_stronger_counts_and_what_has_none_gets_nothing() -> None:
    found = kinship(Kin("tech.phone", "tech.case", 0.4), Kin("tech", "tech.case.leather", 0.5), late=(PHONE,))
    assert proposed(found, PHONE)[LEATHER] == pytest.approx(0.5)
    assert proposed(found, KETTLE) == {}
