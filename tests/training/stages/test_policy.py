"""What a policy shows by the model of a run, with what was set by hand, and settings that cannot be meant."""

from dataclasses import replace

import pytest

from tests.datasets import make_dataset, random_rows
from tests.models import make_trained
from tillside.relations import Relations
from tillside.relations.chances import Chances, Together
from training.settings.policy import Action, PolicyConfig
from training.stages import policy as stage
from training.stages import policy_check
from training.stages.policy import run


def test_a_preview_shows_what_was_set_by_hand(tmp_path, capsys, monkeypatch):
    """The admin port's answer and the state folder say the same: a pin in the first slot, a ban, a pair and a price."""
    dataset = make_dataset(
        tmp_path / "d", train=random_rows(20, items=6, seed=1), test=random_rows(8, items=6, seed=2), trained=6
    )
    monkeypatch.setattr(stage, "open_run", lambda *_: (make_trained(dataset), dataset))
    file, answer, folder = tmp_path / "policy.yaml", tmp_path / "set.json", tmp_path / "state" / "by-hand"
    file.write_text("placements: {home: {sources: {model: 1, complement: 9}, anchors: [last], slots: 6}}")
    by_hand = """{"pins": [{"name": "today", "item": "i2"}], "bans": [{"name": "recall", "item": "i3"}],
        "pairs": [{"item": "i0", "other": "i4"}, {"item": "i1", "other": "i4"}, {"item": "i5", "other": "i4"}],
        "prices": [{"item": "i2", "price": 7.25}]}"""
    answer.write_text(f'{{"revision": 2, "by_hand": {by_hand}, "revisions": []}}')
    folder.mkdir(parents=True)
    (folder / "000000001.json").write_text("{}")
    (folder / "000000002.json").write_text(answer.read_text())
    given = {"do": Action.preview, "policy": str(file), "run": "r", "sessions": 6}
    run(PolicyConfig(**given))
    assert "pinned by rule" not in capsys.readouterr().out
    run(PolicyConfig(**given, by_hand=str(answer)))
    shown = capsys.readouterr().out
    rows = [line.split() for line in shown.splitlines() if line.startswith("    i")]
    assert ["item", "2", "7.25", "pinned", "by", "rule", "today"] in [row[:7] for row in rows]
    assert ["item", "3"] not in [row[:2] for row in rows]
    assert "pinned by rule manual pair" in shown
    run(PolicyConfig(**given, by_hand=str(tmp_path / "state")))
    assert capsys.readouterr().out == shown
    answer.write_text(answer.read_text().replace("i2", "i22"))
    with pytest.raises(SystemExit):
        run(PolicyConfig(**given, by_hand=str(answer)))
    assert "pins[0].item: 'i22': no item has this id" in capsys.readouterr().out
    answer.write_text("[]")
    with pytest.raises(ValueError, match="allowed: a server's --state folder, or what GET /v1/merchandising answers"):
        run(PolicyConfig(**given, by_hand=str(answer)))


def test_a_preview_weighs_sources_by_what_the_run_learned_of_them_as_its_bundle_does(tmp_path, monkeypatch):
    dataset = make_dataset(
        tmp_path / "d", train=random_rows(20, items=6, seed=1), test=random_rows(8, items=6, seed=2), trained=6
    )
    learned = Chances(together={"next": Together(-3.0, {"model": 9.0, "related": 0.5})})
    trained = replace(make_trained(dataset), chances=learned)
    monkeypatch.setattr(stage, "open_run", lambda *_: (trained, dataset))
    monkeypatch.setattr(policy_check, "relations_of", lambda *_: Relations.empty(items=6))
    shown_by = []
    monkeypatch.setattr(stage, "preview", lambda shop, policy, relations, **_: shown_by.append(relations.chances) or [])
    file = tmp_path / "policy.yaml"
    file.write_text("placements: {home: {sources: {model: 1, complement: 1}, anchors: [last], slots: 6}}")
    run(PolicyConfig(do=Action.preview, policy=str(file), run="r"))
    assert shown_by == [learned]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, "policy must be given, as policy=FILE"),
        ({"policy": "p"}, "dataset=DIR, bundle=DIR or run=RUN_ID must be given"),
        ({"policy": "p", "dataset": "d", "bundle": "b"}, "either dataset or bundle must be given, not both"),
        ({"policy": "p", "dataset": "d", "do": Action.preview}, "preview asks a run's model: run must be given"),
        ({"policy": "p", "run": "r", "do": Action.diff}, "before is for diff and diff needs it"),
        ({"policy": "p", "run": "r", "before": "q"}, "before is for diff and diff needs it"),
        ({"policy": "p", "run": "r", "sessions": 0}, "sessions must be from 1 to 1000, got 0"),
        ({"policy": "p", "run": "r", "day": "soon"}, "day must be a date such as 2026-11-11, got 'soon'"),
    ],
)
def test_settings_that_cannot_be_meant_are_refused(given, said):
    with pytest.raises(ValueError) as refused:
        PolicyConfig(**given)
    assert said in str(refused.value)
