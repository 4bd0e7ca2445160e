"""What is chosen from the candidates, by hand: levels, minimum counts, and what is alike kept apart."""

from dataclasses import replace

import numpy as np
import pytest

from tests.shops import Item, Shop
from tests.tillside.policy.test_candidates import SHOP as FIVE
from tests.tillside.policy.test_placing import SHOP, policy
from tillside.policy import parse_policy, place
from tillside.policy.choosing import SPARE, SPARE_EACH, Need, choose
from tillside.policy.file.rule_terms import Diversity
from tillside.policy.items.facts import NO_VECTORS

PLAIN = Diversity()


def test_at_least_one_of_a_kind_takes_the_last_slot() -> None:
    everything = {"case": 5.0, "film": 4.0, "cable": 3.0, "kettle": 2.0}
    for kind in ("category: home", "source: model, n: 3", "brand: other, n: 2"):
        shown = SHOP.shown(policy(f"at_least: [{{{kind}}}]", sources="model: 1"), model=everything, k=3)
        assert (
            shown
            == {"c": ["case", "film", "kettle"], "s": ["case", "film", "cable"], "b": ["case", "film", "cable"]}[
                kind[0]
            ]
        )
    assert SHOP.shown(policy("at_least: [{category: nowhere}]"), model=everything, k=2) == ["case", "film"]


def test_diversity_takes_from_what_is_alike() -> None:
    """By rank 1, .909, .833; a2 loses .5 * (.7 + .3) after a1, so b (no likeness) is second; a2 has .409 left."""
    shop = Shop(
        [Item("a1", category="x.a", brand="m"), Item("a2", category="x.a", brand="m"), Item("b", category="y.b")]
    )
    rules = policy("diversity: {strength: 0.5}", sources="model: 1")
    answer = shop.place(rules, model={"a1": 3.0, "a2": 2.0, "b": 1.0}, explain=True)
    assert shop.ids(item.item for item in answer.items) == ["a1", "b", "a2"]
    assert [item.parts["diversity"] for item in answer.items if item.parts] == pytest.approx([0, 0, -0.5])


def test_half_a_likeness_for_the_category_above() -> None:
    """x.b loses .5 * .5 * .7 = .175 after x.a: .909 - .175 = .734 is less than .833 of y."""
    shop = Shop([Item("a", category="x.a"), Item("b", category="x.b"), Item("c", category="y.c")])
    rules = policy("diversity: {strength: 0.5}", sources="model: 1")
    assert shop.shown(rules, model={"a": 3.0, "b": 2.0, "c": 1.0}) == ["a", "c", "b"]


def test_items_whose_vectors_are_alike_keep_apart():
    """The last column, the trend, does not count. The film's cosine with the case is .6, the cable's 0.

    film: .8 of the best; it loses .5 * .6 of it and is left with .5, less than the cable's .55.
    """
    rows_WD = np.array([[1, 0, 9], [2, 0, 9], [3, 4, 9], [0, 1, -9]], np.float32)  # the kettle has none
    facts = replace(FIVE.facts(), vectors=replace(NO_VECTORS, rows_WD=rows_WD))
    assert facts.cosines(np.array([1, 2, 3, 4])) == pytest.approx(
        np.array([[1, 0.6, 0, 0], [0.6, 1, 0.8, 0], [0, 0.8, 1, 0], [0, 0, 0, 0]])
    )
    pairs = [("complement", "phone", "case", 1.0), ("complement", "phone", "film", 0.8)]
    shop = replace(FIVE, pairs=[*pairs, ("complement", "phone", "cable", 0.55)], _number={})
    rules = "rules: {diversity: {strength: 0.5, vector: 1}}"
    policy = parse_policy(f"placements: {{here: {{sources: {{complement: 1}}, anchors: [cart], {rules}}}}}")
    shelves = replace(shop.shelves(), facts=facts)

    def shown(shelves, policy):
        request = shop.request(cart=["phone"], k=3)
        return shop.ids(item.item for item in place(policy, request, shelves=shelves, relations=shop.relations()).items)

    assert shown(shelves, policy) == ["case", "cable", "film"]
    assert shown(shop.shelves(), policy) == ["case", "film", "cable"]  # no vectors: like nothing


def chosen(
    scores: list[float], levels: list[int], k: int, *, diversity: Diversity = PLAIN, needs: list[Need] | None = None
):
    """Rows of the phone, case, film, cable, kettle, laptop."""
    rows = np.arange(len(scores))
    facts = SHOP.facts()
    found = choose(rows, np.array(scores), np.array(levels), k=k, facts=facts, diversity=diversity, needs=needs or [])
    return [row for row, _ in found]


def test_a_level_comes_before_any_score_and_then_the_item_id() -> None:
    assert chosen([1, 9, 3, 3, 2], [0, 1, 0, 0, -1], 9) == [4, 3, 2, 0, 1]  # cable before film
    assert chosen([1, 9, 3, 3, 2], [0, 1, 0, 0, -1], 2) == [4, 3]
    assert chosen([], [], 3) == []


def test_needs_take_the_last_slots_while_there_is_anything_to_meet_them() -> None:
    cheap, dear = np.array([0, 0, 0, 1, 1], bool), np.array([0, 0, 0, 0, 0], bool)
    assert chosen([9, 8, 7, 6, 5], [0] * 5, 3, needs=[Need(1, cheap)]) == [0, 1, 3]
    assert chosen([9, 8, 7, 6, 5], [0] * 5, 3, needs=[Need(2, cheap)]) == [0, 3, 4]
    assert chosen([9, 8, 7, 6, 5], [0] * 5, 3, needs=[Need(2, dear)]) == [0, 1, 2]


def test_a_need_is_met_from_beyond_what_is_compared() -> None:
    count = SPARE_EACH * 2 + SPARE + 5
    shop = Shop([Item(f"i{number:02}") for number in range(count)])
    last = np.arange(count) == count - 1
    rows, scores, levels = np.arange(count), np.arange(count, 0.0, -1), np.zeros(count, np.int64)
    found = choose(rows, scores, levels, k=2, facts=shop.facts(), diversity=PLAIN, needs=[Need(1, last)])
    assert [row for row, _ in found] == [0, count - 1]


def test_beyond_the_most_of_a_kind_an_item_counts_a_tenth() -> None:
    """Four sleeves, then a mouse, a dock, and two whose kind is not known: each of these is a kind of its own.

    Scores 8 to 1. With two of a kind the third and fourth sleeve have .6 and .5; with one, the second has .7.
    """
    kinds = ["x.sleeve"] * 4 + ["x.mouse", "x.dock", "", ""]
    shop = Shop([Item(f"i{number}", category=kind or None) for number, kind in enumerate(kinds)])

    def shown(most: int, levels: list[int], k: int) -> list[int]:
        items, scores = np.arange(len(kinds)), np.arange(len(kinds), 0.0, -1)
        diversity = Diversity(most_of_a_kind=most)
        found = choose(items, scores, np.array(levels), k=k, facts=shop.facts(), diversity=diversity)
        return [row for row, _ in found]

    plain = [0] * 8
    assert shown(2, plain, 4) == [0, 1, 4, 5]
    assert shown(1, plain, 4) == [0, 4, 5, 6]
    assert shown(4, plain, 4) == [0, 1, 2, 3]
    assert shown(1, plain, 8) == [0, 4, 5, 6, 7, 1, 2, 3]  # rather more of a kind than an empty slot
    capped = [0, 0, 0, 0, 1, 0, 1, 1]
    assert shown(2, capped, 6) == [0, 1, 5, 2, 3, 4]  # a frequency cap is the stronger rule
    pinned = [0, 0, -1, -1, 0, 0, 0, 0]
    assert shown(1, pinned, 4) == [2, 3, 4, 5]  # pairs pinned by hand come first, and count


def test_what_hardly_anybody_takes_is_no_reason_to_leave_a_kind() -> None:
    """A tenth of the third sleeve's .8 is more than the mouse's .05; the answer says what it lost, .72."""
    shop = Shop([*(Item(f"s{number}", category="x.sleeve") for number in range(3)), Item("m", category="x.mouse")])
    found = choose(
        np.arange(4),
        np.array([1, 0.9, 0.8, 0.05]),
        np.zeros(4, np.int64),
        k=4,
        facts=shop.facts(),
        diversity=Diversity(most_of_a_kind=2),
    )
    assert [row for row, _ in found] == [0, 1, 2, 3]
    assert [lost for _, lost in found] == pytest.approx([0, 0, 0.72, 0])


def test_kinds_beyond_what_is_compared_are_found() -> None:
    """Of a hundred sleeves two are shown before the mouse, which stands below all of them."""
    shop = Shop([*(Item(f"s{number:03}", category="x.sleeve") for number in range(100)), Item("m", category="x.mouse")])
    rows, scores, levels = np.arange(101), np.arange(1101, 1000.0, -1), np.zeros(101, np.int64)
    found = choose(rows, scores, levels, k=3, facts=shop.facts(), diversity=Diversity(most_of_a_kind=2))
    assert [row for row, _ in found] == [0, 1, 100]
