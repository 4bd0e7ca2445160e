"""RePlay's SasRec from ``replay.nn``, trained through its own ParquetModule, LightningModule and transforms.

Two of the library's ways to save work are used: batches trimmed to their longest row, and one pool of negatives per
batch. Its full softmax scores padded positions too.

Shapes: B rows of a chunk, L items of a row, V items.
"""

import logging
import tempfile
from pathlib import Path
from typing import Any

import lightning
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq
import torch
from replay.data import FeatureHint, FeatureSource, FeatureType
from replay.data.nn import ParquetModule, TensorFeatureInfo, TensorFeatureSource, TensorSchema
from replay.nn.lightning import LightningModule
from replay.nn.lightning.optimizer import OptimizerFactory
from replay.nn.loss import CESampled
from replay.nn.sequential import SasRec
from replay.nn.transform import (
    GroupTransform,
    NextTokenTransform,
    RenameTransform,
    TargetAwareAdaptiveTrimTransform,
    UniformNegativeSamplingTransform,
    UnsqueezeTransform,
)

from benchmarks.peers.curve import Curve
from benchmarks.peers.exchange import Rows
from benchmarks.peers.options import Options, Settings

ITEM = "item_id"
NEGATIVES = 1024
READ_AHEAD = 4096
"""Batches that RePlay reads and shuffles together."""


def grid(system: str) -> list[Settings]:
    """Settings to try; full softmax with the library's usual dropout first."""
    return [
        Settings(loss, dropout, 0.001, NEGATIVES) for dropout in (0.2, 0.5) for loss in ("softmax", "sampled_softmax")
    ]


class Watch(lightning.Callback):
    """Reports every batch to the curve and stops the trainer when the curve says so."""

    def __init__(self, curve: Curve) -> None:
        self.curve = curve

    def on_train_start(self, trainer: lightning.Trainer, module: Any) -> None:
        """Start the clock."""
        self.curve.start()

    def on_train_batch_end(
        self, trainer: lightning.Trainer, module: Any, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Count the batch."""
        mask = batch["target_padding_mask"]
        trainer.should_stop = self.curve.after_batch(targets=int(mask.sum()), sequences=len(mask))

    def on_train_epoch_end(self, trainer: lightning.Trainer, module: Any) -> None:
        """Check at the epoch's end."""
        trainer.should_stop = self.curve.after_epoch()


class RePlayPeer:
    """One SasRec."""

    def __init__(self, options: Options, settings: Settings, items: int) -> None:
        self.options, self.settings, self.items = options, settings, items
        schema = TensorSchema(
            [
                TensorFeatureInfo(
                    ITEM,
                    is_seq=True,
                    feature_type=FeatureType.CATEGORICAL,
                    embedding_dim=options.dim,
                    padding_value=items,
                    cardinality=items,
                    feature_hint=FeatureHint.ITEM_ID,
                    feature_sources=[TensorFeatureSource(FeatureSource.INTERACTIONS, ITEM)],
                )
            ]
        )
        self.model = SasRec.from_params(
            schema,
            embedding_dim=options.dim,
            num_heads=options.heads,
            num_blocks=options.layers,
            max_sequence_length=options.length,
            dropout=settings.dropout,
        )
        if settings.loss == "sampled_softmax":
            self.model.loss = CESampled()
            self.model.loss.logits_callback = self.model.get_logits

    def fit(self, sessions: Rows, curve: Curve) -> None:
        """Train until the curve says stop."""
        with tempfile.TemporaryDirectory() as folder:
            path = str(Path(folder) / "sessions.parquet")
            rows = pa.LargeListArray.from_arrays(sessions.offsets, pa.array(sessions.items.astype(np.int64)))
            pq.write_table(pa.table({ITEM: rows.cast(pa.list_(pa.int64()))}), path)
            trainer = lightning.Trainer(
                accelerator="cpu",
                devices=1,
                max_epochs=-1,
                min_epochs=0,
                logger=False,
                enable_checkpointing=False,
                enable_progress_bar=False,
                enable_model_summary=False,
                limit_val_batches=0,
                callbacks=[Watch(curve)],
            )
            module = LightningModule(self.model, OptimizerFactory(learning_rate=self.settings.rate))
            trainer.fit(module, datamodule=self._batches(path))

    def _batches(self, path: str) -> ParquetModule:
        negatives = min(self.settings.negatives, self.items - 1)
        sampled = [UniformNegativeSamplingTransform(self.items, negatives)]
        transforms = [
            NextTokenTransform(label_name=ITEM, shift=1),
            RenameTransform({f"{ITEM}_mask": "padding_mask", "positive_labels_mask": "target_padding_mask"}),
            TargetAwareAdaptiveTrimTransform([ITEM, "positive_labels"]),
            *(sampled if self.settings.loss == "sampled_softmax" else []),
            UnsqueezeTransform("target_padding_mask", -1),
            UnsqueezeTransform("positive_labels", -1),
            GroupTransform({"feature_tensors": [ITEM]}),
        ]
        generator = torch.Generator().manual_seed(self.options.seed)
        return ParquetModule(
            batch_size=self.options.batch,
            metadata={"train": {ITEM: {"shape": self.options.length + 1, "padding": self.items}}},
            transforms={"train": transforms},
            config={"train": {"generator": generator, "partition_size": READ_AHEAD * self.options.batch}},
            train_path=path,
        )

    def weights(self) -> Any:
        """A copy of the weights."""
        return {name: value.clone() for name, value in self.model.state_dict().items()}

    def restore(self, weights: Any) -> None:
        """Put a copy back."""
        self.model.load_state_dict(weights)

    def score(self, rows: list[npt.NDArray[np.int32]]) -> npt.NDArray[np.float32]:
        """Scores [B, V]."""
        width = max(len(row) for row in rows)
        items_BL = np.full((len(rows), width), self.items, np.int64)
        for place, row in enumerate(rows):
            items_BL[place, width - len(row) :] = row
        inputs = torch.from_numpy(items_BL)
        was_training = self.model.training
        self.model.eval()
        with torch.no_grad():
            output = self.model(feature_tensors={ITEM: inputs}, padding_mask=inputs != self.items)
        self.model.train(was_training)
        scores_BV: npt.NDArray[np.float32] = output["logits"].numpy()
        return scores_BV


def make_peer(options: Options, settings: Settings, items: int) -> RePlayPeer:
    """An untrained model."""
    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
    return RePlayPeer(options, settings, items)
