"""Likeness by hand, and against the plain product of dense rows of tokens."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.datasets import make_catalogue, make_sessions
from tillside.catalogue import Catalogue
from tillside.likeness import NewItems

TOKENS = [["brand=a", "kind=x"], ["brand=b", "kind=x"], ["brand=b", "kind=y"], ["brand=a", "kind=x"], ["brand=b"], []]


def catalogue_of(tokens, *, trained: int) -> Catalogue:
    return make_catalogue(make_sessions([[0]]), trained=trained, newcomers=len(tokens) - trained, tokens=tokens)


@pytest.fixture
def catalogue() -> Catalogue:
    return catalogue_of(TOKENS, trained=3)  # 3 and 4 are cold, of 5 nothing is known


def test_by_hand(catalogue):
    # five items can be ranked: a and y are log(5/2) and log(5/1), b and x log(5/3)
    a, b, x, y = np.log(5 / np.array([2, 3, 3, 1]))
    new = NewItems.of(catalogue, np.array([3, 4]))
    assert new.alike(np.array([0]), decay=1.0).tolist() == pytest.approx([1, 0])
    both = np.hypot(b, x)
    assert new.alike(np.array([1]), decay=1.0).tolist() == pytest.approx([x * x / both / np.hypot(a, x), b / both])
    assert new.alike(np.array([2]), decay=1.0).tolist() == pytest.approx([0, b / np.hypot(b, y)])


def test_later_items_count_more(catalogue):
    new = NewItems.of(catalogue, np.array([3]))
    # 0 is all that 3 is, 2 nothing of it: the latest weighs 1, the one before it 1/e
    for session, share in (([2, 0], 1), ([0, 2], np.exp(-1))):
        alike = new.alike(np.array(session), decay=1.0)
        assert alike.tolist() == pytest.approx([share / (1 + np.exp(-1))])


def test_nothing_is_like_an_item_without_tokens_and_nothing_can_be_new(catalogue):
    assert NewItems.of(catalogue, np.array([3, 4])).alike(np.array([5]), decay=1.0).tolist() == [0, 0]
    assert NewItems.of(catalogue, np.array([5])).alike(np.array([0]), decay=1.0).tolist() == [0]
    none = NewItems.of(catalogue, np.zeros(0, np.int64)).alike(np.array([0, 1]), decay=1.0)
    assert (none.shape, none.dtype) == ((0,), np.float32)


def test_newcomers_are_asked_like_items_of_the_catalogue(catalogue):
    session = np.array([0, 2, 1])
    known = NewItems.of(catalogue, np.array([4, 3]))
    late = known.newcomers(np.array([7, 9]), [["brand=b", "brand=unheard of"], ["kind=x", "brand=a"]])
    assert late.items_F.tolist() == [7, 9]
    np.testing.assert_allclose(late.alike(session, decay=2.0), known.alike(session, decay=2.0))


@given(
    tokens=st.lists(st.sets(st.sampled_from("abcdefgh"), min_size=1).map(sorted), min_size=4, max_size=12),
    session=st.lists(st.integers(0, 3), min_size=1, max_size=9),
    decay=st.sampled_from([0.5, 2.0, 9.0]),
)
def test_it_is_the_cosine_of_rows_weighted_by_rarity(tokens, session, decay):
    catalogue = catalogue_of([[f"{token}=1" for token in own] for own in tokens], trained=4)
    new_F = np.arange(len(tokens))
    carried = np.array([[token in own for token in "abcdefgh"] for own in tokens[: catalogue.rankable]])
    rarity = np.log(catalogue.rankable / np.maximum(carried.sum(axis=0), 1))
    rows = np.array([[token in own for token in "abcdefgh"] for own in tokens]) * rarity * carried.any(axis=0)
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    unit = rows / np.where(lengths > 0, lengths, 1)
    weights = np.exp(-np.arange(len(session))[::-1] / decay)
    expected = weights @ unit[session] @ unit.T / weights.sum()
    found = NewItems.of(catalogue, new_F).alike(np.array(session), decay=decay)
    np.testing.assert_allclose(found, expected, atol=1e-6)
    assert (found < 1 + 1e-6).all()
