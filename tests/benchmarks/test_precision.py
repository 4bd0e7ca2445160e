"""bf16 beside fp32: both are trained alike but for the arithmetic, and the ratio is of the test part's recall."""

import argparse
import json
from pathlib import Path

import pytest

from benchmarks import precision


def test_the_ratio_is_of_the_means_and_its_range_of_the_pairs():
    """(.3 + .5) / (.4 + .4) = 1; the pairs are .3 / .4 and .5 / .4."""
    ratio, half, full = precision.rows([0.4, 0.4], [0.3, 0.5])
    assert (ratio["system"], ratio["metric"], ratio["seeds"]) == ("bf16", "recall_ratio", 2)
    assert ratio["value"] == pytest.approx(1.0)
    assert (ratio["low"], ratio["high"]) == (pytest.approx(0.75), pytest.approx(1.25))
    assert [(row["system"], row["value"]) for row in (half, full)] == [("bf16", 0.4), ("fp32", 0.4)]


def test_each_seed_is_trained_once_in_either_arithmetic(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    typed: list[dict[str, str]] = []

    def stage(module: str, *settings: str) -> None:
        told = dict(each.split("=", 1) for each in settings)
        typed.append(told | {"module": module})
        run = Path(told["tracking.runs"]) / "latest"
        run.mkdir(parents=True)
        value = 0.5 if told["trainer.precision"] == "fp32" else 0.4
        (run / "metrics.json").write_text(
            json.dumps({"systems": {"tillside": {"all": {"recall@20": {"value": value}}}}})
        )

    monkeypatch.setattr(precision, "run_stage", stage)
    found = precision.bf16(tmp_path / "dataset", tmp_path, argparse.Namespace(), seeds=2)
    assert [row["value"] for row in found] == [pytest.approx(0.8), pytest.approx(0.4), pytest.approx(0.5)]
    assert [(each["trainer.precision"], each["seed"]) for each in typed] == [
        ("fp32", "0"), ("fp32", "1"), ("bf16", "0"), ("bf16", "1")
    ]  # fmt: skip
    alike = [{k: v for k, v in each.items() if k not in ("trainer.precision", "tracking.runs")} for each in typed]
    assert alike[:2] == alike[2:]
    assert len({each["tracking.runs"] for each in typed}) == 4
