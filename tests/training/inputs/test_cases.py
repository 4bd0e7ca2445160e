"""Cases: prefixes, targets and what is asked, by hand."""

import numpy as np

from tests.datasets import make_dataset, make_sessions, make_visits, random_rows
from tests.training.evaluation.tiny import cases_of
from tillside.encoding.spec import EncodingSpec
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


def test_every_event_after_the_first_is_a_case():
    cases = cases_of()
    assert cases.events_C.tolist() == [1, 2, 3, 6, 8]
    assert cases.sessions_C.tolist() == [0, 0, 0, 2, 4]
    assert cases.targets_C.tolist() == [1, 0, 2, 7, 1]
    assert cases.asked_C.tolist() == [1, 2, 0, 0, 2]
    assert cases.prefix_lengths_C.tolist() == [1, 2, 3, 1, 1]
    # the purchase is event 2 of the first session, and the target itself in the last
    assert cases.goal_later_C.tolist() == [True, True, False, False, True]


def test_the_last_event_of_a_session_of_two_or_more_is_a_case():
    cases = cases_of(rule="last")
    assert cases.events_C.tolist() == [3, 6, 8]
    assert cases.prefix_lengths_C.tolist() == [3, 1, 1]


def test_a_case_shows_what_came_before_and_nothing_else():
    cases = cases_of()
    batch = cases.batch(np.array([2, 0, 4]))
    assert batch.items_BL.tolist() == [[0, 1, 0], [0, 0, 0], [0, 0, 0]]
    assert batch.behaviours_BL.tolist() == [[0, 1, 2], [0, 0, 0], [0, 0, 0]]
    assert batch.lengths_B.tolist() == [3, 1, 0]  # item 7 is not known, so nothing is left


def test_a_limit_takes_whole_sessions_spread_over_the_part():
    rows = [[0, 1, 2]] * 50
    cases = cases_of(rows, limit=20)
    # 100 cases for a limit of 20: every fifth session
    assert np.unique(cases.sessions_C).tolist() == list(range(0, 50, 5))
    assert len(cases) == 20
    assert len(cases_of(rows, limit=100)) == len(cases_of(rows)) == 100


def test_a_part_without_sessions_has_no_cases():
    assert len(cases_of([])) == 0
    assert len(cases_of([[1]])) == 0


def test_cases_of_two_kinds_together_stand_in_the_order_of_their_events():
    rows = [[0, 1, (2, "cart")], [1, (0, "cart"), (3, "purchase")]]
    cases = cases_of(rows)
    both = together(cases, look_ahead_cases(make_sessions(rows), cases, goal=2))
    assert both.events_C.tolist() == [1, 1, 2, 4, 4, 5]
    assert both.targets_C.tolist() == [1, 2, 2, 0, 3, 3]
    assert both.asked_C.tolist() == [0, 1, 1, 1, 2, 2]
    assert both.prefix_lengths_C.tolist() == [1, 1, 2, 1, 1, 2]


def test_look_ahead_cases_ask_for_the_next_cart_or_purchase_beyond_the_very_next_event():
    rows = [[0, 1, (1, "cart"), 2, (7, "purchase")], [3, (2, "purchase")], [2], [0, 1, (3, "cart")]]
    part = make_sessions(rows)
    cases = cases_of(rows)
    ahead = look_ahead_cases(part, cases, goal=2)
    # before 1: cart of 1, purchase of 7; before the cart and before 2: the purchase; before the last 1: the cart of 3
    asked = list(zip(ahead.events_C, ahead.asked_C, ahead.targets_C, ahead.prefix_lengths_C, strict=True))
    assert asked == [(1, 1, 1, 1), (9, 1, 3, 1), (1, 2, 7, 1), (2, 2, 7, 2), (3, 2, 7, 3)]
    assert ahead.goal_later_C.tolist() == [True, False, True, True, True]
    assert ahead.batch(np.array([4])).items_BL.tolist() == [[0, 1, 1]]
    # the purchase of what the cart holds is nothing else, so before the 4 the other purchase is asked for
    cart = [[0, (1, "cart"), 4, (1, "purchase"), (5, "purchase")]]
    beside = look_ahead_cases(make_sessions(cart), cases_of(cart), goal=2)
    assert list(zip(beside.events_C, beside.asked_C, beside.targets_C, strict=True)) == [(1, 2, 1), (2, 2, 5)]
    assert len(look_ahead_cases(part, cases_of(rows, rule="last"), goal=2)) == 0
    assert len(look_ahead_cases(part, cases, goal=0)) == 0
