"""The engine: every tier gives what a product with the whole matrix gives, row by row, or says why it cannot."""

import shutil
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.bundles import COUNTS_NA, about_tiny, tiny_bundle, with_trends
from tests.tillside.test_search import by_hand, same
from tillside.bundle import INDEX, INT8, INT8_ROWS, INT8_SCORER, ITEMS, open_bundle, seal
from tillside.engine import Engine, EngineError
from tillside.search import TOGETHER_FROM, SearchPlan
from training.bundle.graphs import write_int8_scorer
from training.bundle.search_tier import write_index

ITEMS_OF_A_CROWD = 600
CROWD_ND = np.random.default_rng(5).standard_normal((ITEMS_OF_A_CROWD, 24)).astype(np.float32)
CROWD_ND[40:50] = CROWD_ND[3]
QUERIES_QD = with_trends(np.random.default_rng(6).standard_normal((TOGETHER_FROM + 4, 24)).astype(np.float32))
QUERIES_QD[0, :-1] = CROWD_ND[3]


@pytest.fixture(scope="module")
def crowds(tmp_path_factory) -> dict[str, Path]:
    """The same items in a bundle of each tier; that of the index with as many candidates as there are items."""
    folder = tmp_path_factory.mktemp("crowds")
    exact = tiny_bundle(
        folder / "exact",
        items_ND=CROWD_ND,
        item_ids=[f"item {number}" for number in range(ITEMS_OF_A_CROWD)],
        counts_NA=np.resize(COUNTS_NA, (ITEMS_OF_A_CROWD, 3)),
        ask_AD=np.zeros((3, 24), np.float32),
    )
    eight = Path(shutil.copytree(exact, folder / "int8"))
    rounding = write_int8_scorer(eight / ITEMS, eight / INT8)
    seal(eight, about_tiny() | {"search": SearchPlan("int8", rounding).document()})
    paths = {"exact": exact, "int8": eight}
    try:
        about = Path(shutil.copytree(eight, folder / "approximate"))
        write_index(with_trends(CROWD_ND), about / INDEX)
    except ImportError:
        return paths
    seal(about, about_tiny() | {"search": SearchPlan("approximate", rounding, ITEMS_OF_A_CROWD).document()})
    return paths | {"approximate": about}


def engine_of(path: Path) -> Engine:
    opened = open_bundle(path)
    return Engine(path, opened.items_ND, opened.search)


@pytest.fixture(params=["exact", "int8", "approximate"])
def engine(request, crowds) -> Engine:
    if request.param not in crowds:
        pytest.skip("faiss is not installed")
    return engine_of(crowds[request.param])


def test_the_answer_to_a_query_is_the_same_in_every_batch_and_that_of_brute_force(engine):
    scores_QK, items_QK = by_hand(with_trends(CROWD_ND), QUERIES_QD, 20)
    assert items_QK[0, :11].tolist() == [3, *range(40, 50)]  # level, so in catalogue order
    for rows in (1, 2, TOGETHER_FROM, len(QUERIES_QD)):
        same(engine.search(QUERIES_QD[:rows], 20), (scores_QK[:rows], items_QK[:rows]))
    for row in range(len(QUERIES_QD)):
        same(engine.search(QUERIES_QD[row : row + 1], 20), (scores_QK[row : row + 1], items_QK[row : row + 1]))


@pytest.mark.parametrize("eligible", [0, 1, 7, 150, 299, 301, 599, 600])
def test_masks_come_before_the_best_k(engine, eligible):
    eligible_V = np.sort(np.random.default_rng(eligible).permutation(ITEMS_OF_A_CROWD)[:eligible])
    expected = by_hand(with_trends(CROWD_ND), QUERIES_QD, 20, eligible_V)
    assert expected[1].shape == (len(QUERIES_QD), min(20, eligible))
    same(engine.search_among(QUERIES_QD, eligible_V, 20), expected)
    same(engine.search_among(QUERIES_QD[:1], eligible_V, 20), (expected[0][:1], expected[1][:1]))


def test_queries_that_are_not_finite_are_an_error(engine):
    for number in (np.nan, np.inf):
        query_BD = QUERIES_QD[:2].copy()
        query_BD[1, 2] = number
        with pytest.raises(EngineError, match="not finite"):
            engine.search(query_BD, 3)
        with pytest.raises(EngineError, match="not finite"):
            engine.search_among(query_BD, np.arange(4), 3)


def broken(crowds, tmp_path, tier) -> Path:
    if tier not in crowds:
        pytest.skip("faiss is not installed")
    return Path(shutil.copytree(crowds[tier], tmp_path / "broken"))


@pytest.mark.parametrize("name", [INT8_SCORER, INT8_ROWS, INDEX])
def test_a_bundle_without_the_files_of_its_tier_is_refused(crowds, tmp_path, name):
    path = broken(crowds, tmp_path, "approximate" if name == INDEX else "int8")
    search = open_bundle(path).search.document()
    (path / name).unlink()
    with pytest.raises(ValueError, match=f"{name} is missing"):
        open_bundle(path)
    seal(path, about_tiny() | {"search": search})
    with pytest.raises(ValueError, match=f"the manifest does not list {name}"):
        open_bundle(path)


def test_eight_bit_rows_of_another_catalogue_are_refused(crowds, tmp_path):
    path = broken(crowds, tmp_path, "int8")
    search = open_bundle(path).search.document()
    np.save(path / INT8_ROWS, np.load(path / INT8_ROWS)[:-1])
    seal(path, about_tiny() | {"search": search})
    with pytest.raises(ValueError, match=r"int8/rows\.npy and items\.npy must hold as many items"):
        open_bundle(path)


def test_a_search_that_is_none_is_refused(crowds, tmp_path):
    path = broken(crowds, tmp_path, "int8")
    seal(path, about_tiny() | {"search": {"tier": "psychic"}})
    with pytest.raises(ValueError, match=f"^bundle {path}: search must have a tier of exact, int8, approximate"):
        open_bundle(path)


def test_an_index_of_another_catalogue_or_of_no_index_is_refused(crowds, tmp_path):
    path = broken(crowds, tmp_path, "approximate")
    search = open_bundle(path).search.document()
    write_index(with_trends(CROWD_ND[:500]), path / INDEX)
    seal(path, about_tiny() | {"search": search})
    with pytest.raises(
        ValueError, match=r"items\.faiss must hold 600 items of at least 25 columns; it holds 500 of 25"
    ):
        engine_of(path)
    (path / INDEX).write_bytes(b"no index at all")
    seal(path, about_tiny() | {"search": search})
    with pytest.raises(ValueError, match=r"items\.faiss cannot be loaded by faiss") as caught:
        engine_of(path)
    assert "\n" not in str(caught.value)


def test_an_index_without_faiss_is_refused_with_what_to_install(crowds, tmp_path, monkeypatch):
    path = broken(crowds, tmp_path, "approximate")
    monkeypatch.setitem(sys.modules, "faiss", None)
    with pytest.raises(ValueError, match="needs faiss-cpu, which is not installed: pip install faiss-cpu"):
        engine_of(path)
