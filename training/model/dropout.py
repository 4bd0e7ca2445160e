"""Dropout whose masks cost one random byte per element, where torch's own draws a double.

On a CPU, drawing masks would otherwise take a tenth of a training step. The drop probability is a multiple of 1/256,
and kept elements are scaled for that exact value. The bytes come from torch's generator, so a resumed run is
bit-identical.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

STEPS = 256


def dropout(x: Tensor, share: float, training: bool) -> Tensor:
    """Inverted dropout: elements of ``x`` zeroed with probability ``share``, the others scaled to keep the mean.

    Args:
        share: drop probability, rounded to a multiple of 1/256 on a CPU.
    """
    dropped = round(share * STEPS)
    if not training or not dropped or x.device.type != "cpu":
        return functional.dropout(x, share, training)
    words = torch.empty(-(-x.numel() // 8), dtype=torch.int64).random_(-(2**63), None)
    drawn = words.view(torch.uint8)[: x.numel()].view(x.shape)
    kept = torch.ge(drawn, dropped, out=torch.empty_like(x))  # via a bool mask it would take ten times as long
    return x * kept.mul_(STEPS / (STEPS - dropped))


class Dropout(nn.Module):
    """:func:`dropout` as a module."""

    def __init__(self, share: float) -> None:
        super().__init__()
        self.share = share

    def forward(self, x: Tensor) -> Tensor:
        """``x`` itself, with dropout while training."""
        return dropout(x, self.share, self.training)
