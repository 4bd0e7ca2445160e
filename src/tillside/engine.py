"""A bundle's ONNX graphs as three calls: ``encode`` (session to query), ``search``, ``search_among`` (query to items).

The only module that knows onnxruntime: server, parity gate, goldens, search tiers, latency and offline evaluation all
run what stands here, so what is measured is what serves. The search plan selects the tier: fp32 scan, int8 scan, or
approximate index. Its candidates are always rescored and ordered by ``tillside.search``, so an answer does not depend
on the batch that it was computed in.

One intra-op thread and no spinning: a second thread lowers latency on an idle machine but ruins the p99 once a core is
shared, and spinning burns idle CPU. Scale over cores with worker processes, not threads.

Shapes: N items, B rows, L events of the longest, D dimensions, K items per answer, C candidates, V eligible items.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import onnxruntime

from tillside.bundle import ENCODER, INDEX, INT8_SCORER, SCORER
from tillside.encoding.batch import Batch
from tillside.search import ItemSearch, Propose, SearchPlan, index_scan

FloatArray = npt.NDArray[np.float32]
IntArray = npt.NDArray[np.int64]
Signature = dict[str, tuple[str, int]]

_FLOAT, _INT = "tensor(float)", "tensor(int64)"
ENCODER_INPUTS: Final[Signature] = {
    "item_vectors": (_FLOAT, 3),
    "behaviours": (_INT, 2),
    "gaps": (_INT, 2),
    "lengths": (_INT, 1),
    "ask": (_INT, 1),
}
COUNTED: Final[Signature] = {"counts": (_INT, 2), "latest": (_INT, 1)}
"""What more an encoder is told of a session; one of a bundle of 0.1 counts its row by itself."""
ENCODER_OUTPUTS: Final[Signature] = {"query": (_FLOAT, 2), "intent": (_FLOAT, 1)}
SCORER_INPUTS: Final[Signature] = {"query": (_FLOAT, 2), "k": (_INT, 1)}
SCORER_OUTPUTS: Final[Signature] = {"scores": (_FLOAT, 2), "items": (_INT, 2)}
ENCODER_OPTIONS: Final = {"session.intra_op.allow_spinning": "0", "session.inter_op.allow_spinning": "0"}
"""Session config entries of onnxruntime."""
SCORER_OPTIONS: Final = {**ENCODER_OPTIONS, "session.disable_prepacking": "1"}
"""Prepacking would double the memory of the item matrix and gain nothing for single queries."""
INT8_OPTIONS: Final = ENCODER_OPTIONS
"""With prepacking: the 8-bit kernels read packed rows only; the packed copy is a quarter of the size of items.npy."""


class EngineError(RuntimeError):
    """A graph failed or returned non-finite numbers; a fallback tier must answer."""


class Engine:
    """ONNX Runtime sessions and item search over the files of one bundle, sealed or not; thread-safe.

    Args:
        folder: the bundle's directory.
        items_ND: its item vectors.
        plan: its search tier; ``folder`` must hold that tier's files.

    Raises:
        ValueError: a graph cannot be loaded, or its inputs or outputs differ from the expected signature.
    """

    def __init__(self, folder: Path, items_ND: FloatArray, plan: SearchPlan) -> None:
        self.items_ND = np.asarray(items_ND)
        self._encoder = _session(
            folder / ENCODER, ENCODER_INPUTS | COUNTED, ENCODER_OUTPUTS, ENCODER_OPTIONS, also=ENCODER_INPUTS
        )
        shapes = {node.name: node.shape for node in self._encoder.get_inputs()}
        self._behaviours = int(shapes["counts"][1]) if "counts" in shapes else 0
        self._search = open_search(folder, self.items_ND, plan)

    def encode(
        self, batch: Batch, ask_B: IntArray, *, vectors_BLD: FloatArray | None = None
    ) -> tuple[FloatArray, FloatArray]:
        """Query vectors [B, D] and purchase intent [B], the probability that the session still reaches the goal.

        Args:
            vectors_BLD: rows of the batch's items; default: those of the bundle.

        Raises:
            EngineError: the graph failed or returned non-finite numbers.
        """
        feeds = {
            "item_vectors": self.items_ND[batch.items_BL] if vectors_BLD is None else vectors_BLD,
            "behaviours": batch.behaviours_BL,
            "gaps": batch.gaps_BL,
            "lengths": batch.lengths_B,
            "ask": ask_B,
        }
        if self._behaviours:
            feeds["counts"], feeds["latest"] = batch.counted(self._behaviours)
        query_BD, intent_B = _run(self._encoder, list(ENCODER_OUTPUTS), feeds)
        return query_BD, intent_B

    def search(self, query_BD: FloatArray, k: int) -> tuple[FloatArray, IntArray]:
        """Scores and catalogue indices of the top k items [B, k], best first, ties in catalogue order.

        Raises:
            EngineError: the graph failed or returned non-finite numbers.
        """
        _refuse_unless_finite(query_BD)
        scores_BK, items_BK = self._search.search(query_BD, k)
        _refuse_unless_finite(scores_BK)
        return scores_BK, items_BK

    def search_among(self, query_BD: FloatArray, eligible_V: IntArray, k: int) -> tuple[FloatArray, IntArray]:
        """:meth:`search` restricted to eligible items [B, min(k, V)]; exact if most of the catalogue is ineligible.

        Args:
            eligible_V: catalogue indices, ascending, unique.

        Raises:
            EngineError: the graph failed or returned non-finite numbers.
        """
        _refuse_unless_finite(query_BD)
        scores_BK, items_BK = self._search.search_among(query_BD, eligible_V, k)
        _refuse_unless_finite(scores_BK)
        return scores_BK, items_BK


def open_search(folder: Path, items_ND: FloatArray, plan: SearchPlan) -> ItemSearch:
    """Item search alone, without an encoder; its scans raise EngineError if a graph fails.

    Raises:
        ValueError: a scorer or the index of the plan's tier cannot be loaded, or does not fit ``items_ND``.
    """
    return ItemSearch(
        plan,
        items_ND,
        floats=_scan(folder / SCORER, SCORER_OPTIONS),
        int8=None if plan.tier == "exact" else _scan(folder / INT8_SCORER, INT8_OPTIONS),
        index=_index(folder / INDEX, items_ND) if plan.tier == "approximate" else None,
    )


def _refuse_unless_finite(numbers: FloatArray) -> None:
    if not np.isfinite(numbers).all():
        raise EngineError("numbers that are not finite")


def _scan(path: Path, options: Mapping[str, str]) -> Propose:
    session = _session(path, SCORER_INPUTS, SCORER_OUTPUTS, options)

    def propose(query_BD: FloatArray, wanted: int) -> tuple[FloatArray, IntArray]:
        scores_BC, items_BC = _run(session, list(SCORER_OUTPUTS), {"query": query_BD, "k": np.array([wanted])})
        return scores_BC, items_BC

    return propose


def _index(path: Path, items_ND: FloatArray) -> Propose:
    try:
        import faiss  # optional; only large catalogues need it
    except ImportError:
        raise ValueError(f"{path} needs faiss-cpu, which is not installed: pip install faiss-cpu") from None
    try:
        index = faiss.read_index(str(path))
    except RuntimeError as error:
        raise ValueError(f"{path} cannot be loaded by faiss: {str(error).splitlines()[0]}") from None
    if index.ntotal != len(items_ND) or index.d < items_ND.shape[1]:
        expected = f"{len(items_ND)} items of at least {items_ND.shape[1]} columns"
        raise ValueError(f"{path} must hold {expected}; it holds {index.ntotal} of {index.d}")
    return index_scan(index)


def _run(session: onnxruntime.InferenceSession, outputs: list[str], feed: dict[str, Any]) -> list[npt.NDArray[Any]]:
    try:
        arrays: list[npt.NDArray[Any]] = session.run(outputs, feed)
    except Exception as error:  # onnxruntime's own exceptions share no base class
        raise EngineError(type(error).__name__) from None
    if not np.isfinite(arrays[0]).all() or not np.isfinite(arrays[1]).all():
        raise EngineError("numbers that are not finite")
    return arrays


def _session(
    path: Path, inputs: Signature, outputs: Signature, entries: Mapping[str, str], *, also: Signature | None = None
) -> onnxruntime.InferenceSession:
    """A graph, which must have these inputs, or ``also``, and these outputs."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = 4  # failures are raised as exceptions; the log would only repeat them
    for key, value in entries.items():
        options.add_session_config_entry(key, value)
    try:
        session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime's own exceptions share no base class
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise ValueError(f"{path} cannot be loaded by ONNX Runtime: {reason}") from None
    for kind, expected, found in (
        ("inputs", inputs, session.get_inputs()),
        ("outputs", outputs, session.get_outputs()),
    ):
        signature = {node.name: (node.type, len(node.shape)) for node in found}
        if signature != expected and not (kind == "inputs" and signature == also):
            raise ValueError(f"{path} must have the {kind} {_words(expected)}; it has {_words(signature)}")
    return session


def _words(signature: Signature) -> str:
    return ", ".join(f"{name} {kind} of rank {rank}" for name, (kind, rank) in sorted(signature.items()))
