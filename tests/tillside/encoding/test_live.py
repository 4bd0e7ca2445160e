"""What the model sees before an event is the same offline, from flat arrays, and live, from a prefix."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.datasets import make_sessions
from tests.tillside.encoding.rows import EVENTS, KNOWN, SESSIONS, counts, encode, lists, live
from tillside.encoding.batch import MOST_PAST, Batch
from tillside.encoding.live import encode_session
from tillside.encoding.sessions import cut_before, encode_sessions, rows_of
from tillside.encoding.spec import EncodingSpec


@settings(deadline=None)
@given(SESSIONS, st.integers(1, 6), st.booleans())
def test_what_stands_before_an_event_is_encoded_as_the_live_prefix_is(rows, max_length, collapse):
    spec = EncodingSpec(max_length=max_length, gap_edges_ms=(1000, 60_000), collapse_repeats=collapse)
    sessions, encoded = encode(rows, spec)
    for row, start in zip(rows, sessions.offsets[:-1].tolist(), strict=True):
        for place in range(len(row)):
            offline = cut_before(encoded, np.array([start + place]), spec=spec)
            assert lists(offline) == lists(live(row[:place], spec))
            assert counts(offline) == counts(live(row[:place], spec))


def by_arrays(row, spec: EncodingSpec, earlier: int) -> Batch:
    """A live session by what encodes whole logs."""
    sessions = make_sessions([row])
    arrays = [array if spec.history else array[earlier:] for array in (sessions.items, sessions.behaviours)]
    times = sessions.times if spec.history else sessions.times[earlier:]
    earlier = earlier if spec.history else 0
    encoded = encode_sessions(*arrays, times, np.array([0, len(times)]), spec=spec, known_items=KNOWN)
    own, end = int(encoded.kept_before_E[earlier]), len(encoded.items)
    start = max(0, own - spec.history, end - spec.max_length)
    batch = rows_of(encoded, np.array([start]), np.array([end]), np.array([own]), spec=spec)
    if encoded.met is not None:
        batch = replace(batch, met=[encoded.met.behaviours[encoded.met.before_E[earlier] :]])
    return replace(batch, past=[encoded.items[max(0, own - MOST_PAST) : own]]) if earlier else batch


@settings(deadline=None, max_examples=300)
@given(
    st.lists(EVENTS, max_size=12),
    st.integers(0, 12),
    st.integers(1, 8),
    st.sampled_from([0, 1, 3, 20]),
    st.booleans(),
    st.booleans(),
)
def test_a_live_session_is_encoded_as_arrays_are(row, earlier, max_length, history, collapse, count_all):
    spec = EncodingSpec(max_length, (1000, 60_000), collapse, history, count_all)
    earlier = min(earlier, len(row))
    sessions = make_sessions([row])
    columns = (sessions.items, sessions.behaviours, sessions.times)
    live, offline = (
        encode_session(*columns, spec=spec, known_items=KNOWN, earlier=earlier),
        by_arrays(row, spec, earlier),
    )
    for name in ("items_BL", "behaviours_BL", "gaps_BL", "lengths_B", "own_B"):
        one, other = getattr(live, name), getattr(offline, name)
        assert (one.tolist(), one.dtype) == (other.tolist(), np.int64)
    for name in ("past", "met"):
        assert [part.tolist() for part in getattr(live, name)] == [part.tolist() for part in getattr(offline, name)]
        assert all(part.dtype == np.int64 for part in getattr(live, name))


def test_a_session_by_hand():
    row = [(0, "click", 0), (9, "click", 500), (1, "cart", 1000), (1, "cart", 1000 + 60_000), (2, "click", 62_500)]
    spec = EncodingSpec(gap_edges_ms=(1000, 2000, 60_000))
    # item 9 is unknown; gaps 1000, 60,000 and 1500 ms: the edges 1000, 2000, 60,000 begin the buckets 2, 3, 4
    assert counts(live(row, spec)) == [[[3, 2]], [0]]  # but its click is counted
    assert counts(live(row[:2], spec)) == [[[2, 0]], [0]]
    assert counts(live(row, replace(spec, max_length=1))) == [[[3, 2]], [0]]
    assert counts(live(row[:4], replace(spec, collapse_repeats=True))) == [[[2, 1]], [1]]
    assert counts(live(row, replace(spec, count_all=False))) == [[[2, 2]], [0]]
    assert counts(live([], spec)) == counts(live([], replace(spec, count_all=False))) == [[[0, 0]], [-1]]
    assert lists(live(row, spec)) == [[[0, 1, 1, 2]], [[0, 1, 1, 0]], [[0, 2, 4, 2]], [4]]
    # the latest two, the first of which has no event before it
    assert lists(live(row, EncodingSpec(2, spec.gap_edges_ms))) == [[[1, 2]], [[1, 0]], [[0, 2]], [2]]
    # the second cart event repeats the first; the click after it stands 61,500 ms after the one that is kept
    collapsed = EncodingSpec(gap_edges_ms=spec.gap_edges_ms, collapse_repeats=True)
    assert lists(live(row, collapsed)) == [[[0, 1, 2]], [[0, 1, 0]], [[0, 2, 4]], [3]]


def test_an_unknown_item_between_two_of_a_kind_does_not_part_them():
    """Item 9 is unknown: training has dropped it, the server is sent it, and both hold 0 once, then 1 and 0."""
    spec = EncodingSpec(collapse_repeats=True)
    for row in ([0, 9, 0, 1, -1, 0], [0, 0, 1, 0]):
        assert live(row, spec).items_BL.tolist() == [[0, 1, 0]]
    _, encoded = encode([[0], [9, 0, 0]], spec)  # another session begins anew
    assert encoded.items.tolist() == [0, 0]


def test_unknown_events_are_counted_and_their_repeats_collapse_as_known_ones_do():
    """Items 8 and 9 are unknown; preparation has left the second 9 out, the server is sent it."""
    for collapse, clicks in ((True, 3), (False, 4)):
        spec = EncodingSpec(collapse_repeats=collapse)
        assert counts(live([0, 9, 9, 8, (8, "cart")], spec)) == [[[clicks, 1]], [1]]
    _, encoded = encode([[0, 9], [9, 0]], EncodingSpec(collapse_repeats=True))  # another session begins anew
    assert counts(cut_before(encoded, np.array([3]), spec=EncodingSpec())) == [[[1, 0]], [0]]


@pytest.mark.parametrize("row", [[], [9], [-1, 5]])
def test_a_session_without_known_items_is_one_padded_event_of_length_0(row):
    assert lists(live(row, EncodingSpec())) == [[[0]], [[0]], [[0]], [0]]


def test_events_of_earlier_sessions_are_known_by_their_bucket():
    spec = EncodingSpec(max_length=4, gap_edges_ms=(1000, 60_000), history=2)
    sessions = make_sessions([[(item, "click", 10_000 * item) for item in (0, 1, 2, 3)]])
    columns = (sessions.items, sessions.behaviours, sessions.times)
    batch = encode_session(*columns, spec=spec, known_items=KNOWN, earlier=3)
    # the last two of the three earlier ones, both in the last bucket; then one 10 s after them, in the second
    assert (batch.items_BL.tolist(), batch.gaps_BL.tolist()) == ([[1, 2, 3]], [[4, 4, 2]])
    assert (batch.lengths_B.tolist(), batch.own_B.tolist(), spec.gap_buckets) == ([3], [1], 5)
