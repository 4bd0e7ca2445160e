"""Writes what the rivals load, from a synthetic bundle: ``python -m benchmarks.rivals BUNDLE``.

Beside the bundle come BUNDLE-logits/model.onnx, the full-logits graph, and BUNDLE-mlflow, an MLflow model over it. It
is a process of its own, so that the load generator imports neither torch nor MLflow.

Shapes: N items, D columns.
"""

import shutil
import sys
from pathlib import Path

import mlflow
import torch

from benchmarks.bundles import data_of, untrained_model
from benchmarks.rivals.logits import write_logits
from tillside.bundle import open_bundle
from tillside.dataset import load_dataset


def main() -> None:
    """Write the graph and the MLflow model."""
    bundle = Path(sys.argv[1]).absolute()
    graph = bundle.with_name(f"{bundle.name}-logits") / "model.onnx"
    dim = open_bundle(bundle).items_ND.shape[1] - 1
    with torch.no_grad():
        write_logits(untrained_model(load_dataset(data_of(bundle)), dim=dim, seed=0).model, graph)
    model = bundle.with_name(f"{bundle.name}-mlflow")
    shutil.rmtree(model, ignore_errors=True)
    mlflow.pyfunc.save_model(
        model,
        python_model=str(Path(__file__).with_name("mlflow_model.py")),
        artifacts={"bundle": str(bundle), "graph": str(graph.parent)},
        pip_requirements=["onnxruntime"],
    )


if __name__ == "__main__":
    main()
