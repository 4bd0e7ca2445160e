"""Blocks of the trunk by hand: bias by distance, attention, the gated layer, residual connections."""

import math

import pytest
import torch

from training.model.blocks import Attention, Block, DistanceBias, SwiGLU

DIM, HEADS = 8, 2


@pytest.fixture
def block() -> Block:
    torch.manual_seed(0)
    return Block(DIM, HEADS, dropout=0.5).eval()


def causal(length: int) -> torch.Tensor:
    bias = DistanceBias(HEADS, length)
    torch.nn.init.normal_(bias.bias_LH)
    with torch.no_grad():
        return bias(torch.arange(length)[None], length)


def test_a_bias_is_that_of_the_distance_and_the_future_has_none():
    bias = DistanceBias(heads=2, max_length=3)
    bias.bias_LH.data = torch.tensor([[0.0, 10.0], [1.0, 11.0], [2.0, 12.0]])  # by distance and head
    found_HQL = bias(torch.tensor([[1, 4]]), 5)[0]
    gone = -1e9
    # from position 1: events 0 and 1 are 1 and 0 back; from 4: 4, 3, 2, 1, 0 back, and further than 2 counts as 2
    assert found_HQL[0].tolist() == [[1, 0, gone, gone, gone], [2, 2, 2, 1, 0]]
    assert found_HQL[1].tolist() == [[11, 10, gone, gone, gone], [12, 12, 12, 11, 10]]


def test_attention_by_hand():
    """Two heads of width 1, all projections plain: softmax of query * key, then the mean of the values."""
    attention = Attention(dim=2, heads=2, dropout=0.0)
    for layer in (attention.query, attention.out):
        layer.weight.data = torch.eye(2)
        layer.bias.data.zero_()
    attention.key_value.weight.data = torch.cat([torch.eye(2), 10 * torch.eye(2)])  # the key is x, the value 10 x
    attention.key_value.bias.data.zero_()
    context = torch.tensor([[[0.0, 0.0], [math.log(3), math.log(3)]]])
    # query 1: weights 1 : 3, so 3/4 of 10 log 3; the second head has a bias of log 3 on the first event: 1/2
    bias = torch.tensor([[[[0.0, 0.0]], [[math.log(3), 0.0]]]])
    mixed = attention(torch.ones(1, 1, 2), context, bias)
    assert mixed.flatten().tolist() == pytest.approx([3 / 4 * 10 * math.log(3), 1 / 2 * 10 * math.log(3)], rel=1e-6)


def test_heads_do_not_see_each_other():
    torch.manual_seed(0)
    attention = Attention(dim=4, heads=2, dropout=0.0)
    torch.nn.init.eye_(attention.out.weight)
    context, bias = torch.randn(1, 3, 4), torch.zeros(1, 2, 3, 3)
    before = attention(context, context, bias)
    bias[0, 1, :, 0] = -1e9  # the second head no longer sees the first event
    after = attention(context, context, bias)
    torch.testing.assert_close(after[..., :2], before[..., :2])
    assert (after[..., 2:] - before[..., 2:]).abs().max() > 1e-3


def test_a_swiglu_is_a_gate_times_a_value():
    layer = SwiGLU(dim=1, hidden=1, dropout=0.0)
    layer.gate_up.weight.data, layer.gate_up.bias.data = torch.tensor([[1.0], [2.0]]), torch.tensor([0.0, 1.0])
    layer.down.weight.data, layer.down.bias.data = torch.tensor([[3.0]]), torch.tensor([0.5])
    # silu(2) = 2 / (1 + e^-2); times 2 * 2 + 1 = 5, times 3, plus 0.5
    assert layer(torch.tensor([[[2.0]]])).item() == pytest.approx(2 / (1 + math.exp(-2)) * 5 * 3 + 0.5)


def test_some_queries_get_what_they_would_get_among_all(block):
    context, bias = torch.randn(2, 5, DIM), causal(5)
    with torch.no_grad():
        whole = block(context, context, bias)
        some = block(context[:, [4, 1]], context, bias[:, :, [4, 1]])
    torch.testing.assert_close(some, whole[:, [4, 1]])


def test_a_block_adds_to_what_it_got_and_drops_nothing_when_it_answers(block):
    for parameter in (*block.attention.out.parameters(), *block.forward_part.down.parameters()):
        torch.nn.init.zeros_(parameter)
    context = torch.randn(2, 5, DIM)
    assert torch.equal(block(context, context, causal(5)), context)


def test_dropout_is_of_training_alone(block):
    context, bias = torch.randn(2, 5, DIM), causal(5)
    assert torch.equal(block(context, context, bias), block(context, context, bias))
    block.train()
    assert not torch.equal(block(context, context, bias), block(context, context, bias))
