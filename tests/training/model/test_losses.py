"""The losses: by hand, then against torch's own cross entropy, then what the sampled one promises on average."""

import math

import pytest
import torch
from torch.nn import functional
from torch.utils._python_dispatch import TorchDispatchMode

from training.model import losses
from training.model.losses import full_softmax, intent_loss, sampled_softmax


def inputs(queries: int = 7, items: int = 11, dim: int = 4, *, scale: float = 1.0, seed: int = 0):
    generator = torch.Generator().manual_seed(seed)
    queries_QD = (scale * torch.randn(queries, dim, generator=generator)).requires_grad_()
    items_VD = torch.randn(items, dim, generator=generator).requires_grad_()
    targets_Q = torch.randint(0, items, (queries,), generator=generator)
    weights_Q = torch.rand(queries, generator=generator)
    return queries_QD, items_VD, targets_Q, weights_Q


def reference(queries_QD, items_VD, targets_Q, weights_Q):
    each_Q = functional.cross_entropy(queries_QD @ items_VD.T, targets_Q, reduction="none")
    return (each_Q * weights_Q).sum() / weights_Q.sum()


def value_and_grads(loss, arguments, factor: float = 1.0):
    value = loss(*arguments)
    return value, *torch.autograd.grad(factor * value, arguments[:2])


def test_full_softmax_by_hand():
    # logits (log 2, 0, 0) and (0, 0, log 2): -log(2/4) and -log(1/4), weighted 3 to 1: (3 log 2 + 2 log 2) / 4
    queries_QD = torch.tensor([[math.log(2), 0], [0, math.log(2)]])
    items_VD = torch.tensor([[1.0, 0], [0, 0], [0, 1]])
    loss = full_softmax(queries_QD, items_VD, torch.tensor([0, 1]), torch.tensor([3.0, 1.0]))
    assert loss.item() == pytest.approx(5 / 4 * math.log(2))


@pytest.mark.parametrize("rows", [1, 2, 3, 7, 100])
@pytest.mark.parametrize("scale", [1.0, 50.0], ids=["safe logits", "logits beyond SAFE_LOGIT"])
def test_full_softmax_is_cross_entropy_in_value_and_gradients_whatever_the_chunk(monkeypatch, rows, scale):
    monkeypatch.setattr(losses, "CHUNK_BYTES", rows * 11 * 4)
    arguments = inputs(scale=scale)
    largest = (arguments[0].norm(dim=1).max() * arguments[1].norm(dim=1).max()).item()
    assert (largest > losses.SAFE_LOGIT) == (scale > 1)
    arguments[3][[1, 5]] = 0  # events that are not to be learned from
    found = value_and_grads(full_softmax, arguments, factor=3.0)
    expected = value_and_grads(reference, arguments, factor=3.0)
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-5, atol=1e-5)


def test_full_softmax_neither_overflows_nor_vanishes():
    queries_QD = torch.tensor([[300.0, 0], [-300.0, 0]], requires_grad=True)
    items_VD = torch.tensor([[1.0, 0], [-1.0, 0]], requires_grad=True)
    loss = full_softmax(queries_QD, items_VD, torch.tensor([0, 0]), torch.ones(2))
    loss.backward()
    assert loss.item() == pytest.approx(300)  # 0 for the first, 600 for the second
    assert torch.isfinite(queries_QD.grad).all()


def test_full_softmax_with_no_weight_is_zero_and_learns_nothing():
    arguments = inputs()
    value, *grads = value_and_grads(full_softmax, (*arguments[:3], torch.zeros(7)))
    assert value.item() == 0
    assert not any(grad.any() for grad in grads)


@pytest.mark.parametrize("sampled", [False, True])
def test_a_batch_without_a_target_is_zero_and_learns_nothing(sampled):
    """As one whose every next event takes what the cart holds already."""
    queries_QD, items_VD = torch.zeros(0, 4, requires_grad=True), torch.randn(5, 4, requires_grad=True)
    none, pool_P = torch.zeros(0, dtype=torch.long), torch.tensor([0, 3, 3])
    if sampled:
        loss = sampled_softmax(queries_QD, items_VD, none, pool_P, torch.zeros(0), log_expected_V=torch.zeros(5))
    else:
        loss = full_softmax(queries_QD, items_VD, none, torch.zeros(0))
    loss.backward()
    assert loss.item() == 0
    assert not items_VD.grad.any()
    assert queries_QD.grad.shape == (0, 4)


def test_full_softmax_is_fp32_under_autocast():
    arguments = inputs()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        loss = full_softmax(arguments[0].bfloat16(), *arguments[1:])
        assert loss.dtype == torch.float32
    torch.testing.assert_close(loss, full_softmax(arguments[0].bfloat16().float(), *arguments[1:]))


def test_full_softmax_changes_no_argument():
    arguments = inputs(scale=50.0)
    before = [argument.detach().clone() for argument in arguments]
    full_softmax(*arguments).backward()
    for argument, copy in zip(arguments, before, strict=True):
        assert torch.equal(argument, copy)


class LargestTensor(TorchDispatchMode):
    """Remembers the elements of the largest tensor that any operation made."""

    def __init__(self) -> None:
        super().__init__()
        self.elements = 0

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        result = function(*args, **(kwargs or {}))
        for value in result if isinstance(result, tuple | list) else [result]:
            if isinstance(value, torch.Tensor):
                self.elements = max(self.elements, value.numel())
        return result


@pytest.mark.parametrize("scale", [0.1, 50.0])
def test_full_softmax_never_holds_more_logits_than_a_chunk(monkeypatch, scale):
    queries, items = 64, 500
    monkeypatch.setattr(losses, "CHUNK_BYTES", 10 * items * 4 + 7)  # room for ten rows
    arguments = inputs(queries, items, scale=scale)
    with LargestTensor() as largest:
        full_softmax(*arguments).backward()
    assert largest.elements == 10 * items
    with LargestTensor() as largest:
        reference(*arguments)
    assert largest.elements == queries * items  # what it is measured against


def sampled(queries_QD, items_VD, targets_Q, pool_P, weights_Q, log_expected_P):
    log_expected_V = torch.zeros(len(items_VD)).index_put_((pool_P,), log_expected_P)
    return sampled_softmax(queries_QD, items_VD, targets_Q, pool_P, weights_Q, log_expected_V=log_expected_V)


def sampled_reference(queries_QD, items_VD, targets_Q, pool_P, weights_Q, log_expected_P):
    """One logit for every draw; the target in front of them, and not among them."""
    logits_QP = queries_QD @ items_VD[pool_P].T - log_expected_P
    logits_QP = logits_QP.masked_fill(targets_Q[:, None] == pool_P, -math.inf)
    own_Q1 = (queries_QD * items_VD[targets_Q]).sum(1, keepdim=True)
    nll_Q = functional.cross_entropy(
        torch.cat([own_Q1, logits_QP], 1), torch.zeros(len(targets_Q), dtype=torch.int64), reduction="none"
    )
    return (nll_Q * weights_Q).sum() / weights_Q.sum()


def test_sampled_softmax_by_hand():
    # logits: target log 3; pool log 2 and the target itself. Expected twice each: exp sum = 3 + 2 / 2, loss = -log(3/4)
    items_VD = torch.tensor([[math.log(3)], [math.log(2)]])
    loss = sampled(
        torch.ones(1, 1),
        items_VD,
        torch.tensor([0]),
        torch.tensor([1, 0]),
        torch.ones(1),
        torch.full((2,), math.log(2)),
    )
    assert loss.item() == pytest.approx(math.log(4 / 3))


@pytest.mark.parametrize("rows", [1, 3, 100])
@pytest.mark.parametrize("scale", [1.0, 50.0], ids=["safe logits", "logits beyond SAFE_LOGIT"])
def test_sampled_softmax_counts_every_draw_in_value_and_gradients_whatever_the_chunk(monkeypatch, rows, scale):
    """Drawn in no order, some items twice and more, among them the targets of some queries."""
    monkeypatch.setattr(losses, "CHUNK_BYTES", rows * 5 * 4)
    queries_QD, items_VD, targets_Q, weights_Q = inputs(scale=scale)
    pool_P = torch.cat([torch.tensor([9, 2, 9, 0, 9, 2]), targets_Q[:2]])
    log_expected_P = torch.linspace(-2, 2, 11)[pool_P]

    def with_pool(loss):
        return lambda queries_QD, items_VD: loss(queries_QD, items_VD, targets_Q, pool_P, weights_Q, log_expected_P)

    found = value_and_grads(with_pool(sampled), (queries_QD, items_VD), factor=3.0)
    expected = value_and_grads(with_pool(sampled_reference), (queries_QD, items_VD), factor=3.0)
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-5, atol=1e-5)


def test_sampled_softmax_never_holds_more_logits_than_a_chunk(monkeypatch):
    monkeypatch.setattr(losses, "CHUNK_BYTES", 10 * 400 * 4)  # room for ten rows
    queries_QD, items_VD, targets_Q, weights_Q = inputs(64, 500)
    with LargestTensor() as largest:
        sampled(queries_QD, items_VD, targets_Q, torch.arange(400), weights_Q, torch.zeros(400)).backward()
    assert largest.elements == 10 * 400


def test_with_every_item_in_the_pool_once_it_is_the_full_softmax():
    queries_QD, items_VD, targets_Q, weights_Q = inputs()
    pool_P = torch.randperm(11, generator=torch.Generator().manual_seed(1))

    def loss(queries_QD, items_VD, targets_Q, weights_Q):
        return sampled(queries_QD, items_VD, targets_Q, pool_P, weights_Q, torch.zeros(11))

    found = value_and_grads(loss, (queries_QD, items_VD, targets_Q, weights_Q))
    expected = value_and_grads(full_softmax, (queries_QD, items_VD, targets_Q, weights_Q))
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-5, atol=1e-6)


def test_the_corrected_sum_over_the_pool_is_unbiased():
    """exp(loss + target logit) estimates the softmax's denominator; its mean over many pools is the full one."""
    queries_QD, items_VD, targets_Q, _ = inputs(queries=1)
    drawn_V = torch.softmax(torch.randn(11, generator=torch.Generator().manual_seed(2), dtype=torch.float64), 0)
    generator, pool, estimates = torch.Generator().manual_seed(3), 16, []
    target_logit = (queries_QD @ items_VD.T)[0, targets_Q[0]]
    with torch.no_grad():
        for _ in range(4000):
            pool_P = torch.multinomial(drawn_V, pool, replacement=True, generator=generator)
            log_expected_P = (pool * drawn_V[pool_P]).log().float()
            loss = sampled(queries_QD, items_VD, targets_Q, pool_P, torch.ones(1), log_expected_P)
            estimates.append((loss + target_logit).exp())
    estimates = torch.stack(estimates)
    denominator = (queries_QD @ items_VD.T).exp().sum()
    standard_error = estimates.std() / math.sqrt(len(estimates))
    assert abs(estimates.mean() - denominator) < 4 * standard_error
    assert standard_error < 0.02 * denominator  # tight enough to notice a missing correction


def test_a_pool_of_nothing_but_the_target_teaches_nothing_and_breaks_nothing():
    queries_QD, items_VD, _, weights_Q = inputs(queries=3)
    targets_Q, pool_P = torch.full((3,), 4), torch.full((5,), 4)
    loss = sampled(queries_QD, items_VD, targets_Q, pool_P, weights_Q[:3], torch.zeros(5))
    loss.backward()
    assert loss.item() == pytest.approx(0, abs=1e-6)
    assert not queries_QD.grad.any()
    assert torch.isfinite(items_VD.grad).all()


def test_sampled_softmax_weighs_its_queries():
    queries_QD, items_VD, targets_Q, _ = inputs()
    pool_P, log_expected_P = torch.tensor([1, 3, 3, 8]), torch.zeros(4)
    each = [
        sampled(queries_QD[q : q + 1], items_VD, targets_Q[q : q + 1], pool_P, torch.ones(1), log_expected_P).item()
        for q in (0, 1)
    ]
    weights_Q = torch.tensor([3.0, 1.0, 0, 0, 0, 0, 0])
    together = sampled(queries_QD, items_VD, targets_Q, pool_P, weights_Q, log_expected_P)
    assert together.item() == pytest.approx((3 * each[0] + each[1]) / 4)


def test_sampled_softmax_is_fp32_under_autocast():
    queries_QD, items_VD, targets_Q, weights_Q = inputs()
    arguments = (queries_QD, items_VD, targets_Q, torch.arange(11), weights_Q, torch.zeros(11))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        loss = sampled(*arguments)
    torch.testing.assert_close(loss, sampled(*arguments))


def test_intent_loss_by_hand():
    # logit 0: log 2; logit log 3, so probability 3/4, label 0: log 4 = 2 log 2; weights 3 to 1, the last has none
    logits_Q, labels_Q = torch.tensor([0.0, math.log(3), 9.0]), torch.tensor([True, False, False])
    loss = intent_loss(logits_Q, labels_Q, torch.tensor([3.0, 1.0, 0.0]))
    assert loss.item() == pytest.approx((3 + 2) / 4 * math.log(2))
    assert intent_loss(logits_Q, labels_Q, torch.zeros(3)).item() == 0
