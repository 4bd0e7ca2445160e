"""A GRU as encoder (GRU4Rec, Hidasi et al. 2016): events mix by recurrence, one after the other.

Surprising: torch.export unrolls ``nn.GRU`` over the example's events, so that a graph would fit one length only.
While exporting, a layer is therefore one operator of our own, which becomes ONNX's GRU.

Shapes: B sessions in a batch, L events a row, Q queries a row, D width; G = 3 D are the gates, in torch's order.
"""

from typing import Any

import torch
from torch import Tensor, nn

from training.model.blocks import SwiGLU
from training.model.dropout import Dropout
from training.model.encoder import Encoder
from training.settings.model import ModelConfig


class GruLayer(nn.Module):
    """Pre-norm GRU with a residual connection."""

    def __init__(self, dim: int, dropout: float) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(dim)
        self.gru = nn.GRU(dim, dim, batch_first=True)
        self.dropout = Dropout(dropout)

    def forward(self, x_BLD: Tensor) -> Tensor:
        read_BLD = self.norm(x_BLD)
        if torch.compiler.is_exporting():
            weights = (self.gru.weight_ih_l0, self.gru.weight_hh_l0, self.gru.bias_ih_l0, self.gru.bias_hh_l0)
            mixed_BLD = recurred(read_BLD, *weights)
        else:
            mixed_BLD = self.gru(read_BLD)[0]
        out: Tensor = x_BLD + self.dropout(mixed_BLD)
        return out


class GruEncoder(Encoder):
    """GRU layers; the final layer, which the question enters, is a feed-forward one."""

    def add_layers(self, config: ModelConfig, *, dropout: float) -> None:
        self.layers = nn.Sequential(*(GruLayer(config.dim, dropout) for _ in range(config.layers)))
        self.norm_forward = nn.LayerNorm(config.dim)
        self.forward_part = SwiGLU(config.dim, config.dim, dropout)
        self.dropout = Dropout(dropout)

    def mix(self, x_BLD: Tensor) -> Tensor:
        mixed_BLD: Tensor = self.layers(x_BLD)
        return mixed_BLD

    def answer(self, asked_BQD: Tensor, hidden_BLD: Tensor, positions_BQ: Tensor) -> Tensor:
        out_BQD: Tensor = asked_BQD + self.dropout(self.forward_part(self.norm_forward(asked_BQD)))
        return out_BQD


@torch.library.custom_op("tillside::gru", mutates_args=())
def recurred(x_BLD: Tensor, input_GD: Tensor, hidden_GD: Tensor, input_bias_G: Tensor, hidden_bias_G: Tensor) -> Tensor:
    """Hidden states [B, L, D] of one GRU layer that begins with zeros, as ``nn.GRU`` computes them."""
    start_1BD = x_BLD.new_zeros(1, x_BLD.shape[0], hidden_GD.shape[1])
    weights = [input_GD, hidden_GD, input_bias_G, hidden_bias_G]
    states_BLD: Tensor = torch.gru(x_BLD, start_1BD, weights, True, 1, 0.0, False, False, True)[0]
    return states_BLD


@recurred.register_fake
def _(x_BLD: Tensor, input_GD: Tensor, hidden_GD: Tensor, input_bias_G: Tensor, hidden_bias_G: Tensor) -> Tensor:
    return x_BLD.new_empty(x_BLD.shape[0], x_BLD.shape[1], hidden_GD.shape[1])


def recurred_as_onnx(x_BLD: Any, input_GD: Any, hidden_GD: Any, input_bias_G: Any, hidden_bias_G: Any) -> Any:
    """ONNX nodes of :func:`recurred`, for the exporter's translation table: events first, and gates in ONNX's order."""
    from onnxscript import opset20 as op

    width = int(hidden_GD.shape[1])
    update_reset_new = [*range(width, 2 * width), *range(width), *range(2 * width, 3 * width)]
    order = op.Constant(value_ints=update_reset_new)

    def reordered(weights: Any) -> Any:  # by Gather, which the exporter folds into the weights, unlike Split
        return op.Gather(weights, order, axis=0)

    biases = op.Concat(reordered(input_bias_G), reordered(hidden_bias_G), axis=0)
    first = op.Constant(value_ints=[0])
    states_L1BD, _ = op.GRU(
        op.Transpose(x_BLD, perm=[1, 0, 2]),
        op.Unsqueeze(reordered(input_GD), first),
        op.Unsqueeze(reordered(hidden_GD), first),
        op.Unsqueeze(biases, first),
        hidden_size=width,
        linear_before_reset=1,
    )
    return op.Transpose(op.Squeeze(states_L1BD, op.Constant(value_ints=[1])), perm=[1, 0, 2])
