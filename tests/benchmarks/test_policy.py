"""Rows of the placements' benchmark by hand, a made-up shop, and violations that the benchmark would see."""

import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks import policy
from benchmarks.big_shop import EVERY_RULE, PLACEMENT, BigShop
from benchmarks.placements import publish
from benchmarks.policy import AHEAD, POLICIES, figures, violations
from benchmarks.results import write_results
from benchmarks.stages import Cost
from tillside.policy import Placement, place, read_policy
from tillside.policy.file.rule_terms import Rules
from training import evaluate, prepare, relate, simulate, train
from training.cli.command import check_overrides

MEAN = {"value": 0.4, "low": 0.3, "high": 0.5}


def system(**given: Any) -> dict[str, Any]:
    """The figures of one system, as in policy.json."""
    plain = {"attach_rate@5": MEAN, "price_recall@5": MEAN, "hit_rate@5": MEAN, "coverage": 0.2, "diversity": None}
    return plain | {"rule_violations": 0, "by_source": {"model": {"shown": 9, "hit_rate@5": MEAN}}} | given


DOCUMENT = {
    "run": "0123456789abcdef",
    "placements": {
        "checkout": {
            "questions": 7,
            "systems": {"policy": system(), "fp-growth": system(rule_violations=2)},
            "policy_ahead_of": {"fp-growth": {"attach_rate@5": {"value": 0.1, "low": 0.05, "high": 0.15}}},
        },
        "home": {"questions": 0, "systems": {}},
    },
}


def test_rows_are_named_by_placement_and_system():
    rows = figures("simulated", DOCUMENT)
    assert {row["system"] for row in rows} == {"checkout/policy", "checkout/fp-growth"}
    cells = {(row["system"], row["metric"]): row for row in rows}
    rate = cells["checkout/policy", "attach_rate@5"]
    assert (rate["value"], rate["low"], rate["high"], rate["cases"], rate["log"]) == (0.4, 0.3, 0.5, 7, "simulated")
    assert cells["checkout/policy", "coverage"]["value"] == 0.2
    assert cells["checkout/fp-growth", "rule_violations"]["value"] == 2
    assert cells["checkout/policy", "by source/model"]["value"] == 0.4
    assert cells["checkout/fp-growth", AHEAD]["low"] == 0.05
    assert ("checkout/policy", AHEAD) not in cells
    assert ("checkout/fp-growth", "by source/model") not in cells  # hit rates by source are the policy's
    assert ("checkout/policy", "diversity") not in cells  # null: the log has no categories


def test_every_rule_of_the_policy_file_is_switched_on():
    shop = BigShop.make(items=200)
    rules, plain = shop.policy.placement(PLACEMENT).rules, Rules()
    assert [name for name in Rules.__struct_fields__ if getattr(rules, name) == getattr(plain, name)] == []
    assert shop.policy.intent.repeat_views
    assert shop.policy.intent.dwell
    assert shop.policy.intent.cart
    assert shop.policy.promotions
    assert "segments" in EVERY_RULE


def test_the_shop_is_the_same_again_and_its_answers_are_full():
    answers = []
    for _ in range(2):
        shop = BigShop.make(items=3000)
        asked = shop.questions(12)
        given = {"shelves": shop.shelves, "relations": shop.relations}
        answers.append([place(shop.policy, request, model=model, **given) for request, model in asked])
    assert answers[0] == answers[1]
    assert all(len(answer.items) == 8 for answer in answers[0])
    assert any(answer.dropped for answer in answers[0])


def test_what_answers_break_is_counted(monkeypatch):
    clean = violations(items=500, questions=6)
    assert (clean["system"], clean["metric"], clean["value"]) == ("all-rules", "rule_violations", 0)

    def careless(shop_policy: Any, request: Any, **given: Any) -> Placement:
        placed = place(shop_policy, request, **given)
        carted = type(placed.items[0])(int(request.cart_M[0]), 0.0, "model", None, None, None, "model", "")
        return Placement(
            [carted], placed.mode, placed.decided, placed.why, placed.bundles, placed.promotion, placed.dropped, False
        )

    monkeypatch.setattr(policy, "place", careless)
    assert violations(items=500, questions=6)["value"] >= 6  # each answer is an item of the cart


COMMANDS = (simulate, prepare, relate, train, evaluate)
"""Imported, so that their configs are known."""


@pytest.mark.parametrize("log", POLICIES)
def test_a_log_is_judged_by_commands_that_exist(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, log: str) -> None:
    assert read_policy(Path(POLICIES[log]).absolute()).placements
    ran: list[str] = []

    def stage(module: str, *arguments: str) -> Cost:
        check_overrides(module.partition(".")[2], list(arguments))
        ran.append(module.partition(".")[2])
        given = dict(each.partition("=")[::2] for each in arguments)
        if module == "training.train":
            (tmp_path / "runs/abc").mkdir(parents=True)
            (tmp_path / "runs/latest").symlink_to("abc")
            (tmp_path / "runs/abc/model.pt").write_text("")
        if module == "training.evaluate":
            assert given["run"] == "abc"
            (tmp_path / "runs/abc/policy.json").write_text(json.dumps(DOCUMENT))
        return Cost(1.0, 1.0, 1.0)

    monkeypatch.setattr(policy, "run_stage", stage)
    assert policy.measure(log, data=tmp_path, work=tmp_path, train=["trainer.max_epochs=3"]) == DOCUMENT
    names = [command.__name__.partition(".")[2] for command in COMMANDS]
    assert ran == (names if log == "simulated" else names[1:])
    first = len(ran)
    (tmp_path / "dataset").mkdir()
    (tmp_path / "dataset/dataset.json").write_text("{}")
    (tmp_path / "dataset/relations").mkdir()
    (tmp_path / "dataset/relations/relations.json").write_text("{}")
    policy.measure(log, data=tmp_path, work=tmp_path, train=[])
    assert ran[first:] == ["evaluate"]  # a run that is there is judged, with the relations that are there


def test_what_an_answer_pays_is_put_beside_what_was_judged(tmp_path: Path) -> None:
    judged = {"log": "simulated", "system": "checkout/policy", "metric": "coverage", "value": 0.5}
    about = {"log": "made-up", "system": "all-rules"}
    write_results("policy", [judged], title="Placements", notes="How.", folder=tmp_path)
    publish([about | {"metric": "added_p50_ms", "value": 2.0}], folder=tmp_path)
    publish([about | {"metric": "added_p50_ms", "value": 1.0}], folder=tmp_path)
    document = json.loads((tmp_path / "policy.json").read_text(encoding="utf-8"))
    assert [(row["system"], row["value"]) for row in document["rows"]] == [("checkout/policy", 0.5), ("all-rules", 1.0)]
    assert document["title"] == "Placements"
    assert document["notes"].startswith("How. added: ")
    assert document["notes"].count("added: ") == 1
