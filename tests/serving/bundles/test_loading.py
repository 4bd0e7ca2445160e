"""A bundle that cannot be trusted is refused with a sentence, whatever is wrong with it."""

import json
import shutil
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from serving.bundles.loading import load_recommender
from serving.protocol.limits import Limits
from tests.bundles import COUNTS_NA, ITEMS_ND, encoder, scorer, tiny_bundle
from tests.serving.bundles.refusals import refusal, resealed
from tests.tills import till
from tillside.bundle import ENCODER, ITEMS, MANIFEST, SCORER


def edit_manifest(bundle: Path, edit) -> None:
    manifest = json.loads((bundle / MANIFEST).read_text())
    edit(manifest)
    (bundle / MANIFEST).write_text(json.dumps(manifest))


def test_not_a_directory(tmp_path):
    file = tmp_path / "file"
    file.write_text("")
    for path in (file, tmp_path, tmp_path / "nothing"):
        assert "is not a bundle" in refusal(path)


def test_a_path_beside_the_bundle_is_told_where_the_bundle_lies(bundle, tmp_path):
    """A run's folder, the folder of the runs, a file of the bundle, a data set, a model's name."""
    run = tmp_path / "runs" / "r1"
    run.mkdir(parents=True)
    assert f"the folder has no {MANIFEST}; python -m training.train writes one" in refusal(run)
    shutil.copytree(bundle, run / "bundle")
    (run.parent / "latest").symlink_to(run)
    assert f"give its bundle, {run / 'bundle'}" in refusal(run)
    assert f"give its bundle, {run.parent / 'latest' / 'bundle'}" in refusal(run.parent)
    assert refusal(run / "bundle" / ITEMS).endswith(f"it is a file of one; give its folder, {run / 'bundle'}")
    assert refusal(run / "bundle" / "catalogue" / "counts.npy").endswith(f"give its folder, {run / 'bundle'}")
    (tmp_path / "dataset").mkdir()
    (tmp_path / "dataset" / "dataset.json").write_text("{}")
    assert f"it is a data set; python -m training.train dataset={tmp_path}/dataset" in refusal(tmp_path / "dataset")
    assert "is served with --model models:/NAME@ALIAS" in refusal(tmp_path / "models:/tillside@champion")
    assert "there is nothing at this path" in refusal(tmp_path / "bundel")


@pytest.mark.parametrize("text", ["", "{", "[]", '{"format_version": 1}', '{"format_version": 1, "files": {"a": 1}}'])
def test_a_manifest_that_is_none(bundle, text):
    (bundle / MANIFEST).write_text(text)
    refusal(bundle)


def test_another_format_version(bundle):
    edit_manifest(bundle, lambda manifest: manifest.update(format_version=99))
    assert "format_version 99 cannot be read, only 3" in refusal(bundle)


@pytest.mark.parametrize("key", ["version", "intent", "encoding", "behaviours", "memory", "search"])
def test_a_manifest_that_lacks_something(bundle, key):
    edit_manifest(bundle, lambda manifest: manifest.pop(key))
    assert key in refusal(bundle)


def test_a_changed_byte(bundle):
    content = bytearray((bundle / ITEMS).read_bytes())
    content[-1] ^= 1
    (bundle / ITEMS).write_bytes(content)
    assert "items.npy does not have the SHA-256 that the manifest states" in refusal(bundle)


def test_a_truncated_file(bundle):
    content = (bundle / ENCODER).read_bytes()
    (bundle / ENCODER).write_bytes(content[:-10])
    assert f"encoder.onnx has {len(content) - 10} bytes, expected {len(content)}" in refusal(bundle)


def test_a_missing_file(bundle):
    (bundle / SCORER).unlink()
    assert "scorer.onnx is missing" in refusal(bundle)


@pytest.mark.parametrize("name", ["../outside", "/etc/hostname", "catalogue/../../outside", "a\\..\\b"])
def test_a_name_that_leads_outside(bundle, name):
    (bundle.parent / "outside").write_text("")
    edit_manifest(bundle, lambda manifest: manifest["files"].update({name: {"sha256": "", "bytes": 0}}))
    assert "leads outside the bundle" in refusal(bundle)


def test_a_link_that_leads_outside(bundle):
    outside = bundle.parent / "outside.npy"
    (bundle / ITEMS).rename(outside)
    (bundle / ITEMS).symlink_to(outside)
    assert "'items.npy' is a link that leads outside the bundle" in refusal(bundle)


def test_vectors_that_are_not_numbers(tmp_path):
    items_ND = ITEMS_ND.copy()
    items_ND[3, 1] = np.nan
    assert "items.npy holds values that are not finite" in refusal(tiny_bundle(tmp_path / "b", items_ND=items_ND))


def test_an_item_twice_in_the_catalogue(tmp_path):
    path = tiny_bundle(tmp_path / "b", item_ids=["apple", "pear", "plum", "fig", "apple", "newcomer"])
    assert "holds an item id twice" in refusal(path)


def test_counts_of_other_behaviours(tmp_path):
    assert "counts [2] behaviours" in refusal(tiny_bundle(tmp_path / "b", counts_NA=COUNTS_NA[:, :2]))


def test_a_graph_that_is_none(bundle):
    (bundle / ENCODER).write_bytes(b"nonsense")
    assert "encoder.onnx cannot be loaded by ONNX Runtime" in refusal(resealed(bundle))


def test_a_graph_with_other_inputs(bundle):
    shutil.copy(bundle / SCORER, bundle / ENCODER)
    assert "encoder.onnx must have the inputs" in refusal(resealed(bundle))


@pytest.mark.parametrize("location", ["../outside.npy", "/etc/hostname"])
def test_a_graph_whose_weights_lie_outside(bundle, location):
    shutil.copy(bundle / ITEMS, bundle.parent / "outside.npy")
    onnx.save(scorer(bundle / ITEMS, location=location), bundle / SCORER)
    assert "scorer.onnx cannot be loaded by ONNX Runtime" in refusal(resealed(bundle))


def test_weights_that_are_not_numbers(bundle):
    onnx.save(encoder(np.full((3, 3), np.nan, np.float32)), bundle / ENCODER)
    assert "golden 0: the model failed with numbers that are not finite" in refusal(resealed(bundle))


def test_a_graph_for_vectors_of_another_size(bundle):
    onnx.save(encoder(np.zeros((3, 7), np.float32)), bundle / ENCODER)
    assert "golden 0: the model failed" in refusal(resealed(bundle))


def test_a_graph_with_another_output(bundle):
    model = onnx.load(bundle / ENCODER)
    model.graph.output.pop()
    model.graph.output.append(helper.make_tensor_value_info("logit_B", TensorProto.FLOAT, ["batch"]))
    onnx.save(model, bundle / ENCODER)
    assert "must have the outputs" in refusal(resealed(bundle))


def test_what_the_policy_needs_and_is_not_there_is_in_the_log_at_start(tmp_path, caplog):
    load_recommender(till(tmp_path / "bundle"), Limits())
    lines = [record.getMessage() for record in caplog.records if record.name == "serving"]
    assert (
        "policy policy.yaml: placement checkout: its stock rule needs an items feed, and there is none, so it shows "
        "nothing until one comes"
    ) in lines
