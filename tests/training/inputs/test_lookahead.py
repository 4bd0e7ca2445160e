"""The next wanted event of each place, by hand."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from training.inputs.lookahead import first_taken, following, later_events, taking


def test_later_events_by_hand():
    # two sessions of 5 and 2 events, wanted ones at 2, 4 and 5: from 0 on the 2 is two steps ahead, from 1 on it comes
    # at once and is left to the next-event question, from 2 on the 4 is two ahead; nothing is seen across sessions
    wanted = np.array([False, False, True, False, True, True, False])
    next_K = following(wanted)
    assert next_K.tolist() == [2, 2, 4, 4, 5, 7, 7]
    ends_K = np.array([5, 5, 5, 5, 5, 7, 7])
    assert later_events(next_K, np.arange(7), ends_K).tolist() == [2, -1, 4, -1, -1, -1, -1]


@given(st.lists(st.booleans(), max_size=30))
def test_what_follows_is_the_nearest_wanted_event_after_this_one(wanted):
    expected = [
        next((at for at in range(place + 1, len(wanted)) if wanted[at]), len(wanted)) for place in range(len(wanted))
    ]
    assert following(np.array(wanted, bool)).tolist() == expected


def test_what_the_session_has_taken_already_is_passed_over_by_hand():
    # one session: view 7, cart 7, view 8, buy 7, buy 8; another buys 7 at once. 0 click, 1 cart, 2 purchase
    items, behaviours = np.array([7, 7, 8, 7, 8, 7]), np.array([0, 1, 0, 2, 2, 2])
    sessions = np.array([0, 0, 0, 0, 0, 1])
    first = first_taken(items, behaviours, sessions, goal=2)
    assert first.tolist() == [0, 1, 2, 1, 4, 5]  # the purchase of 7 was taken at its cart, 8 only when it was bought
    next_K = following(behaviours == 2)
    later = later_events(next_K, np.arange(6), np.array([5, 5, 5, 5, 5, 6]), first_K=first)
    # from the first view 7 is bought later; from the cart on the purchase of 7 is nothing else, so 8 is; before the
    # purchase of 8 it is the very next event
    assert later.tolist() == [3, 4, 4, -1, -1, -1]


def test_carts_and_purchases_take_an_item_or_the_goal_alone_of_two_behaviours():
    assert [taking(behaviours) for behaviours in (1, 2, 3, 5)] == [[0], [1], [1, 2], [3, 4]]
    views = np.zeros(3, np.int64)
    assert first_taken(np.array([1, 1, 1]), views, views, goal=2).tolist() == [0, 1, 2]


def test_coming_back_to_an_item_stays_a_target_where_a_log_has_one_behaviour():
    """Of clicks alone nothing says what the cart holds; 1 2 1 has the second 1 as its target still."""
    clicks = np.zeros(3, np.int64)
    assert first_taken(np.array([1, 2, 1]), clicks, clicks, goal=0).tolist() == [0, 1, 2]
    assert first_taken(np.array([1, 2, 1]), clicks + 1, clicks, goal=1).tolist() == [0, 1, 0]
