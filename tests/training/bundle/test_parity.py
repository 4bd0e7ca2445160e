"""The gate refuses graphs that do not answer as torch does, and nothing else."""

import json
import shutil

import numpy as np
import onnx
import pytest

from tests.datasets import make_dataset
from tests.models import SPEC
from tests.training.bundle.conftest import EXACT, ITEMS, NEWCOMERS, TOKENS
from tillside import bundle
from tillside.encoding.spec import EncodingSpec
from tillside.engine import Engine, open_search
from tillside.search import SearchPlan
from training.bundle.goldens import make_goldens
from training.bundle.graphs import write_int8_scorer
from training.bundle.parity import check_parity
from training.bundle.search_tier import write_index

pytestmark = pytest.mark.slow


def test_the_gate_notices_item_vectors_of_other_weights(dataset, trained, exported, tmp_path):
    copy = shutil.copytree(exported[0], tmp_path / "copy")
    vectors_ND = np.load(copy / bundle.ITEMS)
    vectors_ND[3] = -vectors_ND[3]
    np.save(copy / bundle.ITEMS, vectors_ND)
    with pytest.raises(ValueError, match="export refused"):
        check_parity(trained, dataset, copy, EXACT)


def test_the_gate_notices_a_list_in_another_order(dataset, trained, exported, monkeypatch):
    search = Engine.search

    def reversed_search(self, query_BD, k):
        scores_BK, items_BK = search(self, query_BD, k)
        return scores_BK[:, ::-1], items_BK[:, ::-1]

    monkeypatch.setattr(Engine, "search", reversed_search)
    with pytest.raises(
        ValueError, match=r"export refused: the top 20 differ for test session \d+ after \d+ of its events"
    ):
        check_parity(trained, dataset, exported[0], EXACT)


def test_a_log_that_collapses_repeats_and_has_no_clock_passes_the_gate(tmp_path, trained, exported):
    """The gate joins sessions, and the joints repeat the same click; nothing there may be taken for a repeat."""
    rows = {"train": [[0, 1]], "test": [[0, 0, 1]] * 3}
    data = make_dataset(tmp_path / "d", **rows, trained=ITEMS, newcomers=NEWCOMERS, tokens=TOKENS, clock=False)
    spec = EncodingSpec(max_length=SPEC.max_length, collapse_repeats=True)
    collapsing = type(trained)(trained.model, trained.config, spec, intent=False)
    assert check_parity(collapsing, data, exported[0], EXACT)["max_difference"] < 1e-4
    goldens = make_goldens(collapsing, data, exported[0], EXACT)
    assert all("timestamp" not in event for golden in goldens for event in golden["request"]["session"])
    assert {golden["purchase_intent"] for golden in goldens} == {None}
    assert json.dumps(goldens)


def test_a_test_part_of_unseen_items_only_is_refused(tmp_path, trained, exported):
    data = make_dataset(tmp_path / "d", train=[[0, 1]], test=[[ITEMS, ITEMS]], trained=ITEMS, newcomers=1)
    with pytest.raises(ValueError, match="export refused: the test part has no item that can be ranked"):
        check_parity(trained, data, exported[0], EXACT)


def test_what_an_index_misses_does_not_stop_an_export(dataset, trained, exported, tmp_path, monkeypatch):
    """Here it holds the rows the other way round, and finds next to nothing."""
    pytest.importorskip("faiss")
    shutil.copytree(exported[0], tmp_path / "bundle")
    folder = tmp_path / "bundle"
    items_ND = np.load(folder / bundle.ITEMS)
    rounding = write_int8_scorer(folder / bundle.ITEMS, folder / bundle.INT8)
    write_index(items_ND[::-1].copy(), folder / bundle.INDEX)
    plan = SearchPlan("approximate", rounding, 1)
    monkeypatch.setattr("tillside.search.LEAST", 1)
    monkeypatch.setattr("training.bundle.parity.TOP", 5)
    search = open_search(folder, items_ND, plan)
    assert [search.search(row[None], 1)[1][0, 0] == search.whole(row, 1)[1][0] for row in items_ND].count(
        False
    ) > ITEMS / 2
    compared = check_parity(trained, dataset, folder, plan)
    assert compared["prefixes"] == exported[1]["prefixes"]


def test_an_encoder_with_another_signature_than_the_server_takes_is_refused(dataset, trained, exported, tmp_path):
    """It answers as torch does, but no server would load it."""
    copy = shutil.copytree(exported[0], tmp_path / "copy")
    model = onnx.load(copy / bundle.ENCODER)
    model.graph.output.append(onnx.helper.make_tensor_value_info("lengths", onnx.TensorProto.INT64, ["batch"]))
    onnx.save(model, copy / bundle.ENCODER)
    expected = (
        r"encoder\.onnx must have the outputs intent tensor\(float\) of rank 1, query tensor\(float\) of rank 2; it has"
    )
    with pytest.raises(ValueError, match=expected):
        check_parity(trained, dataset, copy, EXACT)
