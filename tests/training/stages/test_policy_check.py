"""A policy is checked against a bundle or a data set, without torch: mistakes by line, what is needed and not there."""

import subprocess
import sys

import pytest

from tests.bundles import tiny_bundle
from tests.datasets import make_dataset, random_rows
from tests.tills import POLICY, feed, in_stock, till
from tillside.bundle import open_bundle
from tillside.policy import parse_policy, read_feed
from training.settings.policy import PolicyConfig
from training.stages.policy_check import Shop, mistakes, needs, run


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


def test_what_is_set_by_hand_in_vain_is_told_with_the_rest(tmp_path, capsys):
    """With a price of 25 set by hand phone and case cost 525; the pair brings gifts that the relations lack."""
    file, by_hand = tmp_path / "policy.yaml", tmp_path / "set.json"
    file.write_text("placements: {home: {sources: {gift: 1}, bundles: 1}}")
    by_hand.write_text("""{"by_hand": {
        "pairs": [{"item": "phone", "other": "film", "relation": "gift", "until": "2026-11-11"}],
        "bundles": [{"name": "dear", "items": ["phone", "case"], "price": 525}],
        "prices": [{"item": "case", "price": 25}]}}""")
    given = {"policy": str(file), "bundle": str(till(tmp_path / "bundle")), "by_hand": str(by_hand)}
    dear = "bundle dear costs 525, which is not below 525, the sum of its items' prices"
    run(PolicyConfig(**given, day="2026-11-10"))
    assert capsys.readouterr().out.splitlines()[1:] == [dear]
    run(PolicyConfig(**given, day="2026-11-12"))
    over = "pairs[0].until: 2026-11-11 lies in the past (today is 2026-11-12), so it never holds"
    assert capsys.readouterr().out.splitlines()[1:] == [over, dear]


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


def test_a_check_never_waits_for_torch():
    asked = "import sys, training.stages.policy_check; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", asked], check=False).returncode == 0
