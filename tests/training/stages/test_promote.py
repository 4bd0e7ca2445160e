"""The gate: worse models and those tested on other data are refused, a tie is not; the registry says why."""

import json
import re
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.training.candidates import PARITY, SESSIONS, make_ranks, register_candidate
from tillside.ranking import MISSED
from training import promote as command
from training.evaluation.case_ranks import Ranks
from training.review.markdown import GAP
from training.settings.promote import PromoteConfig
from training.settings.tracking import TrackingConfig
from training.stages import promote as stage
from training.stages.promote import REJECTED, promote, reject
from training.tracking.store import fetch_artifact, open_store

pytestmark = pytest.mark.slow

FIRST = [1, 2, 5, 30] * (SESSIONS // 4)
"""Recall@20 is 3/4; of every four sessions one gets nothing."""
WORSE = [1, 2, 40, 30] * (SESSIONS // 4)
TIED = [2, 1, 30, 5] * (SESSIONS // 4)
"""The same ranks at other sessions: all means are level, case by case they differ."""
PLENTY_MS = 10_000.0


@pytest.fixture(scope="module")
def store(tmp_path_factory) -> TrackingConfig:
    """A store whose registry is empty."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        return TrackingConfig(uri=open_store(TrackingConfig(runs=str(tmp_path_factory.mktemp("s") / "runs")))[1])


@pytest.fixture
def fresh(store, request, tmp_path) -> TrackingConfig:
    """A model of the test's own, without versions."""
    return TrackingConfig(uri=store.uri, runs=str(tmp_path / "runs"), model=request.node.name[:60], experiment="gate")


@pytest.fixture
def champion(fresh) -> str:
    version = register_candidate(fresh, make_ranks(FIRST))
    assert not failing(fresh, version)
    return version


def failing(config: TrackingConfig, version: str, **settings) -> dict[str, str]:
    """Judge a version; the names and lines of what failed."""
    settings = {"latency_ms": PLENTY_MS, **settings}
    checks = promote(PromoteConfig(version=int(version), tracking=config, **settings))
    return {check.name: check.line for check in checks if not check.passed}


def alias(config: TrackingConfig) -> str:
    return str(open_store(config)[0].get_registered_model(config.model).aliases.get("champion"))


def written(config: TrackingConfig, version: str):
    return open_store(config)[0].get_model_version(config.model, version)


def test_without_a_champion_the_other_checks_are_enough(fresh, champion):
    assert alias(fresh) == champion
    found = written(fresh, champion)
    assert found.tags["gate.result"] == "promoted"
    assert found.tags["gate.champion"] == "none"
    assert found.description.startswith("Promoted to champion, compared with no champion.")
    assert not promote(PromoteConfig(version=int(champion), tracking=fresh))  # it is the champion already


def test_a_worse_model_is_refused_and_the_registry_says_by_how_much(fresh, champion):
    """A quarter of the sessions lose their item: recall@20 falls by 1/4, mrr@20 by 1/4 * 1/5."""
    version = register_candidate(fresh, make_ranks(WORSE))
    failed = failing(fresh, version)
    assert set(failed) == {"recall@20 all", "mrr@20 all", "recall@20 click", "mrr@20 click"}
    assert failed["recall@20 all"].startswith("recall@20 all: -0.2500 against the champion (-0.")
    assert failed["mrr@20 all"].startswith("mrr@20 all: -0.0500 against")
    assert alias(fresh) == champion
    found = written(fresh, version)
    assert (found.tags["gate.result"], found.tags["gate.champion"]) == ("refused", champion)
    assert found.tags["gate.recall_at_20.all"] == failed["recall@20 all"]
    assert found.description.startswith("Refused: recall@20 all: -0.2500")
    assert "| latency | passed |" in found.description.replace(GAP, "")


def test_one_tested_on_other_data_is_refused(fresh, champion):
    """Though its ranks are perfect."""
    version = register_candidate(fresh, make_ranks([1] * SESSIONS, digest="another test"))
    assert failing(fresh, version) == {
        "test": "tested on other cases (digest another test) than the champion (same test), so the two cannot be "
        "compared; training.retrain asks a champion the cases of a newer log"
    }
    assert alias(fresh) == champion
    assert written(fresh, version).description.startswith("Refused: tested on other cases")


def test_a_tie_within_noise_is_promoted(fresh, champion):
    version = register_candidate(fresh, make_ranks(TIED))
    assert not failing(fresh, version)
    assert alias(fresh) == version
    assert written(fresh, version).tags["gate.champion"] == champion


def test_champions_a_little_worse_again_and_again_are_stopped_at_the_mark(fresh):
    """Of 120 sessions 0, 3 and 6 lose their item: each is within noise of the one before, the last not of the first
    (see test_gate). A reviewer who rejects the first takes its mark away."""
    first, second, third = (
        register_candidate(fresh, make_ranks([40] * lost + [1] * (120 - lost))) for lost in (0, 3, 6)
    )
    assert not failing(fresh, first)
    assert not failing(fresh, second)
    failed = failing(fresh, third)
    assert failed["recall@20 all mark"].startswith(f"recall@20 all: -0.0500 against the mark, version {first} (")
    assert {name.rpartition(" ")[2] for name in failed} == {"mark"}
    assert alias(fresh) == second
    assert "gate.recall_at_20.all.mark" in written(fresh, third).tags
    reject(PromoteConfig(version=int(first), reject="it showed what is sold out", tracking=fresh))
    assert not failing(fresh, third)


@pytest.mark.parametrize(
    ("flaw", "named", "words"),
    [
        ({"about": {"parity": None}}, "parity", "records no comparison"),
        ({"about": {"parity": {**PARITY, "max_difference": 0.5}}}, "parity", "differ by 5.0e-01"),
        ({"about": {"run": "another"}}, "bundle", "the bundle is of run another"),
        ({"ranks": None}, "test", r"has no artifact ranks\.npz"),
        (
            {"policy": {"placements": {"checkout": {"systems": {"policy": {"rule_violations": 2}}}}}},
            "rules",
            "2 at checkout/policy",
        ),
    ],
    ids=["no parity", "no agreement", "another run's bundle", "no ranks", "broken rules"],
)
def test_each_flaw_is_named(store, champion_of_flaws, flaw, named, words):
    candidate = {"ranks": make_ranks(FIRST), **flaw}
    version = register_candidate(champion_of_flaws, candidate.pop("ranks"), **candidate)
    failed = failing(champion_of_flaws, version)
    assert set(failed) == {named}
    assert re.search(words, failed[named])


@pytest.fixture(scope="module")
def champion_of_flaws(store, tmp_path_factory) -> TrackingConfig:
    """A model with a champion that no flawed version replaces."""
    config = TrackingConfig(uri=store.uri, runs=str(tmp_path_factory.mktemp("f") / "runs"), model="flaws")
    assert not failing(config, register_candidate(config, make_ranks(FIRST)))
    return config


def test_what_a_reviewer_rejects_the_gate_refuses_until_the_tag_is_gone(fresh, champion):
    version = register_candidate(fresh, make_ranks(FIRST))
    client, _ = open_store(fresh)
    before = written(fresh, version).description
    assert str(client.get_registered_model(fresh.model).aliases["challenger"]) == version
    reject(PromoteConfig(version=int(version), reject="shows\n chargers", tracking=fresh))
    found = written(fresh, version)
    assert (found.tags["gate.result"], found.tags[REJECTED]) == ("rejected", "shows chargers")
    assert found.description == f"Rejected: shows chargers\n\n{before}"
    assert "challenger" not in client.get_registered_model(fresh.model).aliases
    assert failing(fresh, version)["review"].startswith("rejected: shows chargers (delete the version's tag")
    assert alias(fresh) == champion
    client.delete_model_version_tag(fresh.model, version, REJECTED)
    assert not failing(fresh, version)


def test_another_version_stays_challenger_and_the_champion_is_not_rejected(fresh, champion):
    first, second = (register_candidate(fresh, make_ranks(FIRST)) for _ in range(2))
    reject(PromoteConfig(version=int(first), reject="old", tracking=fresh))
    assert str(open_store(fresh)[0].get_registered_model(fresh.model).aliases["challenger"]) == second
    with pytest.raises(ValueError, match=f"version {champion} is the champion; promote another"):
        reject(PromoteConfig(version=int(champion), reject="odd", tracking=fresh))
    assert written(fresh, champion).tags["gate.result"] == "promoted"


@pytest.mark.parametrize(
    ("typed", "reason"),
    [("'sold out'", "sold out"), ("chargers, not phones (why?): it's odd", "chargers, not phones (why?): it's odd")],
    ids=["quoted for Hydra", "a sentence"],
)
def test_the_command_that_rejects_a_version_promotes_nothing(fresh, monkeypatch, capsys, typed, reason):
    version = register_candidate(fresh, make_ranks(FIRST))
    arguments = [f"version={version}", f"reject={typed}", f"tracking.uri={fresh.uri}"]
    monkeypatch.setattr(sys, "argv", ["promote", *arguments, f"tracking.model='{fresh.model}'"])
    command.main()
    assert f"version {version} is rejected" in capsys.readouterr().out
    assert written(fresh, version).tags[REJECTED] == reason
    assert alias(fresh) == "None"


def test_the_run_of_the_champion_says_so_and_the_former_one_no_longer(fresh, champion):
    """In the list of runs; the alias is moved back in MLflow's own pages, and the next promotion notices."""
    version = register_candidate(fresh, make_ranks(FIRST))
    client, _ = open_store(fresh)

    def told() -> list[str | None]:
        return [client.get_run(written(fresh, each).run_id).data.tags.get("alias") for each in (champion, version)]

    assert told() == ["champion", "challenger"]
    assert not failing(fresh, version)
    assert told() == [None, "champion, challenger"]
    client.set_registered_model_alias(fresh.model, "champion", champion)
    assert not promote(PromoteConfig(version=int(champion), tracking=fresh))
    assert told()[0] == "champion"
    reject(PromoteConfig(version=int(version), reject="old", tracking=fresh))
    assert told() == ["champion", None]


def test_a_slow_bundle_is_refused_and_the_command_ends_with_1(fresh, champion, monkeypatch, capsys):
    version = register_candidate(fresh, make_ranks(FIRST))
    run = written(fresh, version).run_id
    arguments = [f"run={run}", "latency_ms=1e-6", f"tracking.uri={fresh.uri}", f"tracking.model='{fresh.model}'"]
    monkeypatch.setattr(sys, "argv", ["promote", *arguments])
    with pytest.raises(SystemExit) as ended:
        command.main()
    assert ended.value.code == 1
    said = capsys.readouterr()
    assert said.err.splitlines()[-1].startswith("refused: an answer to 20 events takes ")
    assert "FAILED latency:" in " ".join(said.out.split())
    assert alias(fresh) == champion


def test_a_bundle_that_was_changed_after_it_was_registered_is_refused(fresh, champion, tmp_path):
    version = register_candidate(fresh, make_ranks(FIRST))
    found = written(fresh, version)
    stored = Path(found.source.removeprefix("file://"), "encoder.onnx")
    stored.write_bytes(stored.read_bytes()[:-1] + b"?")
    assert "encoder.onnx does not have the SHA-256" in failing(fresh, version)["bundle"]
    assert fetch_artifact(fresh, found.run_id, "bundle", into=tmp_path).is_dir()


def test_another_champion_meanwhile_is_not_overruled(fresh, champion, monkeypatch):
    """What was compared with is what is replaced."""
    first, second = (register_candidate(fresh, make_ranks(FIRST)) for _ in range(2))
    judge = stage.judge

    def slow(*arguments):
        checks = judge(*arguments)
        open_store(fresh)[0].set_registered_model_alias(fresh.model, "champion", second)
        return checks

    monkeypatch.setattr(stage, "judge", slow)
    with pytest.raises(ValueError, match=f"another champion meanwhile, version {second}"):
        failing(fresh, first)
    assert alias(fresh) == second


@pytest.mark.parametrize("given", [{"version": 99}, {"run": "0" * 32}])
def test_an_unknown_version_or_run_is_one_sentence(fresh, champion, given):
    with pytest.raises(ValueError) as caught:
        promote(PromoteConfig(tracking=fresh, **given))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "given", [{}, {"run": "a", "version": 1}, {"run": "a", "latency_ms": 0.0}, {"run": "a", "reject": " "}]
)
def test_a_wrong_setting_is_refused(given):
    with pytest.raises(ValueError, match=r"must (be|say why)"):
        PromoteConfig(**given)


def test_ranks_come_back_with_their_misses(tmp_path):
    ranks = make_ranks([1, MISSED, 70_000], asked=[0, 2, 1])
    ranks.save(tmp_path / "ranks.npz")
    again = Ranks.load(tmp_path / "ranks.npz")
    assert (again.digest, again.behaviours) == (ranks.digest, ranks.behaviours)
    for name in ("ranks_C", "sessions_C", "asked_C"):
        np.testing.assert_array_equal(getattr(again, name), getattr(ranks, name))
    (tmp_path / "ranks.npz").write_bytes(b"PK not a zip")
    with pytest.raises(ValueError, match=r"ranks\.npz cannot be read"):
        Ranks.load(tmp_path / "ranks.npz")


def test_an_experiment_on_live_shoppers_is_a_line_of_the_gate(fresh, tmp_path):
    """One that came out against the new arm refuses; a file that is no experiment's is no silent pass."""
    version, file = register_candidate(fresh, make_ranks(FIRST)), tmp_path / "found.json"
    verdict = {"word": "worse", "sentence": "Keep eight: four lowers revenue."}
    file.write_text(json.dumps([{"name": "slots", "verdict": verdict}]), encoding="utf-8")
    assert failing(fresh, version, experiment=str(file)) == {"experiment": "slots: Keep eight: four lowers revenue."}
    file.write_text("{}", encoding="utf-8")
    with pytest.raises(ValueError, match=r"experiment: .*found\.json is not what"):
        failing(fresh, version, experiment=str(file))
