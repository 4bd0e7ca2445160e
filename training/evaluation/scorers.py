"""Scorers of the whole catalogue behind one interface: the torch model, session kNN alone, and masks over either.

Popularity scores sessions without a known item, as it does in the server.

Shapes: B sessions in a batch, L events, N items of the catalogue, V of them that can be ranked, D width, C
candidates with a bonus.
"""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt
import torch

from tillside.dataset import Dataset
from tillside.encoding.batch import Batch
from tillside.recommenders import Popularity, SessionNeighbours, popular_events, popularity
from tillside.recommenders.blend import SessionMemory
from training.inputs.lookahead import taking
from training.model.next_item import NextItemModel

CHUNK_SCORES = 2**24
"""Maximum scores in memory at once: 64 MiB of float32."""


class Scorer(Protocol):
    """Scores the catalogue for a batch of sessions."""

    def score(self, batch: Batch, ask_B: npt.NDArray[np.int64]) -> npt.NDArray[np.float32]:
        """Scores [B, V]."""


def popularity_of(dataset: Dataset, *, refit: bool = True, items: int | None = None) -> Popularity:
    """Popularity per behaviour asked for, of the first ``items`` of the catalogue; default: all that can be ranked.

    Args:
        refit: as in :meth:`tillside.dataset.Dataset.learned`.
    """
    items = dataset.catalogue.rankable if items is None else items
    learned, behaviours = dataset.learned(refit=refit), len(dataset.behaviours)
    counts_NB = popular_events(learned, items=len(dataset.catalogue), behaviours=behaviours)
    return Popularity(popularity(counts_NB[:items]))


@contextlib.contextmanager
def exactly(device: torch.device) -> Iterator[None]:
    """Inference in fp32, whatever the arithmetic around it: bf16 has 8 bits, in which many scores of a catalogue tie,
    and the server computes in fp32."""
    with torch.inference_mode(), torch.autocast(device.type, enabled=False):
        yield


@dataclass(frozen=True)
class ModelScorer:
    """The torch model as a :class:`Scorer`.

    Attributes:
        vectors_VD: item vectors.
        fallback: scores sessions without a known item.
        memory: blend of past sessions (session kNN), added to the scores as in the server; None for the model alone.
    """

    model: NextItemModel
    vectors_VD: torch.Tensor
    fallback: Scorer
    memory: SessionMemory | None = None

    @classmethod
    def of(cls, model: NextItemModel, fallback: Scorer, memory: SessionMemory | None = None) -> "ModelScorer":
        """Scorer over the model's item vectors, which are computed here once."""
        with exactly(model.items.item.weight.device):
            return cls(model, model.items(), fallback, memory)

    def score(self, batch: Batch, ask_B: npt.NDArray[np.int64]) -> npt.NDArray[np.float32]:
        """Scores [B, V]."""
        scores_BV, _ = self.score_and_intent(batch, ask_B)
        return scores_BV

    def encode(self, batch: Batch, ask_B: npt.NDArray[np.int64]) -> tuple[torch.Tensor, torch.Tensor]:
        """Query vectors [B, D] and purchase intents [B] on the model's device; of no meaning where no item is known."""
        device = self.vectors_VD.device
        rows = (batch.items_BL, batch.behaviours_BL, batch.gaps_BL, np.maximum(batch.lengths_B, 1), ask_B)
        arrays = (*rows, *batch.counted(self.model.encoder.behaviours))
        items_BL, *given = (torch.from_numpy(array).to(device) for array in arrays)
        with exactly(device):
            query_BD, intent_B = self.model.encoder(self.vectors_VD[items_BL], *given)
        return query_BD, intent_B

    def score_and_intent(
        self, batch: Batch, ask_B: npt.NDArray[np.int64]
    ) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
        """Scores [B, V] and purchase intent [B], NaN for sessions without a known item."""
        query_BD, intent_B = self.encode(batch, ask_B)
        with exactly(self.vectors_VD.device):
            scores_BV = (query_BD @ self.vectors_VD.T).cpu().numpy()
        if self.memory is not None:
            for row, ask in enumerate(ask_B.tolist()):
                items_C, bonus_C = self.memory.bonus(batch.session(row), ask, batch.before(row))
                scores_BV[row, items_C] += bonus_C
        intents_B = intent_B.cpu().numpy()
        empty = batch.lengths_B == 0
        if empty.any():
            scores_BV[empty], intents_B[empty] = self.fallback.score(batch, ask_B)[empty], np.nan
        return scores_BV, intents_B


@dataclass(frozen=True)
class Among:
    """Another scorer with all but the allowed items masked to -inf."""

    scorer: Scorer
    allowed_V: npt.NDArray[np.bool_]

    def score(self, batch: Batch, ask_B: npt.NDArray[np.int64]) -> npt.NDArray[np.float32]:
        """Scores [B, V]."""
        return np.where(self.allowed_V, self.scorer.score(batch, ask_B), np.float32(-np.inf))


@dataclass(frozen=True)
class WithoutSeen:
    """Another scorer with the items of the session itself masked to -inf."""

    scorer: Scorer

    def score(self, batch: Batch, ask_B: npt.NDArray[np.int64]) -> npt.NDArray[np.float32]:
        """Scores [B, V]."""
        scores_BV = self.scorer.score(batch, ask_B)
        for row in range(len(scores_BV)):
            scores_BV[row, batch.session(row)] = -np.inf
        return scores_BV


@dataclass(frozen=True)
class WithoutTaken:
    """Another scorer with what the session has taken masked to -inf where it is asked what else is carted or bought."""

    scorer: Scorer
    behaviours: int

    def score(self, batch: Batch, ask_B: npt.NDArray[np.int64]) -> npt.NDArray[np.float32]:
        """Scores [B, V]."""
        scores_BV = self.scorer.score(batch, ask_B)
        columns = np.arange(batch.items_BL.shape[1])
        ends_B1, own_B1 = batch.lengths_B[:, None], batch.own_B[:, None]
        own_BL = (columns < ends_B1) & (columns >= ends_B1 - own_B1)
        taken = taking(self.behaviours)
        asked_B1 = np.isin(ask_B, taken)[:, None]
        rows, places = np.nonzero(own_BL & asked_B1 & np.isin(batch.behaviours_BL, taken))
        scores_BV[rows, batch.items_BL[rows, places]] = -np.inf
        return scores_BV


@dataclass(frozen=True)
class NeighbourScorer:
    """Session kNN alone, as a baseline; items without votes are ordered by popularity."""

    neighbours: SessionNeighbours
    fallback: Scorer

    def score(self, batch: Batch, ask_B: npt.NDArray[np.int64]) -> npt.NDArray[np.float32]:
        """Scores [B, V]."""
        scores_BV = self.fallback.score(batch, ask_B)
        top_B1 = scores_BV.max(axis=1, keepdims=True, initial=0)
        scores_BV = scores_BV / np.maximum(top_B1, 1) * np.float32(1e-9)  # below any share of votes
        for row, own in enumerate(batch.own_B.tolist()):
            if own:
                items_C, share_C = self.neighbours.evidence(batch.session(row))
                scores_BV[row, items_C] += share_C
        return scores_BV
