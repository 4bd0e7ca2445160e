"""Rows and scores of items that only the feed knows, by hand."""

import json
from dataclasses import asdict

import numpy as np
import pytest

from tests.datasets import make_sessions
from tillside.catalogue import Catalogue, pack_tokens
from tillside.policy import ItemFacts, read_feed
from tillside.policy.cold_items import ColdItems
from tillside.recommenders import Neighbourhood
from tillside.recommenders.blend import SessionMemory
from tillside.recommenders.cold_vectors import TokenVectors

TOKENS = [["category=x"], ["category=x"], ["category=y"], ["category=y"]]
LEARNED = {"category=x": (3.0, 4.0), "category=y": (0.0, 2.0)}
ROWS_WD = np.zeros((4, 3), np.float32)
QUERY_D = np.array([1.0, 2.0, 5.0], np.float32)


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    vocabulary, token_ids, offsets = pack_tokens(TOKENS)
    return Catalogue(
        item_ids=list("abcd"),
        trained=4,
        counts_NB=np.ones((4, 1), np.int64),
        prices_N=np.full(4, np.nan, np.float32),
        vocabulary=vocabulary,
        token_ids=token_ids,
        token_offsets=offsets,
    )


@pytest.fixture(scope="module")
def facts(catalogue) -> ItemFacts:
    """Of five items that only the feed knows two can be ranked; one of the catalogue's has new attributes."""
    rows = [
        {"time_ms": 5},
        {"item_id": "a", "attributes": {"category": "y"}},
        {"item_id": "bare"},
        {"item_id": "strange", "attributes": {"category": "z"}},
        {"item_id": "xy", "attributes": {"category": "x", "other": "y"}},
        {"item_id": "empty", "attributes": {}},
        {"item_id": "y", "attributes": {"category": "y"}},
    ]
    return ItemFacts.of_catalogue(catalogue).with_feed(read_feed("\n".join(map(json.dumps, rows)).encode()))


def tokens_of(catalogue: Catalogue) -> TokenVectors:
    return TokenVectors(np.array([LEARNED[token] for token in catalogue.vocabulary], np.float32), catalogue)


def memory_of(catalogue: Catalogue) -> SessionMemory:
    blend = {"weights": [2.0], "floor": 0.25, "repeats": [[0.0]], "alike": [0.0, 1.0]}
    document = {"neighbourhood": asdict(Neighbourhood()), "blend": blend}
    return SessionMemory.fit(make_sessions([[0, 1]]), items=4, document=document, behaviours=1, catalogue=catalogue)


def test_items_beyond_the_model_s_that_share_a_learned_token_get_a_row(catalogue, facts):
    cold = ColdItems.of(facts, ROWS_WD, tokens=tokens_of(catalogue), memory=None)
    assert [facts.item_ids[item] for item in cold.items_A] == ["xy", "y"]
    np.testing.assert_allclose(cold.rows_AD, [[0.6, 0.8, 0], [0, 1, 0]])  # (3, 4) / 5, (0, 2) / 2, no trend
    np.testing.assert_allclose(cold.scores(QUERY_D, np.array([0]), 0), [0.6 + 1.6, 2.0])


def test_what_a_session_is_like_counts_as_the_blend_says(catalogue, facts):
    """Of four items two have each token, so a walk from b ends at any given carrier of its token with 1 / 2."""
    cold = ColdItems.of(facts, ROWS_WD, tokens=tokens_of(catalogue), memory=memory_of(catalogue))
    bonus = 2 * np.log(1 + 0.5 / 0.25)
    np.testing.assert_allclose(cold.scores(QUERY_D, np.array([1]), 0), [2.2 + bonus, 2.0], rtol=1e-6)
    np.testing.assert_allclose(cold.scores(QUERY_D, np.zeros(0, np.int64), 0), [2.2, 2.0], rtol=1e-6)


def test_without_learned_tokens_or_a_feed_there_are_none(catalogue, facts):
    assert len(ColdItems.of(facts, ROWS_WD, tokens=None, memory=None)) == 0
    bare = ColdItems.of(ItemFacts.of_catalogue(catalogue), ROWS_WD, tokens=tokens_of(catalogue), memory=None)
    assert (len(bare), bare.rows_AD.shape) == (0, (0, 3))
    assert bare.scores(QUERY_D, np.array([0]), 0).shape == (0,)
