"""What a run keeps of its configuration holds no secret, and is read as data alone."""

from dataclasses import dataclass, field

import pytest
from omegaconf import OmegaConf

from training.cli.stored import read_stored, stored_text
from training.settings.tracking import TrackingConfig


@dataclass
class Run:
    dataset: str = "ds"
    tracking: TrackingConfig = field(default_factory=TrackingConfig)


def test_a_password_is_not_stored_and_taken_anew(tmp_path, monkeypatch):
    address = "http://ana:geheim123@host:5000"
    path = tmp_path / "config.yaml"
    path.write_text(stored_text(Run(tracking=TrackingConfig(uri=address))))
    assert "geheim123" not in path.read_text()
    stored = read_stored(path).tracking.uri
    assert stored == "http://host:5000"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", address)
    assert TrackingConfig().anew(stored) == address
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://ana:geheim123@elsewhere:5000")
    assert TrackingConfig().anew(stored) == stored
    assert TrackingConfig(uri="http://b@host:5000").anew(stored) == "http://b@host:5000"


def test_a_strangers_interpolation_is_refused_and_not_followed(tmp_path, monkeypatch):
    monkeypatch.setenv("SECRET_THING", "hunter2")
    path = tmp_path / "config.yaml"
    path.write_text("dataset: ds\nlist:\n- a: ${oc.env:SECRET_THING}\n")
    with pytest.raises(ValueError, match=r"holds the interpolation .*\$\{oc.env:SECRET_THING\}") as refused:
        read_stored(path)
    assert "hunter2" not in str(refused.value)
    path.write_text("- a\n")
    with pytest.raises(ValueError, match="must hold a mapping"):
        read_stored(path)


@pytest.mark.parametrize("name", ["plain", "a ${b} c", "${oc.env:HOME}", "back\\slash"])
def test_what_looks_like_an_interpolation_comes_back_as_it_was(tmp_path, name):
    path = tmp_path / "config.yaml"
    path.write_text(stored_text({"dataset": name}))
    assert OmegaConf.to_object(read_stored(path)) == {"dataset": name}
