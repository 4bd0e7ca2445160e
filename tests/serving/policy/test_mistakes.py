"""What is told of a change by hand, against the shop of tests.tills: mistakes are conflicts, and odd things remarks."""

from dataclasses import replace
from datetime import date

import pytest

from serving.policy.assortment import Assortment
from serving.policy.mistakes import MOST_MISTAKES, refuse_policy, remarks_on
from serving.policy.policy_file import PUT_POLICY, LoadedPolicy
from tests.tills import NOW_MS, POLICY, till
from tillside.bundle import open_bundle
from tillside.policy import ConflictError, parse_policy
from tillside.policy.file.offers import OwnBundle
from tillside.policy.file.values import TermError
from tillside.policy.merchandising import ByHand, Pair, PlacedPin, Price

LOADED = LoadedPolicy(parse_policy(POLICY), "0" * 12, "policy.yaml")


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Assortment:
    return Assortment.of(open_bundle(till(tmp_path_factory.mktemp("till") / "bundle")), LOADED)


def pins(*items: str) -> ByHand:
    return ByHand(pins=tuple(PlacedPin(name="p", item=item) for item in items))


def test_a_name_that_the_shop_lacks_is_a_conflict_of_what_was_changed_and_a_remark_on_the_rest(shop):
    told = "pins[0].item: 'fone': no item has this id; did you mean phone?"
    with pytest.raises(ConflictError) as caught:
        remarks_on(shop, pins("fone"), "pins", False, now_ms=NOW_MS)
    assert str(caught.value) == told
    assert (
        remarks_on(shop, pins("fone"), "pins", True, now_ms=NOW_MS)
        == remarks_on(shop, pins("fone"), "bans", False, now_ms=NOW_MS)
        == [told]
    )
    assert remarks_on(shop, pins("phone"), "pins", False, now_ms=NOW_MS) == []


def test_not_all_mistakes_are_listed_and_how_many_more_there_are_is_said(shop):
    with pytest.raises(ConflictError) as caught:
        remarks_on(shop, pins(*(f"ghost-{n}" for n in range(MOST_MISTAKES + 2))), "pins", False, now_ms=NOW_MS)
    assert str(caught.value).splitlines()[MOST_MISTAKES:] == ["and 2 more"]


def test_without_a_policy_nothing_is_looked_up():
    [remark] = remarks_on(None, pins("fone"), "pins", False, now_ms=NOW_MS)
    assert "PUT /v1/policy brings one" in remark


def test_another_policy_is_asked_for_what_it_needs(shop):
    hungry = replace(shop, loaded=replace(LOADED, policy=parse_policy(POLICY)))
    assert any(
        "needs an items feed" in each
        for each in remarks_on(hungry, ByHand(policy=POLICY), "policy", False, now_ms=NOW_MS)
    )


@pytest.mark.parametrize("kind", [TermError, ConflictError])
def test_mistakes_of_language_and_names_are_told_at_once_in_the_kind_of_the_language(shop, kind):
    wrong = POLICY.replace("only: [fashion]", "only: [fasion]").replace("slots: 2", "slots: 0")
    with pytest.raises(ValueError) as caught:
        refuse_policy(wrong, shop.facts, shop.behaviours, kind("as it was found before"))
    assert type(caught.value) is kind
    assert "slots: got '0'" in str(caught.value)
    assert "did you mean fashion?" in str(caught.value)
    refuse_policy(POLICY, shop.facts, shop.behaviours, kind("as it was found before"))


def test_field_and_allowed_are_those_of_the_first_mistake(shop):
    def refused(text: str) -> tuple[str, str]:
        with pytest.raises(ValueError) as before:
            parse_policy(text, name=PUT_POLICY)
        with pytest.raises(TermError) as caught:
            refuse_policy(text, shop.facts, shop.behaviours, before.value)
        return caught.value.field, caught.value.allowed

    slots, name = POLICY.replace("slots: 2", "slots: 0"), "rules: {categories: {only: [fasion]}}"
    assert refused(slots) == ("placements.checkout.slots", "an integer of at least 1 and at most 100")
    home = "placements:\n  home:\n    sources: {model: 1}\n    "
    assert refused(f"{home}{name}\n    slots: 0") == ("placements.home.rules.categories.only[0]", "")
    assert refused(f"{home}slots: 0\n    {name}")[0] == "placements.home.slots"
    assert refused("placements: [") == ("", "")
    with pytest.raises(ConflictError) as caught:
        remarks_on(shop, pins("fone"), "pins", False, now_ms=NOW_MS)
    assert (caught.value.field, caught.value.allowed) == ("pins[0].item", "")


def test_what_is_laid_over_a_policy_in_vain_is_remarked(shop):
    """The placement fashion shows only fashion, in three slots."""
    late, phone = (
        PlacedPin(name=name, item=name, slot=s, placements=("fashion",)) for name, s in (("coat", 4), ("phone", 1))
    )
    by_hand = ByHand(pins=(late, phone))
    pinned = replace(shop, loaded=replace(LOADED, policy=by_hand.over(LOADED.policy)))
    assert remarks_on(pinned, by_hand, "pins", False, now_ms=NOW_MS) == [
        "placement fashion: pin coat is for slot 4 of 3, so it is never shown",
        "placement fashion: pin phone is of an item that categories or bans forbid, so it is never shown",
    ]
    for other in ("bans", "pairs", "bundles", "prices", None):  # on the whole, whichever part was changed
        assert len(remarks_on(pinned, by_hand, other, False, now_ms=NOW_MS)) == 2


def test_a_row_that_is_over_and_a_bundle_that_saves_nothing_are_remarked(shop):
    """NOW_MS is 20:26 UTC of 2026-05-28; phone and case cost 500 + 20, or with a price of 25 set by hand 525."""
    past = date(2026, 5, 28)
    by_hand = ByHand(
        pairs=(Pair(item="phone", other="film", until=past),),
        bundles=(OwnBundle(name="dear", items=("phone", "case"), price=525.0),),
        prices=(Price(item="case", price=25.0),),
    )
    loaded = replace(LOADED, policy=by_hand.over(LOADED.policy), by_hand=by_hand)
    for changed in ("pairs", "prices"):
        assert remarks_on(shop.under(loaded, None), by_hand, changed, False, now_ms=NOW_MS) == [
            "pairs[0].until: 2026-05-28 has come (today is 2026-05-28), so it never holds",
            "bundle dear costs 525, which is not below 525, the sum of its items' prices",
        ]
