"""The graphs say what torch says, and hold no second copy of the item vectors."""

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch

from tests.models import CONFIG, SPEC, make_trained
from tests.training.bundle.conftest import EXACT, RANKABLE, scorer_of
from tests.training.bundle.test_search_tier import catalogue, folder_of
from tillside import bundle
from tillside.encoding.live import encode_session
from tillside.engine import Engine, open_search
from tillside.ranking import top_k
from tillside.search import SearchPlan
from tillside.search_bounds import INT8_BLOCK, int8_bound
from training.bundle import graphs
from training.bundle.graphs import write_encoder, write_int8_scorer
from training.model.checkpoint import TrainedModel, build_model

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("rows", [1, 3])
@pytest.mark.parametrize("length", [1, 2, SPEC.max_length, 3 * SPEC.max_length])
def test_torch_and_onnx_agree(dataset, trained, exported, length, rows):
    rng = np.random.default_rng(length)
    batches = [
        encode_session(
            rng.integers(0, RANKABLE, length),
            rng.integers(0, 3, length),
            np.cumsum(rng.integers(0, 10**7, length)),
            spec=SPEC,
            known_items=RANKABLE,
        )
        for _ in range(rows)
    ]
    batch = type(batches[0])(
        *(np.concatenate([getattr(b, name) for b in batches]) for name in ("items_BL", "behaviours_BL", "gaps_BL")),
        *(np.concatenate([getattr(b, name) for b in batches]) for name in ("lengths_B", "own_B")),
    )
    ask_B = np.arange(rows) % 3
    scores_BV, intent_B = scorer_of(trained, dataset).score_and_intent(batch, ask_B)
    engine = Engine(exported[0], bundle.load_items(exported[0]), EXACT)
    query_BD, onnx_intent_B = engine.encode(batch, ask_B)
    onnx_scores_BK, onnx_items_BK = engine.search(query_BD, RANKABLE)
    np.testing.assert_allclose(onnx_intent_B, intent_B, atol=1e-4)
    np.testing.assert_allclose(onnx_scores_BK, np.take_along_axis(scores_BV, onnx_items_BK, axis=1), atol=1e-4)
    np.testing.assert_array_equal(onnx_items_BK[:, :5], top_k(scores_BV, 5))


def test_the_graph_counts_what_the_row_does_not_hold(dataset, trained, exported):
    """Of items without a vector the graph is told what was done, as torch is."""
    row = np.array([0, 99, 99]), np.array([0, 2, 1]), np.array([0, 1000, 2000])
    batch, ask_B = encode_session(*row, spec=SPEC, known_items=RANKABLE), np.zeros(1, np.int64)
    engine = Engine(exported[0], bundle.load_items(exported[0]), EXACT)
    _, told_B = engine.encode(batch, ask_B)
    _, expected_B = scorer_of(trained, dataset).score_and_intent(batch, ask_B)
    _, alone_B = engine.encode(replace(batch, met=()), ask_B)
    assert told_B == pytest.approx(expected_B, abs=1e-4)
    assert abs(told_B - alone_B) > 1e-3


class TracedError(Exception):
    """That a graph was traced."""


@pytest.fixture
def no_tracing(exported, monkeypatch):
    """Whatever is not of the exported model's architecture raises."""

    def trace(*arguments, **named):
        raise TracedError

    monkeypatch.setattr(graphs, "_traced", trace)


def test_weights_are_filled_into_a_graph_that_was_traced_with_others(dataset, exported, no_tracing, tmp_path):
    """Tracing takes seconds and depends on the architecture alone, whatever the model was trained with."""
    other = make_trained(dataset, seed=5)
    unread = {"dropout": 0.1, "item_dropout": None, "companions": 3, "temperature": 2.0, "history": 2}
    other = replace(other, config=replace(other.config, **unread), spec=replace(other.spec, history=2))
    write_encoder(other, tmp_path / "filled.onnx")
    rng = np.random.default_rng(0)
    given = {
        "item_vectors": rng.standard_normal((3, 4, other.config.dim + 1)).astype(np.float32),
        "behaviours": rng.integers(0, 3, (3, 4)),
        "gaps": rng.integers(0, SPEC.gap_buckets, (3, 4)),
        "lengths": np.array([1, 4, 2]),
        "ask": np.array([0, 1, 2]),
        "counts": np.array([[1, 0, 0], [2, 1, 1], [1, 1, 0]]),
        "latest": np.array([0, 1, 2]),
    }
    filled, first = (
        onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"]).run(None, given)
        for path in (tmp_path / "filled.onnx", exported[0] / bundle.ENCODER)
    )
    with torch.no_grad():
        own = other.model.encoder(*map(torch.from_numpy, given.values()))
    for mine, same, others in zip(filled, own, first, strict=True):
        np.testing.assert_allclose(mine, same, rtol=1e-4, atol=1e-5)
        assert (abs(mine - others) > 1e-3).any()


@pytest.mark.parametrize(
    "setting", [{"dim": 4}, {"layers": 1}, {"heads": 1}, {"max_length": 5}], ids=lambda each: str(*each)
)
def test_another_architecture_is_traced_anew(dataset, no_tracing, tmp_path, setting):
    config = replace(CONFIG, **setting)
    spec = replace(SPEC, max_length=config.max_length)
    with pytest.raises(TracedError):
        write_encoder(TrainedModel(build_model(config, dataset, spec), config, spec, True), tmp_path / "other.onnx")


def test_the_encoder_names_no_folder_of_the_machine_that_traced_it(exported):
    graph = (exported[0] / bundle.ENCODER).read_bytes()
    assert str(Path(graphs.__file__).parents[2]).encode() not in graph
    assert b".py" not in graph


def test_the_scorer_maps_the_item_vectors_in_place(exported, tmp_path):
    path = exported[0]
    model = onnx.load(path / bundle.SCORER, load_external_data=False)
    (matrix,) = model.graph.initializer
    place = {entry.key: entry.value for entry in matrix.external_data}
    vectors_ND = np.load(path / bundle.ITEMS)
    assert place["location"] == bundle.ITEMS
    content = (path / bundle.ITEMS).read_bytes()[int(place["offset"]) :][: int(place["length"])]
    assert content == vectors_ND.tobytes()
    assert (path / bundle.SCORER).stat().st_size < 2000  # no second copy of the matrix
    copy = shutil.copytree(path, tmp_path / "copy")
    query_BD = np.eye(1, vectors_ND.shape[1], dtype=np.float32)
    np.save(copy / bundle.ITEMS, -vectors_ND)
    (best,) = Engine(copy, bundle.load_items(copy), EXACT).search(query_BD, 1)[1]
    assert best == vectors_ND[:, 0].argmin()


def test_level_items_come_in_catalogue_order(exported):
    query_BD = np.zeros((1, np.load(exported[0] / bundle.ITEMS).shape[1]), np.float32)
    _, items_BK = Engine(exported[0], bundle.load_items(exported[0]), EXACT).search(query_BD, RANKABLE)
    assert items_BK.tolist() == [list(range(RANKABLE))]


def test_eight_bits_by_hand(tmp_path):
    # row 0: the largest number is 127, so a step is 1 and 64.5 rounds to 64 (to even), 0.5 away; the trend is left out
    # row 1: the largest is 2.54, a step 0.02, and -1.28 is 64 steps below; row 2 is all zero
    items_ND = np.array([[127, 64.5, 9], [2.54, -1.28, -3], [0, 0, 1]], np.float32)
    folder_of(tmp_path, items_ND)
    assert write_int8_scorer(tmp_path / bundle.ITEMS, tmp_path / bundle.INT8) == pytest.approx(0.5, rel=1e-5)
    rows_NPW = np.load(tmp_path / "int8/rows.npy")
    assert rows_NPW.shape == (3, 1, INT8_BLOCK)
    assert rows_NPW[:, 0, :2].tolist() == [[255, 192], [255, 64], [128, 128]]
    assert (rows_NPW[:, 0, 2:] == 128).all()
    np.testing.assert_allclose(np.load(tmp_path / "int8/scales.npy"), [1, 0.02, 1], rtol=1e-6)
    assert np.load(tmp_path / "int8/trends.npy").tolist() == [9, -3, 1]


@pytest.mark.parametrize("trend_weight", [0.0, 1e-12, 0.3, 40.0])
@pytest.mark.parametrize("dim", [3, 65, 97])
def test_the_scan_in_eight_bits_keeps_to_its_bound(tmp_path, dim, trend_weight):
    """And is not too good to be true: it differs from fp32, and from what the trend alone would say."""
    items_ND, queries_QD = catalogue(500, dim)
    queries_QD[:, -1] = trend_weight
    folder_of(tmp_path, items_ND)
    rounding = write_int8_scorer(tmp_path / bundle.ITEMS, tmp_path / bundle.INT8)
    search = open_search(tmp_path, items_ND, SearchPlan("int8", rounding))
    coarse_QC, items_QC = search._alone.propose(queries_QD, 500)
    exact_QC = np.take_along_axis(queries_QD @ items_ND.T, items_QC, axis=1)
    worst_Q = np.abs(coarse_QC - exact_QC).max(axis=1)
    assert (worst_Q <= int8_bound(items_ND, rounding)(queries_QD)).all()
    assert (worst_Q > 0).any()


def test_the_eight_bit_scorer_maps_its_arrays(tmp_path):
    items_ND, _ = catalogue(300)
    folder_of(tmp_path, items_ND)
    write_int8_scorer(tmp_path / bundle.ITEMS, tmp_path / bundle.INT8)
    assert (tmp_path / bundle.INT8_SCORER).stat().st_size < 2000
    model = onnx.load(tmp_path / bundle.INT8_SCORER, load_external_data=False)
    places = {
        constant.name: {entry.key: entry.value for entry in constant.external_data}
        for constant in model.graph.initializer
        if constant.external_data
    }
    assert {name: place["location"] for name, place in places.items()} == {
        name: f"{name}.npy" for name in ("rows", "scales", "trends")
    }
    for name, place in places.items():
        content = (tmp_path / bundle.INT8 / place["location"]).read_bytes()
        assert content[int(place["offset"]) :] == np.load(tmp_path / bundle.INT8 / f"{name}.npy").tobytes()


def test_rows_written_in_parts_are_those_written_at_once(tmp_path, monkeypatch):
    items_ND, _ = catalogue(300)
    folder_of(tmp_path, items_ND)
    whole = write_int8_scorer(tmp_path / bundle.ITEMS, tmp_path / "whole")
    monkeypatch.setattr("training.bundle.graphs.ROWS", 77)
    assert write_int8_scorer(tmp_path / bundle.ITEMS, tmp_path / "parts") == whole
    for name in ("rows.npy", "scales.npy", "trends.npy", "scorer.onnx"):
        assert (tmp_path / "parts" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()
