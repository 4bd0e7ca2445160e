"""MLflow packaging of a bundle's folder: two flavours, a signature, an input example.

python_function takes sessions and answers as the server does, through ``serving.pyfunc``; onnx is the encoder.
Surprising: ``mlflow.onnx.save_model`` is not used. It changes the graph that it is given, so its copy would not match
the hash in the manifest. MLflow signatures write dynamic dimensions as -1 only, so their names are in the metadata.
"""

import logging
from importlib import metadata
from pathlib import Path
from typing import Any, Final

import mlflow.pyfunc
import onnx
from mlflow.models import Model, ModelSignature
from mlflow.types import ColSpec, DataType, Schema
from mlflow.types.schema import AnyType, Array, Object, Property

from tillside import bundle
from tillside.bundle import Bundle
from training.tracking.registry import LOADER

EVENT: Final = Object(
    [
        Property("item_id", DataType.string),
        Property("behaviour", AnyType(), required=False),
        Property("timestamp", AnyType(), required=False),
    ]
)
SIGNATURE: Final = ModelSignature(
    inputs=Schema(
        [
            ColSpec(Array(EVENT), "session"),
            ColSpec(AnyType(), "history", required=False),
            ColSpec(AnyType(), "behaviour", required=False),
            ColSpec(AnyType(), "k", required=False),
            ColSpec(AnyType(), "exclude", required=False),
            ColSpec(AnyType(), "hide_seen", required=False),
        ]
    ),
    outputs=Schema(
        [
            ColSpec(Array(DataType.string), "items"),
            ColSpec(Array(DataType.double), "scores"),
            ColSpec(Array(DataType.boolean), "seen"),
            ColSpec(DataType.string, "tier"),
            ColSpec(AnyType(), "purchase_intent", required=False),
        ]
    ),
)
"""Rows like the body of ``POST /v1/recommend``; optional fields may be None in some rows, so they are untyped."""


def write_model_files(opened: Bundle, folder: Path, *, run_id: str, place: str) -> None:
    """Write the files that make a bundle's folder an MLflow model: MLmodel, requirements, an input example.

    Args:
        run_id, place: the run, and the folder among its artifacts, that will hold the model.
    """
    encoder = onnx.load(opened.path / bundle.ENCODER)
    shapes = {"inputs": _shapes(encoder.graph.input), "outputs": _shapes(encoder.graph.output)}
    model = Model(artifact_path=place, run_id=run_id, metadata={"bundle": opened.version, "encoder": shapes})
    model.add_flavor(
        "onnx",
        onnx_version=onnx.__version__,
        data=bundle.ENCODER,
        providers=["CPUExecutionProvider"],
        code=None,
    )
    example = [golden["request"] for golden in opened.goldens[:2]]
    logging.getLogger("mlflow.pyfunc").setLevel(logging.WARNING)  # it announces that it validates the example
    mlflow.pyfunc.save_model(
        str(folder),
        loader_module=LOADER,
        mlflow_model=model,
        signature=SIGNATURE,
        input_example=example,
        pip_requirements=[f"tillside[serve]=={metadata.version('tillside')}"],
    )


def _shapes(values: Any) -> dict[str, list[str | int]]:
    """Shape by tensor name, dynamic dimensions by their names in the graph."""
    return {
        value.name: [dim.dim_param or dim.dim_value for dim in value.type.tensor_type.shape.dim] for value in values
    }
