"""The next wanted event of each place, by hand."""

import numpy as np

from training.inputs.lookahead import following, later_events


def test_later_events_by_hand():
    # two sessions of 5 and 2 events, wanted ones at 2, 4 and 5: from 0 on the 2 is two steps ahead, from 1 on it comes
    # at once and is left to the next-event question, from 2 on the 4 is two ahead; nothing is seen across sessions
    wanted = np.array([False, False, True, False, True, True, False])
    next_K = following(wanted)
    assert next_K.tolist() == [2, 2, 4, 4, 5, 7, 7]
    ends_K = np.array([5, 5, 5, 5, 5, 7, 7])
    assert later_events(next_K, np.arange(7), ends_K).tolist() == [2, -1, 4, -1, -1, -1, -1]
