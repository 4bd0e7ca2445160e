"""Rates of pairs that the log holds too seldom, by hand, and on a log whose rates are known."""

import numpy as np
import pytest

from tests.datasets import make_catalogue, make_sessions
from tillside.fitting.rules import Kin, Rule, Side
from training.mining.backing import Backed, backed, with_backing
from training.mining.compatibility import Compatibility
from training.mining.counting import Acts, Pairs
from training.mining.pairing import Evidence, Mined
from training.mining.traits import Traits

RULE = Rule("made for", Side("shop.phone", "series"), Side("shop.case", "fits"), unknown="refused", strength=0.5)
TOKENS = [
    *[["category=shop", "category=shop.phone", f"series=s{n // 2}"] for n in range(4)],
    *[["category=shop", "category=shop.case", f"fits=s{n // 2}"] for n in range(4)],
    ["category=shop", "category=shop.toy"],
]
CATALOGUE = make_catalogue(make_sessions([]), trained=len(TOKENS), tokens=TOKENS)
TRAITS, EVIDENCE = Traits.of(CATALOGUE), Evidence(0.01, 2)


def acts(*counts: int) -> Acts:
    return Acts(None, np.array(counts), np.array(counts, float), np.zeros(len(counts), np.int64), np.zeros(0, np.int64))


def pairs(*rows: tuple[int, int, int]) -> Pairs:
    anchors, items, counts = np.array(sorted(rows), np.int64).reshape(-1, 3).T
    return Pairs(anchors, items, counts, counts.astype(float))


def test_a_phone_that_nobody_bought_has_the_cases_of_its_series() -> None:
    """Phone 1 is of phone 0's series, whose buyers took case 4 and not case 5; of phone 2's nothing is known."""
    fitting = Compatibility.of([RULE], CATALOGUE)
    followed = pairs((0, 4, 30))
    kin = [Kin("shop.phone", "shop.case", 0.4)]
    found, _ = backed(kin, followed, pairs(), acts(60, 0, 0, 0, 30, 30, 30, 30, 0), TRAITS, fitting)
    rates = {(a, i): r for a, i, r in zip(found.anchors, found.items, found.rates, strict=True)}
    assert set(rates) == {(phone, case) for phone in range(4) for case in range(4, 8) if phone // 2 == (case - 4) // 2}
    assert rates[1, 4] > 3 * rates[1, 5]
    assert rates[2, 6] == pytest.approx(rates[2, 7]) == pytest.approx(0.2)
    assert found.ruled.all()


def test_what_buyers_look_at_tells_which_case_they_mean() -> None:
    """Of phone 0's series nobody took a case, but its buyers looked at case 4 and not at 5, phone 1's just as well."""
    fitting = Compatibility.of([RULE], CATALOGUE)
    kin = [Kin("shop.phone", "shop.case", 0.4)]
    taken = acts(10, 0, 0, 0, 5, 5, 5, 5, 0)
    found, _ = backed(kin, pairs(), pairs((0, 4, 8)), taken, TRAITS, fitting)
    rates = {(a, i): r for a, i, r in zip(found.anchors, found.items, found.rates, strict=True)}
    assert rates[0, 4] > 2 * rates[0, 5]
    assert rates[1, 4] > 2 * rates[1, 5]
    assert rates[2, 6] == pytest.approx(rates[2, 7])


def test_looks_of_old_count_as_much_as_those_of_today() -> None:
    """Which case a phone's buyers mean is no fashion: a tenth of the weight, by age, is all the evidence there is."""
    fitting = Compatibility.of([RULE], CATALOGUE)
    kin, taken = [Kin("shop.phone", "shop.case", 0.4)], acts(10, 0, 0, 0, 5, 5, 5, 5, 0)
    old, new = pairs((0, 4, 8)), pairs((0, 4, 8))
    old = Pairs(old.anchors, old.items, old.counts, old.recent / 10)
    found = [backed(kin, pairs(), looked, taken, TRAITS, fitting)[0].rates for looked in (old, new)]
    assert found[0].tolist() == pytest.approx(found[1].tolist())


def test_what_a_series_was_seen_with_is_considered_however_rarely_it_is_taken() -> None:
    """Of twenty cases the seventeen most taken are considered; the last, never taken, is where it was looked at."""
    tokens = [["category=shop", "category=shop.phone"], *[["category=shop", "category=shop.case"]] * 20]
    catalogue = make_catalogue(make_sessions([]), trained=len(tokens), tokens=tokens)
    fitting, traits = Compatibility.of([], catalogue), Traits.of(catalogue)
    taken = acts(10, *range(20, 1, -1), 0)
    kin = [Kin("shop.phone", "shop.case", 0.4)]
    found, _ = backed(kin, pairs((0, 1, 3)), pairs(), taken, traits, fitting)
    assert found.items.tolist() == list(range(1, 18))
    found, _ = backed(kin, pairs((0, 1, 3)), pairs((0, 20, 2)), taken, traits, fitting)
    assert found.items.tolist() == [*range(1, 18), 20]


def kept(*, kin: list[int], few: int = 0) -> dict[tuple[int, int], tuple[float, int]]:
    """Pairs kept of items 4 and 5 with anchors 0 and 1, ``few`` being enough of one's, and of the proven two."""
    anchors, items = np.array([0, 0, 1, 1]), np.array([4, 5, 4, 5])
    rates, ruled = np.array([0.3, 0.04, 0.02, 0.06]), np.array([True, True, False, False])
    known = Backed(anchors, items, rates, 2 * rates, ruled, np.array(kin), (1.0, 1.0))
    proven = Mined(np.array([0, 2]), np.array([4, 8]), np.array([0.2, 0.1]))
    found = with_backing(proven, known, pairs((0, 5, 3)), floor=0.05, ruled_floor=0.03, enough=[(few, 0.0)])
    columns = (found.anchors.tolist(), found.items.tolist(), found.strengths.tolist(), found.counts.tolist())
    return {(anchor, item): (strength, count) for anchor, item, strength, count in zip(*columns, strict=True)}


def test_pairs_are_kept_if_proven_or_likely_enough() -> None:
    """The proven pair (0, 4) takes the estimated rate, (2, 8) keeps its own; of the rest a rule's pairs need less."""
    assert kept(kin=[0] * 4) == {(0, 4): (0.3, 0), (2, 8): (0.1, 0), (0, 5): (0.04, 3), (1, 5): (0.06, 0)}


def test_an_anchor_with_few_complements_is_given_the_likeliest_of_its_kin() -> None:
    """(1, 4) is too faint to be kept, but anchor 1 has one complement only and may have two; anchor 0 has two."""
    assert kept(kin=[0] * 4, few=2) == kept(kin=[0] * 4) | {(1, 4): (0.02, 0)}
    assert kept(kin=[0, 1, 0, 1], few=1) == kept(kin=[0] * 4)


def test_no_more_than_two_of_a_kin_are_given() -> None:
    """Four pairs as faint as can be of one kin, two of them likelier: those two."""
    assert given_of_a_kin(at_most=[0.02] * 4) == [5, 6]


def test_what_the_log_excludes_is_not_given_however_few_there_are() -> None:
    """Item 5 is the likeliest of the four, and the log is large enough to know that it is not taken: 6 alone may be."""
    assert given_of_a_kin(at_most=[0.004, 0.004, 0.02, 0.004]) == [6]
    assert given_of_a_kin(at_most=[0.004] * 4) == []


def test_who_has_three_is_given_no_more_guesses() -> None:
    """Of three kin, two each, all of which may be taken once in 150 times: the three likeliest, then none."""
    assert given_of_a_kin(at_most=[0.006] * 6, kin=[0, 0, 1, 1, 2, 2]) == [4, 5, 6]
    assert given_of_a_kin(at_most=[0.011] * 6, kin=[0, 0, 1, 1, 2, 2]) == [4, 5, 6, 7, 8, 9]


def given_of_a_kin(*, at_most: list[float], kin: list[int] | None = None) -> list[int]:
    """Items that an anchor without any complement is given, of those from 4 on."""
    size = len(at_most)
    rates = np.array([0.001, 0.003, 0.002, *[0.001] * (size - 3)])
    columns = (rates, np.array(at_most), np.zeros(size, bool), np.array(kin or [0] * size), (1.0, 1.0))
    faint = Backed(np.zeros(size, int), np.arange(4, 4 + size), *columns)
    nothing = Mined(*[np.zeros(0, int)] * 2, np.zeros(0))
    found = with_backing(nothing, faint, pairs((0, 5, 3)), floor=0.05, ruled_floor=0.03)
    return sorted(found.items.tolist())
