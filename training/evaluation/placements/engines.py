"""The model as placements ask it: encode sessions, search all items, search some; by torch or by a bundle's engine.

``tillside.engine.Engine`` is such an engine. The torch one finds, for its own query vectors, exactly the lists that a
bundle would: both rescore what they scan by ``tillside.search``. The vectors themselves differ in their last digits.

Shapes: B sessions in a batch, N items, V eligible items, D columns of an item row, K items of a list, C candidates.
"""

from typing import Protocol

import numpy as np
import numpy.typing as npt
import torch

from tillside.encoding.batch import Batch
from tillside.search import ItemSearch, SearchPlan
from training.evaluation.scorers import ModelScorer

FloatArray = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]


class PlacementEngine(Protocol):
    """Encoder and item search of one model."""

    items_ND: FloatArray

    def encode(self, batch: Batch, ask_B: Ints) -> tuple[FloatArray, FloatArray]:
        """Query vectors [B, D] and purchase intents [B]; every session holds an item that the model knows."""
        ...

    def search(self, query_BD: FloatArray, k: int) -> tuple[FloatArray, Ints]:
        """Scores and items [B, k], best first, ties in catalogue order."""
        ...

    def search_among(self, query_BD: FloatArray, eligible_V: Ints, k: int) -> tuple[FloatArray, Ints]:
        """The same among eligible items, [B, min(k, V)]."""
        ...


class TorchEngine:
    """A torch model's encoder and an exact search over its items."""

    def __init__(self, scorer: ModelScorer) -> None:
        self._scorer = scorer
        self.items_ND: FloatArray = scorer.vectors_VD.cpu().numpy()
        self._search = ItemSearch(SearchPlan(), self.items_ND, floats=self._scan)

    def encode(self, batch: Batch, ask_B: Ints) -> tuple[FloatArray, FloatArray]:
        """Query vectors [B, D] and purchase intents [B]."""
        query_BD, intent_B = self._scorer.encode(batch, ask_B)
        return query_BD.cpu().numpy(), intent_B.cpu().numpy()

    def search(self, query_BD: FloatArray, k: int) -> tuple[FloatArray, Ints]:
        """Scores and items [B, k]."""
        return self._search.search(query_BD, k)

    def search_among(self, query_BD: FloatArray, eligible_V: Ints, k: int) -> tuple[FloatArray, Ints]:
        """Scores and eligible items [B, min(k, V)]."""
        return self._search.search_among(query_BD, eligible_V, k)

    def _scan(self, query_BD: FloatArray, wanted: int) -> tuple[FloatArray, Ints]:
        vectors_ND = self._scorer.vectors_VD
        with torch.inference_mode():
            scores_BN = torch.from_numpy(query_BD).to(vectors_ND.device) @ vectors_ND.T
            scores_BC, items_BC = scores_BN.topk(wanted, dim=1)
        return scores_BC.cpu().numpy(), items_BC.cpu().numpy()
