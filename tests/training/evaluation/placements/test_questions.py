"""What is asked of a session and what is the answer, by hand; nothing of the answer is ever seen."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.datasets import MINUTE_MS, START_MS, make_sessions
from tillside.events import DEFAULT_BEHAVIOURS, Behaviours
from tillside.policy import event_kinds
from training.evaluation.placements.questions import ask_sessions
from training.inputs.lookahead import taking

CLICK, CART, PURCHASE = range(3)


def asked_of(rows, *, asked=PURCHASE, at_cart=True, taken=(CART, PURCHASE)):
    return ask_sessions(make_sessions(rows), taken=taken, asked=asked, at_cart=at_cart)


def plain(questions):
    """Event, session, cart and answer of each question."""
    carts, answers = ([each.tolist() for each in column] for column in (questions.carts, questions.answers))
    return list(zip(questions.events_Q.tolist(), questions.sessions_Q.tolist(), carts, answers, strict=True))


def test_an_invoice_is_cut_in_the_middle_of_its_items():
    # 5 different items: the first 3 are the cart, although 7 comes twice; the other two are the answer, by number
    rows = [[(item, "purchase", START_MS) for item in (7, 3, 7, 5, 9, 3, 1)]]
    assert plain(asked_of(rows, taken=[PURCHASE])) == [(4, 0, [7, 3, 5], [1, 9])]


def test_a_cart_is_asked_about_when_half_of_what_is_taken_is_in_it():
    rows = [
        [0, (1, "cart"), 2, (3, "cart"), (1, "purchase"), (3, "purchase")],  # 1 of 2 taken: 3 is bought later
        [(4, "cart"), 0, (5, "cart"), (4, "purchase")],  # 5 was never bought: no answer
        [(4, "cart"), (4, "purchase")],  # one item taken: nothing to attach
        [0, 1, 2],
        [],
    ]
    assert plain(asked_of(rows)) == [(2, 0, [1], [3])]
    # put into the cart is good enough where the placement asks for that
    assert plain(asked_of(rows, asked=CART)) == [(2, 0, [1], [3]), (7, 1, [4], [5])]


def test_other_placements_are_asked_in_the_middle_of_the_session():
    rows = [[0, (1, "cart"), 0, 2, 1], [3], [(1, "purchase"), 1]]
    # 3 of 5 events seen; 1 is in the cart already, so only 2 is left. The last session meets only what it bought.
    assert plain(asked_of(rows, asked=CLICK, at_cart=False)) == [(3, 0, [1], [2])]
    assert plain(asked_of(rows, asked=PURCHASE, at_cart=False)) == []


@pytest.mark.parametrize(("behaviours", "expected"), [(1, [0]), (2, [1]), (3, [1, 2]), (5, [3, 4])])
def test_carts_and_purchases_take_an_item(behaviours, expected):
    assert taking(behaviours) == expected


def test_a_question_becomes_a_request_at_the_moment_of_the_last_event_seen():
    rows = [[5], [0, (1, "cart"), (3, "purchase")]]
    questions, kinds_B = asked_of(rows), event_kinds(Behaviours(DEFAULT_BEHAVIOURS))
    assert plain(questions) == [(3, 1, [1], [3])]
    (request,) = questions.requests(make_sessions(rows), placement="p", k=4, kinds_B=kinds_B, intents_Q=[0.25])
    assert (request.placement, request.k, request.intent, request.now_ms) == ("p", 4, 0.25, START_MS + 2 * MINUTE_MS)
    assert (request.session_L.tolist(), request.kinds_L.tolist()) == ([0, 1], [0, 1])
    assert request.times_L.tolist() == [START_MS + MINUTE_MS, START_MS + 2 * MINUTE_MS]
    assert request.cart_M.tolist() == [1]
    clockless = make_sessions(rows, clock=False)
    (request,) = questions.requests(clockless, placement="p", k=4, kinds_B=kinds_B, intents_Q=[None])
    assert request.now_ms == 0


EVENTS = st.lists(st.tuples(st.integers(0, 5), st.sampled_from(DEFAULT_BEHAVIOURS)), max_size=9)


@given(st.lists(EVENTS, max_size=5), st.sampled_from([CLICK, CART, PURCHASE]), st.booleans())
def test_an_answer_comes_later_and_is_not_in_the_cart(rows, asked, at_cart):
    for event, session, cart, answer in plain(asked_of(rows, asked=asked, at_cart=at_cart)):
        start = sum(map(len, rows[:session]))
        seen, later = rows[session][: event - start], rows[session][event - start :]
        taken = [item for item, name in seen if name != "click"]
        assert cart == list(dict.fromkeys(taken))
        strong = {item for item, name in later if DEFAULT_BEHAVIOURS.index(name) >= asked}
        assert set(answer) == strong - set(taken)
        assert answer
        if at_cart:
            everything = {item for item, name in rows[session] if name != "click"}
            assert len(cart) == -(-len(everything) // 2)


def test_numbers_are_whole(tmp_path):
    questions = asked_of([[0, (1, "cart"), (3, "purchase")]])
    assert questions.events_Q.dtype == questions.carts[0].dtype == questions.answers[0].dtype == np.int64
