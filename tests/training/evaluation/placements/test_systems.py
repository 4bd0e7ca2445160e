"""Answers of each system to one question, by hand: who proposes which item, what the rules refuse, who fills up."""

import msgspec
import numpy as np
import pytest

from tests.shops import Item, Shop
from tillside.policy import parse_policy
from training.evaluation.placements.association_rules import AssociationRules
from training.evaluation.placements.proposals import Proposals
from training.evaluation.placements.systems import Offer, Rivals, alone

SHOP = Shop(
    [
        Item("phone", 500, "phone", stock=9),
        Item("case", 20, "case", stock=9),
        Item("film", 15, "film", stock=9),
        Item("cable", 5, "cable", stock=0),
        Item("scarf", 40, "scarf", stock=9),
        Item("gem", 90, "gem", stock=9),
    ],
    pairs=[("complement", "phone", "case", 0.9)],
)
"""By popularity. With the phone in the cart the rules leave case, scarf and gem: film is banned, cable out of stock."""
PHONE, CASE, FILM, CABLE, SCARF, GEM = range(6)
POLICY = parse_policy(
    """
placements:
  here:
    {anchors: [cart], sources: {model: 1, complement: 1}, steering: 0.5, rules: {bans: [{name: b, item: film}]}}
  there: {sources: {popular: 1}}
segments: {dormant: {placements: {here: {sources: {clearance: 2}}}}}
"""
)
COUNTED = {(PHONE,): 4, (CASE,): 3, (CABLE,): 3, (PHONE, CASE): 1, (PHONE, CABLE): 2}
"""Sessions by set: from a phone to a cable with confidence 2/4, to a case with 1/4."""


def offers(k: int, *, cart: tuple[str, ...] = ("phone",)) -> dict[str, Offer]:
    """Each system's answer to one question, where the model ranks film, gem, cable."""
    rules = AssociationRules.of(COUNTED, sessions=10, items=6)
    rivals = Rivals(POLICY, SHOP.shelves(), SHOP.relations(), rules)
    proposals = Proposals([SHOP.model({"film": 3.0, "gem": 2.0, "cable": 1.0})], np.array([[FILM, GEM]]), [None])
    found = rivals.offers([SHOP.request(cart=list(cart), k=k)], proposals, k=k)
    assert all(len(answers) == 1 for answers in found.values())
    return {system: answers[0] for system, answers in found.items()}


def test_each_system_answers_from_its_own_source() -> None:
    assert offers(2) == {
        # the gem from the model, the case from the relation
        "policy": Offer((GEM, CASE), ("model", "complement")),
        # one source of the policy, then its filler
        "model": Offer((GEM, CASE), ("model", "popular")),
        "complement": Offer((CASE, SCARF), ("complement", "popular")),
        # film is banned, cable out of stock
        "model-top": Offer((GEM, CASE), ("model-top", "popularity")),
        # the cable has the higher confidence, but no stock
        "fp-growth": Offer((CASE, SCARF), ("fp-growth", "popularity")),
        "popularity": Offer((CASE, SCARF), ("popularity", "popularity")),
        "model-unruled": Offer((FILM, GEM), ("model-unruled", "model-unruled")),
    }


@pytest.mark.parametrize("system", ["policy", "model", "complement", "model-top", "fp-growth", "popularity"])
def test_filler_keeps_the_hard_rules_and_repeats_nothing(system: str) -> None:
    found = offers(5)[system]
    assert sorted(found.items) == [CASE, SCARF, GEM], "three items may be shown, so two slots stay open"
    assert len(found.sources) == 3


def test_filler_is_the_most_popular_and_credited_to_popularity() -> None:
    # the phone may be shown once the cart is empty; no rule fires without a cart
    assert offers(3, cart=())["fp-growth"] == Offer((PHONE, CASE, SCARF), ("popularity",) * 3)
    assert offers(3)["model-top"] == Offer((GEM, CASE, SCARF), ("model-top", "popularity", "popularity"))


def test_a_source_alone_keeps_the_rules_and_loses_what_would_change_its_weight() -> None:
    only = alone(POLICY, "here", "complement")
    placement = POLICY.placement("here")
    changed = {"sources": {"complement": 1.0}, "steering": 0.0, "least_chance": 0.0}
    assert only.placements == {"here": msgspec.structs.replace(placement, **changed)}
    assert placement.rules.bans
    assert placement.steering == 0.5
    assert len(POLICY.segments) == 1
    assert not only.segments


def test_a_source_alone_may_say_what_only_another_one_would_let_speak() -> None:
    placements = {"here": msgspec.structs.replace(POLICY.placement("here"), least_chance=0.1)}
    only = alone(msgspec.structs.replace(POLICY, placements=placements), "here", "complement")
    assert only.placement("here").least_chance == 0
