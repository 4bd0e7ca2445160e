"""The command for policy files: mistakes by line, what is needed and not there, and what is shown and compared."""

from dataclasses import replace

import pytest

from tests.bundles import tiny_bundle
from tests.datasets import make_dataset, random_rows
from tests.models import make_trained
from tests.tills import POLICY, feed, in_stock, till
from tillside.bundle import open_bundle
from tillside.policy import parse_policy, read_feed
from tillside.relations import Relations
from tillside.relations.chances import Chances, Together
from training.settings.policy import Action, PolicyConfig
from training.stages import policy as stage
from training.stages import policy_check
from training.stages.policy import run
from training.stages.policy_check import Shop, mistakes, needs


@pytest.fixture(scope="module")
def shop(tmp_path_factory) -> Shop:
    bundle = open_bundle(till(tmp_path_factory.mktemp("till") / "bundle"))
    return Shop(bundle.catalogue, bundle.behaviours.names, bundle.relations, None)


def test_all_mistakes_are_told_at_once_by_line(shop):
    """Those of the language and those of the names, each with its own line."""
    text = """\
placements:
  checkout:
    behaviour: buy
    sources: {model: 1}
    rules:
      categories: {never: [tech.phon]}
    slots: 0
"""
    assert mistakes(text, "p.yaml", shop) == [
        "p.yaml:3: placements.checkout.behaviour: got 'buy'; allowed: click, cart, purchase",
        "p.yaml:6: placements.checkout.rules.categories.never[0]: 'tech.phon': no item has this category; "
        "did you mean tech.phone?",
        "p.yaml:7: placements.checkout.slots: got '0'; allowed: an integer of at least 1 and at most 100",
    ]
    assert mistakes(POLICY, "p.yaml", shop) == []
    assert mistakes("a: [", "p.yaml", shop)[0].startswith("p.yaml:1: ")


def test_what_a_policy_needs_and_the_shop_lacks_is_told(shop):
    policy = parse_policy("placements: {home: {sources: {complement: 1, gift: 1, clearance: 0}}}")
    assert needs(policy, shop) == [
        "placement home: source gift has no pairs; python -m training.relate mines them, or set them by hand"
    ]
    stocked = Shop(shop.catalogue, shop.behaviours, shop.relations, read_feed(feed(*in_stock())))
    assert needs(parse_policy(POLICY), shop) == [
        "placement checkout: its stock rule needs an items feed, and there is none, so it shows nothing until one comes"
    ]
    assert needs(parse_policy(POLICY), stocked) == []


def test_check_prints_mistakes_one_a_line_and_ends_with_one(tmp_path, capsys):
    file = tmp_path / "policy.yaml"
    bundle = till(tmp_path / "bundle")
    file.write_text(POLICY)
    run(PolicyConfig(policy=str(file), bundle=str(bundle)))
    assert "no mistakes; 3 placements: checkout, product, fashion" in capsys.readouterr().out
    file.write_text(POLICY.replace("only: [fashion]", "only: [fasion]").replace("slots: 3", "slots: 0"))
    with pytest.raises(SystemExit) as ended:
        run(PolicyConfig(policy=str(file), bundle=str(bundle)))
    assert ended.value.code == 1
    printed = capsys.readouterr().out.splitlines()
    assert len(printed) == 2
    assert all(line.startswith(f"{file}:") for line in printed)


def test_a_data_set_does_as_well_as_a_bundle(tmp_path, capsys):
    dataset = make_dataset(
        tmp_path / "d", train=random_rows(9, items=4, seed=1), test=random_rows(5, items=4, seed=2), trained=4
    )
    file = tmp_path / "policy.yaml"
    file.write_text("placements: {home: {sources: {model: 1}, rules: {pins: [{name: p, item: i2}]}}}")
    run(PolicyConfig(policy=str(file), dataset=str(dataset.path)))
    assert "no mistakes" in capsys.readouterr().out
    empty = tiny_bundle(tmp_path / "orchard")
    with pytest.raises(SystemExit):
        run(PolicyConfig(policy=str(file), bundle=str(empty)))
    assert "'i2': no item has this id" in capsys.readouterr().out


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
