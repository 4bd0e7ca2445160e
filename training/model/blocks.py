"""Building blocks of a trunk, written with plain matrix products so that they export to ONNX.

Attention takes queries separately from the context, so the final layer can run for one position only. Order enters
through a learned bias per distance (relative positions): nothing depends on the row's length or on where it was cut.

Shapes: B rows, Q queries of a row, L events of a row, H heads, D width, W width of a head, F hidden width of the
feed-forward part.
"""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from training.model.dropout import Dropout, dropout


class DistanceBias(nn.Module):
    """Learned attention bias per head and distance back from the query; the future is masked."""

    def __init__(self, heads: int, max_length: int) -> None:
        super().__init__()
        self.bias_LH = nn.Parameter(torch.zeros(max_length, heads))

    def forward(self, positions_BQ: Tensor, length: int) -> Tensor:
        """Bias [B, H, Q, L] for queries at ``positions_BQ`` of rows of ``length`` events."""
        columns_L = torch.arange(length, device=positions_BQ.device)
        distance_BQL = positions_BQ[:, :, None] - columns_L
        bias_BQLH = self.bias_LH[distance_BQL.clamp(0, self.bias_LH.shape[0] - 1)]
        return bias_BQLH.masked_fill((distance_BQL < 0)[..., None], -1e9).permute(0, 3, 1, 2)


class Attention(nn.Module):
    """Multi-head attention of queries over a context, with an additive bias."""

    def __init__(self, dim: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.heads = heads
        self.query = nn.Linear(dim, dim)
        self.key_value = nn.Linear(dim, 2 * dim)
        self.out = nn.Linear(dim, dim)
        self.dropout = dropout

    def forward(self, queries_BQD: Tensor, context_BLD: Tensor, bias_BHQL: Tensor) -> Tensor:
        batch, length, dim = context_BLD.shape
        width = dim // self.heads
        query_BHQW = self.query(queries_BQD).view(batch, -1, self.heads, width).transpose(1, 2)
        key_BLD, value_BLD = self.key_value(context_BLD).chunk(2, dim=-1)
        key_BHWL = key_BLD.view(batch, length, self.heads, width).permute(0, 2, 3, 1)
        value_BHLW = value_BLD.view(batch, length, self.heads, width).transpose(1, 2)
        weights_BHQL = torch.softmax(query_BHQW @ key_BHWL / math.sqrt(width) + bias_BHQL, dim=-1)
        weights_BHQL = dropout(weights_BHQL, self.dropout, self.training)
        mixed_BQD = (weights_BHQL @ value_BHLW).transpose(1, 2).reshape(batch, -1, dim)
        out: Tensor = self.out(mixed_BQD)
        return out


class SwiGLU(nn.Module):
    """SwiGLU feed-forward layer (Shazeer, 2020)."""

    def __init__(self, dim: int, hidden: int, dropout: float) -> None:
        super().__init__()
        self.gate_up = nn.Linear(dim, 2 * hidden)
        self.down = nn.Linear(hidden, dim)
        self.dropout = Dropout(dropout)

    def forward(self, x_BQD: Tensor) -> Tensor:
        gate_BQF, up_BQF = self.gate_up(x_BQD).chunk(2, dim=-1)
        out: Tensor = self.down(self.dropout(functional.silu(gate_BQF) * up_BQF))
        return out


class Block(nn.Module):
    """Pre-norm attention and feed-forward, each with a residual connection."""

    def __init__(self, dim: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.norm_attention = nn.LayerNorm(dim)
        self.attention = Attention(dim, heads, dropout)
        self.norm_forward = nn.LayerNorm(dim)
        self.forward_part = SwiGLU(dim, dim, dropout)
        self.dropout = Dropout(dropout)

    def forward(self, queries_BQD: Tensor, context_BLD: Tensor, bias_BHQL: Tensor) -> Tensor:
        """Pass the context itself as ``queries_BQD`` to query every position; the final layer passes only some."""
        read_BLD = self.norm_attention(context_BLD)
        asking_BQD = read_BLD if queries_BQD is context_BLD else self.norm_attention(queries_BQD)
        attended_BQD = self.attention(asking_BQD, read_BLD, bias_BHQL)
        x_BQD = queries_BQD + self.dropout(attended_BQD)
        out: Tensor = x_BQD + self.dropout(self.forward_part(self.norm_forward(x_BQD)))
        return out
