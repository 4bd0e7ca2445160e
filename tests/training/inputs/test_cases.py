"""Cases: prefixes, targets and what is asked, by hand."""

import numpy as np

from tests.datasets import make_dataset, make_sessions, make_visits, random_rows
from tillside.encoding import EncodingSpec
from training.inputs.cases import cases_of as cases_of_part
from training.inputs.cases import look_ahead_cases, make_cases, opening_cases, together

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


ROWS = [[0, (1, "cart"), (2, "purchase"), 3], [3], [0, (1, "purchase")]]
ASKED = {"spec": EncodingSpec(), "items": KNOWN, "goal": 2}


def test_a_case_can_be_asked_another_question():
    cases = make_cases(make_sessions(ROWS), rule="every", **ASKED)
    asked = cases.only(np.array([3, 0])).asking(1)
    assert (asked.asked_C.tolist(), asked.events_C.tolist(), asked.targets_C.tolist()) == ([1, 1], [6, 1], [1, 1])
    assert cases.only(cases.asked_C == 2).events_C.tolist() == [2, 6]


def test_no_question_is_asked_twice_and_merged_cases_are_in_order_of_events():
    sessions = make_sessions(random_rows(20, items=KNOWN, longest=9))
    cases = make_cases(sessions, rule="every", **ASKED)
    ahead = look_ahead_cases(sessions, cases, goal=2)
    both = together(cases, ahead)
    assert len(both) == len(cases) + len(ahead)
    questions = list(zip(both.events_C.tolist(), both.asked_C.tolist(), strict=True))
    assert len(set(questions)) == len(questions)
    assert (np.diff(both.events_C) >= 0).all()
    first = np.unique(both.events_C, return_index=True)[1]
    assert both.targets_C[first].tolist() == cases.targets_C.tolist()  # the next event's case stands first


def test_the_parts_of_a_data_set_follow_their_rules_and_cold_items_are_known(tmp_path):
    dataset = make_dataset(
        tmp_path / "d", train=[[0, 1], [1, 0]], validation=[[0, 1, 0]], test=[[0, 1, 2]], trained=2, newcomers=1,
        tokens=[["a=1"], ["a=1"], ["a=1"]], test_cases="last",
    )  # fmt: skip
    assert cases_of_part(dataset, "validation", spec=EncodingSpec()).targets_C.tolist() == [1, 0]
    test = cases_of_part(dataset, "test", spec=EncodingSpec())
    assert (test.targets_C.tolist(), test.prefix_lengths_C.tolist()) == ([2], [2])
