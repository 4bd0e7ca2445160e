"""The full-logits graph in onnxruntime, and the top k of its scores; without torch, as it would be deployed.

Shapes: B sessions of a batch, L events, N items.
"""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnxruntime as ort

from tillside.encoding.batch import Batch

NAMES = ("items", "behaviours", "gaps", "lengths", "ask", "counts", "latest")


class LogitsSession:
    """The graph in onnxruntime, on one intra-op thread; thread-safe."""

    def __init__(self, path: Path) -> None:
        options = ort.SessionOptions()
        options.intra_op_num_threads = 1
        self._session = ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        self._behaviours = {node.name: node.shape for node in self._session.get_inputs()}["counts"][1]

    def run(
        self, batch: Batch, ask_B: npt.NDArray[np.int64]
    ) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
        """Scores [B, N] and intent [B]."""
        rows = (batch.items_BL, batch.behaviours_BL, batch.gaps_BL, batch.lengths_B, ask_B)
        arrays = (*rows, *batch.counted(self._behaviours))
        scores_BN, intent_B = self._session.run(["scores", "intent"], dict(zip(NAMES, arrays, strict=True)))
        return scores_BN, intent_B


def best(scores_N: npt.NDArray[np.float32], k: int) -> npt.NDArray[np.int64]:
    """Top k items by score, best first."""
    k = min(k, len(scores_N))
    found = np.argpartition(-scores_N, k - 1)[:k]
    ordered: npt.NDArray[np.int64] = found[np.argsort(-scores_N[found])]
    return ordered
