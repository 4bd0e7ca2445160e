"""A name in a policy that the shop does not have is told with its line and what was meant; what it has is not."""

import pytest

from tillside.policy import parse_policy
from tillside.policy.file.names import KIND_OF, KnownNames, NameCheck, policy_mistakes, unknown_names
from tillside.policy.file.rule_terms import Ban, Pin
from tillside.policy.file.spelling import SUGGESTED

SHOP = KnownNames(items={"p-1", "p-2"}, categories={"tech", "tech.phone", "tech.case"}, brands={"Aster"})
TEXT = """\
promotions:
  - {name: two, categories: [tech.cse], steps: [{items: 2, gift: p-4}]}
bundles:
  - {name: duo, items: [p-1, p-3]}
defaults:
  rules:
    hide_kind: {but: [tech.phones]}
    diversity: {category: 0.5, brand: 0.5}
placements:
  checkout:
    sources: {model: 1}
    rules:
      categories: {only: [tech], never: [tec]}
      age_limits: [{category: wine, years: 18}]
      at_least: [{n: 1, brand: Astor}]
      boosts: {seasons: [{name: s, categories: [tech.phone, snow], boost: 1}]}
      pins: [{name: p, item: p-2}]
      bans: [{name: b, item: P-1}]
segments:
  new:
    placements: {checkout: {rules: {categories: {never: [tech.kase]}}}}
"""


def test_every_name_that_is_not_there_is_told_where_it_stands():
    parse_policy(TEXT)
    assert unknown_names(TEXT, SHOP, name="shop.yaml") == [
        "shop.yaml:2: promotions[0].categories[0]: 'tech.cse': no item has this category; did you mean tech.case?",
        "shop.yaml:2: promotions[0].steps[0].gift: 'p-4': no item has this id; did you mean p-2?",
        "shop.yaml:4: bundles[0].items[1]: 'p-3': no item has this id; did you mean p-2?",
        "shop.yaml:7: defaults.rules.hide_kind.but[0]: 'tech.phones': no item has this category; "
        "did you mean tech.phone?",
        "shop.yaml:13: placements.checkout.rules.categories.never[0]: 'tec': no item has this category; "
        "did you mean tech?",
        "shop.yaml:14: placements.checkout.rules.age_limits[0].category: 'wine': no item has this category",
        "shop.yaml:15: placements.checkout.rules.at_least[0].brand: 'Astor': no item has this brand; "
        "did you mean Aster?",
        "shop.yaml:16: placements.checkout.rules.boosts.seasons[0].categories[1]: 'snow': no item has this category",
        "shop.yaml:18: placements.checkout.rules.bans[0].item: 'P-1': no item has this id; did you mean p-1?",
        "shop.yaml:21: segments.new.placements.checkout.rules.categories.never[0]: 'tech.kase': "
        "no item has this category; did you mean tech.case?",
    ]


def test_what_is_no_policy_and_what_the_shop_lacks_are_told_together_by_line():
    wrong = TEXT.replace("n: 1, brand", "n: none, brand")
    told = policy_mistakes(wrong, SHOP, name="shop.yaml")
    assert [line for line in told if "at_least[0].n:" in line]
    assert set(unknown_names(wrong, SHOP, name="shop.yaml")) < set(told)
    lines = [int(line.split(":")[1]) for line in told]
    assert lines == sorted(lines)
    assert policy_mistakes(TEXT, SHOP, name="shop.yaml") == unknown_names(TEXT, SHOP, name="shop.yaml")


@pytest.mark.parametrize("text", ["placements: [", "placements: {a: &a {sources: {model: 1}}, b: *a}", "[" * 500_000])
def test_what_cannot_be_read_has_no_names_to_look_up(text):
    assert len(policy_mistakes(text, SHOP)) == 1


def test_a_shop_without_any_category_is_told_so():
    check = NameCheck(KnownNames(items={"a"}, categories=(), brands=()))
    assert check.mistake("category", "x") == "no item has this category: the catalogue has none at all"
    assert check.mistake("item", "a") is None


def test_of_ten_thousand_mistakes_all_are_told_and_the_first_ones_with_what_was_meant():
    bans = ", ".join(f"{{name: b, item: p-{number}}}" for number in range(3, 10_003))
    text = f"placements: {{home: {{sources: {{model: 1}}, rules: {{bans: [{bans}]}}}}}}"
    told = policy_mistakes(text, SHOP)
    assert len(told) == 10_000
    assert ["did you mean p-" in each for each in told] == [True] * SUGGESTED + [False] * (10_000 - SUGGESTED)


@pytest.mark.parametrize("kind", [Pin, Ban])
def test_the_keys_that_name_something_are_fields_of_the_terms(kind):
    assert set(kind.__struct_fields__) & set(KIND_OF)
