"""A configuration says which network a model has, and model files say it again."""

import pytest

from tests.models import CONFIG, make_model
from training.model.gru import GruEncoder
from training.model.next_item import ENCODERS
from training.model.transformer import TransformerEncoder
from training.settings.model import ModelConfig, Network


@pytest.mark.parametrize("network", Network)
def test_a_models_encoder_is_the_one_its_configuration_names(network):
    config = ModelConfig.from_document({**CONFIG.document(), "network": network.value})
    assert config.network is network
    assert type(make_model(config=config).encoder) is ENCODERS[network]
    assert {Network.transformer: TransformerEncoder, Network.gru: GruEncoder} == ENCODERS


def test_a_model_file_that_names_no_network_is_of_a_transformer():
    document = CONFIG.document()
    assert document.pop("network") == "transformer"
    assert ModelConfig.from_document(document) == CONFIG


def test_a_configuration_is_written_in_plain_types():
    assert all(type(value) in (str, int, float) for value in CONFIG.document().values())


def test_the_parts_of_a_transformer_keep_their_names_and_order():
    """Model files go by the names, and which weights a seed draws by the order."""
    names = [name.split(".")[0] for name in make_model().encoder.state_dict() if "." in name]
    assert list(dict.fromkeys(names)) == ["behaviour", "gap", "ask", "biases", "blocks", "norm", "to_query", "intent"]
