"""The tier of a bundle follows from what was measured, and each tier's files are searched as the plan says."""

import numpy as np
import pytest

from tests.tillside.test_search import by_hand, same
from tillside import bundle
from tillside.engine import open_search
from tillside.search import TOGETHER_FROM, SearchPlan
from tillside.search_bounds import INT8_BLOCK
from training.bundle import search_tier
from training.bundle.graphs import write_int8_scorer, write_scorer
from training.bundle.search_tier import choose_search, write_index


def folder_of(path, items_ND):
    np.save(path / bundle.ITEMS, items_ND)
    write_scorer(path / bundle.ITEMS, path / bundle.SCORER)
    return path


def catalogue(items=4000, dim=65, seed=0):
    """Unit rows, a trend, and queries near some of them."""
    rng = np.random.default_rng(seed)
    rows_ND = rng.standard_normal((items, dim)).astype(np.float32)
    rows_ND[:, :-1] /= np.linalg.norm(rows_ND[:, :-1], axis=1, keepdims=True)
    rows_ND[50:60] = rows_ND[7]
    queries_QD = 16 * rows_ND[rng.integers(0, items, 40)] + rng.standard_normal((40, dim)).astype(np.float32)
    queries_QD[:, -1] = 0.3
    return rows_ND, queries_QD.astype(np.float32)


def test_a_small_catalogue_and_one_without_queries_are_searched_in_fp32(tmp_path):
    items_ND, queries_QD = catalogue(300)
    folder_of(tmp_path, items_ND)
    assert choose_search(tmp_path, queries_QD).document() == {"tier": "exact", "measured": {"queries": 40}}
    assert choose_search(tmp_path, queries_QD[:0], int8_from=10).tier == "exact"
    assert sorted(path.name for path in tmp_path.iterdir()) == [bundle.ITEMS, bundle.SCORER]


def test_eight_bits_are_chosen_and_answer_as_brute_force_does(tmp_path):
    items_ND, queries_QD = catalogue()
    plan = choose_search(folder_of(tmp_path, items_ND), queries_QD)
    assert plan.tier == "int8"
    assert plan.measured == {"queries": 40, "int8": {"recall@20": 1.0, "block": INT8_BLOCK, "proven": 1.0}}
    assert 0.001 < plan.rounding < 0.02
    search = open_search(tmp_path, items_ND, plan)
    for rows in (1, 3, TOGETHER_FROM, 40):
        same(search.search(queries_QD[:rows], 20), by_hand(items_ND, queries_QD[:rows], 20))
    eligible_V = np.arange(0, 4000, 3)
    same(search.search_among(queries_QD, eligible_V, 20), by_hand(items_ND, queries_QD, 20, eligible_V))
    same(search.search(queries_QD[:2], 4000), by_hand(items_ND, queries_QD[:2], 4000))


@pytest.mark.parametrize("trend_weight", [0.0, -0.3])
def test_a_trend_that_is_worth_nothing_or_less_is_answered_exactly_too(tmp_path, trend_weight):
    items_ND, queries_QD = catalogue()
    plan = choose_search(folder_of(tmp_path, items_ND), queries_QD)
    search = open_search(tmp_path, items_ND, plan)
    queries_QD[:, -1] = trend_weight
    same(search.search(queries_QD[:5], 20), by_hand(items_ND, queries_QD[:5], 20))
    assert search.unproven == (5 if trend_weight < 0 else 0)  # by a full product: slow, and right


def test_eight_bits_that_find_too_little_are_given_up(tmp_path, monkeypatch):
    """Here every number but one is rounded to zero."""
    items_ND, queries_QD = catalogue(dim=64)
    items_ND = np.insert(items_ND, 0, 1000, axis=1)
    queries_QD = np.insert(queries_QD, 0, 0, axis=1)
    monkeypatch.setattr(search_tier, "MARGIN", 0)
    plan = choose_search(folder_of(tmp_path, items_ND), queries_QD)
    assert plan.tier == "exact"
    assert plan.measured["int8"]["recall@20"] < 0.5
    assert sorted(path.name for path in tmp_path.iterdir()) == [bundle.ITEMS, bundle.SCORER]


def test_an_index_is_chosen_with_as_many_candidates_as_its_recall_takes(tmp_path):
    pytest.importorskip("faiss")
    items_ND, queries_QD = catalogue(dim=66)
    plan = choose_search(folder_of(tmp_path, items_ND), queries_QD, approximate_from=4000)
    assert plan.tier == "approximate"
    measured = plan.measured["approximate"]
    assert measured["candidates"] == plan.candidates
    assert 0.99 <= measured["recall@20"] <= 1
    search = open_search(tmp_path, items_ND, plan)
    scores_BK, items_BK = search.search(queries_QD, 20)
    _, best_BK = by_hand(items_ND, queries_QD, 20)
    hits = np.mean([np.isin(best, found).mean() for best, found in zip(best_BK, items_BK, strict=True)])
    assert hits >= 0.99
    for row in range(3):  # alone as in the batch
        same(search.search(queries_QD[row : row + 1], 20), (scores_BK[row : row + 1], items_BK[row : row + 1]))
    eligible_V = np.arange(0, 4000, 3)  # most is filtered out, so this is exact
    same(search.search_among(queries_QD, eligible_V, 20), by_hand(items_ND, queries_QD, 20, eligible_V))


def test_an_index_that_finds_too_little_is_given_up(tmp_path, monkeypatch):
    pytest.importorskip("faiss")
    items_ND, queries_QD = catalogue()
    monkeypatch.setattr(search_tier, "CANDIDATES", (1,))
    monkeypatch.setattr(search_tier, "APPROXIMATE_RECALL", 0.9999)
    plan = choose_search(folder_of(tmp_path, items_ND), queries_QD, approximate_from=4000)
    assert plan.tier == "int8"
    assert plan.measured["approximate"]["recall@20"] < 0.9999
    assert not (tmp_path / bundle.INDEX).exists()


@pytest.mark.parametrize("dim", [3, 17, 65, 97])
def test_an_index_holds_every_item_whatever_the_number_of_columns(tmp_path, dim):
    pytest.importorskip("faiss")
    items_ND, queries_QD = catalogue(600, dim)
    write_index(items_ND, folder_of(tmp_path, items_ND) / bundle.INDEX)
    write_int8_scorer(tmp_path / bundle.ITEMS, tmp_path / bundle.INT8)
    search = open_search(tmp_path, items_ND, SearchPlan("approximate", 0.1, 600))
    same(search.search(queries_QD[:2], 20), by_hand(items_ND, queries_QD[:2], 20))
