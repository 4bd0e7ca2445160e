"""The next wanted event of each place, by hand."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from training.inputs.lookahead import following, later_events


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
