"""Ranks for grids of weights equal those that counting by definition gives: ties, misses, repeats and pulls too."""

import numpy as np
import pytest

from training.learning.blend_candidates import Entries
from training.learning.rivals import AT, Bonuses, Contest, Rivals, worth

REPEATS = 3
TRIED = (0.0, 0.5, -2.0, 4.0)


def random_entries(rng: np.random.Generator, *, repeats: bool, past: bool, cases: int = 120) -> Entries:
    """Coarse numbers, so that ties abound; some targets are missing."""
    sizes = rng.integers(1, 40, cases)
    offsets_C, total = np.cumsum([0, *sizes]), int(sizes.sum())
    scores, votes, trends = (rng.integers(0, 4, (3, total)) / 2).astype(np.float32)
    back = np.where(rng.random(total) < 0.3 * repeats, rng.integers(0, REPEATS, total), REPEATS)
    pulled = np.where((back == REPEATS) & (rng.random(total) < 0.3 * past), 0.5, 0).astype(np.float32)
    target_C = np.where(rng.random(cases) < 0.1, -1, offsets_C[:-1] + rng.integers(0, sizes))
    return Entries(offsets_C, scores, votes, back, trends, pulled, target_C, rng.integers(0, 2, cases))


def by_definition(entries: Entries, asked, weight, trend=0.0, repeats=(0.0,) * REPEATS, pull=0.0) -> float:
    """Sum of recall@20 + MRR@20, one case and one entry after the other."""
    blended = entries.scores_E + weight * entries.votes_E + trend * entries.trends_E
    blended = blended + np.array([*repeats, 0.0])[entries.back_E] + pull * entries.past_E
    total = 0.0
    for case, target in enumerate(entries.target_C.tolist()):
        own = blended[entries.offsets_C[case] : entries.offsets_C[case + 1]]
        if target >= 0 and asked in (None, entries.asked_C[case]):
            rank = int((own >= blended[target]).sum())
            total += 1 + 1 / rank if rank <= AT else 0.0
    return total


@pytest.mark.parametrize("asked", [None, 0, 1])
@pytest.mark.parametrize(("repeats", "past"), [(False, False), (True, False), (True, True)])
def test_grids_equal_counting_by_definition(asked, repeats, past):
    entries = random_entries(np.random.default_rng(1), repeats=repeats, past=past)
    rivals = Rivals(entries, repeats=REPEATS)
    contest = Contest(rivals, rivals.votes_P, rivals.own[1], asked=asked)
    bonuses = (0.5, -2.0, 1.0)
    pairs = [(0.0, 0.0), (1.0, 0.0), (2.0, 0.5), (0.5, 1.0)]
    expected = [by_definition(entries, asked, *pair, bonuses, 0.5) for pair in pairs]
    np.testing.assert_allclose(worth(contest.ranks(pairs, repeats=bonuses, pull=0.5)), expected)
    one = Bonuses(contest, 1.0, contest.ranks([(1.0, 0.0)])[0])
    given = [0.0] * REPEATS
    for place in range(REPEATS):
        ranks_GC = one.repeat(place, TRIED)
        tried = [[*given[:place], bonus, *given[place + 1 :]] for bonus in TRIED]
        np.testing.assert_allclose(worth(ranks_GC), [by_definition(entries, asked, 1.0, 0.0, e) for e in tried])
        given[place] = TRIED[place + 1]
        one.take(place, given[place], ranks_GC[place + 1])
    expected = [by_definition(entries, asked, 1.0, 0.0, given, pull) for pull in TRIED]
    np.testing.assert_allclose(worth(one.pulled(TRIED)), expected)
