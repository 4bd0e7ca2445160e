"""A trained model as one file: what is saved is what is loaded, and only with the data set it was trained on."""

from dataclasses import replace

import pytest
import torch

from tests.datasets import make_dataset
from tests.models import CONFIG, make_trained
from tillside.encoding.spec import EncodingSpec
from tillside.recommenders import Neighbourhood
from tillside.recommenders.counted_intent import CountedIntent
from training.model.checkpoint import dataset_path, load_model, save_model


@pytest.fixture
def dataset(tmp_path):
    return make_dataset(tmp_path / "d", train=[[0, 1, 2]], trained=3, tokens=[["brand=a"], ["brand=a"]])


@pytest.mark.parametrize("intent", [True, False])
def test_what_is_saved_is_what_is_loaded(tmp_path, dataset, intent):
    spec = EncodingSpec(max_length=6, collapse_repeats=True)
    saved = make_trained(dataset, spec=spec, intent=intent, seed=3)
    saved.model.encoder.intent_calibration.fill_(2.5)
    counted = CountedIntent(tuple(range(14))) if intent else None
    saved = replace(saved, alone=Neighbourhood(reach=0.25) if intent else None, counted_intent=counted)
    save_model(tmp_path / "model.pt", saved, dataset)
    loaded = load_model(tmp_path / "model.pt", dataset)
    assert (loaded.config, loaded.spec, loaded.intent, loaded.alone) == (CONFIG, spec, intent, saved.alone)
    assert loaded.counted_intent == counted
    assert not loaded.model.training
    assert loaded.model.state_dict().keys() == saved.model.state_dict().keys()
    for name, value in saved.model.state_dict().items():
        assert torch.equal(loaded.model.state_dict()[name], value)
    assert dataset_path(tmp_path / "model.pt") == str(dataset.path.absolute())


def test_another_data_set_is_refused(tmp_path, dataset):
    save_model(tmp_path / "model.pt", make_trained(dataset), dataset)
    other = make_dataset(tmp_path / "other", train=[[0, 2, 1]], trained=3)
    with pytest.raises(ValueError) as caught:
        load_model(tmp_path / "model.pt", other)
    sentence = str(caught.value)
    assert f"digest {dataset.digest[:12]}, but {other.path} has {other.digest[:12]}" in sentence


@pytest.mark.parametrize("content", [b"", b"nonsense", b"PK\x03\x04"])
def test_a_damaged_file_is_refused(tmp_path, dataset, content):
    (tmp_path / "model.pt").write_bytes(content)
    with pytest.raises(ValueError, match=r"model\.pt is not a model file"):
        load_model(tmp_path / "model.pt", dataset)


def test_a_model_that_tells_no_intent_without_items_is_read(tmp_path, dataset):
    save_model(tmp_path / "model.pt", make_trained(dataset), dataset)
    document = torch.load(tmp_path / "model.pt", weights_only=True)
    del document["counted_intent"]  # as earlier versions wrote it
    torch.save(document, tmp_path / "model.pt")
    assert load_model(tmp_path / "model.pt", dataset).counted_intent is None


def test_weights_of_another_version_are_refused(tmp_path, dataset):
    save_model(tmp_path / "model.pt", make_trained(dataset), dataset)
    document = torch.load(tmp_path / "model.pt", weights_only=True)
    document["state"]["encoder.intent_slope"] = document["state"].pop("encoder.intent_calibration")
    torch.save(document, tmp_path / "model.pt")
    with pytest.raises(ValueError, match=r"model\.pt was trained by another version of tillside: train it anew"):
        load_model(tmp_path / "model.pt", dataset)


def test_a_missing_file_is_refused(tmp_path, dataset):
    with pytest.raises(ValueError, match=r"model\.pt is not a model file"):
        load_model(tmp_path / "model.pt", dataset)


class Harmful:
    """Runs code when it is unpickled."""

    def __reduce__(self):
        return (print, ("harm",))


def test_a_file_that_would_run_code_is_refused(tmp_path, dataset, capsys):
    torch.save({"state": Harmful()}, tmp_path / "model.pt")
    with pytest.raises(ValueError, match=r"model\.pt is not a model file"):
        load_model(tmp_path / "model.pt", dataset)
    assert "harm" not in capsys.readouterr().out
