"""Sending what waited: whose journal, and to which store it goes."""

import re
from pathlib import Path

import pytest
from omegaconf import OmegaConf

from training.settings.send import SendConfig
from training.settings.tracking import TrackingConfig
from training.stages.send import send, tracking_of
from training.tracking.journal import JOURNAL_FILE


def test_a_journal_that_is_not_there_is_named(tmp_path):
    with pytest.raises(ValueError, match=re.escape(f"run=r: {tmp_path}/r/{JOURNAL_FILE} is missing, so there is noth")):
        send(SendConfig("r", TrackingConfig(runs=str(tmp_path))))


def test_the_store_is_the_runs_own_unless_another_is_given(tmp_path: Path) -> None:
    """The folder may have been moved since, so ``runs`` is always the given one."""
    kept = TrackingConfig(runs="elsewhere", uri="sqlite:///own.db", model="shoes", register=False)
    OmegaConf.save(OmegaConf.create({"tracking": OmegaConf.structured(kept)}), tmp_path / "config.yaml")
    found = tracking_of(tmp_path, TrackingConfig(runs="here"))
    assert (found.runs, found.uri, found.model, found.register) == ("here", "sqlite:///own.db", "shoes", False)
    assert tracking_of(tmp_path, TrackingConfig(runs="here", uri="sqlite:///given.db")).uri == "sqlite:///given.db"


def test_a_run_without_a_config_of_its_own_takes_what_is_given(tmp_path: Path) -> None:
    given = TrackingConfig(runs="here", model="hats")
    assert tracking_of(tmp_path, given) is given
