"""``--model models:/NAME@ALIAS``: how it is read, and what is said where there is no MLflow or no registry."""

import asyncio
from pathlib import Path

import pytest

from serving.bundles.registered import RegisteredModel
from serving.bundles.reloading import Reloads, Report
from serving.settings import parse_settings
from tests.bundles import tiny_bundle


class Ledger:
    """Answerers that write down what they are told."""

    def __init__(self) -> None:
        self.prepared: list[Path] = []
        self.reports: list[Report] = []

    async def prepare(self, path: Path) -> str:
        self.prepared.append(path)
        return path.name

    async def conclude(self, report: Report) -> None:
        self.reports.append(report)


def test_the_model_is_a_link_in_the_cache():
    settings = parse_settings(["--model", "models:/my shop@champion", "--cache", "/c"], {})
    assert settings.bundle == Path("/c/my shop/champion")
    assert settings.model is not None
    assert parse_settings(["--model", "models:/shop/7", "--cache", "/c"], {}).bundle == Path("/c/shop/version-7")
    assert parse_settings(["--model", "models:/shop/7"], {}).bundle.is_relative_to(Path.home() / ".cache/tillside")


def test_a_flag_wins_over_the_other_one_s_variable():
    assert parse_settings(["--model", "models:/a@b"], {"TILLSIDE_BUNDLE": "/bundle"}).model is not None
    settings = parse_settings(["--bundle", "/b"], {"TILLSIDE_MODEL": "models:/a@b"})
    assert (settings.bundle, settings.model) == (Path("/b"), None)


@pytest.mark.parametrize(
    ("flags", "variables", "sentence"),
    [
        (["--model", "models:/a@b", "--bundle", "b"], {}, "either --bundle or --model must be given"),
        ([], {"TILLSIDE_MODEL": "models:/a@b", "TILLSIDE_BUNDLE": "b"}, "either --bundle or --model must be given"),
        *(
            (["--model", model], {}, "model must be models:/NAME@ALIAS or models:/NAME/VERSION, got")
            for model in ("tillside", "models:/a", "models:/../b@c", "models:/a@../b", "models:/a/0", "runs:/1/bundle")
        ),
    ],
)
def test_what_cannot_be_meant_is_refused(flags, variables, sentence, capsys):
    with pytest.raises(SystemExit) as ended:
        parse_settings(flags, variables)
    assert ended.value.code == 2
    assert capsys.readouterr().err.startswith(f"error: {sentence}")


def test_the_sentence_of_the_process_that_fetches_arrives(tmp_path, monkeypatch):
    """Started from a folder without ``runs``, told nothing of a registry."""
    monkeypatch.chdir(tmp_path)
    for name in ("MLFLOW_TRACKING_URI", "MLFLOW_REGISTRY_URI"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(ValueError, match=r"^which registry\? Set MLFLOW_TRACKING_URI"):
        asyncio.run(RegisteredModel("models:/shop@champion", tmp_path).fetch())


def test_a_registry_that_is_away_refuses_a_reload_and_not_a_start(tmp_path, caplog):
    """At the start the copy fetched last is taken; later what answers goes on; without a copy it is refused."""
    tiny_bundle(tmp_path / "old")
    (tmp_path / "champion").symlink_to("old")

    async def away() -> None:
        raise ValueError("the registry is away")

    async def run(source: str) -> Ledger:
        ledger = Ledger()
        bundles = Reloads(tmp_path / source, ledger, fetch=away)
        await bundles.reload()
        await bundles.reload()
        return ledger

    ledger = asyncio.run(run("champion"))
    assert ledger.prepared == [tmp_path / "old"]
    assert [report["result"] for report in ledger.reports] == ["loaded", "refused"]
    assert ledger.reports[1]["reason"] == "the registry is away"
    assert "the registry is away; the copy fetched before this one is taken" in caplog.text
    ledger = asyncio.run(run("nothing"))
    assert not ledger.prepared
    assert [report["result"] for report in ledger.reports] == ["refused", "refused"]
