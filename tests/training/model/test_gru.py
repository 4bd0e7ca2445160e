"""The GRU by hand, and in ONNX for sessions of every length."""

import math
from dataclasses import replace

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from torch import nn

from tests.models import CONFIG, SPEC, make_model, random_batch
from training.bundle.graphs import write_encoder
from training.model.checkpoint import TrainedModel
from training.model.encoder import Encoder
from training.model.gru import GruLayer, recurred
from training.settings.model import Network


def sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x))


def test_a_state_is_what_the_gates_let_through_by_hand():
    """Of width 1, with weights so that each gate reads something else."""
    reset, update, new = 0.5, -1.0, 2.0
    weights = [torch.tensor([[reset], [update], [new]]), torch.tensor([[0.1], [0.2], [0.3]])]
    biases = [torch.tensor([0.0, 0.4, 0.0]), torch.tensor([0.0, 0.0, 0.7])]
    state, expected = 0.0, []
    for x in (1.0, -2.0):
        r = sigmoid(reset * x + 0.1 * state)
        z = sigmoid(update * x + 0.2 * state + 0.4)
        n = math.tanh(new * x + r * (0.3 * state + 0.7))
        state = (1 - z) * n + z * state
        expected.append(state)
    found_BLD = recurred(torch.tensor([[[1.0], [-2.0]]]), *weights, *biases)
    assert found_BLD[0, :, 0].tolist() == pytest.approx(expected, abs=1e-6)


def test_a_layer_adds_the_states_to_what_it_read():
    torch.manual_seed(0)
    layer = GruLayer(4, 0.5).eval()
    x_BLD = torch.randn(2, 3, 4)
    with torch.no_grad():
        assert torch.equal(layer(x_BLD), x_BLD + layer.gru(layer.norm(x_BLD))[0])
        gru: nn.GRU = layer.gru
        weights = (gru.weight_ih_l0, gru.weight_hh_l0, gru.bias_ih_l0, gru.bias_hh_l0)
        torch.testing.assert_close(recurred(x_BLD, *weights), gru(x_BLD)[0])


@pytest.mark.slow
def test_in_onnx_it_says_the_same_whatever_the_length(tmp_path, capfd):
    config = replace(CONFIG, network=Network.gru)
    model = make_model(config=config)
    encoder: Encoder = model.encoder
    write_encoder(TrainedModel(model, config, SPEC, True), tmp_path / "encoder.onnx")
    assert capfd.readouterr() == ("", "")  # the exporter's talk of what it could not fold
    graph = onnx.load(tmp_path / "encoder.onnx").graph
    assert [node.op_type for node in graph.node].count("GRU") == config.layers
    weights = {each.name for each in graph.initializer}
    assert all(set(node.input[1:4]) <= weights for node in graph.node if node.op_type == "GRU")  # packed once, at load
    session = onnxruntime.InferenceSession(tmp_path / "encoder.onnx", providers=["CPUExecutionProvider"])
    names = [each.name for each in session.get_inputs()]
    for lengths in ([1], [SPEC.max_length, 2, 3], [1] * 5):
        batch = random_batch(lengths)
        with torch.no_grad():
            vectors_BLE = model.items()[torch.from_numpy(batch.items_BL)].numpy()
            asked = (batch.lengths_B, np.ones(len(lengths), np.int64), *batch.counted(encoder.behaviours))
            given = (vectors_BLE, batch.behaviours_BL, batch.gaps_BL, *asked)
            expected = encoder(*map(torch.from_numpy, given))
        for one, other in zip(session.run(None, dict(zip(names, given, strict=True))), expected, strict=True):
            np.testing.assert_allclose(one, other.numpy(), atol=2e-5)
