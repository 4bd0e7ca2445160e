"""Cases: prefixes, targets and what is asked, by hand."""

import numpy as np

from tests.datasets import make_visits
from tillside.encoding import EncodingSpec
from training.inputs.cases import make_cases, opening_cases

KNOWN = 4


def test_the_cases_are_the_same_with_a_past_and_without():
    sessions = make_visits([(7, 1, [(0, "click"), (1, "cart")]), (7, 5, [(2, "click"), (3, "click"), (1, "cart")])])
    part = sessions.slice(1, 2)
    asked = {"rule": "every", "items": KNOWN, "goal": 1}
    alone = make_cases(part, spec=EncodingSpec(), **asked)
    behind = make_cases(part, spec=EncodingSpec(history=9), whole=sessions, **asked)
    for name in ("events_C", "sessions_C", "targets_C", "asked_C", "prefix_lengths_C", "goal_later_C"):
        assert getattr(alone, name).tolist() == getattr(behind, name).tolist()
    both = np.arange(2)
    assert alone.batch(both).items_BL.tolist() == [[2, 0], [2, 3]]
    assert behind.batch(both).items_BL.tolist() == [[0, 1, 2, 0], [0, 1, 2, 3]]
    assert behind.batch(both).own_B.tolist() == [1, 2]
    assert [behind.batch(both).session(row).tolist() for row in range(2)] == [[2], [2, 3]]


def test_openings_are_the_first_events_of_shoppers_who_come_back():
    visits = [(7, 1, [(0, "click")]), (8, 5, [(1, "cart"), (2, "click")]), (7, 5, [(3, "cart"), (1, "click")])]
    sessions = make_visits(visits)
    part = sessions.slice(1, 3)
    asked = {"rule": "every", "items": KNOWN, "goal": 2}
    cases = make_cases(part, spec=EncodingSpec(history=9), whole=sessions, **asked)
    openings = opening_cases(part, cases)
    assert (openings.targets_C.tolist(), openings.asked_C.tolist()) == ([3], [1])
    assert (openings.sessions_C.tolist(), openings.events_C.tolist()) == ([1], [2])
    batch = openings.batch(np.array([0]))
    assert (batch.items_BL.tolist(), batch.own_B.tolist()) == ([[0]], [0])
    assert not len(opening_cases(part, make_cases(part, spec=EncodingSpec(), **asked)))
