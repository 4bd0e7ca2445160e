"""Graphs that were traced are kept between processes: without weights, of this code alone, and never in the way."""

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper

from training.bundle import traces
from training.bundle.traces import FOLDER, traced_once
from training.cli.cache import cache_folder


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    """A folder of the test's own."""
    monkeypatch.setenv("TILLSIDE_CACHE", str(tmp_path / "cache"))
    another_process(monkeypatch)


def another_process(monkeypatch) -> None:
    """What was met before is forgotten, except on the disk."""
    monkeypatch.setattr(traces, "_TRACED", {})


def trace(shift=2.0):
    """y = x * weight + shift."""
    constants = [numpy_helper.from_array(np.float32([each]), name) for each, name in ((7, "weight"), (shift, "shift"))]
    nodes = [helper.make_node("Mul", ["x", "weight"], ["xw"]), helper.make_node("Add", ["xw", "shift"], ["y"])]
    nodes[0].metadata_props.add(key="pkg.torch.onnx.stack_trace", value='File "/somebody/encoder.py", line 3')
    ends = [helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, [1]) for name in "xy"]
    return helper.make_model(helper.make_graph(nodes, "line", ends[:1], ends[1:], constants))


def never():
    raise AssertionError("traced again")


def constants_of(model) -> dict[str, bytes]:
    return {each.name: each.raw_data for each in model.graph.initializer}


def test_another_process_finds_the_graph_without_weights(monkeypatch):
    met = constants_of(traced_once("line", {"weight"}, trace))
    another_process(monkeypatch)
    found = constants_of(traced_once("line", {"weight"}, never))
    assert found == met == {"weight": b"", "shift": np.float32(2).tobytes()}


def test_where_the_code_lay_is_kept_nowhere(monkeypatch):
    """It would go into the bundles of whoever exports the same architecture."""
    assert b"somebody" in trace().SerializeToString()
    met = traced_once("line", {"weight"}, trace)
    (kept,) = (cache_folder() / FOLDER).iterdir()
    assert b"somebody" not in met.SerializeToString() + kept.read_bytes()


def test_a_process_reads_it_once(monkeypatch):
    traced_once("line", {"weight"}, trace)
    for path in (cache_folder() / FOLDER).iterdir():
        path.unlink()
    assert constants_of(traced_once("line", {"weight"}, never))["weight"] == b""


def test_other_code_other_versions_other_settings_trace_anew(monkeypatch, tmp_path):
    made = traced_once("line", {"weight"}, trace)
    assert constants_of(traced_once("curve", {"weight"}, lambda: trace(3.0))) != constants_of(made)
    another_process(monkeypatch)
    with monkeypatch.context() as other:
        other.setattr(traces, "version", lambda package: "0.0")
        with pytest.raises(AssertionError, match="traced again"):
            traced_once("line", {"weight"}, never)
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "encoder.py").write_text("changed\n", encoding="utf-8")
    monkeypatch.setattr(traces.training.model, "__path__", [str(tmp_path / "model")])
    with pytest.raises(AssertionError, match="traced again"):
        traced_once("line", {"weight"}, never)


def test_what_is_no_graph_is_replaced(monkeypatch):
    traced_once("line", {"weight"}, trace)
    (kept,) = (cache_folder() / FOLDER).iterdir()
    kept.write_bytes(kept.read_bytes()[:-5] + b"torn")
    another_process(monkeypatch)
    assert constants_of(traced_once("line", {"weight"}, lambda: trace(3.0)))["shift"] == np.float32(3).tobytes()
    another_process(monkeypatch)
    assert constants_of(traced_once("line", {"weight"}, never))["shift"] == np.float32(3).tobytes()


def test_a_folder_that_cannot_be_made_costs_a_trace_and_nothing_else(monkeypatch, tmp_path):
    (tmp_path / "cache").write_text("a file stands there\n", encoding="utf-8")
    for _ in range(2):
        assert constants_of(traced_once("line", {"weight"}, trace))["weight"] == b""
        another_process(monkeypatch)
