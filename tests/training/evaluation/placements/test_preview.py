"""What a policy shows in real sessions: half right after the cart, on any day, and where two policies differ."""

from datetime import date
from pathlib import Path

import numpy as np
import pytest

from tests.datasets import make_dataset, make_sessions, random_rows
from tests.models import make_trained
from tillside.policy import parse_policy
from tillside.relations import Relations
from training.evaluation.placements.preview import differences, lines_of, moments, preview
from training.evaluation.placements.shop import OfflineShop

ITEMS = 12
TEXT = """
placements:
  checkout: {sources: {model: 1}, anchors: [cart], slots: 3}
  home: {behaviour: click, sources: {popular: 1}, anchors: [session], slots: 2}
"""
POLICY = parse_policy(TEXT)
PINNED = parse_policy(
    TEXT.replace("slots: 2", "slots: 2, rules: {pins: [{name: day, item: i7, from: 2030-01-01, until: 2030-01-02}]}")
)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> OfflineShop:
    rows = [random_rows(count, items=ITEMS, seed=seed) for seed, count in ((1, 60), (2, 40))]
    folder: Path = tmp_path_factory.mktemp("data") / "d"
    dataset = make_dataset(folder, train=rows[0], test=rows[1], trained=ITEMS)
    return OfflineShop.of(make_trained(dataset), dataset)


def nothing(shop: OfflineShop) -> Relations:
    return Relations.empty(items=len(shop.dataset.catalogue))


def test_half_of_the_moments_come_right_after_the_first_item_was_taken():
    """Sessions 0 and 2 take nothing: cut in their middle; 1 takes at its second event, 3 at its first and its third."""
    sessions = make_sessions(
        [
            [(0, "click", 0), (1, "click", 1), (2, "click", 2)],
            [(3, "click", 0), (4, "cart", 1), (5, "click", 2)],
            [(6, "click", 0), (7, "click", 1)],
            [(8, "cart", 0), (9, "click", 1), (8, "cart", 2)],
        ]
    )
    found = moments(sessions, taken=[1, 2], count=4)
    assert found.sessions_Q.tolist() == [0, 1, 2, 3]
    assert found.events_Q.tolist() == [2, 5, 7, 9]  # 3 events: 2 seen; 3 + 2; 6 + 1; 8 + 1
    assert [cart.tolist() for cart in found.carts] == [[], [4], [], [8]]
    assert moments(sessions, taken=[1, 2], count=2).sessions_Q.tolist() == [0, 1]
    assert moments(sessions, taken=[1, 2], count=3).sessions_Q.tolist() == [0, 1, 3]
    assert len(moments(sessions, taken=[1, 2], count=99)) == 4
    # a log of buyers alone: all of them right after the cart
    assert moments(make_sessions([[(1, "cart", 0), (2, "click", 1)]] * 3), taken=[1], count=3).events_Q.tolist() == [
        1,
        3,
        5,
    ]


def test_every_placement_is_shown_at_every_moment_with_its_reason(shop):
    found = preview(shop, POLICY, nothing(shop), count=6)
    assert len(found) == 6
    assert all(set(moment.shown) == {"checkout", "home"} for moment in found)
    lines = list(lines_of(found, shop.facts))
    assert sum(line.startswith("session ") for line in lines) == 6
    assert sum(line.startswith("  checkout (") for line in lines) == 6
    assert any("Picked for you" in line for line in lines)
    only = preview(shop, POLICY, nothing(shop), count=6, placements=["home"])
    assert [moment.shown["home"] for moment in only] == [moment.shown["home"] for moment in found]
    with pytest.raises(ValueError, match="placement 'hom' is unknown; allowed: checkout, home"):
        preview(shop, POLICY, nothing(shop), count=1, placements=["hom"])


def test_rules_with_dates_are_tried_on_the_day_that_is_given(shop):
    assert shop.facts.item_ids[7] == "i7"
    on, off = (preview(shop, PINNED, nothing(shop), count=4, day=day) for day in (date(2030, 1, 1), date(2030, 1, 2)))
    assert {moment.shown["home"].items[0].source for moment in on} == {"pinned"}
    assert "pinned" not in {item.source for moment in off for item in moment.shown["home"].items}
    log = preview(shop, PINNED, nothing(shop), count=4)
    assert [[item.item for item in moment.shown["home"].items] for moment in off] == [
        [item.item for item in moment.shown["home"].items] for moment in log
    ]


def test_two_policies_are_compared_by_what_comes_and_goes(shop):
    day = date(2030, 1, 1)
    before, after = (preview(shop, policy, nothing(shop), count=4, day=day) for policy in (POLICY, PINNED))
    assert list(differences(before, before, shop.facts))[-4:-2] == [
        "checkout: 0 of 4 answers differ, 0 items are new",
        "home: 0 of 4 answers differ, 0 items are new",
    ]
    lines = list(differences(before, after, shop.facts))
    new = [7 not in [item.item for item in moment.shown["home"].items] for moment in before]
    assert f"home: {np.sum([True] * 4)} of 4 answers differ, {sum(new)} items are new" in lines
    assert sum("pinned by rule day" in line for line in lines) == sum(new)
    assert lines[-1].startswith("items after the change: model ")
    assert "pinned" in lines[-1]
    assert "pinned" not in lines[-2]


def test_a_live_room_is_shown_as_if_its_host_showed_what_the_session_came_to_last(shop: OfflineShop):
    """The host's own item takes the first slot, unless it is in the cart; what asks for no host says nothing of one."""
    live = "live: {sources: {model: 1}, anchors: [host], host_first: true, slots: 2}"
    text = f"placements: {{{live}, home: {{sources: {{model: 1}}}}}}"
    shown = preview(shop, parse_policy(text), nothing(shop), count=4)
    for moment in shown:
        assert set(moment.hosts) == {"live"}
        assert moment.hosts["live"] == moment.told[-1].partition(" ")[2]
        first = shop.facts.name(moment.shown["live"].items[0].item)
        assert (first == moment.hosts["live"]) is (moment.hosts["live"] not in moment.cart)
    lines = list(lines_of(shown, shop.facts))
    assert sum("; as if the host showed " in line for line in lines) == 4


def test_a_preview_says_why_a_placement_is_empty_and_what_is_not_met(shop: OfflineShop):
    text = "placements: {here: {sources: {scene: 1}, fill: false, rules: {at_least: [{n: 1, source: scene}]}}}"
    lines = list(lines_of(preview(shop, parse_policy(text), nothing(shop), count=2), shop.facts))
    assert sum(line.startswith("    note: at_least 1 of source scene is not met") for line in lines) == 2
    assert sum(line.startswith("    note: nothing is shown: no source (scene) has a candidate") for line in lines) == 2
