"""AdamW for dense parameters, combined with sparse Adam, which updates only the item-table rows that a batch touched.

Surprising: an untouched row stays as it is, where AdamW would move it by its old momentum and decay it. To Lightning
both are one optimizer: one schedule, one state, one checkpoint.
"""

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor
from torch.nn import Parameter


class AdamWithSparseRows(torch.optim.Optimizer):
    """:class:`torch.optim.AdamW` and :class:`torch.optim.SparseAdam` stepped together.

    Args:
        dense: over parameters with dense gradients.
        sparse: over parameters with sparse gradients, as ``nn.Embedding(sparse=True)`` produces.
    """

    def __init__(self, dense: torch.optim.AdamW, sparse: torch.optim.SparseAdam) -> None:
        super().__init__([*dense.param_groups, *sparse.param_groups], {})
        self.dense, self.sparse = dense, sparse
        self._dense_groups = len(dense.param_groups)

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:  # type: ignore[override]
        """Step both, on this optimizer's own groups and state, so that a loaded checkpoint takes effect."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        groups, split = self.param_groups, self._dense_groups
        for part, own in ((self.dense, groups[:split]), (self.sparse, groups[split:])):
            part.param_groups, part.state = own, self.state
            part.step()
        return loss


def clip_gradients(parameters: Iterable[Parameter], clip_norm: float) -> None:
    """Clip gradients in place to a global norm of ``clip_norm``; sparse ones are coalesced first."""
    values: list[Tensor] = []
    for parameter in parameters:
        if parameter.grad is None:
            continue
        if parameter.grad.is_sparse:
            parameter.grad = parameter.grad.coalesce()
            values.append(parameter.grad.values())
        else:
            values.append(parameter.grad)
    norm = torch.linalg.vector_norm(torch.stack(torch._foreach_norm(values)))
    torch._foreach_mul_(values, (clip_norm / (norm + 1e-6)).clamp(max=1.0))
