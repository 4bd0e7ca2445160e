"""Byte-wise dropout: what it leaves out, what it scales, and that gradients and seeds see the same mask."""

import pytest
import torch

from training.model.dropout import Dropout, dropout


def draw(share: float, *, seed: int = 0, shape: tuple[int, ...] = (300, 333)) -> torch.Tensor:
    torch.manual_seed(seed)
    return dropout(torch.ones(shape), share, True)


@pytest.mark.parametrize(("share", "dropped"), [(0.3, 77 / 256), (0.5, 0.5), (0.1, 26 / 256)])
def test_a_share_is_zero_and_the_rest_keeps_the_mean(share, dropped):
    out = draw(share)
    assert out.unique().tolist() == pytest.approx([0.0, 1 / (1 - dropped)])
    assert (out == 0).float().mean().item() == pytest.approx(dropped, abs=0.006)  # four standard deviations
    assert out.mean().item() == pytest.approx(1, abs=0.012)


def test_every_place_of_a_word_is_left_out_alike():
    zeros_8 = (draw(0.5, shape=(4096, 8)) == 0).float().mean(dim=0)
    assert (zeros_8 - 0.5).abs().max().item() < 0.04  # five standard deviations


def test_the_gradient_has_the_mask_of_the_output():
    x = torch.randn(7, 13, requires_grad=True)
    out = dropout(x, 0.5, True)
    out.sum().backward()
    torch.testing.assert_close(x.grad, torch.where(out != 0, 2.0, 0.0))


def test_the_seed_decides():
    assert torch.equal(draw(0.3), draw(0.3))
    assert not torch.equal(draw(0.3), draw(0.3, seed=1))


def test_nothing_is_left_out_when_not_training_or_for_a_share_of_zero():
    x = torch.randn(5, 5)
    layer = Dropout(0.9)
    assert torch.equal(layer.eval()(x), x)
    assert torch.equal(dropout(x, 0.0, True), x)
    assert not torch.equal(layer.train()(x), x)
