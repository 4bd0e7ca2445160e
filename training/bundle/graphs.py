"""The ONNX graphs of a bundle: encoder and scorers.

The encoder is exported from torch, traced once for every architecture. The scorer is written by hand: one
Gemm against the rows of items.npy, memory-mapped in place behind the npy header, and a TopK, which breaks ties by
catalogue order. (A row-major MatMul in place of the Gemm is several times slower in onnxruntime.) The 8-bit scorer is
MatMulNBits over all columns but the last: the trend has another scale, and a 65th column would cost a block of 64.
Surprising: the trends are that node's bias, in fp32, and the query is divided by its trend weight, as adding the trends
afterwards would write all scores twice more.

Shapes: N items, D columns of a row, P blocks of a row, W columns of a block.
"""

import contextlib
import functools
import io
import logging
import warnings
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import onnx
import torch
from onnx import NodeProto, TensorProto, helper, numpy_helper

from tillside.search_bounds import INT8_BLOCK
from training.bundle.traces import traced_once
from training.cli.loading import uncollected
from training.model.checkpoint import TrainedModel
from training.model.encoder import Encoder
from training.model.gru import recurred_as_onnx

OPSET = 20
MICROSOFT = "com.microsoft"
ROWS = 65536
"""Items quantised at once, so that a million need no second matrix in memory."""
LEAST_TREND_WEIGHT = 1e-9
"""Lower bound of a query's divisor: where its trend weight is smaller, trends move no score by more than this."""
INPUTS = ("item_vectors", "behaviours", "gaps", "lengths", "ask", "counts", "latest")
OUTPUTS = ("query", "intent")
NOT_IN_THE_GRAPH: Final[dict[str, Any]] = {
    "dropout": None,
    "item_dropout": None,
    "id_dropout": 0.0,
    "companions": 0,
    "temperature": 1.0,
    "history": 0,
}
"""Settings of a model that its encoder's graph does not depend on: of training, of the item table, where a weight
begins, and which events a session is made of."""


def write_encoder(trained: TrainedModel, path: Path) -> None:
    """Write the encoder's graph with dynamic batch size and session length.

    Raises:
        ValueError: a dimension that must be dynamic came out fixed.
    """
    import onnxscript.optimizer  # slow to import

    encoder, dim = trained.model.encoder.eval(), trained.config.dim + 1
    config = replace(trained.config, **NOT_IN_THE_GRAPH)
    architecture = repr((config, encoder.behaviours, encoder.gap.num_embeddings, trained.spec.max_length))
    weights = encoder.state_dict()
    trace = functools.partial(_traced, encoder, dim=dim, max_length=trained.spec.max_length)
    model = traced_once(architecture, weights.keys(), trace)
    for constant in model.graph.initializer:
        if constant.name in weights:
            value = np.ascontiguousarray(weights[constant.name].detach().cpu().numpy())
            constant.CopyFrom(numpy_helper.from_array(value, constant.name))
    with _quiet():
        model = onnxscript.optimizer.optimize(model)
    onnx.checker.check_model(model)
    expected = {
        "item_vectors": ["batch", "length", dim],
        "behaviours": ["batch", "length"],
        "gaps": ["batch", "length"],
    }
    expected |= {"counts": ["batch", encoder.behaviours], "query": ["batch", dim]}
    expected |= {name: ["batch"] for name in ("lengths", "ask", "latest", "intent")}
    for value in [*model.graph.input, *model.graph.output]:
        found = [d.dim_param or d.dim_value for d in value.type.tensor_type.shape.dim]
        if found != expected[value.name]:
            raise ValueError(f"the exported encoder has {value.name} {found}, expected {expected[value.name]}")
    path.write_bytes(model.SerializeToString())


def _traced(encoder: Encoder, *, dim: int, max_length: int) -> onnx.ModelProto:
    """The graph as torch.onnx traces it, not yet optimised, every weight an initializer of its own name."""
    generator = torch.Generator().manual_seed(0)
    length = max(2, min(5, max_length))  # an example size of 0 or 1 would fix the dimension
    behaviours, gaps = torch.zeros(2, 3, length, dtype=torch.int64).unbind()  # one tensor twice would become one input
    lengths = torch.full((3,), length, dtype=torch.int64)
    example = (
        torch.randn(3, length, dim, generator=generator),
        behaviours,
        gaps.clone(),
        lengths,
        torch.zeros_like(lengths),
        torch.ones(3, encoder.behaviours, dtype=torch.int64),
        torch.zeros_like(lengths),
    )
    batch, events = torch.export.Dim("batch"), torch.export.Dim("length")
    shapes = (*[{0: batch, 1: events}] * 3, *[{0: batch}] * 4)
    with _quiet(), uncollected(), torch.no_grad():
        program = torch.onnx.export(
            encoder,
            example,
            dynamo=True,
            opset_version=OPSET,
            custom_translation_table={torch.ops.tillside.gru.default: recurred_as_onnx},
            input_names=list(INPUTS),
            output_names=list(OUTPUTS),
            dynamic_shapes=shapes,
            optimize=False,
            verbose=False,
        )
    assert program is not None
    return program.model_proto


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Without the exporter's own deprecations and reports."""
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        logging.getLogger("torch.onnx").setLevel(logging.ERROR)
        yield


def write_scorer(items: Path, path: Path) -> None:
    """Write the fp32 scorer over the matrix in ``items``, an npy file of float32 [N, D] beside ``path``."""
    vectors_ND = np.load(items, mmap_mode="r")
    nodes = [helper.make_node("Gemm", ["query", "items_matrix"], ["all_scores"], transB=1), _top("scores")]
    _write(nodes, [_mapped("items_matrix", items, location=items.name)], path, dim=vectors_ND.shape[1])


def write_int8_scorer(items: Path, folder: Path) -> float:
    """Write 8-bit ``rows``, ``scales``, ``trends`` and the scorer over them into ``folder``, which is created.

    Returns:
        Largest Euclidean distance between a row, without its trend, and its dequantised row.
    """
    vectors_ND = np.load(items, mmap_mode="r")
    count, width = len(vectors_ND), vectors_ND.shape[1] - 1
    blocks = -(-width // INT8_BLOCK)
    folder.mkdir()
    files = {name: folder / f"{name}.npy" for name in ("rows", "scales", "trends")}
    rows_NPW = np.lib.format.open_memmap(files["rows"], "w+", np.uint8, (count, blocks, INT8_BLOCK))
    scales_NP = np.lib.format.open_memmap(files["scales"], "w+", np.float32, (count * blocks,)).reshape(count, blocks)
    rounding = 0.0
    for start in range(0, count, ROWS):
        part = slice(start, start + ROWS)
        rows_NPW[part], scales_NP[part], distance = _eight_bits(np.asarray(vectors_ND[part, :-1]), blocks)
        rounding = max(rounding, distance)
    rows_NPW.flush()
    scales_NP.base.flush()
    np.save(files["trends"], np.ascontiguousarray(vectors_ND[:, -1]))
    shape = {"K": width, "N": count, "bits": 8, "block_size": INT8_BLOCK, "accuracy_level": 4}
    nodes = [
        helper.make_node("Split", ["query", "widths"], ["main", "trend_weight"], axis=1),
        helper.make_node("Max", ["trend_weight", "least"], ["divisor"]),
        helper.make_node("Div", ["main", "divisor"], ["asked"]),
        helper.make_node(
            "MatMulNBits", ["asked", "rows", "scales", "", "", "trends"], ["all_scores"], domain=MICROSOFT, **shape
        ),
        _top("scores_by_trend"),
        helper.make_node("Mul", ["scores_by_trend", "divisor"], ["scores"]),
    ]
    constants = [_mapped(name, file, location=file.name) for name, file in files.items()]
    constants.append(numpy_helper.from_array(np.array([width, 1]), "widths"))
    constants.append(numpy_helper.from_array(np.array([LEAST_TREND_WEIGHT], np.float32), "least"))
    _write(nodes, constants, folder / "scorer.onnx", dim=width + 1)
    return rounding


def _eight_bits(
    rows_ND: npt.NDArray[np.float32], blocks: int
) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.float32], float]:
    """Blockwise 8-bit quantisation: values with zero point 128 [N, P, W], scales [N, P], largest row distance."""
    padded = np.zeros((len(rows_ND), blocks * INT8_BLOCK), np.float32)
    padded[:, : rows_ND.shape[1]] = rows_ND
    padded_NPW = padded.reshape(len(rows_ND), blocks, INT8_BLOCK)
    scales_NP = np.abs(padded_NPW).max(axis=2) / np.float32(127)
    scales_NP[scales_NP == 0] = 1
    steps_NPW = np.rint(padded_NPW / scales_NP[..., None])
    missed_NPW = padded_NPW.astype(np.float64) - steps_NPW * scales_NP[..., None].astype(np.float64)
    distance = float(np.sqrt((missed_NPW**2).sum(axis=(1, 2)).max()))
    return (steps_NPW + 128).astype(np.uint8), scales_NP, distance


def _mapped(name: str, file: Path, *, location: str) -> TensorProto:
    """Constant with external data: the array inside an npy file."""
    array = np.load(file, mmap_mode="r")
    kind = helper.np_dtype_to_tensor_dtype(array.dtype)
    constant = TensorProto(name=name, data_type=kind, dims=array.shape, data_location=TensorProto.EXTERNAL)
    for key, value in {"location": location, "offset": array.offset, "length": array.nbytes}.items():
        constant.external_data.add(key=key, value=str(value))
    return constant


def _top(scores: str) -> NodeProto:
    """TopK node: the best ``k`` of ``all_scores``."""
    return helper.make_node("TopK", ["all_scores", "k"], [scores, "items"], axis=-1, largest=1, sorted=1)


def _write(nodes: list[NodeProto], constants: list[TensorProto], path: Path, *, dim: int) -> None:
    """Write and check a graph from ``query`` and ``k`` to ``scores`` and ``items``."""
    graph = helper.make_graph(
        nodes,
        "scorer",
        [
            helper.make_tensor_value_info("query", TensorProto.FLOAT, ["batch", dim]),
            helper.make_tensor_value_info("k", TensorProto.INT64, [1]),
        ],
        [
            helper.make_tensor_value_info("scores", TensorProto.FLOAT, ["batch", "k"]),
            helper.make_tensor_value_info("items", TensorProto.INT64, ["batch", "k"]),
        ],
        constants,
    )
    opsets = [helper.make_opsetid("", OPSET)]
    if any(node.domain == MICROSOFT for node in nodes):
        opsets.append(helper.make_opsetid(MICROSOFT, 1))
    model = helper.make_model(graph, opset_imports=opsets, producer_name="tillside")
    model.ir_version = 10
    path.write_bytes(model.SerializeToString())
    onnx.checker.check_model(str(path))
