"""What a policy says of every item on one day is looked up, and comes to what it says of each."""

from datetime import date

import numpy as np
from msgspec.structs import replace

from tests.shops import NOW_MS, Item, Shop
from tillside.policy import ItemFacts, Shelves, parse_policy, place, read_feed
from tillside.policy.day_rules import DayRules
from tillside.policy.rules import HARD, Rulebook

DAY = date(2026, 5, 28)
SHOP = Shop(
    [
        Item("wine", category="drinks.wine", stock=3),
        Item("cider", category="drinks.cider", stock=3, minimum_age=16),
        Item("case", 20, category="tech.case", brand="acme", stock=3, clearance=0.5),
        Item("film", 50, category="tech.film", brand="other", stock=3, new=True),
        Item("sold out", category="tech.film", brand="other", stock=0),
    ]
)
POLICY = """
placements:
  here:
    sources: {popular: 1}
    rules:
      age_limits: [{category: drinks.wine, years: 18}]
      price_band: {of: cart_dearest, high: 1, hard: true}
      hide_viewed: all
      bans:
        - {name: recall, item: case, until: 2026-06-01}
        - {name: quarrel, brand: other, from: 2026-06-01}
      boosts: {clearance: 0.4, new: 0.3, at_most: 1.25, seasons: [{name: s, categories: [tech], boost: 0.1}]}
"""
RULES = parse_policy(POLICY).placement("here").rules


def verdicts(**asked: object) -> list[str | None]:
    """Why each item is forbidden."""
    facts, day = SHOP.facts(), asked.pop("day", DAY)
    rulebook = Rulebook.of(RULES, SHOP.request(**asked), facts, day=day, anchors=[])  # type: ignore[arg-type]
    found, _ = rulebook.judged(np.arange(len(facts)))
    assert [rulebook.verdict(item) for item in range(len(facts))] == found.tolist()
    return [None if verdict < 0 else HARD[verdict] for verdict in found.tolist()]


def test_the_first_rule_that_forbids_an_item_is_named_for_one_as_for_many() -> None:
    assert verdicts(age=40) == [None, None, "banned", None, "stock"]
    assert verdicts(age=17) == ["categories", None, "banned", None, "stock"]
    assert verdicts(age=15) == verdicts() == ["categories", "age", "banned", None, "stock"]
    # the band ends at the cider's 10: the film is too dear; what was viewed is named last, the cart first
    assert verdicts(age=40, cart=["cider"], session=["wine", "film"]) == ["viewed", "cart", "banned", "price", "stock"]
    # from June on the other ban holds; stock stands before it where both do
    assert verdicts(age=40, day=date(2026, 6, 1)) == [None, None, None, "banned", "stock"]


def test_boosts_are_bounded_after_all_of_them() -> None:
    facts = SHOP.facts()
    today = DayRules.of(RULES, facts, DAY)
    assert today.boosts(np.array([0, 2, 3]), NOW_MS).tolist() == [1.0, 1.25, 1.25]
    # case: 1 + .4 * .5 + .1 = 1.3; film: 1 + .3 + .1 = 1.4, and 1.1 once it is not new any more
    assert today.boosts(np.array([3, 4]), NOW_MS + 1).tolist() == [1.1, 1.1]
    assert DayRules.of(RULES, facts, DAY) is today


def test_what_is_remembered_belongs_to_its_facts() -> None:
    """A feed that sells an item out counts at once, whatever was remembered of the facts before it."""
    policy, relations, request = parse_policy(POLICY), SHOP.relations(), replace(SHOP.request(), age=40, k=9)
    before = SHOP.facts()

    def shown(facts: ItemFacts) -> list[int]:
        shelves = Shelves.of(facts, popular_N=np.arange(len(facts)))
        return [item.item for item in place(policy, request, shelves=shelves, relations=relations).items]

    assert shown(before) == [0, 3, 1]  # the film, at rank 3, speaks with 10 / 13 * 1.25 = .96, the cider with 10 / 11
    news = f'{{"time_ms": {NOW_MS}}}\n{{"item_id": "film", "stock": 0}}'
    assert shown(before.with_feed(read_feed(news.encode()))) == [0, 1]
    assert shown(before) == [0, 3, 1]
