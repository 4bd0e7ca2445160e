"""Entries: which items of a case can reach the blend's best twenty, and what is kept of each."""

from dataclasses import replace

import numpy as np
import pytest

from tests.datasets import make_sessions
from tillside.encoding.spec import EncodingSpec
from tillside.recommenders import Neighbourhood, Popularity, SessionNeighbours
from training.inputs.cases import make_cases
from training.learning.blend_candidates import Candidates, Entries
from training.learning.neighbour_votes import neighbour_votes

PAST = (0, [2, 0, 5, 2]), (5, [0, 3]), (8, [1, 4])
"""Three sessions, when each begins and its items."""


def test_entries_hold_what_a_shoppers_earlier_sessions_do():
    rows = [[(item, "click", 60_000 * place) for place, item in enumerate(row, start)] for start, row in PAST]
    sessions = replace(make_sessions(rows), optional={"users": np.array([7, 7, 8], np.int32)})
    part, earlier, spec = sessions.slice(1, 3), sessions.slice(0, 1), EncodingSpec(history=1)
    cases = make_cases(part, rule="last", spec=spec, items=6, goal=2, whole=sessions)
    counts_AN = np.ones((3, 6), np.float32)
    given = {"trend_N": np.zeros(6, np.float32), "repeats": 3}
    candidates = Candidates(Popularity(counts_AN), cases, np.arange(2), **given)
    index = SessionNeighbours.fit(earlier, items=6, settings=Neighbourhood())
    [[votes_CN]] = neighbour_votes(index, candidates.sessions, [index.settings])
    entries = candidates.entries(votes_CN)
    # the first case: its shopper had 2 twice, 5 once and 0, which the session holds too; the second one is new
    assert entries.past_E.tolist() == pytest.approx([0, 0, np.log(3), 0, 0, np.log(2), *[0] * 6])
    assert entries.back_E.tolist() == [0, 3, 3, 3, 3, 3, 3, 0, 3, 3, 3, 3]


def test_some_of_the_cases_by_hand():
    entries = Entries(
        offsets_C=np.array([0, 2, 5, 6, 8]),
        scores_E=np.array([0.0, 0.1, 1.0, 1.1, 1.2, 2.0, 3.0, 3.1], np.float32),
        votes_E=np.array([0.5, 0.5, 0.2, 0.3, 0.5, 1.0, 0.9, 0.1], np.float32),
        back_E=np.array([3, 0, 1, 2, 3, 3, 0, 3]),
        trends_E=np.array([0, 0, 1, 2, 3, 4, 5, 6], np.float32),
        past_E=np.array([6, 5, 4, 3, 2, 1, 0, 0], np.float32),
        target_C=np.array([1, 4, -1, 6]),
        asked_C=np.array([0, 1, 2, 0]),
    )
    some = entries.only(np.array([1, 2, 3]))
    assert some.offsets_C.tolist() == [0, 3, 4, 6]
    np.testing.assert_array_equal(some.scores_E, entries.scores_E[2:])
    np.testing.assert_array_equal(some.votes_E, entries.votes_E[2:])
    assert some.back_E.tolist() == [1, 2, 3, 3, 0, 3]
    assert some.trends_E.tolist() == [1, 2, 3, 4, 5, 6]
    assert some.past_E.tolist() == [4, 3, 2, 1, 0, 0]
    assert some.target_C.tolist() == [2, -1, 4]  # places 4 and 6, less the two entries that are gone
    assert some.asked_C.tolist() == [1, 2, 0]

    turned = entries.only(np.array([3, 0]))
    assert turned.offsets_C.tolist() == [0, 2, 4]
    np.testing.assert_array_equal(turned.scores_E, entries.scores_E[[6, 7, 0, 1]])
    assert turned.target_C.tolist() == [0, 3]
    assert turned.asked_C.tolist() == [0, 0]

    nothing = entries.only(np.array([], np.int64))
    assert nothing.offsets_C.tolist() == [0]
    assert len(nothing.scores_E) == len(nothing.target_C) == len(nothing.asked_C) == 0
