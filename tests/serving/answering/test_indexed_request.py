"""A request in a bundle's indices: what of it the model knows, and which rows the encoder reads, by hand."""

import numpy as np

from serving.answering.indexed_request import IndexedRequest
from tillside.encoding.live import encode_session
from tillside.encoding.spec import EncodingSpec
from tillside.events import TIME_UNKNOWN

ITEMS_ND = np.array([[1, 0], [2, 0], [3, 0]], np.float32)
SPEC = EncodingSpec(max_length=4, history=2)


def question(*items: int, earlier: int = 0, late: list[list[float]] | None = None) -> IndexedRequest:
    """A request of some items, the first ``earlier`` of them of earlier sessions; ``late`` are the rows from 3 on."""
    events, times = np.array(items, np.int64), np.full(len(items), TIME_UNKNOWN, np.int64)
    known = len(ITEMS_ND) + len(late or [])
    batch = encode_session(events, np.zeros_like(events), times, spec=SPEC, known_items=known, earlier=earlier)
    rows = None if late is None else (len(ITEMS_ND), np.array(late, np.float32))
    return IndexedRequest(
        batch=batch, ask=0, k=5, excluded=frozenset(), excluded_ids=(), unknown=[], empty=not items, late=rows
    )


def test_the_session_and_what_came_before_it_are_told_apart():
    found = question(2, 0, 1, earlier=1)
    assert (found.past_H.tolist(), found.session_L.tolist(), found.seen_L.tolist()) == ([2], [0, 1], [2, 0, 1])
    assert found.known
    assert not question().known
    assert not question(7).known  # an item without a row


def test_an_item_that_came_by_feed_has_its_own_row_and_is_no_item_of_the_bundle():
    found = question(1, 3, 4, late=[[0, 5], [0, 6]])
    assert found.session_L.tolist() == found.seen_L.tolist() == [1]
    assert found.vectors_LD(ITEMS_ND)[:3].tolist() == [[2, 0], [0, 5], [0, 6]]


def test_without_such_items_the_rows_are_the_bundles():
    assert question(2, 0).vectors_LD(ITEMS_ND)[:2].tolist() == [[3, 0], [1, 0]]
