"""What fits what, by hand and against the rule read out word by word for random items."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.datasets import make_catalogue, make_sessions
from tillside.catalogue import attribute_tokens
from tillside.fitting.matching import Matching
from tillside.fitting.rules import Rule, Side
from tillside.policy.items.groups import Groups

CASES = Rule("made for", Side("tech.phone", "series"), Side("tech.case", "fits"), unknown="refused")
PLUGS = Rule("plug", Side("tech.phone", "plug"), Side("tech.power", "plug"))
BELTS = Rule("long enough", Side("body", "girth"), Side("belt", "length"), compare="at_most")
SHOP = [
    {"category": "tech.phone", "series": "p1", "plug": "c"},
    {"category": "tech.phone.folding", "series": "p2", "plug": "x"},
    {"category": "tech.case", "fits": "p1"},
    {"category": "tech.case.leather", "fits": ["p1", "p2"]},
    {"category": "tech.case"},
    {"category": "tech.power", "plug": "c"},
    {"category": "tech.power"},
    {"category": "body", "girth": 90},
    {"category": "belt", "length": 80},
    {"category": "belt", "length": [80, 95]},
    {"category": "tech.case", "fits": "p9"},
]
P1, P2, CASE, BOTH, BARE, PLUG, ANY, BODY, SHORT, LONG, STRANGE = range(len(SHOP))


def matching(rules: Sequence[Rule], items: Sequence[dict] = SHOP) -> Matching:
    tokens = [attribute_tokens(item) for item in items]
    catalogue = make_catalogue(make_sessions([]), trained=len(items), tokens=tokens)
    return Matching.of(rules, lambda attribute: Groups.of(catalogue, attribute), items=len(items))


@pytest.mark.parametrize(
    ("one", "other", "fits"),
    [
        (P1, CASE, True),
        (P2, CASE, False),
        (P2, BOTH, True),
        (P1, BARE, False),  # this rule says so: who does not say what it is made for fits nothing
        (P1, PLUG, True),
        (P2, PLUG, False),
        (P2, ANY, True),  # and this one does not
        (P1, STRANGE, False),  # made for a phone that is not in the shop
        (P1, P2, True),
        (CASE, PLUG, True),
        (BODY, SHORT, False),
        (BODY, LONG, True),
    ],
)
def test_a_pair_fits_whichever_comes_first(one: int, other: int, fits: bool) -> None:
    """A rule of a category covers those below it: the folding phone, the leather case."""
    bound = matching([CASES, PLUGS, BELTS])
    assert bound.fits(np.array([one, other]), np.array([other, one])).tolist() == [fits, fits]


def test_the_first_item_of_a_basket_that_a_rule_relates_decides() -> None:
    bound = matching([CASES, PLUGS])

    def hidden(*basket: int) -> list[int]:
        refused = bound.refused(basket)
        return [] if refused is None else np.flatnonzero(refused[bound.classes_N]).tolist()

    assert hidden(P1, P2) == hidden(P1) == [BARE, STRANGE]
    assert hidden(P2, P1) == hidden(BODY, P2) == [CASE, BARE, PLUG, STRANGE]
    # the case says which phone fits, and nothing of plugs
    assert hidden(CASE, P2) == [P2, CASE, BARE, PLUG, STRANGE]
    assert hidden(BODY) == hidden() == []


def test_numbers_are_not_compared_with_words() -> None:
    with pytest.raises(ValueError, match="'long enough': at_most compares numbers, but length is 'wide'"):
        matching([BELTS], [*SHOP, {"category": "belt", "length": "wide"}])


def test_what_rules_make_complements_of_leads() -> None:
    """A case has none of its own: it is what is made for a phone; PLUGS makes nothing here."""
    plugs = Rule("plug", Side("tech.power", "plug"), Side("tech.phone", "plug"), makes="nothing")
    bound = matching([CASES, plugs])
    leads = bound.leads_C[bound.classes_N]
    assert leads.nonzero()[0].tolist() == [P1, P2]


def test_an_accessory_fits_what_a_rule_makes_it_of() -> None:
    """No case is one of another phone's, nor of a case's; what no rule makes is no accessory of anything."""
    told = matching([CASES, PLUGS, Rule("quiet", Side("tech.phone", "plug"), Side("body", "girth"), makes="nothing")])
    assert [told.accessory(each, of=P1) for each in (CASE, BOTH, BARE, PLUG, STRANGE)] == [
        True,
        True,
        False,
        True,
        False,
    ]
    assert not told.accessory(P1, of=CASE)
    assert not told.accessory(BODY, of=P1)
    assert not told.accessory(P1, of=P2)


def test_without_rules_all_fits() -> None:
    assert matching([]).fits(np.arange(5), np.arange(5, 10)).all()


ITEM = st.fixed_dictionaries(
    {"category": st.sampled_from(["tech.phone", "tech.case", "tech.power", "belt", "body"])},
    optional={name: st.lists(st.integers(1, 3), min_size=1, max_size=2, unique=True) for name in
              ("series", "fits", "plug", "girth", "length")},
)  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(items=st.lists(ITEM, min_size=2, max_size=8))
def test_every_pair_is_judged_as_the_rules_read(items: list[dict]) -> None:
    rules = [CASES, PLUGS, BELTS]
    bound = matching(rules, items)
    pairs = [(one, other) for one in range(len(items)) for other in range(len(items)) if one != other]
    found = bound.fits(*np.array(pairs).T).tolist()
    assert found == [all(reads(rule, items[a], items[b]) for rule in rules) for a, b in pairs]


def reads(rule: Rule, one: dict, other: dict) -> bool:
    for mine, theirs in ((one, other), (other, one)):
        if (mine["category"], theirs["category"]) == (rule.one.category, rule.other.category):
            ours, its = mine.get(rule.one.attribute), theirs.get(rule.other.attribute)
            if ours is None or its is None:
                return rule.unknown == "fits"
            return any(a <= b if rule.compare == "at_most" else a == b for a in ours for b in its)
    return True
