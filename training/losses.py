"""Softmax losses over the catalogue, as pure functions.

The full softmax never holds more than one chunk of logits: the forward pass computes the loss and, chunk by chunk, its
gradients too, so nothing is computed twice. The sampled softmax shares one pool of negatives over the whole batch and
corrects for how likely each was to be drawn (logQ; Bengio & Senecal 2008, Yi et al. 2019).

Shapes: Q queries, V items, P items of the pool, D width.
"""

import math
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn import functional

CHUNK_BYTES = 22 * 2**20
"""Logits held at once by :func:`full_softmax`. Larger chunks leave the caches, smaller ones make thin products."""

SAFE_LOGIT = 64.0
"""Below this, exp() of a logit can neither overflow nor vanish in fp32 sums, so the usual shift by the maximum, two
passes over the logits, is left out. Unit vectors with a temperature stay below it."""


class _ChunkedSoftmax(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, queries_QD: Tensor, items_VD: Tensor, targets_Q: Tensor, weights_Q: Tensor) -> Tensor:
        total = weights_Q.sum().clamp_min(1e-12)
        need_grad = any(ctx.needs_input_grad[:2])
        grad_queries = torch.empty_like(queries_QD) if need_grad else None
        grad_items = torch.zeros_like(items_VD) if need_grad else None
        loss = queries_QD.new_zeros((), dtype=torch.float64)
        chunk = max(1, CHUNK_BYTES // (4 * len(items_VD)))
        buffer = items_VD.new_empty(min(chunk, len(queries_QD)), len(items_VD))  # new pages for each chunk would cost
        bounded = float(queries_QD.norm(dim=1).amax() * items_VD.norm(dim=1).amax()) < SAFE_LOGIT
        for start in range(0, len(queries_QD), chunk):
            rows = slice(start, start + chunk)
            queries, targets, weights = queries_QD[rows], targets_Q[rows], weights_Q[rows] / total
            logits = torch.mm(queries, items_VD.T, out=buffer[: len(queries)])
            target_logits = logits.gather(1, targets[:, None])[:, 0]
            shift = torch.zeros_like(target_logits) if bounded else logits.amax(dim=1)
            exps = (logits if bounded else logits.sub_(shift[:, None])).exp_()
            sums = exps.sum(dim=1)  # divides the queries below instead of every logit: one pass fewer
            loss += ((sums.log() + shift - target_logits) * weights).sum(dtype=torch.float64)
            if grad_queries is not None and grad_items is not None:
                share = weights / sums
                torch.mm(exps, items_VD, out=grad_queries[rows])
                grad_queries[rows] *= share[:, None]
                grad_queries[rows] -= items_VD[targets] * weights[:, None]
                grad_items.addmm_(exps.T, queries * share[:, None])
                grad_items.index_add_(0, targets, queries * -weights[:, None])
        ctx.save_for_backward(grad_queries, grad_items)
        return loss.to(queries_QD.dtype)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor, None, None]:
        grad_queries, grad_items = ctx.saved_tensors
        return grad_queries * grad, grad_items * grad, None, None


def full_softmax(queries_QD: Tensor, items_VD: Tensor, targets_Q: Tensor, weights_Q: Tensor) -> Tensor:
    """Weighted mean cross entropy of the targets against the whole catalogue, in fp32, memory bounded by CHUNK_BYTES.

    Args:
        weights_Q: non-negative; the mean divides by their sum.
    """
    with torch.autocast(queries_QD.device.type, enabled=False):
        loss: Tensor = _ChunkedSoftmax.apply(queries_QD.float(), items_VD.float(), targets_Q, weights_Q.float())
    return loss


def sampled_softmax(
    queries_QD: Tensor,
    target_items_QD: Tensor,
    pool_items_PD: Tensor,
    targets_Q: Tensor,
    pool_P: Tensor,
    weights_Q: Tensor,
    *,
    log_expected_pool_P: Tensor,
) -> Tensor:
    """Weighted mean cross entropy of each target against one shared pool of negatives, in fp32.

    Args:
        targets_Q, pool_P: item indices; where a pool item is the query's own target it does not count as a negative.
        log_expected_pool_P: log of how often each pool item is expected in the pool (logQ). With it the logits
            estimate those of the full softmax, and the target's own logit needs no correction.
    """
    with torch.autocast(queries_QD.device.type, enabled=False):
        queries_QD = queries_QD.float()
        target_logits = (queries_QD * target_items_QD.float()).sum(dim=1)
        pool_logits = queries_QD @ pool_items_PD.float().T - log_expected_pool_P
    pool_logits = pool_logits.masked_fill(targets_Q[:, None] == pool_P, -math.inf)
    log_sums = torch.logaddexp(target_logits, pool_logits.logsumexp(dim=1))
    return ((log_sums - target_logits) * weights_Q).sum() / weights_Q.sum().clamp_min(1e-12)


def intent_loss(logits_Q: Tensor, labels_Q: Tensor, weights_Q: Tensor) -> Tensor:
    """Weighted mean binary cross entropy of "this session still reaches the goal"."""
    losses_Q = functional.binary_cross_entropy_with_logits(logits_Q.float(), labels_Q.float(), reduction="none")
    return (losses_Q * weights_Q).sum() / weights_Q.sum().clamp_min(1e-12)
