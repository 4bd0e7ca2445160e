"""Operations on rows of large embedding tables, with hand-written backwards where autograd's make many more passes.

Tables have tens of thousands to millions of rows, and a training step passes over them for a few hundred events.
Sparse matrices A are CSR-like triples: column ids [P], bounds [rows + 1], weights [P].

Shapes: N rows of a table W, V of them chosen, U of them that get a gradient, P non-zero entries of A, D width.
"""

from typing import Any

import torch
from scipy.sparse import csr_array
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn import functional


class UnitRows(torch.autograd.Function):
    """L2-normalised rows. Autograd's backward of ``normalize`` makes five times the passes over a large table."""

    @staticmethod
    def forward(ctx: Any, rows_ND: Tensor) -> Tensor:
        lengths_N1 = torch.linalg.vector_norm(rows_ND, dim=1, keepdim=True).clamp_min(1e-12)
        unit_ND: Tensor = rows_ND / lengths_N1
        ctx.save_for_backward(unit_ND, lengths_N1)
        return unit_ND

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad_ND: Tensor) -> Tensor:
        unit_ND, lengths_N1 = ctx.saved_tensors
        along_N1 = (grad_ND * unit_ND).sum(dim=1, keepdim=True)
        return torch.addcmul(grad_ND, unit_ND, along_N1, value=-1).div_(lengths_N1)


class WeightedSums(torch.autograd.Function):
    """``A @ W`` with backward ``A.T @ grad``, which is as fast; ``there`` is A, ``back`` is A.T."""

    @staticmethod
    def forward(ctx: Any, rows_ND: Tensor, there: tuple[Tensor, ...], back: tuple[Tensor, ...]) -> Tensor:
        ctx.save_for_backward(*back)
        return weighted_sums(rows_ND, *there)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad_ND: Tensor) -> tuple[Tensor, None, None]:
        return weighted_sums(grad_ND, *ctx.saved_tensors), None, None


def weighted_sums(rows_ND: Tensor, ids_P: Tensor, bounds: Tensor, weights_P: Tensor) -> Tensor:
    """``A @ W``: row i sums the entries from ``bounds[i]`` to ``bounds[i + 1]``."""
    return functional.embedding_bag(
        ids_P, rows_ND, bounds, mode="sum", per_sample_weights=weights_P, include_last_offset=True
    )


class LeaningTable(torch.autograd.Function):
    """``W + lean * (A @ W)`` with a hand-written backward: autograd's makes six more passes over the table.

    ``there`` is A, ``back`` is A.T, ``lean`` a scalar.
    """

    @staticmethod
    def forward(
        ctx: Any, table_ND: Tensor, lean: Tensor, there: tuple[Tensor, ...], back: tuple[Tensor, ...]
    ) -> Tensor:
        sums_ND = weighted_sums(table_ND, *there)
        ctx.save_for_backward(lean, sums_ND, *back)
        return torch.addcmul(table_ND, sums_ND, lean)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad_ND: Tensor) -> tuple[Tensor, Tensor, None, None]:
        lean, sums_ND, ids_P, bounds, weights_P = ctx.saved_tensors
        lean_grad = torch.dot(grad_ND.flatten(), sums_ND.flatten())
        return weighted_sums(grad_ND, ids_P, bounds, weights_P * lean).add_(grad_ND), lean_grad, None, None


class LeaningRows(torch.autograd.Function):
    """``W[rows_V] + lean * (A @ W)`` with A [V, N]. Backward makes the table's gradient in one pass over A.T;
    autograd's sorts the entries and writes two tables of zeros.

    ``rows_V`` are unique. ``sparse``: the table's gradient is a coalesced sparse tensor over the U rows it touches.
    """

    @staticmethod
    def forward(
        ctx: Any,
        table_ND: Tensor,
        lean: Tensor,
        rows_V: Tensor,
        ids_P: Tensor,
        bounds: Tensor,
        weights_P: Tensor,
        sparse: bool,
    ) -> Tensor:
        sums_VD = weighted_sums(table_ND, ids_P, bounds, weights_P)
        ctx.items, ctx.sparse = len(table_ND), sparse
        ctx.save_for_backward(lean, rows_V, ids_P, bounds, weights_P, sums_VD)
        return torch.addcmul(table_ND.index_select(0, rows_V), sums_VD, lean)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad_VD: Tensor) -> tuple[Tensor, Tensor, None, None, None, None, None]:
        lean, rows_V, ids_P, bounds, weights_P, sums_VD = ctx.saved_tensors
        by_item, ends, turned_P = turned(ids_P, bounds, weights_P * lean, items=ctx.items)
        lean_grad = torch.dot(grad_VD.flatten(), sums_VD.flatten())
        if not ctx.sparse:
            table_grad = weighted_sums(grad_VD, by_item, ends, turned_P).index_add_(0, rows_V, grad_VD)
            return table_grad, lean_grad, None, None, None, None, None
        used_N = ends.diff() > 0
        used_N[rows_V] = True
        (used_U,) = torch.where(used_N)
        values_UD = weighted_sums(grad_VD, by_item, torch.cat([ends[used_U], ends[-1:]]), turned_P)
        values_UD.index_add_(0, torch.searchsorted(used_U, rows_V), grad_VD)
        size = (ctx.items, grad_VD.shape[1])
        table_grad = torch.sparse_coo_tensor(used_U[None], values_UD, size, is_coalesced=True, check_invariants=False)
        return table_grad, lean_grad, None, None, None, None, None


def turned(ids_P: Tensor, bounds: Tensor, weights_P: Tensor, *, items: int) -> tuple[Tensor, Tensor, Tensor]:
    """A.T of a CSR-like A [rows, items]: row ids [P] grouped by item, bounds [items + 1], weights [P]."""
    given = [each.cpu().numpy() for each in (weights_P, ids_P, bounds)]
    pairs = csr_array(tuple(given), shape=(len(bounds) - 1, items)).tocsc()
    rows_P, ends, turned_P = (torch.from_numpy(each) for each in (pairs.indices, pairs.indptr, pairs.data))
    return rows_P.long().to(ids_P.device), ends.long().to(ids_P.device), turned_P.to(ids_P.device)


def ragged(bounds: Tensor, rows_V: Tensor) -> tuple[Tensor, Tensor]:
    """Flat indices of the entries of the given rows of a ragged (CSR-like) array, and those rows' bounds [V + 1]."""
    starts_V, counts_V = bounds[rows_V], bounds[rows_V + 1] - bounds[rows_V]
    ends_V = counts_V.cumsum(0)
    shifts_V = starts_V - (ends_V - counts_V)
    places = torch.arange(int(counts_V.sum()), device=bounds.device) + shifts_V.repeat_interleave(counts_V)
    return places, functional.pad(ends_V, (1, 0))
