"""Likeness by hand, and against walks counted item by item."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.datasets import make_catalogue, make_sessions
from tillside.catalogue import Catalogue
from tillside.recommenders.attribute_walks import CROWD, LATEST, Likeness

TOKENS = [["brand=a", "kind=x"], ["brand=b", "kind=x"], ["brand=b", "kind=y"], ["brand=a", "kind=x"], ["brand=b"], []]


def catalogue_of(tokens, *, trained: int) -> Catalogue:
    return make_catalogue(make_sessions([[0]]), trained=trained, newcomers=len(tokens) - trained, tokens=tokens)


def shares(likeness: Likeness, session: list[int], *, decay: float = 1.0) -> dict[int, float]:
    items_C, shares_C = likeness.shares(np.array(session), decay=decay)
    assert items_C.tolist() == sorted(set(items_C.tolist()))
    return dict(zip(items_C.tolist(), shares_C.tolist(), strict=True))


@pytest.fixture
def catalogue() -> Catalogue:
    return catalogue_of(TOKENS, trained=3)  # 3 and 4 are cold, of 5 nothing is known


def test_by_hand(catalogue):
    # five items can be ranked: two carry a, three b, three x, one y
    a, b, x, y = np.log(5 / np.array([2, 3, 3, 1]))
    likeness = Likeness.of(catalogue)
    over_a, over_x = a / (a + x) / 2, x / (a + x) / 3
    assert shares(likeness, [0]) == pytest.approx({0: over_a + over_x, 1: over_x, 3: over_a + over_x})
    over_b = b / (b + y) / 3
    assert shares(likeness, [2]) == pytest.approx({1: over_b, 2: over_b + y / (b + y), 4: over_b})


def test_more_walks_start_at_later_items_and_none_at_those_long_past(catalogue):
    likeness = Likeness.of(catalogue)
    last = 1 / (1 + np.exp(-1))
    first, second = shares(likeness, [0]), shares(likeness, [2])
    mixed = {item: last * second.get(item, 0) + (1 - last) * first.get(item, 0) for item in range(5)}
    assert shares(likeness, [0, 2]) == pytest.approx(mixed)
    assert shares(likeness, [2] + [0] * LATEST) == pytest.approx(first)


def test_nothing_is_like_an_item_without_tokens_and_nothing_can_be_listed(catalogue):
    likeness = Likeness.of(catalogue)
    assert shares(likeness, [5]) == {}
    assert shares(likeness.newcomers(np.array([9]), [[]]), [0]) == {}
    items_C, shares_C = likeness.newcomers(np.zeros(0, np.int64), []).shares(np.array([0]), decay=1.0)
    assert (items_C.dtype, items_C.shape, shares_C.shape) == (np.int64, (0,), (0,))


def test_a_token_of_a_crowd_leads_nowhere_and_still_is_taken():
    tokens = [["kind=x", "brand=a"], ["brand=a"], *[["kind=x"]] * CROWD, ["kind=y"]]
    likeness = Likeness.of(catalogue_of(tokens, trained=len(tokens)))
    a, x = np.log(len(tokens) / np.array([2, CROWD + 1]))
    assert shares(likeness, [0]) == pytest.approx({0: a / (a + x) / 2, 1: a / (a + x) / 2})


def test_a_newcomers_share_is_that_of_an_item_with_its_tokens(catalogue):
    likeness = Likeness.of(catalogue)
    late = likeness.newcomers(np.array([7, 9]), [["brand=b", "brand=unheard of"], ["kind=x", "brand=a"]])
    known = shares(likeness, [0, 2, 1], decay=2.0)
    assert shares(late, [0, 2, 1], decay=2.0) == pytest.approx({7: known[4], 9: known[3]})


@given(
    tokens=st.lists(st.sets(st.sampled_from("abcdefgh"), min_size=1).map(sorted), min_size=4, max_size=12),
    session=st.lists(st.integers(0, 3), min_size=1, max_size=9),
    decay=st.sampled_from([0.5, 2.0, 9.0]),
)
def test_it_is_where_walks_over_tokens_end(tokens, session, decay):
    catalogue = catalogue_of([[f"{token}=1" for token in own] for own in tokens], trained=4)
    rankable = tokens[: catalogue.rankable]
    carriers = {token: [i for i, own in enumerate(rankable) if token in own] for token in "abcdefgh"}
    starting = np.exp(-np.arange(len(session))[::-1] / decay)
    expected = np.zeros(len(rankable))
    for item, start in zip(session, starting / starting.sum(), strict=True):
        rarity = {token: np.log(len(rankable) / len(carriers[token])) for token in tokens[item]}
        for token, rare in rarity.items():
            expected[carriers[token]] += start * rare / (sum(rarity.values()) or 1) / len(carriers[token])
    found = shares(Likeness.of(catalogue), session, decay=decay)
    assert found == pytest.approx({i: share for i, share in enumerate(expected.tolist()) if share > 0})
    assert sum(found.values()) < 1 + 1e-9
