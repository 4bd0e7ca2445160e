"""Rows of new items are made of tokens as training makes a cold item's: the mean of what is learned, to unit length."""

import numpy as np
import pytest

from tillside.catalogue import Catalogue, pack_tokens
from tillside.recommenders.cold_vectors import TokenVectors

TOKENS = [["brand=a", "category=x", "price_band=0"], ["brand=a", "category=y", "price_band=5"], ["category=z"]]
LEARNED = {"brand=a": (3.0, 0.0), "category=x": (0.0, 4.0), "price_band=0": (9.0, 9.0), "price_band=5": (0.0, 2.0)}
"""Of category=y and category=z nothing was learned."""


@pytest.fixture
def tokens() -> TokenVectors:
    vocabulary, token_ids, offsets = pack_tokens(TOKENS)
    catalogue = Catalogue(
        item_ids=["one", "two", "three"],
        trained=3,
        counts_NB=np.ones((3, 1), np.int64),
        prices_N=np.array([10.0, 20.0, np.nan], np.float32),
        vocabulary=vocabulary,
        token_ids=token_ids,
        token_offsets=offsets,
    )
    return TokenVectors(np.array([LEARNED.get(token, (0, 0)) for token in vocabulary], np.float32), catalogue)


def test_a_row_is_the_mean_of_the_learned_tokens(tokens):
    rankable, rows = tokens.rows([["brand=a", "category=x", "category=y", "brand=new"]], np.array([np.nan]))
    # ((3, 0) + (0, 4)) / 2 = (1.5, 2), of length 2.5; the trend is 0
    assert rankable.tolist() == [0]
    np.testing.assert_allclose(rows, [[0.6, 0.8, 0.0]], rtol=1e-6)


def test_a_price_puts_it_into_its_band(tokens):
    # of the prices 10 and 20 the deciles are 11, 12 ... 19, so 15 lies in band 5: ((3, 0) + (0, 2)) / 2
    _, rows = tokens.rows([["brand=a"]], np.array([15.0]))
    np.testing.assert_allclose(rows[0], np.array([3, 2, 0]) / np.sqrt(13), rtol=1e-6)


def test_what_shares_nothing_but_its_price_cannot_be_ranked(tokens):
    rankable, rows = tokens.rows([[], ["category=y"], ["brand=a"]], np.array([5.0, 5.0, np.nan]))
    assert rankable.tolist() == [2]
    assert rows.shape == (1, 3)
    assert tokens.rows([], np.zeros(0))[1].shape == (0, 3)


def test_faults(tokens):
    assert tokens.fault(dim=2) is None
    assert "must be float32 [6, 3]" in str(tokens.fault(dim=3))
    broken = TokenVectors(np.full_like(tokens.vectors_TD, np.nan), tokens.catalogue)
    assert broken.fault(dim=2) == "it holds values that are not finite"
