"""What README and docs say is so: their commands exist and compose, their figures were measured; links: test_docs."""

import importlib
import json
import re
import shlex
from pathlib import Path

import pytest

from serving.settings import parse_settings
from tests.checkout import OUTPUTS
from training.cli.command import check_overrides
from training.demo import FOLDER
from training.settings.tracking import TrackingConfig
from training.sweeps.config import read_config

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
RESULTS = ROOT / "benchmarks/results"


PAGES = {
    path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8")
    for path in [ROOT / "README.md", *sorted(ROOT.glob("docs/tutorial/*.md")), *sorted(ROOT.glob("docs/how-to/*.md"))]
}


def commands(text: str = README) -> list[list[str]]:
    """Every ``python -m`` command of a page, in words; those of tables too."""
    joined = text.replace("\\\n", " ")
    found = re.findall(r"python -m ([^`|#\n]+)|-m (training\.train [^`|#\n]+)", joined)
    return [shlex.split(first or second) for first, second in found]


@pytest.mark.parametrize("words", [words for text in PAGES.values() for words in commands(text)], ids=" ".join)
def test_commands_exist_and_take_what_they_are_given(words: list[str]) -> None:
    module, *arguments = words
    importlib.import_module("serving.settings" if module == "serving" else module)
    if module == "serving" and "--help" not in arguments:
        parse_settings(arguments, {})
    if module.startswith("training."):
        overrides = [word for word in arguments if "=" in word and "..." not in word]
        if "-m" in arguments:
            read_config([word for word in overrides if word.startswith("sweep")])
            overrides = [word for word in overrides if not word.startswith("sweep")]
        check_overrides(module.removeprefix("training."), [word for word in overrides if "," not in word])


def test_the_commands_were_found() -> None:
    modules = {words[0] for words in commands()}
    assert {f"training.{name}" for name in ("simulate", "prepare", "train", "evaluate", "export")} <= modules
    assert "serving" in modules


def test_what_the_commands_write_is_ignored_by_git() -> None:
    """As typed in a checkout: whatever they are told to write, and where they write if they are told nothing."""
    typed = [word for text in PAGES.values() for words in commands(text) for word in words]
    told = {word.removeprefix("out=").partition("/")[0] for word in typed if word.startswith("out=")}
    assert told >= {"shop", "dataset", "bundle"}
    assert {*told, TrackingConfig().runs, FOLDER.name} <= OUTPUTS  # which .gitignore names; see test_checkout


def test_it_is_short() -> None:
    assert len(README.splitlines()) <= 150


@pytest.mark.parametrize("log", ["diginetica", "rees46"])
def test_figures_are_those_of_the_benchmark(log: str) -> None:
    """A line ``| LOG | system | recall@20 | mrr@20 |`` of the README says what benchmarks/results says, rounded."""
    document = json.loads((RESULTS / f"quality-{log}.json").read_text(encoding="utf-8"))
    measured = {(row["system"], row["metric"]): row["value"] for row in document["rows"]}
    lines = re.findall(rf"^\| {log} \| (\S+) \| ([.\d]+) \| ([.\d]+) \|", README, re.MULTILINE)
    assert {system for system, _, _ in lines} == {"tillside", "transformer", "vmis-knn", "covisitation", "popularity"}
    for system, recall, mrr in lines:
        assert (recall, mrr) == tuple(f"{measured[system, metric]:.3f}" for metric in ("recall@20", "mrr@20"))


def test_latencies_are_those_of_the_benchmark() -> None:
    document = json.loads((RESULTS / "serving.json").read_text(encoding="utf-8"))
    measured = {(row["system"], row["metric"]): row["value"] for row in document["rows"]}
    text = README.replace("\n", " ")
    told = re.findall(
        r"at (\d+) requests a second: p50 ([\d.]+) ms, p90 ([\d.]+) ms, p99 ([\d.]+) ms", text, re.IGNORECASE
    )
    assert [rate for rate, *_ in told] == ["50", "1000"]
    for rate, *latencies in told:
        assert latencies == [f"{measured[f'http-100k-{rate}rps', name]:.1f}" for name in ("p50_ms", "p90_ms", "p99_ms")]
    held = re.search(
        r"holds ([\d,]+) requests a second .* FastAPI holds ([\d,]+) and `mlflow models serve` ([\d,]+)", text
    )
    assert held
    systems = ("tillside-100k", "fastapi-onnx-100k", "mlflow-serve-100k")
    assert list(held.groups()) == [f"{measured[system, 'rate_held_10ms']:,.0f}" for system in systems]


@pytest.mark.parametrize("name", ["quality-diginetica", "quality-rees46", "serving", "faults"])
def test_the_readable_result_is_made_from_the_other(name: str) -> None:
    from benchmarks.results import markdown

    document = json.loads((RESULTS / f"{name}.json").read_text(encoding="utf-8"))
    assert (RESULTS / f"{name}.md").read_text(encoding="utf-8") == markdown(document)
