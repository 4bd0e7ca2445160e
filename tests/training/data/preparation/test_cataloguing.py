"""Recent events by hand: an event a half-life older than the last one counts half."""

import numpy as np
import pytest

from tests.datasets import make_sessions
from training.data.preparation.cataloguing import HALF_LIFE, recent_events


def test_older_events_count_less():
    half_life = int(HALF_LIFE * 1000)  # the events span 1,000 ms
    sessions = make_sessions(
        [
            [(0, "click", 0), (1, "click", 1000 - half_life)],
            [(2, "purchase", 1000 - 2 * half_life), (1, "click", 1000)],
        ]
    )
    recent_NB = recent_events(sessions, items=4, behaviours=3)
    first = 0.5 ** (1 / HALF_LIFE)  # the very first event: nearly forgotten
    expected = [[first, 0, 0], [1 + 1 / 2, 0, 0], [0, 0, 1 / 4], [0, 0, 0]]
    assert recent_NB == pytest.approx(np.array(expected), abs=1e-7)
    assert recent_NB.dtype == np.float32


@pytest.mark.parametrize("rows", [[], [[(0, "click", 5), (1, "click", 5)]]])
def test_without_time_passing_nothing_is_recent(rows):
    assert recent_events(make_sessions(rows), items=2, behaviours=3) is None


def test_without_a_clock_nothing_is_recent():
    assert recent_events(make_sessions([[0, 1]], clock=False), items=2, behaviours=3) is None
