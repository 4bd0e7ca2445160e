"""The two ONNX graphs of a bundle.

The encoder is exported from torch. The scorer is written by hand: one Gemm against the rows of items.npy, which it
maps in place behind the npy header, and a TopK, which breaks ties by catalogue order. (A row-major MatMul in place of
the Gemm is several times slower in onnxruntime.)
"""

import contextlib
import io
import logging
import warnings
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper

from training.checkpoint import TrainedModel

OPSET = 20
INPUTS = ("item_vectors", "behaviours", "gaps", "lengths", "ask")
OUTPUTS = ("query", "intent")


def write_encoder(trained: TrainedModel, path: Path) -> None:
    """Export the encoder with dynamic batch and length.

    Raises:
        ValueError: a dimension that must be dynamic came out fixed.
    """
    encoder, dim = trained.model.encoder.eval(), trained.config.dim + 1
    generator = torch.Generator().manual_seed(0)
    length = max(2, min(5, trained.spec.max_length))  # examples of 0 or 1 would fix the dimension
    behaviours, gaps = torch.zeros(2, 3, length, dtype=torch.int64).unbind()  # one tensor twice would become one input
    lengths = torch.full((3,), length, dtype=torch.int64)
    example = (
        torch.randn(3, length, dim, generator=generator),
        behaviours,
        gaps.clone(),
        lengths,
        torch.zeros_like(lengths),
    )
    batch, events = torch.export.Dim("batch"), torch.export.Dim("length")
    shapes = ({0: batch, 1: events}, {0: batch, 1: events}, {0: batch, 1: events}, {0: batch}, {0: batch})
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")  # the exporter's own deprecations
        logging.getLogger("torch.onnx").setLevel(logging.ERROR)
        program = torch.onnx.export(
            encoder,
            example,
            dynamo=True,
            opset_version=OPSET,
            input_names=list(INPUTS),
            output_names=list(OUTPUTS),
            dynamic_shapes=shapes,
            verbose=False,
        )
    assert program is not None
    program.save(str(path), external_data=False)
    model = onnx.load(path)
    onnx.checker.check_model(model)
    expected = {
        "item_vectors": ["batch", "length", dim],
        "behaviours": ["batch", "length"],
        "gaps": ["batch", "length"],
    }
    expected |= {"lengths": ["batch"], "ask": ["batch"], "query": ["batch", dim], "intent": ["batch"]}
    for value in [*model.graph.input, *model.graph.output]:
        found = [d.dim_param or d.dim_value for d in value.type.tensor_type.shape.dim]
        if found != expected[value.name]:
            raise ValueError(f"the exported encoder has {value.name} {found}, expected {expected[value.name]}")


def write_scorer(items: Path, path: Path) -> None:
    """Write the scorer over the matrix in ``items``, an npy file of float32 [N, D] beside ``path``."""
    vectors_ND = np.load(items, mmap_mode="r")
    count, dim = vectors_ND.shape
    matrix = TensorProto(name="items_matrix", data_type=TensorProto.FLOAT, dims=[count, dim])
    matrix.data_location = TensorProto.EXTERNAL
    place = {"location": items.name, "offset": str(vectors_ND.offset), "length": str(vectors_ND.nbytes)}
    for key, value in place.items():
        entry = matrix.external_data.add()
        entry.key, entry.value = key, value
    graph = helper.make_graph(
        [
            helper.make_node("Gemm", ["query", "items_matrix"], ["all_scores"], transB=1),
            helper.make_node("TopK", ["all_scores", "k"], ["scores", "items"], axis=-1, largest=1, sorted=1),
        ],
        "scorer",
        [
            helper.make_tensor_value_info("query", TensorProto.FLOAT, ["batch", dim]),
            helper.make_tensor_value_info("k", TensorProto.INT64, [1]),
        ],
        [
            helper.make_tensor_value_info("scores", TensorProto.FLOAT, ["batch", "k"]),
            helper.make_tensor_value_info("items", TensorProto.INT64, ["batch", "k"]),
        ],
        [matrix],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], producer_name="tillside")
    model.ir_version = 10
    path.write_bytes(model.SerializeToString())
    onnx.checker.check_model(str(path))
