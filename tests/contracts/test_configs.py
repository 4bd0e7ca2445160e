"""Every YAML under configs/ belongs to a command and composes with it."""

import importlib
import re

import pytest
from hydra import compose, initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from omegaconf import OmegaConf

from tillside.experiments.reader import read_experiments
from tillside.policy import read_policy
from training.cli.command import config_directory
from training.cli.keys import describe
from training.data.readers import READERS as LOG_READERS
from training.mining.compatibility import read_rules
from training.settings.sweep import SweepConfig
from training.sweeps.config import read_config

COMMANDS = {
    "prepare": ("training.prepare", "PrepareConfig", ["data"]),
    "train": ("training.train", "TrainConfig", ["model", "loss", "trainer", "experiment"]),
    "retrain": ("training.retrain", "RetrainConfig", ["data", "loss", "trainer"]),
    "backtest": ("training.backtest", "BacktestConfig", ["data", "model", "loss", "trainer"]),
    "evaluate": ("training.evaluate", "EvaluateConfig", []),
    "export": ("training.export", "ExportConfig", []),
    "promote": ("training.promote", "PromoteConfig", []),
    "send": ("training.send", "SendConfig", []),
    "simulate": ("training.simulate", "SimulateConfig", []),
    "relate": ("training.relate", "RelateConfig", []),
    "weigh": ("training.weigh", "WeighConfig", []),
    "policy": ("training.policy", "PolicyConfig", []),
    "experiment": ("training.experiment", "ExperimentConfig", []),
    "measure": ("training.measure", "MeasureConfig", []),
}
"""A command's module, the dataclass of its config, and the groups it chooses from."""

READERS = {
    "compatibility": read_rules,
    "policy": read_policy,
    "experiments": read_experiments,
    "sweep": lambda path: read_config([f"sweep={path.stem}"]),
}
"""Folders of files that no command's config chooses from, and how each is read: by its path, or for ``-m``."""

FILES = sorted(
    path.relative_to(config_directory()).with_suffix("").as_posix() for path in config_directory().rglob("*.yaml")
)
CHOICES = [
    (command, group, file.removeprefix(f"{group}/"))
    for command, (_, _, groups) in COMMANDS.items()
    for group in groups
    for file in FILES
    if file.startswith(f"{group}/")
]


def composed(command: str, *overrides: str):
    module, schema, _ = COMMANDS[command]
    expected = getattr(importlib.import_module(module), schema)
    GlobalHydra.instance().clear()
    with initialize_config_dir(version_base="1.3", config_dir=str(config_directory())):
        config = compose(command, overrides=list(overrides))
    assert OmegaConf.get_type(config) is expected
    return config


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_composes_with_its_typed_config(command):
    composed(command)


SCHEMAS = {name: getattr(importlib.import_module(module), schema) for name, (module, schema, _) in COMMANDS.items()}
SCHEMAS |= {f"data={reader.name}": reader for reader in LOG_READERS} | {"sweep": SweepConfig}


@pytest.mark.parametrize("name", SCHEMAS)
def test_every_key_is_explained_where_it_is_defined(name):
    """``--help`` and the reference show that text; a role of Sphinx would be noise there."""
    keys = describe(SCHEMAS[name])
    assert keys
    assert [key.name for key in keys if not key.line.endswith(".")] == []
    assert [key.name for key in keys if re.search(r":\w+:`|``", key.doc)] == []


@pytest.mark.parametrize(("command", "group", "choice"), CHOICES)
def test_every_choice_of_every_group_composes(command, group, choice):
    config = composed(command, f"{group}={choice}")
    if group in config:
        assert OmegaConf.get_type(config[group]) is not dict  # a typed group, so a mistyped key fails


def test_every_file_is_a_command_or_a_choice_or_read_by_its_own_reader():
    reached = set(COMMANDS) | {f"{group}/{choice}" for _, group, choice in CHOICES}
    reached |= {file for file in FILES if file.partition("/")[0] in READERS}
    assert set(FILES) == reached


def test_every_group_of_the_checkout_has_a_choice():
    folders = {path.name for path in config_directory().iterdir() if path.is_dir()}
    assert folders <= {group for _, _, groups in COMMANDS.values() for group in groups} | set(READERS)


@pytest.mark.parametrize("file", [file for file in FILES if "/" in file and file.partition("/")[0] in READERS])
def test_what_is_not_hydra_s_is_read_by_its_own_reader(file):
    assert READERS[file.partition("/")[0]](config_directory() / f"{file}.yaml")


def test_the_files_hold_the_defaults_that_the_dataclasses_state():
    """What a command does by default can be read in either place."""
    train = composed("train")
    assert (train.model.dim, train.model.layers, train.loss.softmax.value) == (96, 2, "auto")
    schema = OmegaConf.structured(importlib.import_module("training.train").TrainConfig)
    assert {key: train[key] for key in ("model", "loss", "trainer")} == {
        key: schema[key] for key in ("model", "loss", "trainer")
    }


def test_files_of_rules_and_pairs_are_given_by_their_paths():
    """A setting of the name of a folder of configs would be taken for a choice of that group."""
    config = composed("relate", "rules=configs/compatibility/electronics.yaml", "manual=pairs.csv")
    assert (config.rules, config.manual) == ("configs/compatibility/electronics.yaml", "pairs.csv")


def test_the_sampled_loss_is_the_one_that_auto_takes():
    auto, sampled = composed("train").loss, composed("train", "loss=sampled").loss
    assert {**sampled, "softmax": auto.softmax} == dict(auto)
