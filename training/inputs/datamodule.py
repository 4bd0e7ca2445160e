"""The Lightning data module: training batches for this process, validation cases in chunks.

Shapes: B cases of a chunk, C all cases.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pytorch_lightning as pl

from tillside.dataset import Dataset
from tillside.encoding.batch import Batch
from tillside.encoding.spec import EncodingSpec
from training.inputs.batches import TrainingLoader, TrainingRows
from training.inputs.cases import Cases, cases_of

CHUNK = 512


@dataclass(frozen=True)
class CaseChunk:
    """Cases to rank, as numpy arrays [B]."""

    batch: Batch
    targets_B: npt.NDArray[np.int64]
    asked_B: npt.NDArray[np.int64]

    def to(self, device: object) -> "CaseChunk":
        """No-op for Lightning: the scorer moves what it needs to the device."""
        return self


class CaseLoader:
    """All cases, shortest prefixes first, in chunks; this process takes every ``world``-th.

    Where there are fewer cases than processes, the last ones have a chunk without cases: all wait for each other's.
    """

    def __init__(self, cases: Cases, *, rank: int = 0, world: int = 1) -> None:
        self.cases = cases
        by_length = np.argsort(cases.prefix_lengths_C, kind="stable")[rank::world]
        self.chunks = [by_length[start : start + CHUNK] for start in range(0, max(len(by_length), 1), CHUNK)]

    def __len__(self) -> int:
        return len(self.chunks)

    def __iter__(self) -> Iterator[CaseChunk]:
        for chosen in self.chunks:
            yield CaseChunk(self.cases.batch(chosen), self.cases.targets_C[chosen], self.cases.asked_C[chosen])


class SessionData(pl.LightningDataModule):
    """Training rows and validation cases of a prepared data set.

    Args:
        batch_events: size of a training batch in events, padding included; None: it is set once the number of targets
            is known, before the first batch.
        validation_cases: approximate number of cases ranked after each epoch.
        recency: decay of older sessions' weight, see :class:`training.inputs.batches.TrainingRows`.
        refit: train on the validation part too.
    """

    def __init__(
        self,
        dataset: Dataset,
        *,
        spec: EncodingSpec,
        batch_events: int | None,
        validation_cases: int,
        seed: int,
        recency: float = 0.0,
        refit: bool = False,
    ) -> None:
        super().__init__()
        self.sessions = dataset.learned(refit=refit)
        self.rows = TrainingRows(
            self.sessions,
            spec=spec,
            items=dataset.catalogue.trained,
            goal=dataset.goal,
            recency=recency,
            whole=dataset.sessions if spec.history else None,
            first=dataset.parts["train"][0],
        )
        if not len(self.rows):
            raise ValueError(f"{dataset.path}: no training session holds two known items, there is nothing to learn")
        self.validation = cases_of(dataset, "validation", spec=spec, limit=validation_cases)
        if not len(self.validation):
            raise ValueError(f"{dataset.path}: the validation part has no cases; prepare with a larger share for it")
        self.batch_events, self.seed, self.spec, self.recency = batch_events or 0, seed, spec, recency
        self.loader: TrainingLoader | None = None
        self.resume_at: tuple[int, int] = (0, 0)
        """Epoch and batch at which a resumed run continues."""

    def train_dataloader(self) -> TrainingLoader:
        """This process's training batches."""
        assert self.batch_events
        rank, world = (self.trainer.global_rank, self.trainer.world_size) if self.trainer else (0, 1)
        self.loader = TrainingLoader(self.rows, budget=self.batch_events, seed=self.seed, rank=rank, world=world)
        self.loader.epoch, self.loader.skip = self.resume_at
        return self.loader

    def val_dataloader(self) -> CaseLoader:
        """This process's validation cases."""
        rank, world = (self.trainer.global_rank, self.trainer.world_size) if self.trainer else (0, 1)
        return CaseLoader(self.validation, rank=rank, world=world)
