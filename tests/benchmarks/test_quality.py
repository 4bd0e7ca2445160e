"""Rows of the quality table: made from metrics documents, kept or replaced by system, refused where cases differ."""

import importlib
import json
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks import networks, quality, results
from benchmarks.logs import LOGS
from benchmarks.peers.__main__ import parse as parse_peer
from benchmarks.quality import METRICS, NETWORKS, PEERS, best_first, by_question, figures, leads, publish
from benchmarks.results import markdown, read_rows
from benchmarks.stages import Cost
from tillside.ranking import MISSED
from training.cli.command import check_overrides
from training.evaluation.case_ranks import Ranks
from training.evaluation.run import MODEL, NEIGHBOURS, TRANSFORMER
from training.settings.evaluate import Baseline

ORIGIN = {"command": "python -m peers", "date": "2026-01-02", "machine": "a box", "commit": "0123456789ab"}


def document(
    value: float, *, behaviours: tuple[str, ...] = ("click",), systems: tuple[str, ...] = (MODEL,)
) -> dict[str, Any]:
    """A metrics document whose every figure is ``value`` within 0.1, save recall@10, which is twice that."""

    def part(cases: int) -> dict[str, Any]:
        found: dict[str, Any] = {
            name: {"value": value, "low": value - 0.1, "high": value + 0.1} for name in METRICS if name != "recall@10"
        }
        return found | {"cases": cases, "recall@10": {"value": 2 * value, "low": 0.0, "high": 1.0}}

    judged = {"all": part(9), "by_behaviour": {name: part(4) for name in behaviours}}
    about = {"cases": 9, "sessions": 5, "unseen_target_share": 0.25, "fit_s": dict.fromkeys(systems, 1.5)}
    return about | {"systems": dict.fromkeys(systems, judged)}


def check(module: str, arguments: Sequence[str]) -> None:
    """Refuse what the command would refuse."""
    if module == "benchmarks.networks":
        networks.parse(arguments)
    elif module == "benchmarks.peers":
        parse_peer([*arguments])
    else:
        importlib.import_module(module)  # registers its config
        check_overrides(module.removeprefix("training."), [*arguments])


def row(system: str, value: float, **more: Any) -> dict[str, Any]:
    return {"log": "beauty", "system": system, "metric": "recall@20", "value": value, "cases": 9} | more


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Result files go to a folder of the test's."""
    for module in (quality, results):
        monkeypatch.setattr(module, "RESULTS", tmp_path)
    return tmp_path


def test_figures_are_means_over_seeds_and_the_hit_rate_is_the_recall() -> None:
    rows = figures("beauty", "tillside", [document(0.2), document(0.4)])
    assert [r["metric"] for r in rows] == [*METRICS, "hr@10"]
    found = {r["metric"]: r for r in rows}
    assert found["mrr@5"]["value"] == pytest.approx((0.2 + 0.4) / 2)
    assert found["mrr@5"]["low"] == pytest.approx((0.1 + 0.3) / 2)
    assert found["hr@10"]["value"] == found["recall@10"]["value"] == pytest.approx((0.4 + 0.8) / 2)
    assert {(r["log"], r["system"], r["seeds"], r["cases"]) for r in rows} == {("beauty", "tillside", 2, 9)}


def test_several_behaviours_have_rows_of_their_own() -> None:
    rows = figures("rees46", "tillside", [document(0.2, behaviours=("click", "cart"))])
    assert [r["metric"] for r in rows] == [
        *METRICS, "hr@10", *(f"{b}/{m}" for b in ("click", "cart") for m in METRICS)
    ]  # fmt: skip
    assert {r["cases"] for r in rows if r["metric"].startswith("cart/")} == {4}


def test_what_a_wrong_question_loses_stands_beside_the_right_one() -> None:
    def interval(value: float) -> dict[str, Any]:
        return {"mrr@20": {"value": value, "low": value - 0.1, "high": value + 0.1}}

    def asked(lost: float) -> dict[str, Any]:
        purchases = {"cases": 3, "click": interval(0.5) | {"lost": interval(lost)}, "purchase": interval(0.6)}
        return document(0.2) | {"asked": {"next": {"purchase": purchases}, "look_ahead": {"purchase": purchases}}}

    rows = by_question("rees46", [asked(0.2), asked(0.4)])
    found = {(r["system"], r["metric"]): (r["value"], r["low"], r["asked"]) for r in rows}
    assert found == {
        (f"tillside, {kind} purchase", metric): pytest.approx(figure)
        for kind in ("next", "later")
        for metric, figure in {"asked/mrr@20": (0.6, 0.5, 3), "asked/lost as click": (0.3, 0.2, 3)}.items()
    }
    assert by_question("beauty", [document(0.2)]) == []


def test_a_lead_is_paired_over_the_cases_that_both_were_judged_on(tmp_path: Path) -> None:
    def keep(path: Path, ranks: list[int], digest: str = "same") -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        sessions = np.array([0, 0, 1, 2])
        Ranks(digest, ("click",), np.array(ranks), sessions, np.zeros(4, np.int64)).save(path)

    assert leads("beauty", tmp_path) == []
    keep(tmp_path / "runs/latest/ranks.npz", [1, 2, 30, 1])
    keep(tmp_path / "runs/latest/ranks/vmis-knn.npz", [1, 2, 30, 1])
    keep(tmp_path / "others/item-knn/ranks/item-knn.npz", [2, 2, 40, MISSED])
    keep(tmp_path / "others/old/ranks/old.npz", [1, 1, 1, 1], digest="another")
    found = {(r["system"], r["metric"]): r for r in leads("beauty", tmp_path)}
    assert {system for system, _ in found} == {"vmis-knn", "item-knn"}
    assert [found["vmis-knn", "lead/mrr@20"][key] for key in ("value", "low", "high")] == [0, 0, 0]
    assert found["item-knn", "lead/recall@20"]["value"] == pytest.approx(1 / 4)
    assert found["item-knn", "lead/mrr@20"]["value"] == pytest.approx((1 / 2 + 0 + 0 + 1) / 4)
    assert found["item-knn", "lead/mrr@20"]["low"] >= 0


def test_a_lead_goes_when_one_side_of_it_is_measured_anew(folder: Path) -> None:
    led = [row("a", 0.1, metric="lead/recall@20"), row("b", 0.1, metric="lead/recall@20")]
    publish("beauty", [row(MODEL, 0.3), row("a", 0.2), row("b", 0.1), *led], "notes")

    def published() -> set[tuple[str, str, float]]:
        return {(r["system"], r["metric"], r["value"]) for r in read_rows(folder / "quality-beauty.json")}

    publish("beauty", [row("a", 0.25), row("a", 0.05, metric="lead/recall@20")], "notes")
    both = {("a", "lead/recall@20", 0.05), ("b", "lead/recall@20", 0.1)}
    assert published() == {(MODEL, "recall@20", 0.3), ("a", "recall@20", 0.25), ("b", "recall@20", 0.1)} | both
    publish("beauty", [row(MODEL, 0.4), row("b", 0.2, metric="lead/recall@20")], "notes")
    assert published() == {
        (MODEL, "recall@20", 0.4), ("a", "recall@20", 0.25), ("b", "recall@20", 0.1), ("b", "lead/recall@20", 0.2)
    }  # fmt: skip


def test_a_system_measured_apart_joins_the_table_and_keeps_its_origin(folder: Path) -> None:
    publish("beauty", [row("a", 0.2), row("b", 0.1)], "notes")
    path = folder / "quality-beauty.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | ORIGIN))
    publish("beauty", [row("b", 0.4)], "notes")
    written = json.loads(path.read_text())
    # b anew and best, without an origin of its own; a as it was, with the origin that the file had then.
    assert written["rows"] == [row("b", 0.4), ORIGIN | row("a", 0.2)]
    text = (folder / "quality-beauty.md").read_text()
    assert text == markdown(written)
    assert text.endswith("Measured apart:\n\n- a: `python -m peers`, 2026-01-02, a box, commit 0123456789.\n")
    publish("beauty", [row("c", 0.3)], "notes")
    again = {r["system"]: r for r in read_rows(path)}
    assert list(again) == ["b", "c", "a"]
    assert again["a"] == ORIGIN | row("a", 0.2)  # twice kept, and still its own
    assert again["b"]["command"] == written["command"]


def test_rows_of_another_document_are_taken_in(folder: Path, tmp_path: Path) -> None:
    publish("beauty", [row("a", 0.2)], "these notes")
    peers = tmp_path / "peers.json"
    others = [row("peer", 0.3), row("peer", 0.9) | {"log": "rees46"}]
    peers.write_text(json.dumps(ORIGIN | {"rows": others}))
    quality.main(["beauty", "--merge", str(peers)])
    written = json.loads((folder / "quality-beauty.json").read_text())
    assert written["notes"] == "these notes"
    assert [(r["system"], r["value"]) for r in written["rows"]] == [("peer", 0.3), ("a", 0.2)]
    assert written["rows"][0] == ORIGIN | row("peer", 0.3)
    with pytest.raises(SystemExit):
        quality.main(["diginetica", "--merge", str(peers)])


def test_systems_judged_on_other_cases_are_refused(folder: Path) -> None:
    publish("beauty", [row("a", 0.2)], "notes")
    with pytest.raises(ValueError, match="recall@20 was measured on other cases"):
        publish("beauty", [row("b", 0.1, cases=8)], "notes")
    assert [r["system"] for r in read_rows(folder / "quality-beauty.json")] == ["a"]


def test_a_table_measured_anew_on_other_cases_leaves_out_what_still_has_the_old_ones(folder: Path, capsys) -> None:
    """An hour of training is not lost because a row of another day was judged on one case more."""
    publish("beauty", [row(MODEL, 0.3), row("a", 0.2), row("b", 0.1)], "notes")
    publish("beauty", [row(MODEL, 0.4, cases=8), row("b", 0.2, cases=8)], "notes")
    assert [r["system"] for r in read_rows(folder / "quality-beauty.json")] == [MODEL, "b"]
    assert "left out, as measured on other cases: a; measure them again" in capsys.readouterr().out


def test_the_best_system_stands_first_and_one_without_recall_last() -> None:
    rows = [row("x", 0.1) | {"metric": "train_s"}, row("a", 0.1), row("b", 0.3)]
    assert [r["system"] for r in best_first(rows)] == ["b", "a", "x"]


def test_every_system_is_measured_by_a_command_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    commands = []

    def run_stage(module: str, *arguments: str) -> Cost:
        commands.append([module, *arguments])
        settings = dict(argument.split("=", 1) for argument in arguments if "=" in argument)
        out, systems, account = None, (MODEL, TRANSFORMER, NEIGHBOURS), {}
        if module == "training.train":
            out = Path(settings["tracking.runs"]) / "latest"
        elif module == "training.evaluate":
            out, systems = Path(settings["out"]), (Baseline[settings["baselines"].strip("[]")].value,)
        elif module.startswith("benchmarks."):
            out, systems = Path(arguments[arguments.index("--out") + 1]), (arguments[0],)
            account = {"training_seconds" if module == "benchmarks.peers" else "train_s": 5.0, "peak_mb": 8.0}
        if out is not None:
            out.mkdir(parents=True, exist_ok=True)
            (out / "metrics.json").write_text(json.dumps(document(0.1, systems=systems) | {"account": account}))
        return Cost(seconds=4.0 if settings.get("seed") == "1" else 2.0, peak_mb=7.0, cpu_seconds=9.0)

    monkeypatch.setattr(quality, "run_stage", run_stage)
    rows, notes = quality.measure(
        "simulated",
        quality.SYSTEMS,
        data=Path("logs"),
        work=tmp_path,
        seeds=2,
        peers=["--budget-seconds", "60", "--threads", "1"],
    )
    modules = [command[0] for command in commands]
    assert modules == [
        "training.simulate",
        "training.prepare",
        *["training.train"] * 2,
        *["training.evaluate"] * len(Baseline),
        *["benchmarks.networks"] * len(NETWORKS),
        *["benchmarks.peers"] * len(PEERS),
    ]
    costs = {(r["system"], r["metric"]): r["value"] for r in rows if r["metric"] in ("train_s", "peak_mb")}
    assert costs["tillside", "train_s"] == (2 + 4) / 2
    assert costs["item-knn", "train_s"] == 1.5
    assert {costs[system, "train_s"] for system in (*NETWORKS, *PEERS)} == {5.0}
    apart = {*NETWORKS, *PEERS}  # these say themselves what memory they took
    assert {s: costs[s, "peak_mb"] for s in quality.SYSTEMS} == {s: 8 if s in apart else 7 for s in quality.SYSTEMS}
    assert {r["system"] for r in rows} == {*quality.SYSTEMS, TRANSFORMER, NEIGHBOURS}
    assert "9 cases of 5 sessions" in notes
    assert all(parse_peer(words).budget_seconds == 60 for module, *words in commands if module == "benchmarks.peers")
    for module, *arguments in commands:
        check(module, arguments)


def test_a_stopped_measurement_goes_on_with_the_seed_that_it_was_in(tmp_path, monkeypatch) -> None:
    """The figures of the seeds before are those that were measured, their cost too."""
    learned: list[str] = []

    def run_stage(module: str, *arguments: str) -> Cost:
        settings = dict(argument.split("=", 1) for argument in arguments)
        if module == "training.train":
            seed, runs = settings["seed"], Path(settings["tracking.runs"])
            if seed == "1" and learned == ["0"]:
                learned.append("killed")
                raise KeyboardInterrupt
            learned.append(seed)
            (runs / f"run{seed}").mkdir(parents=True)
            found = document(0.1 + int(seed) / 10, systems=(MODEL, TRANSFORMER, NEIGHBOURS))
            (runs / f"run{seed}" / "metrics.json").write_text(json.dumps(found))
            (runs / "latest").unlink(missing_ok=True)
            (runs / "latest").symlink_to(f"run{seed}")
        return Cost(seconds=2.0 + int(settings.get("seed", 0)), peak_mb=7.0, cpu_seconds=9.0)

    monkeypatch.setattr(quality, "run_stage", run_stage)
    again = partial(quality.measure, "beauty", [MODEL], data=tmp_path, work=tmp_path, seeds=2, peers=[])
    with pytest.raises(KeyboardInterrupt):
        again()
    found = {(r["system"], r["metric"]): r["value"] for r in again(resume=True)[0]}
    assert learned == ["0", "killed", "1"]
    assert found[MODEL, "recall@20"] == pytest.approx((0.1 + 0.2) / 2)
    assert found[MODEL, "train_s"] == (2 + 3) / 2


@pytest.mark.parametrize("name", LOGS)
def test_the_settings_of_every_log_exist(name: str) -> None:
    log = LOGS[name]
    check("training.prepare", [part.format(data="d", work="w") for part in log.prepare])
    check("training.simulate", [part.format(work="w") for part in log.simulate or ()])
    assert log.cases.endswith(".")
