"""Builds tiny bundles by hand, with an encoder simple enough to work its answers out on paper.

The encoder: every event has the weight ``(position + 1) * (behaviour + 1) / (gap bucket + 1)``, positions and
behaviours counted from 0; the query is the weighted mean of the item vectors plus one vector per behaviour asked for;
the purchase intent is ``sigmoid(length - 2)``, so a session of two events has 0.5.

Shapes: N items, D dimensions, A behaviours.
"""

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper

from tests.datasets import make_sessions
from tillside.bundle import (
    CATALOGUE,
    COVISITATION,
    ENCODER,
    GOLDENS,
    ITEMS,
    NEIGHBOURS,
    POLICY,
    RELATIONS,
    SCORER,
    TOKENS,
    seal,
)
from tillside.catalogue import Catalogue, pack_tokens
from tillside.encoding.spec import EncodingSpec
from tillside.recommenders import ItemPairs, Neighbourhood
from tillside.recommenders.blend import SessionMemory
from tillside.relations import Relations
from tillside.search import SearchPlan

BEHAVIOURS = ("click", "cart", "purchase")
SPEC = EncodingSpec(max_length=4)
ITEM_IDS = ["apple", "pear", "plum", "fig", "date", "newcomer"]
"""The newcomer stands in the catalogue but has no vector."""
ITEMS_ND = np.array([[1, 0], [0, 1], [1, 1], [1, 1], [-1, 2]], np.float32)
ASK_AD = np.array([[0, 0], [0, 1], [2, 0]], np.float32)
COUNTS_NA = np.array([[9, 0, 0], [5, 4, 0], [5, 1, 3], [7, 1, 3], [1, 1, 1], [0, 0, 0]], np.int64)
MEMORY_WEIGHTS = (4.0, 0.0, 1.0)
GOLDENS_OF_TINY = [
    {
        # one click: the query is apple's vector (1, 0), so the scores are the first coordinates
        "request": {"session": [{"item_id": "apple"}], "k": 3},
        "items": ["apple", "plum", "fig"],
        "scores": [1.0, 1.0, 1.0],
        "purchase_intent": 0.2689414,  # sigmoid(1 - 2)
    },
    {
        "request": {"session": [], "k": 2},
        "items": ["apple", "fig"],
        "scores": [9.75, 7.9166665],
        "purchase_intent": None,
    },
]
"""Popularity adds a tie-break below 1: the item's events / (11 + 1). Apple 9 + 9/12, fig 7 + 11/12."""


def tiny_bundle(
    directory: Path,
    *,
    goldens: Sequence[Mapping[str, Any]] = GOLDENS_OF_TINY,
    items_ND: npt.NDArray[np.float32] = ITEMS_ND,
    item_ids: Sequence[str] = ITEM_IDS,
    counts_NA: npt.NDArray[np.int64] = COUNTS_NA,
    recent_NA: npt.NDArray[np.float32] | None = None,
    ask_AD: npt.NDArray[np.float32] = ASK_AD,
    spec: EncodingSpec = SPEC,
    memory: SessionMemory | None = None,
    pairs: ItemPairs | None = None,
    relations: Relations | None = None,
    tokens: Sequence[Sequence[str]] | None = None,
    token_vector: Callable[[str], Sequence[float]] | None = None,
    prices: Sequence[float] = (),
    names: Sequence[str] = (),
    policy: str = "",
    about: Mapping[str, Any] | None = None,
) -> Path:
    """Write a sealed bundle into ``directory``, which is created, and return it."""
    size = len(item_ids)
    vocabulary, token_ids, token_offsets = pack_tokens([*(tokens or ()), *[[]] * (size - len(tokens or ()))])
    catalogue = Catalogue(
        item_ids=list(item_ids),
        trained=len(items_ND),
        counts_NB=counts_NA,
        prices_N=np.array(prices or np.full(size, np.nan), np.float32),
        names=list(names),
        recent_NB=recent_NA,
        vocabulary=vocabulary,
        token_ids=token_ids,
        token_offsets=token_offsets,
    )
    catalogue.save(directory / CATALOGUE)
    np.save(directory / ITEMS, with_trends(items_ND))
    onnx.save(encoder(with_trends(ask_AD)), directory / ENCODER)
    onnx.save(scorer(directory / ITEMS), directory / SCORER)
    (directory / GOLDENS).write_text(json.dumps({"goldens": list(goldens)}), encoding="utf-8")
    if memory is not None:
        (directory / NEIGHBOURS).mkdir()
        memory.neighbours.save(directory / NEIGHBOURS)
    if pairs is not None:
        (directory / COVISITATION).mkdir()
        pairs.save(directory / COVISITATION)
    if relations is not None:
        (directory / RELATIONS).mkdir()
        relations.save(directory / RELATIONS)
    if token_vector is not None:
        np.save(directory / TOKENS, np.array([token_vector(token) for token in vocabulary], np.float32))
    if policy:
        (directory / POLICY).write_text(policy, encoding="utf-8")
    seal(directory, {**about_tiny(spec, memory), **(about or {})})
    return directory


def with_trends(rows_ND: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Rows as they are served, all without a trend."""
    return np.pad(rows_ND, ((0, 0), (0, 1)))


def tiny_memory(*rows: Sequence[str], weights: Sequence[float] = MEMORY_WEIGHTS, floor: float = 0.5) -> SessionMemory:
    """Past sessions of the orchard that count alike whatever their age; by default one: apple, then date."""
    sessions = make_sessions([[ITEM_IDS.index(item) for item in row] for row in rows or [("apple", "date")]])
    document = {
        "neighbourhood": asdict(Neighbourhood(age_decay=0.0)),
        "blend": {"weights": list(weights), "floor": floor, "repeats": [[0.0]] * len(BEHAVIOURS)},
    }
    return SessionMemory.fit(sessions, items=len(ITEMS_ND), document=document, behaviours=len(BEHAVIOURS))


GOLDENS_WITH_MEMORY = [
    {
        # apple and date have half of the votes each: 4 * log(1 + 0.5 / 0.5) = 4 * log(2) = 2.7725887 for 1 and for -1
        "request": {"session": [{"item_id": "apple"}], "k": 3},
        "items": ["apple", "date", "plum"],
        "scores": [3.7725887, 1.7725887, 1.0],
        "purchase_intent": 0.2689414,
    },
    GOLDENS_OF_TINY[1],
]


def about_tiny(spec: EncodingSpec = SPEC, memory: SessionMemory | None = None) -> dict[str, Any]:
    """What the manifest says beside the hashes."""
    return {
        "encoding": spec.document(),
        "behaviours": list(BEHAVIOURS),
        "intent": True,
        "memory": memory.document() if memory else None,
        "search": SearchPlan().document(),
        "dataset": {"name": "orchard", "digest": "0" * 64},
        "git": {"commit": "0123456789abcdef", "state": "clean"},
        "run": "by hand",
        "measurements": {"recall@20": 1.0},
    }


def encoder(ask_AD: npt.NDArray[np.float32]) -> onnx.ModelProto:
    """The encoder of the module's docstring."""
    constants = {
        "ask_AD": ask_AD,
        "zero": np.array(0, np.int64),
        "one": np.array(1, np.int64),
        "two": np.array(2.0, np.float32),
        "one_": np.array([1], np.int64),
        "two_": np.array([2], np.int64),
    }
    nodes = [
        helper.make_node("Shape", ["gaps"], ["length_1"], start=1, end=2),
        helper.make_node("Squeeze", ["length_1"], ["length"]),
        helper.make_node("Range", ["zero", "length", "one"], ["positions_L"]),
        helper.make_node("Unsqueeze", ["lengths", "one_"], ["lengths_B1"]),
        helper.make_node("Less", ["positions_L", "lengths_B1"], ["real_BL"]),
        helper.make_node("Cast", ["real_BL"], ["mask_BL"], to=TensorProto.FLOAT),
        helper.make_node("Add", ["positions_L", "one"], ["position_weight_L"]),
        helper.make_node("Add", ["behaviours", "one"], ["behaviour_weight_BL"]),
        helper.make_node("Mul", ["position_weight_L", "behaviour_weight_BL"], ["product_BL"]),
        helper.make_node("Cast", ["product_BL"], ["dividend_BL"], to=TensorProto.FLOAT),
        helper.make_node("Add", ["gaps", "one"], ["gap_weight_BL"]),
        helper.make_node("Cast", ["gap_weight_BL"], ["divisor_BL"], to=TensorProto.FLOAT),
        helper.make_node("Div", ["dividend_BL", "divisor_BL"], ["bare_BL"]),
        helper.make_node("Mul", ["bare_BL", "mask_BL"], ["weights_BL"]),
        helper.make_node("ReduceSum", ["weights_BL", "one_"], ["sum_B1"], keepdims=1),
        helper.make_node("Unsqueeze", ["weights_BL", "two_"], ["weights_BL1"]),
        helper.make_node("Mul", ["item_vectors", "weights_BL1"], ["weighted_BLD"]),
        helper.make_node("ReduceSum", ["weighted_BLD", "one_"], ["weighted_BD"], keepdims=0),
        helper.make_node("Div", ["weighted_BD", "sum_B1"], ["mean_BD"]),
        helper.make_node("Gather", ["ask_AD", "ask"], ["ask_BD"]),
        helper.make_node("Add", ["mean_BD", "ask_BD"], ["query"]),
        helper.make_node("Cast", ["lengths"], ["lengths_B"], to=TensorProto.FLOAT),
        helper.make_node("Sub", ["lengths_B", "two"], ["logit_B"]),
        helper.make_node("Sigmoid", ["logit_B"], ["intent"]),
    ]
    rows = [
        _value("item_vectors", TensorProto.FLOAT, ["batch", "length", "dim"]),
        _value("behaviours", TensorProto.INT64, ["batch", "length"]),
        _value("gaps", TensorProto.INT64, ["batch", "length"]),
        _value("lengths", TensorProto.INT64, ["batch"]),
        _value("ask", TensorProto.INT64, ["batch"]),
    ]
    answers = [_value("query", TensorProto.FLOAT, ["batch", "dim"]), _value("intent", TensorProto.FLOAT, ["batch"])]
    initializers = [numpy_helper.from_array(array, name) for name, array in constants.items()]
    return _model(helper.make_graph(nodes, "encoder", rows, answers, initializers))


def scorer(items: Path, *, location: str = ITEMS) -> onnx.ModelProto:
    """Scores against the matrix inside the .npy file ``items``, then top-k."""
    vectors_ND = np.load(items, mmap_mode="r")
    offset = items.stat().st_size - vectors_ND.nbytes
    matrix = TensorProto(name="items_ND", data_type=TensorProto.FLOAT, dims=vectors_ND.shape)
    matrix.data_location = TensorProto.EXTERNAL
    for key, value in {"location": location, "offset": offset, "length": vectors_ND.nbytes}.items():
        matrix.external_data.add(key=key, value=str(value))
    nodes = [
        helper.make_node("Gemm", ["query", "items_ND"], ["scores_BN"], transB=1),
        helper.make_node("TopK", ["scores_BN", "k"], ["scores", "items"], largest=1, sorted=1),
    ]
    inputs = [_value("query", TensorProto.FLOAT, ["batch", "dim"]), _value("k", TensorProto.INT64, [1])]
    outputs = [_value("scores", TensorProto.FLOAT, ["batch", "k"]), _value("items", TensorProto.INT64, ["batch", "k"])]
    return _model(helper.make_graph(nodes, "scorer", inputs, outputs, [matrix]))


def _model(graph: onnx.GraphProto) -> onnx.ModelProto:
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)


def _value(name: str, kind: int, shape: list[str | int]) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, kind, shape)


if __name__ == "__main__":  # .ci/run makes one for the environment that cannot
    tiny_bundle(Path(sys.argv[1]))
