"""Settings: each has a default or must be given, and what is out of range names key, value and range."""

import importlib
from dataclasses import MISSING, fields, is_dataclass
from pathlib import Path

import pytest

import training.settings

SETTINGS = [
    (file.stem, value)
    for file in sorted(Path(training.settings.__file__).parent.glob("[a-z]*.py"))
    for name, value in vars(importlib.import_module(f"training.settings.{file.stem}")).items()
    if is_dataclass(value) and value.__module__ == f"training.settings.{file.stem}" and name.endswith("Config")
]
OUT_OF_RANGE = [
    ("trainer", {"patience": 0}, "trainer.patience must be at least 1, got 0"),
    ("trainer", {"checkpoint_minutes": -1.0}, "trainer.checkpoint_minutes must be 0 or more, got -1.0"),
    ("model", {"heads": 5}, "model.dim must be a multiple of model.heads (5), got 96"),
    ("trainer", {"threads": 10**9}, "trainer.threads must be at most 1024, got 1000000000"),
    ("model", {"dropout": 0.999}, "model.dropout must be from 0 to 0.95, got 0.999"),
    ("model", {"item_dropout": 1.0}, "model.item_dropout must be from 0 to 0.95, got 1.0"),
    ("model", {"id_dropout": float("nan")}, "model.id_dropout must be from 0 to 0.95, got nan"),
    ("model", {"temperature": 1e-30}, "model.temperature must be at least 0.1, got 1e-30"),
    ("model", {"dim": 10**9}, "model.dim must be at most 4096, got 1000000000"),
    ("model", {"companions": -1}, "model.companions must be at least 0, got -1"),
    ("loss", {"recency": 1e-9}, "loss.recency must be null, 0 or at least 0.001, got 1e-09"),
    ("loss", {"intent_weight": 1e300}, "loss.intent_weight must be at most 1000, got 1e+300"),
    ("loss", {"pool": 10**9}, "loss.pool must be at most 1000000, got 1000000000"),
    ("optimizer", {"learning_rate": 1e-300}, "optimizer.learning_rate must be at least 1e-12, got 1e-300"),
    (  # a step multiplies each weight by 1 - .01 * 200 = -1
        "optimizer",
        {"weight_decay": 200.0},
        "optimizer.weight_decay must be below 1 / optimizer.learning_rate (100), since a step takes learning_rate * "
        "weight_decay of each weight away, got 200",
    ),
    ("loss", {"pool": 0}, "loss.pool must be at least 1, got 0"),
    ("optimizer", {"learning_rate": 0.0}, "optimizer.learning_rate must be above 0 and finite, got 0.0"),
    ("train", {"seed": -1}, "seed must be from 0 to 4294967295, got -1"),
    ("evaluate", {"run": "7", "k": 0}, "k must be from 1 to 100, got 0"),
    ("promote", {"run": "7", "latency_ms": 0.0}, "latency_ms must be above 0, got 0.0"),
    ("relate", {"least": 0}, "least must be from 1 to 2.14748e+09, got 0"),
    ("backtest", {"windows": 1}, "windows must be at least 2, for a model to grow old, got 1"),
    ("weigh", {"policy": "shop.yaml", "k": 101}, "k must be from 1 to 100, got 101"),
    ("measure", {"memory_gb": 0.01}, "memory_gb must be from 0.1 to 10000, got 0.01"),
    ("attribution", {"click_hours": 0.0}, "attribution.click_hours must be from 0.01 to 8784, got 0"),
    ("effects", {"confidence": 1.0}, "effects.confidence must be from 0.5 to 0.9999, got 1"),
    ("measure", {"chunk_days": 0}, "chunk_days must be from 1 to 3660, got 0"),
    ("retrain", {}, "from must be given, as from=models:/NAME@champion"),
]


def test_each_file_holds_the_settings_of_one_command_or_group():
    assert len({file for file, _ in SETTINGS}) == len(SETTINGS) > 10


@pytest.mark.parametrize(("file", "schema"), SETTINGS)
def test_every_setting_has_a_default_so_that_a_command_says_which_must_be_given(file, schema):
    assert [each.name for each in fields(schema) if each.default is MISSING and each.default_factory is MISSING] == []


@pytest.mark.parametrize(("file", "values", "sentence"), OUT_OF_RANGE)
def test_what_is_out_of_range_is_refused_with_key_and_range(file, values, sentence):
    with pytest.raises(ValueError) as refused:
        dict(SETTINGS)[file](**values)
    assert str(refused.value) == sentence
