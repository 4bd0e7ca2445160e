"""What a policy says in vain in a shop, a sentence each; a policy of which everything works has none."""

import pytest

from tests.shops import Item, Shop
from tests.tillside.policy.test_needs import needs
from tillside.fitting.rules import Rule, Side, Terms

RULE = Rule(name="r", one=Side(category="tech.phone", attribute="m"), other=Side(category="tech.case", attribute="m"))
SHOP = Shop(
    [
        Item("phone", 500, "tech.phone", "aster", stock=1, attributes={"official": "yes"}),
        Item("case", 20, "tech.case", "birk", stock=1),
        Item("coat", 90, "fashion", "lune", stock=1),
    ],
    pairs=[("complement", "phone", "case", 0.5)],
    bundles=[(("phone", "case"), 0.5)],
)


@pytest.mark.parametrize(
    ("here", "said"),
    [
        ("sources: {complement: 0}", "none of its sources has a weight above 0"),
        (
            "slots: 3, rules: {pins: [{name: p, item: case, slot: 4}]}",
            "pin p is for slot 4 of 3, so it is never shown",
        ),
        (
            "rules: {categories: {never: [tech]}, pins: [{name: p, item: case}]}",
            "pin p is of an item that categories or bans forbid, so it is never shown",
        ),
        ("slots: 3, rules: {at_least: [{n: 4, category: tech}]}", "at_least 4 of tech cannot be met in 3 slots"),
        (
            "rules: {bans: [{name: b, brand: birk}], at_least: [{category: tech.case}]}",
            "at_least 1 of tech.case is never met: categories and bans forbid all of them",
        ),
        (
            "rules: {categories: {only: [tech.case], never: [tech]}}",
            "categories and bans leave no item, so it shows nothing",
        ),
        ("rules: {boosts: {same_brand: 9}}", "boosts: same_brand 9 counts as 1, since at_most is 2"),
        (
            "rules: {boosts: {attributes: [{attribute: official, value: Yes, boost: 1}]}}",
            "boosts: no item has Yes as its official; did you mean yes?",
        ),
        (
            "rules: {fits: anchors}",
            "fits has nothing to go by; rules= of python -m training.relate says what fits what",
        ),
        (
            "rules: {related_first: true}",
            "related_first has nothing to go by; rules= of python -m training.relate says what goes with what",
        ),
        ("rules: {diversity: {vector: 0.5}}", "diversity has a vector and no strength, so it does nothing"),
    ],
)
def test_a_setting_that_does_nothing_is_told(here: str, said: str) -> None:
    sources = "" if "sources" in here else "sources: {complement: 1}, "
    assert needs(SHOP, f"placements: {{here: {{{sources}{here}}}}}") == [f"placement here: {said}"]


def test_bundles_that_nobody_offers_or_nobody_has_and_views_that_nobody_makes_are_told() -> None:
    placements = "placements: {{here: {{sources: {{complement: 1}}, bundles: {0}}}}}\n"
    own = "bundles: [{name: duo, items: [phone, case]}]\n"
    bare = Shop(SHOP.items, pairs=SHOP.pairs)
    assert needs(SHOP, placements.format(0) + own) == [
        "bundles are set, and no placement offers any; bundles: 1 in a placement does"
    ]
    assert needs(bare, placements.format(1)) == ["placement here: it offers bundles, and there are none"]
    assert needs(bare, placements.format(1) + own) == needs(SHOP, placements.format(1)) == []
    dear = "intent: {repeat_views: {price: 501}}\n"
    assert needs(SHOP, placements.format(0) + dear) == ["repeat_views is never met: no item costs 501"]


def test_a_bundle_that_saves_nothing_or_has_no_price_is_told() -> None:
    """500 + 20 = 520; 16.49 + 10.01 = 26.5, in single precision 26.50000015."""
    items = [*SHOP.items, Item("cap", 16.49), Item("sock", 10.01), Item("odd", None)]
    told = needs(
        Shop(items),
        """
placements: {here: {sources: {model: 1}, bundles: 1}}
bundles:
  - {name: dear, items: [phone, case], price: 9999}
  - {name: same, items: [cap, sock], price: 26.5}
  - {name: cheap, items: [phone, case], price: 519.99}
  - {name: sum, items: [phone, case]}
  - {name: odd, items: [phone, odd], price: 1}
  - {name: ghost, items: [phone, ghost], price: 9999}
""",
    )
    assert told == [
        "bundle dear costs 9999, which is not below 520, the sum of its items' prices",
        "bundle same costs 26.5, which is not below 26.5, the sum of its items' prices",
        "bundle odd is never offered: no price of odd is known",
    ]


def test_what_works_is_not_told() -> None:
    fitted = Shop(SHOP.items, pairs=SHOP.pairs, fitting=Terms(rules=(RULE,)))
    assert not needs(
        fitted,
        """
intent: {repeat_views: {price: 300}}
placements:
  here:
    sources: {complement: 1}
    slots: 3
    rules:
      fits: anchors
      related_first: true
      categories: {never: [fashion]}
      at_least: [{n: 1, category: tech.case}]
      pins: [{name: p, item: phone, slot: 3}]
      boosts: {same_brand: 9, attributes: [{attribute: official, value: yes, boost: 2}], at_most: 10}
""",
    )
