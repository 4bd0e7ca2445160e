"""A bundle's folder as an MLflow model: two flavours, named dimensions, and a row as the server takes it."""

import warnings
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import mlflow
import pytest

from tests.bundles import tiny_bundle
from tillside.bundle import open_bundle

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # MLflow's own, about type hints
    from training.tracking.mlmodel import SIGNATURE, _shapes, write_model_files

FIELDS = {"session": True, "history": False, "behaviour": False, "k": False, "exclude": False, "hide_seen": False}
"""Of a row, and whether it must be given."""


def test_only_the_session_is_required_of_a_row() -> None:
    assert {column.name: column.required for column in SIGNATURE.inputs} == FIELDS
    assert [column.name for column in SIGNATURE.outputs] == ["items", "scores", "seen", "tier", "purchase_intent"]


def test_dimensions_that_vary_go_by_their_names_and_the_others_by_their_size() -> None:
    def dim(*, name: str = "", size: int = 0) -> SimpleNamespace:
        return SimpleNamespace(dim_param=name, dim_value=size)

    shape = SimpleNamespace(dim=[dim(name="batch"), dim(size=8)])
    value = SimpleNamespace(name="query", type=SimpleNamespace(tensor_type=SimpleNamespace(shape=shape)))
    assert _shapes([value]) == {"query": ["batch", 8]}


@pytest.mark.filterwarnings("ignore")
def test_the_files_name_run_bundle_and_loader(tmp_path: Path) -> None:
    opened = open_bundle(tiny_bundle(tmp_path / "bundle"))
    write_model_files(opened, tmp_path / "model", run_id="r", place="bundle")
    model: Any = mlflow.models.Model.load(str(tmp_path / "model"))
    assert (model.run_id, model.artifact_path) == ("r", "bundle")
    assert model.metadata["bundle"] == opened.version
    assert model.flavors["python_function"]["loader_module"] == "serving.pyfunc"
    assert model.flavors["onnx"]["data"] == "encoder.onnx"
    assert not (tmp_path / "model" / "encoder.onnx").exists()  # it lies beside these files, once
