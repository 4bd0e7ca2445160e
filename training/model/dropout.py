"""Dropout whose masks cost a byte of randomness for each number, where torch's own draws a double.

On a CPU the masks would else take a tenth of a training step. The share of zeros is a multiple of 1/256, and what is
kept is scaled by its true share. Random bytes come from torch's generator, so a run resumes to the same bits.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

STEPS = 256


def dropout(x: Tensor, share: float, training: bool) -> Tensor:
    """``x`` with about so large a share of its numbers set to zero and the others scaled to keep the mean.

    Args:
        share: rounded to a multiple of 1/256 on a CPU.
    """
    dropped = round(share * STEPS)
    if not training or not dropped or x.device.type != "cpu":
        return functional.dropout(x, share, training)
    words = torch.empty(-(-x.numel() // 8), dtype=torch.int64).random_(-(2**63), None)
    drawn = words.view(torch.uint8)[: x.numel()].view(x.shape)
    kept = torch.ge(drawn, dropped, out=torch.empty_like(x))  # by way of truth values it would take ten times as long
    return x * kept.mul_(STEPS / (STEPS - dropped))


class Dropout(nn.Module):
    """:func:`dropout` as a module."""

    def __init__(self, share: float) -> None:
        super().__init__()
        self.share = share

    def forward(self, x: Tensor) -> Tensor:
        """``x`` as it is, or while training with some numbers left out."""
        return dropout(x, self.share, self.training)
