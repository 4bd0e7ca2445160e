"""A causal Transformer as encoder: SASRec's trunk with distances for positions.

Surprising: positions are distances back from the query, so a prefix has the same hidden state at any offset in a row.

Shapes: B sessions in a batch, L events a row, Q queries a row, H heads, D width.
"""

import torch
from torch import Tensor, nn

from training.model.blocks import Block, DistanceBias
from training.model.encoder import Encoder
from training.settings.model import ModelConfig


class TransformerEncoder(Encoder):
    """Blocks of attention and feed-forward layers; the last of them is the final layer."""

    def add_layers(self, config: ModelConfig, *, dropout: float) -> None:
        self.biases = nn.ModuleList(DistanceBias(config.heads, config.max_length) for _ in range(config.layers))
        self.blocks = nn.ModuleList(Block(config.dim, config.heads, dropout) for _ in range(config.layers))

    def mix(self, x_BLD: Tensor) -> Tensor:
        length = x_BLD.shape[1]
        positions_BL = torch.arange(length, device=x_BLD.device)[None, :]
        for bias, block in zip(list(self.biases)[:-1], list(self.blocks)[:-1], strict=True):
            x_BLD = block(x_BLD, x_BLD, bias(positions_BL, length))
        return x_BLD

    def answer(self, asked_BQD: Tensor, hidden_BLD: Tensor, positions_BQ: Tensor) -> Tensor:
        bias_BHQL = self.biases[-1](positions_BQ, hidden_BLD.shape[1])
        out_BQD: Tensor = self.blocks[-1](asked_BQD, hidden_BLD, bias_BHQL)
        return out_BQD
