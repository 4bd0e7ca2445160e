"""The model as one ONNX graph from item indices to the scores of the whole catalogue, as torch exports it.

Shapes: B sessions of a batch, L events, N items, D width.
"""

import contextlib
import io
import logging
import warnings
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

from benchmarks.rivals.session import NAMES
from training.bundle.graphs import OPSET
from training.model.next_item import NextItemModel


class FullLogits(nn.Module):
    """The model with its item matrix inside."""

    def __init__(self, model: NextItemModel) -> None:
        super().__init__()
        self.encoder = model.encoder
        self.items_ND = nn.Parameter(model.items().detach().clone(), requires_grad=False)

    def forward(
        self,
        items_BL: Tensor,
        behaviours_BL: Tensor,
        gaps_BL: Tensor,
        lengths_B: Tensor,
        ask_B: Tensor,
        counts_BK: Tensor,
        latest_B: Tensor,
    ) -> tuple[Tensor, Tensor]:
        """Scores of all items [B, N], and the intent [B]."""
        given = (behaviours_BL, gaps_BL, lengths_B, ask_B, counts_BK, latest_B)
        query_BD, intent_B = self.encoder(self.items_ND[items_BL], *given)
        return functional.linear(query_BD, self.items_ND), intent_B


def write_logits(model: NextItemModel, path: Path) -> None:
    """Export the model with dynamic batch and length; the weights go into an external data file beside ``path``."""
    full = FullLogits(model).eval()
    rows = torch.zeros(3, 5, dtype=torch.int64)
    lengths = torch.full((3,), 5)
    batch, events = torch.export.Dim("batch"), torch.export.Dim("length")
    shapes = ({0: batch, 1: events},) * 3 + ({0: batch},) * 4
    counts = torch.ones(3, full.encoder.behaviours, dtype=torch.int64)
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")  # deprecation warnings of the exporter
        logging.getLogger("torch.onnx").setLevel(logging.ERROR)
        program = torch.onnx.export(
            full,
            (rows, rows.clone(), rows.clone(), lengths, torch.zeros_like(lengths), counts, torch.zeros_like(lengths)),
            dynamo=True,
            opset_version=OPSET,
            input_names=list(NAMES),
            output_names=["scores", "intent"],
            dynamic_shapes=shapes,
            verbose=False,
        )
    assert program is not None
    path.parent.mkdir(parents=True, exist_ok=True)
    program.save(str(path), external_data=True)
