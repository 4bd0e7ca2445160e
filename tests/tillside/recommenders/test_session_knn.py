"""Session kNN by hand: what is indexed, who is a neighbour, and what the neighbours say."""

from dataclasses import FrozenInstanceError, asdict, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.datasets import make_sessions
from tillside.recommenders import Neighbourhood, SessionNeighbours
from tillside.recommenders.session_knn import FILES

HALF = 1 / np.log(2)
"""A decay of this length halves at each step."""
PLAIN = Neighbourhood(item_decay=HALF, age_decay=0.0, idf_power=0.0, newest=100, neighbours=100, reach=HALF, before=0.5)
ITEMS = 4
ROWS = [[0, 1], [1, 2, 0, 3], [0, 2]]


def index_of(rows=ROWS, *, items=ITEMS, **changed) -> SessionNeighbours:
    return SessionNeighbours.fit(make_sessions(rows), items=items, settings=replace(PLAIN, **changed))


def shares(index: SessionNeighbours, *session: int) -> dict[int, float]:
    """What the neighbours say, by item; the promises that hold for every answer are checked on the way."""
    items_C, share_C = index.evidence(np.array(session))
    assert np.all(np.diff(items_C) > 0)
    assert share_C.dtype == np.float32
    assert not len(share_C) or share_C.sum() == pytest.approx(1, abs=1e-5)
    return dict(zip(items_C.tolist(), share_C.tolist(), strict=True))


def shared_out(**votes: float) -> dict[int, float]:
    """Shares of votes, which are written ``i0=4``."""
    total = sum(votes.values())
    return {int(name[1:]): pytest.approx(vote / total, rel=1e-5) for name, vote in votes.items()}


def test_each_item_has_its_sessions_newest_first():
    index = index_of()
    assert index.posting_offsets.tolist() == [0, 3, 5, 7, 8]
    assert index.postings.tolist() == [2, 1, 0, 1, 0, 2, 1, 1]
    assert index.session_offsets.tolist() == [0, 2, 6, 8]
    assert index.session_items.tolist() == [0, 1, 1, 2, 0, 3, 0, 2]


def test_only_the_newest_sessions_of_an_item_are_kept():
    index = index_of(newest=2)
    assert index.posting_offsets.tolist() == [0, 2, 4, 6, 7]
    assert index.postings.tolist() == [2, 1, 1, 0, 2, 1, 1]


def test_a_session_counts_once_for_an_item_it_holds_twice():
    assert index_of([[0, 1, 0]]).postings.tolist() == [0, 0]


def test_unknown_items_are_left_out_and_sessions_of_nothing_else():
    index = index_of([[0, 9, 1], [9], [1]], items=2)
    assert index.session_offsets.tolist() == [0, 2, 3]
    assert index.session_items.tolist() == [0, 1, 1]
    assert index.postings.tolist() == [0, 1, 0]


def test_rare_items_have_the_greater_weight_and_none_is_without():
    # three sessions; events 3, 2, 2, 1, 0: log((3 + 1) / events), and one never seen counts as one seen once
    expected = [np.log(4 / 3), np.log(2), np.log(2), np.log(4), np.log(4)]
    np.testing.assert_allclose(index_of(items=5).idf, expected, rtol=1e-6)
    assert index_of([[0, 0, 0]]).idf[0] == pytest.approx(0.1)  # log(2 / 3) is below 0


def test_votes_by_hand():
    # Asked for 1, 0: 0 weighs 1, and 1, one event back, 1/2. Past sessions are as alike as what they share.
    # [0, 1]:       1.5, seen from 0: 0 has 1.5, 1 at distance 1 after it 1.5
    # [1, 2, 0, 3]: 1.5, seen from 0: 1 at distance 2 before it 1.5 * 1/2 * 1/2, 2 at 1 before it 1.5 * 1/2, 0 and 3 1.5
    # [0, 2]:       1, seen from 0: 0 has 1, 2 has 1
    expected = shared_out(i0=1.5 + 1.5 + 1, i1=1.5 + 0.375, i2=0.75 + 1, i3=1.5)
    assert shares(index_of(), 1, 0) == expected
    assert shares(index_of(), 0, 1, 0) == expected  # an item counts from where it was last


def test_a_rare_item_ties_sessions_more_and_is_the_one_they_are_seen_from():
    # 0 weighs log(4/3) = 0.288 and 1 log(2) / 2 = 0.347, so the sessions that hold 1 are seen from there.
    # [0, 1]: 0 at 1 before; [1, 2, 0, 3]: 1 and 2 in full, 0 at distance 2 half, 3 at distance 3 a quarter
    zero, one = np.log(4 / 3), np.log(2) / 2
    both = zero + one
    expected = shared_out(i0=both / 2 + both / 2 + zero, i1=both + both, i2=both + zero, i3=both / 4)
    assert shares(index_of(idf_power=1.0), 1, 0) == expected


def test_older_sessions_count_less():
    # half for every session from the end: 1/8, 1/4, 1/2 of the votes worked out above
    expected = shared_out(i0=1.5 / 8 + 1.5 / 4 + 1 / 2, i1=1.5 / 8 + 0.375 / 4, i2=0.75 / 4 + 1 / 2, i3=1.5 / 4)
    assert shares(index_of(age_decay=HALF / 3), 1, 0) == expected
    rows = [[0, 1], [0, 2]]
    assert shares(index_of(rows), 0) == shared_out(i0=2, i1=1, i2=1)
    assert shares(index_of(rows, age_decay=HALF / 2), 0) == shared_out(i0=3, i1=1, i2=2)


def test_only_the_nearest_sessions_speak():
    # with age: 1.5 / 8, 1.5 / 4 and 1 / 2, so the newest, [0, 2], is nearest
    assert shares(index_of(age_decay=HALF / 3, neighbours=1), 1, 0) == shared_out(i0=1, i2=1)


def test_a_past_session_is_seen_from_the_last_of_equal_matches():
    # [0, 1, 0] from its end: 0 has 1 and, at distance 2 before, 1/2 * 1/2; 1 at distance 1 before has 1/2
    assert shares(index_of([[0, 1, 0]]), 0) == shared_out(i0=1.25, i1=0.5)


def test_what_came_after_counts_in_full_and_what_came_before_less():
    assert shares(index_of([[1, 0, 2]], before=0.25), 0) == shared_out(i0=1, i1=0.25, i2=1)
    assert shares(index_of([[1, 0, 2]], before=0.0), 0) == shared_out(i0=1, i1=0, i2=1)


@pytest.mark.parametrize("rows", [ROWS, [], [[9, 9]]])
def test_without_a_past_session_that_matches_nothing_is_said(rows):
    index = index_of(rows, items=5)
    items_C, share_C = index.evidence(np.array([4, 4]))
    assert (items_C.tolist(), share_C.tolist()) == ([], [])
    assert (items_C.dtype, share_C.dtype) == (np.int64, np.float32)


sessions = st.lists(st.lists(st.integers(0, 5), min_size=1, max_size=6), min_size=1, max_size=12)


@settings(max_examples=60, deadline=None)
@given(rows=sessions, asked=st.lists(st.integers(0, 5), min_size=1, max_size=5), numbers=st.permutations(range(6)))
def test_permuting_the_catalogue_permutes_the_answer(rows, asked, numbers):
    chosen = {"age_decay": 0.7, "idf_power": 0.5}
    renumbered = [[numbers[item] for item in row] for row in rows]
    found = shares(index_of(rows, items=6, **chosen), *asked)
    renamed = shares(index_of(renumbered, items=6, **chosen), *(numbers[item] for item in asked))
    assert renamed == {numbers[item]: pytest.approx(share, rel=1e-4) for item, share in found.items()}


@settings(max_examples=30, deadline=None)
@given(rows=sessions, asked=st.lists(st.integers(0, 5), min_size=1, max_size=5))
def test_exactly_the_items_of_sessions_that_share_an_item_are_candidates(rows, asked):
    expected = {item for row in rows if set(row) & set(asked) for item in row}
    assert set(shares(index_of(rows, items=6), *asked)) == expected


@pytest.fixture
def saved(tmp_path):
    index_of().save(tmp_path)
    return tmp_path


def test_what_was_saved_is_loaded_as_it_was(saved):
    assert {path.stem for path in saved.iterdir()} == set(FILES)
    loaded = SessionNeighbours.load(saved, asdict(PLAIN), items=ITEMS)
    assert loaded.settings == PLAIN
    for name in FILES:
        assert isinstance(getattr(loaded, name), np.memmap)
        np.testing.assert_array_equal(getattr(loaded, name), getattr(index_of(), name))
    assert shares(loaded, 1, 0) == shares(index_of(), 1, 0)


def test_an_index_of_nothing_can_be_saved_and_loaded(tmp_path):
    index_of([]).save(tmp_path)
    assert shares(SessionNeighbours.load(tmp_path, asdict(PLAIN), items=ITEMS), 0) == {}


DAMAGES = {
    "posting_offsets": [
        ("too short", lambda a: a[:-1]),
        ("falling", lambda a: a[[0, 2, 1, 3, 4]]),
        ("not from 0", lambda a: np.append(1, a[1:])),
        ("beyond the postings", lambda a: np.append(a[:-1], a[-1] + 1)),
        ("not whole numbers", lambda a: a.astype(float)),
    ],
    "postings": [
        ("one missing", lambda a: a[:-1]),
        ("a session that is none", lambda a: np.where(a == 2, 3, a)),
        ("negative", lambda a: a - 1),
        ("not whole numbers", lambda a: a.astype(np.float32)),
        ("two-dimensional", lambda a: a[:, None]),
    ],
    "session_offsets": [
        ("nothing", lambda a: a[:0]),
        ("falling", lambda a: a[[0, 2, 1, 3]]),
        ("beyond the items", lambda a: np.append(a[:-1], a[-1] + 1)),
        ("a session without items", lambda a: a[[0, 1, 1, 3]]),
    ],
    "session_items": [
        ("one missing", lambda a: a[:-1]),
        ("an item that is none", lambda a: a + 1),
        ("negative", lambda a: a - 1),
        ("no array of numbers", lambda a: a.astype(bool)),
    ],
    "idf": [
        ("too short", lambda a: a[:-1]),
        ("not a number", lambda a: np.where(a > 1, np.nan, a)),
        ("words", lambda a: a.astype(str)),
        ("a single number", lambda a: a[0]),
    ],
}


@pytest.mark.parametrize(
    ("name", "damage"), [pytest.param(n, d, id=f"{n}: {what}") for n, kinds in DAMAGES.items() for what, d in kinds]
)
def test_damaged_arrays_are_refused(saved, name, damage):
    file = saved / f"{name}.npy"
    np.save(file, damage(np.load(file)))
    with pytest.raises(
        ValueError, match=f"^{saved}: the arrays of the session index do not fit together or to 4 items"
    ):
        SessionNeighbours.load(saved, asdict(PLAIN), items=ITEMS)


def test_an_index_of_another_catalogue_is_refused(saved):
    with pytest.raises(ValueError, match="do not fit together or to 5 items"):
        SessionNeighbours.load(saved, asdict(PLAIN), items=5)


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("content", [None, b"", b"no array"])
def test_files_that_cannot_be_read_are_refused(saved, name, content):
    file = saved / f"{name}.npy"
    file.unlink()
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(ValueError, match=f"^{saved}: "):
        SessionNeighbours.load(saved, asdict(PLAIN), items=ITEMS)


@pytest.mark.parametrize("document", [{"colour": 1}, None, "reach"])
def test_settings_that_it_does_not_have_are_refused(saved, document):
    with pytest.raises(ValueError, match=f"^{saved}: "):
        SessionNeighbours.load(saved, document, items=ITEMS)


def test_other_settings_make_another_index_and_none_changes_under_its_holder():
    index = SessionNeighbours.fit(make_sessions([[0, 1], [0, 2]]), items=3, settings=PLAIN)
    other = index.under(replace(PLAIN, age_decay=0.25))
    assert (index.settings, other.settings.age_decay) == (PLAIN, 0.25)
    assert other.postings is index.postings
    assert index.under(PLAIN) is index
    with pytest.raises(FrozenInstanceError):
        index.settings = PLAIN
