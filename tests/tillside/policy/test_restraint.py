"""Better nothing than noise: caps, dismissals, thresholds and silent moments, by hand."""

import pytest

from tests.shops import NOW_MS, Item, Shop

HOUR_MS = 3_600_000
SHOP = Shop(
    items=[
        Item("phone", 400, "tech.phone", "acme"),
        Item("case a", 20, "tech.case"),
        Item("case b", 21, "tech.case"),
        Item("film", 10, "tech.film"),
        Item("cable", 15, "tech.cable"),
    ],
    pairs=[
        ("complement", "phone", "case a", 0.8),
        ("complement", "phone", "case b", 0.7),
        ("complement", "phone", "film", 0.2),
    ],
)


def policy(more: str = "", rules: str = "") -> str:
    return (
        f"placements: {{here: {{sources: {{complement: 1}}, steering: 0, slots: 4, fill: false, rules: {{{rules}}}"
        f"{', ' + more if more else ''}}}}}"
    )


def test_a_category_rests_as_one_once_its_items_were_shown_often_enough() -> None:
    """Two impressions of one case and one of the other make three of cases; an older one does not count."""
    rules = policy(rules="cap: {category_shown: 3, within_hours: 1}")
    seen = {"case a": (2, NOW_MS), "case b": (1, NOW_MS)}
    assert SHOP.shown(rules, cart=["phone"], impressions=seen) == ["film", "case a", "case b"]
    old = {"case a": (2, NOW_MS), "case b": (1, NOW_MS - 2 * HOUR_MS)}
    assert SHOP.shown(rules, cart=["phone"], impressions=old) == ["case a", "case b", "film"]


def test_a_placement_that_was_shown_enough_is_silent_and_says_so() -> None:
    rules = policy(rules="cap: {placement_shown: 3}")
    assert SHOP.shown(rules, cart=["phone"], impressions={"film": (2, NOW_MS)}) == ["case a", "case b", "film"]
    answer = SHOP.place(rules, cart=["phone"], impressions={"film": (2, NOW_MS), "cable": (1, NOW_MS)})
    assert answer.items == []
    assert answer.notes == ("nothing is shown: the shopper saw 3 items of the 3 that its cap allows",)


def test_what_was_waved_away_does_not_come_back_until_its_time_is_over() -> None:
    rules = policy(rules="dismissals: {within_hours: 24, category_after: 2, placement_after: 3}")

    def shown(*dismissed: dict) -> list[str]:
        return SHOP.shown(rules, cart=["phone"], dismissed=dismissed)

    assert shown({"item": "case a"}) == ["case b", "film"]
    assert shown({"item": "case a", "time_ms": NOW_MS - 25 * HOUR_MS}) == ["case a", "case b", "film"]
    assert shown({"item": "case a"}, {"item": "case b"}) == ["film"]
    assert shown({"category": "tech"}) == []
    assert shown({"category": "no such"}) == ["case a", "case b", "film"]
    assert shown({"placement": "elsewhere"}) == ["case a", "case b", "film"]
    assert shown({"placement": "here"}) == []
    assert shown({"item": "film"}, {"item": "cable"}, {"item": "phone"}) == []


def test_two_dismissed_items_of_a_category_take_its_other_items_along() -> None:
    shop = Shop(
        [*SHOP.items, Item("case c", 22, "tech.case")], pairs=[*SHOP.pairs, ("complement", "phone", "case c", 0.5)]
    )
    rules = policy(rules="dismissals: {category_after: 2}")
    dismissed = [{"item": "case a"}, {"item": "case b"}]
    assert shop.shown(rules, cart=["phone"], dismissed=dismissed[:1]) == ["case b", "case c", "film"]
    assert shop.shown(rules, cart=["phone"], dismissed=dismissed) == ["film"]
    answer = shop.place(rules, cart=["phone"], dismissed=dismissed)
    assert answer.dropped == {"dismissed": 3}


def test_below_the_least_chance_nothing_is_shown_and_nothing_is_filled_up() -> None:
    shop = policy("least_chance: 0.5").replace("fill: false", "fill: true")
    answer = SHOP.place(shop, cart=["phone"])
    assert SHOP.ids(item.item for item in answer.items) == ["case a", "case b"]
    assert answer.dropped == {"unsure": 1}
    assert SHOP.shown(policy("least_chance: 0.9"), cart=["phone"]) == []


@pytest.mark.parametrize(("moment", "shown"), [("explanation", []), ("break", ["case a"]), (None, ["case a"])])
def test_a_placement_is_silent_during_the_moments_it_names(moment: str | None, shown: list[str]) -> None:
    answer = SHOP.place(policy("silent_during: [explanation]"), cart=["phone"], k=1, moment=moment)
    assert SHOP.ids(item.item for item in answer.items) == shown
    if not shown:
        assert answer.notes == ("nothing is shown: it is silent during explanation",)


def test_the_hosts_item_takes_the_first_slot_unless_a_hard_rule_forbids_it() -> None:
    pins = "pins: [{name: p, item: cable, slot: 1}]"
    answer = SHOP.place(policy("host_first: true, anchors: [host]", rules=pins), host="phone", k=3)
    assert [(SHOP.ids([item.item])[0], item.source) for item in answer.items] == [
        ("phone", "host"),
        ("cable", "pinned"),
        ("case a", "complement"),
    ]
    assert answer.items[0].reason == "On show right now"
    assert SHOP.shown(policy("host_first: true, anchors: [host]"), host="phone", cart=["phone"], k=1) == ["case a"]
    assert SHOP.shown(policy("anchors: [host]"), host="phone", k=1) == ["case a"]


def test_new_ends_when_its_time_is_over_whenever_the_feed_came() -> None:
    """The feed says new until NOW_MS + 1."""
    shop = Shop([Item("a", category="x", new=True), Item("b", category="x")])
    rules = "placements: {here: {sources: {new: 1}, fill: false}}"
    assert shop.shown(rules, now_ms=NOW_MS) == ["a"]
    assert shop.shown(rules, now_ms=NOW_MS + 1) == []
    assert shop.shown(rules, session=["b"], now_ms=NOW_MS + 1) == []


def test_a_cap_that_caps_nothing_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="one of shown, category_shown, placement_shown must be given, got none"):
        SHOP.shown(policy(rules="cap: {within_hours: 3}"))
