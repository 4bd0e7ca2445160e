"""Sessions encoded at once: rows cut from them are those of the sessions alone."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.datasets import make_sessions
from tests.tillside.encoding.rows import KNOWN, SESSIONS, encode
from tillside.encoding.sessions import cut_before, encode_sessions, rows_of
from tillside.encoding.spec import EncodingSpec


@settings(deadline=None)
@given(SESSIONS, st.integers(1, 6))
def test_rows_cut_together_are_the_rows_cut_alone_and_padded_on_the_right(rows, max_length):
    spec = EncodingSpec(max_length=max_length)
    sessions, encoded = encode(rows, spec)
    events = np.arange(len(sessions.items))
    together = cut_before(encoded, events, spec=spec)
    for event in events:
        alone, length = cut_before(encoded, events[event : event + 1], spec=spec), together.lengths_B[event]
        for name in ("items_BL", "behaviours_BL", "gaps_BL"):
            row = getattr(together, name)[event]
            assert row[:length].tolist() == getattr(alone, name)[0, :length].tolist()
            assert not row[length:].any()


def test_repeats_collapse_within_a_session_only_and_only_where_the_behaviour_is_the_same():
    spec = EncodingSpec(collapse_repeats=True)
    _, encoded = encode([[0, 0, (0, "cart"), 0], [], [0, 1]], spec)
    assert encoded.items.tolist() == [0, 0, 0, 0, 1]
    assert encoded.behaviours.tolist() == [0, 1, 0, 0, 0]
    assert encoded.starts_E.tolist() == [0, 0, 0, 0, 3, 3]
    assert encoded.kept_before_E.tolist() == [0, 1, 1, 2, 3, 4, 5]


def test_no_sessions_and_no_rows():
    spec, nowhere = EncodingSpec(), np.zeros(0, int)
    for rows in ([], [[0, 1]]):
        _, encoded = encode(rows, spec)
        assert rows_of(encoded, nowhere, nowhere, nowhere, spec=spec).items_BL.shape == (0, 1)


def test_encoding_leaves_its_arguments_alone():
    sessions = make_sessions([[0, 0, 9, 1]])
    arrays = (sessions.items, sessions.behaviours, sessions.times, sessions.offsets)
    for array in arrays:
        array.flags.writeable = False
    encoded = encode_sessions(*arrays, spec=EncodingSpec(collapse_repeats=True), known_items=KNOWN)
    for array in (encoded.items, encoded.gaps):
        array.flags.writeable = False
    rows_of(encoded, np.array([1]), np.array([2]), np.array([1]), spec=EncodingSpec())
