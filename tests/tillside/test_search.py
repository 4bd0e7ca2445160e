"""Search: the proposals of a scan, however poor, never change the answer; ties in catalogue order; masks come first."""

import weakref

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tillside.ranking import top_k
from tillside.search import (
    MARGIN,
    MOST_MASKS,
    TOGETHER_FROM,
    EligibleMasks,
    ItemSearch,
    SearchPlan,
    best,
    index_scan,
    inner_products,
)

NEVER = SearchPlan("int8", rounding=1e6)
"""Of a rounding so large that no list is ever proven."""


def by_hand(items_ND, query_BD, k, eligible=None):
    """Scores of the whole catalogue one by one, and a plain top-k."""
    scores_BN = np.stack([inner_products(items_ND, np.arange(len(items_ND)), query_D) for query_D in query_BD])
    if eligible is not None:
        masked = np.full_like(scores_BN, -np.inf)
        masked[:, eligible] = scores_BN[:, eligible]
        scores_BN, k = masked, min(k, len(eligible))
    items_BK = top_k(scores_BN, k)
    return np.take_along_axis(scores_BN, items_BK, axis=1), items_BK


def proposing(scores_of, calls=None):
    """A scan that ranks by the scores [B, N] of a function."""

    def propose(query_BD, wanted):
        if calls is not None:
            calls.append((len(query_BD), wanted))
        scores_BN = scores_of(query_BD)
        items_BC = top_k(scores_BN, wanted)
        return np.take_along_axis(scores_BN, items_BC, axis=1), items_BC

    return propose


def in_fp32(items_ND, calls=None):
    return proposing(lambda query_BD: query_BD @ items_ND.T, calls)


def same(found, expected):
    np.testing.assert_array_equal(found[1], expected[1])
    np.testing.assert_array_equal(found[0], expected[0])


def test_an_inner_product_by_hand_in_the_order_asked_for():
    items_ND = np.array([[1, 2, 0], [0, 1, 3], [4, 0, 1]], np.float32)
    # query (1, 2, -1): 1 + 4, 2 - 3, 4 - 1
    query_D = np.array([1, 2, -1], np.float32)
    assert inner_products(items_ND, np.array([2, 0, 1]), query_D).tolist() == [3, 5, -1]


def test_the_best_come_in_catalogue_order_where_they_are_level():
    scores_C, items_C = np.array([2, 3, 2, 2, 1], np.float32), np.array([8, 1, 5, 3, 0])
    scores_K, items_K = best(scores_C, items_C, 3)
    assert (items_K.tolist(), scores_K.tolist()) == ([1, 3, 5], [3, 2, 2])
    assert best(scores_C, items_C, 0)[1].tolist() == []
    assert best(scores_C, items_C, 9)[1].tolist() == [1, 3, 5, 8, 0]


def test_many_level_items_at_the_edge_of_few_places_come_in_catalogue_order():
    scores_C = np.array([0] * 50 + [1] * 50, np.float32)
    assert best(scores_C, np.arange(100)[::-1], 3)[1].tolist() == [0, 1, 2]


@settings(max_examples=50, deadline=None)
@given(rows=st.integers(1, 40), dim=st.integers(1, 130), seed=st.integers(0, 99))
def test_an_item_has_one_score_whatever_stands_beside_it(rows, dim, seed):
    rng = np.random.default_rng(seed)
    items_ND, query_D = rng.standard_normal((rows, dim)).astype(np.float32), rng.standard_normal(dim).astype(np.float32)
    together_N = inner_products(items_ND, np.arange(rows), query_D)
    alone_N = [inner_products(items_ND, np.array([item]), query_D)[0] for item in range(rows)]
    assert together_N.tolist() == alone_N
    mapped_ND = np.frombuffer(b"\0" * 4 + items_ND.tobytes(), np.float32, offset=4).reshape(rows, dim)  # elsewhere
    picked = rng.permutation(rows)[: 1 + rows // 2]
    assert inner_products(mapped_ND, picked, query_D).tolist() == together_N[picked].tolist()


number = st.integers(-2, 2)


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_every_search_is_that_of_brute_force(data):
    """Small whole numbers make ties plenty; the 8-bit scan is a lottery, and its bound is honest about it."""
    items = data.draw(st.integers(1, 400), "items")
    rng = np.random.default_rng(data.draw(st.integers(0, 99), "seed"))
    items_ND = rng.integers(-2, 3, (items, 4)).astype(np.float32)
    query_BD = rng.integers(-2, 3, (data.draw(st.integers(1, TOGETHER_FROM + 2), "rows"), 4)).astype(np.float32)
    k = data.draw(st.integers(0, items + 5), "k")
    noise_N = rng.uniform(-1, 1, items).astype(np.float32)
    plan = data.draw(st.sampled_from([SearchPlan(), NEVER]), "plan")
    search = ItemSearch(
        plan,
        items_ND,
        floats=in_fp32(items_ND),
        int8=proposing(lambda query_BD: query_BD @ items_ND.T + noise_N),
    )
    same(search.search(query_BD, k), by_hand(items_ND, query_BD, k))
    chosen = data.draw(st.sampled_from([0, 1, items // 20, items // 3, items - 1, items]), "eligible")
    eligible_V = np.sort(rng.permutation(items)[:chosen])
    same(search.search_among(query_BD, eligible_V, k), by_hand(items_ND, query_BD, k, eligible_V))


def test_the_mask_of_a_set_is_that_of_this_set_whoever_stood_at_its_address_before():
    """Sets come and go faster than they are remembered, and an array that is gone leaves its address to the next."""
    masks = EligibleMasks(50)
    rng = np.random.default_rng(0)
    kept = [np.sort(rng.permutation(50)[:20]) for _ in range(MOST_MASKS // 2)]
    addresses = set()
    for number in range(200):
        passing = np.sort(rng.permutation(50)[:20])
        addresses.add(id(passing))
        assert np.flatnonzero(masks.of(passing)).tolist() == passing.tolist()
        again = kept[number % len(kept)]
        assert np.flatnonzero(masks.of(again)).tolist() == again.tolist()
    assert len(addresses) < 200
    assert len(masks) <= MOST_MASKS
    assert masks.of(kept[0]) is masks.of(kept[0])
    gone = weakref.ref(kept.pop())
    del again, passing
    assert gone() is None


@pytest.mark.parametrize("tier", ["exact", "int8"])
def test_a_row_has_the_same_answer_in_any_batch(tier):
    rng = np.random.default_rng(3)
    items_ND = rng.standard_normal((3000, 33)).astype(np.float32)
    items_ND[100:200] = items_ND[7]
    query_BD = rng.standard_normal((TOGETHER_FROM + 9, 33)).astype(np.float32)
    query_BD[0] = items_ND[7]
    rough_ND = np.round(items_ND, 1)
    rounding = float(np.linalg.norm(rough_ND - items_ND, axis=1).max())
    rough = proposing(lambda query_BD: np.round(query_BD, 2) @ rough_ND.T)
    search = ItemSearch(SearchPlan(tier, rounding), items_ND, floats=in_fp32(items_ND), int8=rough)
    whole = search.search(query_BD, 20)
    same(whole, by_hand(items_ND, query_BD, 20))
    assert whole[1][0].tolist() == [7, *range(100, 119)]
    for size in (1, 2, TOGETHER_FROM - 1, TOGETHER_FROM):
        same(search.search(query_BD[:size], 20), (whole[0][:size], whole[1][:size]))


@pytest.mark.parametrize("tier", ["exact", "int8"])
def test_rows_that_fp32_can_hardly_tell_apart_are_ordered_by_the_one_routine(tier):
    """A matrix product adds up in another order than the routine, and here the last digits decide."""
    rng = np.random.default_rng(8)
    items_ND = (rng.standard_normal(65) + 1e-7 * rng.standard_normal((3000, 65))).astype(np.float32)
    query_BD = rng.standard_normal((4, 65)).astype(np.float32)
    by_product = top_k(query_BD @ items_ND.T, 20)
    expected = by_hand(items_ND, query_BD, 20)
    assert (by_product != expected[1]).any()
    search = ItemSearch(SearchPlan(tier, 0.1), items_ND, floats=in_fp32(items_ND), int8=in_fp32(items_ND))
    same(search.search(query_BD, 20), expected)
    assert search.unproven == 4
    eligible_V = np.arange(0, 3000, 2)
    same(search.search_among(query_BD, eligible_V, 20), by_hand(items_ND, query_BD, 20, eligible_V))


def spread(items=2000, dim=8):
    """Items of scores 0, 1, 2 ... for the first unit vector."""
    items_ND = np.zeros((items, dim), np.float32)
    items_ND[:, 0] = np.arange(items)
    return items_ND, np.eye(1, dim, dtype=np.float32)


def test_a_list_that_stands_clear_of_what_was_left_out_is_proven():
    items_ND, query_BD = spread()
    search = ItemSearch(SearchPlan("int8", 0.5), items_ND, floats=in_fp32(items_ND), int8=in_fp32(items_ND))
    same(search.search(query_BD, 20), by_hand(items_ND, query_BD, 20))
    # the 20th scores 1980, the last candidate 1880; the bound is 0.5 of rounding and 1999.5 / 254 = 7.9 of the query's
    assert search.unproven == 0


def test_a_list_that_does_not_is_sought_in_the_whole_catalogue():
    items_ND, query_BD = spread()
    search = ItemSearch(SearchPlan("int8", 95.0), items_ND, floats=in_fp32(items_ND), int8=in_fp32(items_ND))
    same(search.search(query_BD, 20), by_hand(items_ND, query_BD, 20))
    assert search.unproven == 1  # 100 lie between them, and 95 + 8.2 may be rounding


def test_a_scan_that_breaks_its_bound_is_not_believed():
    """As a processor without the 8-bit instructions, or a damaged file, could."""
    items_ND, query_BD = spread()
    backwards = proposing(lambda query_BD: -1e9 * (query_BD @ items_ND.T))
    search = ItemSearch(SearchPlan("int8", 0.5), items_ND, floats=in_fp32(items_ND), int8=backwards)
    same(search.search(query_BD, 20), by_hand(items_ND, query_BD, 20))
    assert search.unproven == 1


def test_many_queries_are_scanned_at_once_in_fp32_and_few_in_eight_bits():
    items_ND, query_BD = spread()
    eight, full = [], []
    search = ItemSearch(
        SearchPlan("int8", 0.5), items_ND, floats=in_fp32(items_ND, full), int8=in_fp32(items_ND, eight)
    )
    for rows in (1, TOGETHER_FROM - 1, TOGETHER_FROM, TOGETHER_FROM + 5):
        search.search(np.repeat(query_BD, rows, axis=0), 5)
    assert eight == [(1, 5 + MARGIN), (TOGETHER_FROM - 1, 5 + MARGIN)]
    assert full == [(TOGETHER_FROM, 5 + MARGIN), (TOGETHER_FROM + 5, 5 + MARGIN)]


def test_a_batch_too_large_for_memory_is_searched_in_parts(monkeypatch):
    monkeypatch.setattr("tillside.search.MOST_SCORES", 0)
    rng = np.random.default_rng(4)
    items_ND = rng.standard_normal((300, 9)).astype(np.float32)
    query_BD = rng.standard_normal((2 * TOGETHER_FROM + 3, 9)).astype(np.float32)
    calls = []
    search = ItemSearch(SearchPlan(), items_ND, floats=in_fp32(items_ND, calls))
    same(search.search(query_BD, 7), by_hand(items_ND, query_BD, 7))
    assert [rows for rows, _ in calls] == [TOGETHER_FROM, TOGETHER_FROM, 3]


def test_few_eligible_items_are_never_sought_by_a_scan():
    items_ND, query_BD = spread()
    calls = []
    plan = SearchPlan("approximate", 0.5, 10)
    scans = {name: in_fp32(items_ND, calls) for name in ("floats", "int8", "index")}
    search = ItemSearch(plan, items_ND, **scans)
    eligible_V = np.arange(500)  # a quarter of 2000
    assert search.search_among(query_BD, eligible_V, 3)[1].tolist() == [[499, 498, 497]]
    assert calls == []


def test_an_index_answers_alone_only_where_little_is_filtered_out():
    items_ND, query_BD = spread()
    index, eight = [], []
    scans = {"floats": in_fp32(items_ND), "int8": in_fp32(items_ND, eight), "index": in_fp32(items_ND, index)}
    search = ItemSearch(SearchPlan("approximate", 0.5, 30), items_ND, **scans)
    assert search.search(query_BD, 2)[1].tolist() == [[1999, 1998]]
    assert (index, eight) == ([(1, 94)], [])  # 64 for 2, and 30 beside them
    assert search.search_among(query_BD, np.arange(1600), 2)[1].tolist() == [[1599, 1598]]
    # 40 of 2000 for 32 of 1600; none of those 40 is eligible, so the whole catalogue was scored
    assert (index[1:], eight, search.unproven) == ([(1, 40)], [], 1)
    assert search.search_among(query_BD, np.arange(0, 2000, 2), 2)[1].tolist() == [[1998, 1996]]
    assert (len(index), eight) == (2, [(1, 204)])


class FakeIndex:
    """Answers as faiss does: rows of its own width, -1 where it has no more."""

    d = 6

    def search(self, queries, wanted):
        assert queries.shape == (1, 6)
        assert queries[0, 4:].tolist() == [0, 0]
        return np.full((1, wanted), -1, np.float32), np.array([[3, *[-1] * (wanted - 1)]])


def test_an_index_of_few_items_is_helped_out():
    items_ND = np.arange(20, dtype=np.float32).reshape(5, 4)
    query_BD = np.ones((2, 4), np.float32)
    scans = {"floats": in_fp32(items_ND), "int8": in_fp32(items_ND), "index": index_scan(FakeIndex())}
    search = ItemSearch(SearchPlan("approximate", 0.5, 1), items_ND, **scans)
    assert search.search(query_BD, 1)[1].tolist() == [[3], [3]]  # all that the index knows
    assert search.search(query_BD, 2)[1].tolist() == [[4, 3], [4, 3]]


@pytest.mark.parametrize("plan", [SearchPlan(), SearchPlan("int8", 0.25), SearchPlan("approximate", 0.5, 7, {"a": 1})])
def test_a_plan_is_read_as_it_was_written(plan):
    assert SearchPlan.from_document(plan.document()) == plan


SOUND = {"tier": "approximate", "rounding": 0.1, "candidates": 5, "measured": {}}


@pytest.mark.parametrize(
    "document",
    [
        None,
        {},
        *({name: value for name, value in SOUND.items() if name != missing} for missing in SOUND),
        *(SOUND | {"tier": bad} for bad in ("fast", None, 1, [])),
        *(SOUND | {"rounding": bad} for bad in (-1, float("nan"), float("inf"), "little", None, 10**400)),
        *(SOUND | {"candidates": bad} for bad in (0, -5, float("nan"), float("inf"), "many", None)),
        *(SOUND | {"measured": bad} for bad in (None, 3)),
    ],
    ids=str,
)
def test_a_plan_that_is_none_is_refused(document):
    with pytest.raises(ValueError, match=r"^search must have a tier of exact, int8, approximate, what was measured"):
        SearchPlan.from_document(document)
