"""RecTools' SASRec, and its LiGR variant with sampled softmax, as the library ships them.

Sessions are its users. It left-pads every batch to ``session_max_len`` and, for a sampled loss, draws separate
negatives for every position, padded ones too. It scores with its own encoder and item vectors, as ``recommend`` does
before its filter of seen items.

Shapes: B rows of a chunk, V items.
"""

import logging
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import torch
from pytorch_lightning import Callback, Trainer
from rectools import Columns
from rectools.dataset import Dataset
from rectools.models import SASRecModel
from rectools.models.nn.item_net import IdEmbeddingsItemNet
from rectools.models.nn.transformers.ligr import LiGRLayers
from rectools.models.nn.transformers.sasrec import SASRecTransformerLayers

from benchmarks.peers.curve import Curve
from benchmarks.peers.exchange import Rows
from benchmarks.peers.options import Options, Settings

NEGATIVES = 256


def grid(system: str) -> list[Settings]:
    """Settings to try, the library's own first; LiGR keeps the sampled softmax it was published with."""
    losses = ["sampled_softmax"] if system == "rectools-ligr" else ["softmax", "sampled_softmax"]
    rates = [0.001, 0.003] if system == "rectools-ligr" else [0.001]
    return [Settings(loss, dropout, rate, NEGATIVES) for rate in rates for dropout in (0.2, 0.5) for loss in losses]


class Watch(Callback):  # type: ignore[misc]
    """Reports every batch to the curve and stops the trainer when the curve says so."""

    def __init__(self, curve: Curve) -> None:
        self.curve = curve

    def __deepcopy__(self, memo: dict[int, Any]) -> "Watch":
        """Return self: RecTools copies its trainer before it fits, and the curve must stay the caller's."""
        return self

    def on_train_start(self, trainer: Trainer, module: Any) -> None:
        """Start the clock."""
        self.curve.start()

    def on_train_batch_end(self, trainer: Trainer, module: Any, outputs: Any, batch: Any, batch_idx: int) -> None:
        """Count the batch."""
        trainer.should_stop = self.curve.after_batch(targets=int((batch["y"] != 0).sum()), sequences=len(batch["y"]))

    def on_train_epoch_end(self, trainer: Trainer, module: Any) -> None:
        """Check at the epoch's end."""
        trainer.should_stop = self.curve.after_epoch()


class RecToolsPeer:
    """One SASRecModel."""

    def __init__(self, options: Options, settings: Settings, items: int) -> None:
        self.options, self.settings, self.items = options, settings, items
        self.model: SASRecModel

    def fit(self, sessions: Rows, curve: Curve) -> None:
        """Train until the curve says stop."""

        def trainer() -> Trainer:
            quiet = dict.fromkeys(("logger", "enable_checkpointing", "enable_progress_bar"), False)
            one = {"accelerator": "cpu", "devices": 1, "max_epochs": -1, "min_epochs": 0}
            return Trainer(**one, **quiet, enable_model_summary=False, callbacks=[Watch(curve)])

        options, settings = self.options, self.settings
        ligr = options.system == "rectools-ligr"
        self.model = SASRecModel(
            n_blocks=options.layers,
            n_heads=options.heads,
            n_factors=options.dim,
            session_max_len=options.length,
            dropout_rate=settings.dropout,
            loss=settings.loss,
            n_negatives=settings.negatives,
            lr=settings.rate,
            batch_size=options.batch,
            item_net_block_types=(IdEmbeddingsItemNet,),
            transformer_layers_type=LiGRLayers if ligr else SASRecTransformerLayers,
            get_trainer_func=trainer,
        )
        frame = pd.DataFrame(
            {
                Columns.User: np.repeat(np.arange(len(sessions)), sessions.lengths),
                Columns.Item: sessions.items,
                Columns.Weight: 1.0,
                Columns.Datetime: pd.Timestamp(0) + pd.to_timedelta(np.arange(len(sessions.items)), unit="s"),
            }
        )
        self.model.fit(Dataset.construct(frame))

    def weights(self) -> Any:
        """A copy of the weights."""
        return {name: value.clone() for name, value in self.model.torch_model.state_dict().items()}

    def restore(self, weights: Any) -> None:
        """Put a copy back."""
        self.model.torch_model.load_state_dict(weights)

    def score(self, rows: list[npt.NDArray[np.int32]]) -> npt.NDArray[np.float32]:
        """Scores [B, V]; items that RecTools met in no session are dropped from the rows and score -inf."""
        preparator, network = self.model.data_preparator, self.model.torch_model
        known = np.asarray(preparator.get_known_item_ids(), np.int64)
        inner_V = np.zeros(self.items, np.int64)
        inner_V[known] = preparator.get_known_items_sorted_internal_ids()
        inner_rows = [inner_V[row][inner_V[row] > 0].tolist() for row in rows]
        answered = np.array([len(row) > 0 for row in inner_rows])
        scores_BV = np.full((len(rows), self.items), -np.inf, np.float32)
        was_training = network.training
        network.eval()
        with torch.no_grad():
            vectors = network.item_model.get_all_embeddings()
            batch = preparator._collate_fn_recommend([(row, [], {}) for row in inner_rows if row])
            queries = network.encode_sessions(batch, vectors)[:, -1, :] if answered.any() else vectors[:0]
            found = (queries @ vectors[torch.from_numpy(inner_V)].T).numpy()
        network.train(was_training)
        found[:, inner_V == 0] = -np.inf
        scores_BV[answered] = found
        return scores_BV


def make_peer(options: Options, settings: Settings, items: int) -> RecToolsPeer:
    """An untrained model."""
    logging.getLogger("pytorch_lightning").setLevel(logging.ERROR)
    return RecToolsPeer(options, settings, items)
