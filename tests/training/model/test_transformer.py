"""The Transformer's final layer runs for the positions asked for, and its other blocks for all."""

from dataclasses import replace

import torch

from tests.models import CONFIG, make_model


def test_an_answer_at_one_position_is_the_one_among_the_answers_at_all():
    encoder = make_model(config=replace(CONFIG, layers=2)).encoder
    hidden_BLD = encoder.mix(torch.randn(1, 3, CONFIG.dim, generator=torch.Generator().manual_seed(0)))
    every_BQD = encoder.answer(hidden_BLD, hidden_BLD, torch.arange(3)[None, :])
    for place in range(3):
        one_BQD = encoder.answer(hidden_BLD[:, place : place + 1], hidden_BLD, torch.tensor([[place]]))
        torch.testing.assert_close(one_BQD, every_BQD[:, place : place + 1])


def test_of_one_layer_the_events_are_mixed_by_the_answer_alone():
    encoder = make_model(config=replace(CONFIG, layers=1)).encoder
    x_BLD = torch.randn(1, 3, CONFIG.dim)
    assert torch.equal(encoder.mix(x_BLD), x_BLD)
