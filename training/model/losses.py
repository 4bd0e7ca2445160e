"""Softmax losses over the catalogue, as pure functions.

Never more than one chunk of logits is held: the forward pass computes the loss and, chunk by chunk, the gradients too,
so no logit is computed twice. The sampled softmax shares one pool of negatives over the whole batch and corrects for
their sampling probability (logQ; Bengio & Senecal 2008, Yi et al. 2019).

Shapes: Q queries, V items, P draws or unique items of the pool, D width.
"""

import math
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn import functional

CHUNK_BYTES = 22 * 2**20
"""Size of the fp32 logits held at once. Larger chunks fall out of the caches, smaller ones make thin products."""

SAFE_LOGIT = 64.0
"""Bound on ``|logit|`` up to which exp() neither overflows nor underflows in fp32 sums, so the usual shift by the row's
maximum, two passes over the logits, is skipped. Unit vectors scaled by the temperature stay below it."""


class _ChunkedSoftmax(torch.autograd.Function):
    """Softmax cross-entropy over the catalogue, or over a sorted pool of unique negatives plus the target.

    ``factors_P`` multiply the exponentials of the pool: multiplicity over expected count. Gradients with respect to
    queries and items are computed in the forward pass; backward only scales them.
    """

    @staticmethod
    def forward(
        ctx: Any,
        queries_QD: Tensor,
        items_VD: Tensor,
        targets_Q: Tensor,
        weights_Q: Tensor,
        pool_P: Tensor | None,
        factors_P: Tensor | None,
    ) -> Tensor:
        total = weights_Q.sum().clamp_min(1e-12)
        need_grad = any(ctx.needs_input_grad[:2])
        grad_queries = torch.empty_like(queries_QD) if need_grad else None
        compared_PD = items_VD if pool_P is None else items_VD[pool_P]
        counted_PD = compared_PD if factors_P is None else compared_PD * factors_P[:, None]
        grad_compared = torch.zeros_like(compared_PD) if need_grad else None
        grad_items = grad_compared if pool_P is None or not need_grad else torch.zeros_like(items_VD)
        loss = queries_QD.new_zeros((), dtype=torch.float64)
        chunk = max(1, CHUNK_BYTES // (4 * len(compared_PD)))
        # one buffer for all chunks: fresh pages for each would be slow
        buffer = items_VD.new_empty(min(chunk, len(queries_QD)), len(compared_PD))
        longest = float(queries_QD.norm(dim=1).amax()) if len(queries_QD) else 0.0  # a batch may have no target
        largest = longest * float(items_VD.norm(dim=1).amax())
        bounded = largest + (0.0 if factors_P is None else float(factors_P.log().abs().amax())) < SAFE_LOGIT
        for start in range(0, len(queries_QD), chunk):
            rows = slice(start, start + chunk)
            queries, targets, weights = queries_QD[rows], targets_Q[rows], weights_Q[rows] / total
            logits = buffer[: len(queries)]
            torch.mm(queries, compared_PD.T, out=logits)
            if pool_P is None:
                target_logits = logits.gather(1, targets[:, None])[:, 0]
            else:
                target_logits = (queries * items_VD[targets]).sum(dim=1)
                places = torch.searchsorted(pool_P, targets).clamp_max(len(pool_P) - 1)
                (own,) = torch.where(pool_P[places] == targets)  # the target is added below, so it is no negative
                logits[own, places[own]] = -math.inf
            shift = torch.zeros_like(target_logits)
            if not bounded:
                shift = torch.maximum(logits.amax(dim=1), target_logits)
                logits -= shift[:, None]
            exps = logits.exp_()
            # sums divide the queries below and factors are folded into the items: neither costs a pass over the logits
            sums = exps.sum(dim=1) if factors_P is None else torch.mv(exps, factors_P)
            target_exps = torch.zeros_like(sums) if pool_P is None else (target_logits - shift).exp()
            sums += target_exps
            loss += ((sums.log() + shift - target_logits) * weights).sum(dtype=torch.float64)
            if grad_queries is not None and grad_compared is not None and grad_items is not None:
                share = weights / sums
                missing = weights * (1 - target_exps / sums)
                torch.mm(exps, counted_PD, out=grad_queries[rows])
                grad_queries[rows] *= share[:, None]
                grad_queries[rows] -= items_VD[targets] * missing[:, None]
                grad_compared.addmm_(exps.T, queries * share[:, None])
                grad_items.index_add_(0, targets, queries * -missing[:, None])
        if pool_P is not None and factors_P is not None and grad_items is not None and grad_compared is not None:
            grad_items.index_add_(0, pool_P, grad_compared.mul_(factors_P[:, None]))
        ctx.save_for_backward(grad_queries, grad_items)
        return loss.to(queries_QD.dtype)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor, None, None, None, None]:
        grad_queries, grad_items = ctx.saved_tensors
        return grad_queries * grad, grad_items * grad, None, None, None, None


def full_softmax(queries_QD: Tensor, items_VD: Tensor, targets_Q: Tensor, weights_Q: Tensor) -> Tensor:
    """Weighted mean softmax cross-entropy over the whole catalogue, in fp32; logits take at most CHUNK_BYTES at once.

    Args:
        weights_Q: non-negative; the mean divides by their sum.
    """
    with torch.autocast(queries_QD.device.type, enabled=False):
        loss: Tensor = _ChunkedSoftmax.apply(
            queries_QD.float(), items_VD.float(), targets_Q, weights_Q.float(), None, None
        )
    return loss


def sampled_softmax(
    queries_QD: Tensor,
    items_VD: Tensor,
    targets_Q: Tensor,
    pool_P: Tensor,
    weights_Q: Tensor,
    *,
    log_expected_V: Tensor,
) -> Tensor:
    """Weighted mean softmax cross-entropy of each target against one shared pool of negatives, in fp32, memory bounded
    as in :func:`full_softmax`.

    Args:
        items_VD: vectors that ``targets_Q`` and ``pool_P`` index; they need not be the whole catalogue.
        pool_P: as drawn, duplicates included; a query's own target in it is not a negative of that query.
        weights_Q: non-negative; the mean divides by their sum.
        log_expected_V: log of each item's expected count in the pool (logQ). It makes the sum over the pool an estimate
            of the full softmax's sum over negatives, so the target's own logit needs no correction.
    """
    drawn_P, times_P = torch.unique(pool_P, return_counts=True)  # duplicates are one logit, weighted
    factors_P = times_P * (-log_expected_V[drawn_P]).exp()
    with torch.autocast(queries_QD.device.type, enabled=False):
        loss: Tensor = _ChunkedSoftmax.apply(
            queries_QD.float(), items_VD.float(), targets_Q, weights_Q.float(), drawn_P, factors_P
        )
    return loss


def intent_loss(logits_Q: Tensor, labels_Q: Tensor, weights_Q: Tensor) -> Tensor:
    """Weighted mean binary cross-entropy of "this session still reaches the goal", labels 0 or 1."""
    losses_Q = functional.binary_cross_entropy_with_logits(logits_Q.float(), labels_Q.float(), reduction="none")
    return (losses_Q * weights_Q).sum() / weights_Q.sum().clamp_min(1e-12)
