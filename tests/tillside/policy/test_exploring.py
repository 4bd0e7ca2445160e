"""What is drawn, and that its probability is exact: by hand, by counting draws, and inside the rules."""

from collections import Counter
from typing import Any

import numpy as np
import pytest

from tests.shops import Item, Shop
from tillside.policy import Shelves, parse_policy, prepare
from tillside.policy.choosing import LEVEL
from tillside.policy.exploring import NOT_HERE, Explorer, Follower
from tillside.policy.file.terms import Exploration
from tillside.policy.placing import Retraced

THREE = {"a": 3.0, "b": 2.0, "c": 1.0}
SHOP = Shop([Item(name, category="x") for name in (*THREE, "d")])


def picked(exploration: Exploration, worths: list[float], seed: int, k: int = 2) -> tuple[tuple[int, ...], list[float]]:
    explorer, worth, rows = Explorer(exploration, np.random.default_rng(seed)), np.array(worths, float), []
    for _ in range(k):
        rows.append(explorer.pick(worth, np.arange(len(worth))))
        worth[rows[-1]] = -np.inf
    return tuple(rows), explorer.propensities


def test_a_drawn_answer_by_hand() -> None:
    """Scores 3 and 1, half of the answers drawn. First .5 + .5 * 3/4 = .875, or .5 / 4 = .125; then one is left."""
    found = dict(picked(Exploration(share=0.5), [3, 1], seed) for seed in range(40))  # type: ignore[misc]
    assert found == {(0, 1): [0.875, 1.0], (1, 0): [0.125, 1.0]}


def test_a_drawn_slot_by_hand() -> None:
    """Scores 2, 1, 1, half of the slots drawn: .5 + .5 / 2 = .75 for the best, .5 / 4 for others; then of 1 and 1
    the first .5 + .5 / 2 = .75."""
    found = dict(picked(Exploration(share=0.5, of="slots"), [2, 1, 1], seed) for seed in range(200))  # type: ignore[misc]
    assert found[0, 1] == [0.75, 0.75]
    assert found[0, 2] == [0.75, 0.25]
    assert found[1, 0] == pytest.approx([0.125, 0.5 + 0.5 * 2 / 3])


@pytest.mark.parametrize("of", ["answers", "slots"])
@pytest.mark.parametrize("temperature", [0.5, 1.0, 4.0])
def test_answers_come_as_often_as_their_propensities_say(of: str, temperature: float) -> None:
    """Over all answers the products sum to 1, and 8,000 draws show each as often as its product, within 4 errors."""
    exploration = Exploration(share=0.6, of=of, temperature=temperature)  # type: ignore[arg-type]
    drawn = [picked(exploration, [3, 2, 1], seed, k=3) for seed in range(8000)]
    product = {rows: float(np.prod(propensities)) for rows, propensities in drawn}
    counts = Counter(rows for rows, _ in drawn)
    assert sum(product.values()) == pytest.approx(1)
    assert len(product) == 6
    for rows, chance in product.items():
        assert abs(counts[rows] / 8000 - chance) < 4 * (chance * (1 - chance) / 8000) ** 0.5


def test_only_the_best_are_drawn_and_never_past_a_level() -> None:
    """Of four scores the best two are drawn from; a candidate that a soft rule set back is not drawn before others."""
    for seed in range(100):
        assert set(picked(Exploration(share=1, among=2), [4, 3, 2, 1], seed, k=1)[0]) <= {0, 1}
        assert picked(Exploration(share=1), [1, 9 - LEVEL], seed, k=1) == ((0,), [1.0])


def test_what_is_pinned_by_hand_is_not_drawn() -> None:
    assert {picked(Exploration(share=1), [1 + LEVEL, 9, 8], seed, k=1) == ((0,), [1.0]) for seed in range(50)} == {True}


def policy(more: str = "", rules: str = "{}") -> str:
    return f"placements: {{here: {{sources: {{model: 1}}, slots: 3, {more} rules: {rules}}}}}"


def answers(rules: str, *, seeds: int = 60) -> list[tuple[list[str], list[float]]]:
    found = []
    for seed in range(seeds):
        answer = SHOP.place(rules, model=THREE, rng=np.random.default_rng(seed))
        found.append((SHOP.ids(item.item for item in answer.items), [item.propensity for item in answer.items]))
    return found


def test_without_the_key_or_a_generator_nothing_is_drawn() -> None:
    explored = policy("explore: {share: 1},")
    plain = SHOP.place(policy(), model=THREE)
    assert SHOP.place(explored, model=THREE) == plain
    assert {tuple(ids) for ids, _ in answers(policy(), seeds=5)} == {tuple(SHOP.ids(item.item for item in plain.items))}


def test_a_placement_draws_inside_its_rules() -> None:
    """b is banned and never shown; the pin keeps its slot with probability 1, and filler is no draw."""
    rules = "{bans: [{name: no, item: b}], pins: [{name: yes, item: d, slot: 1}]}"
    found = answers(policy("explore: {share: 1},", rules))
    assert {tuple(ids) for ids, _ in found} == {("d", "a", "c"), ("d", "c", "a")}
    for ids, propensities in found:
        assert propensities[0] == propensities[2] == 1
        assert 0 < propensities[1] < 1
        assert ids[0] == "d"


def test_the_same_seed_draws_the_same_answer() -> None:
    rules = policy("explore: {share: 0.5, of: slots},")
    assert answers(rules, seeds=10) == answers(rules, seeds=10)


def retraced(rules: str, shown: list[str], **asked: Any) -> Retraced:
    """What a policy makes of an answer; ids that the shop does not know are numbered -1."""
    numbers = [SHOP.numbers([item]).item() if item in [each.id for each in SHOP.items] else -1 for item in shown]
    prepared = prepare(parse_policy(rules), SHOP.request(**asked), SHOP.facts())
    shelves = Shelves.of(prepared.facts, popular_N=SHOP.numbers(item.id for item in SHOP.items))
    return prepared.retrace(numbers, shelves=shelves, relations=SHOP.relations(), model=SHOP.model(THREE))


def followed(exploration: Exploration | None, shown: list[int]) -> Follower:
    """Scores 3, 2 and 1 of the items 10, 20 and 30."""
    follower, worth, items = Follower(exploration, shown), np.array([3.0, 2.0, 1.0]), np.array([10, 20, 30])
    for _ in range(3):
        row = follower.pick(worth, items)
        if row != NOT_HERE:
            worth[row] = -np.inf
    return follower


def test_another_policy_s_answer_by_hand() -> None:
    """Half of the answers drawn: first 10 .5 + .5 * 3/6 = .75, 20 .5 * 2/6 = 1/6, 30 1/12. After 20, which a draw alone
    shows, 10 3/4 and 30 1/4; then 10 is left."""
    found = followed(Exploration(share=0.5), [20, 30, 10])
    assert found.chances == pytest.approx([1 / 6, 1 / 4, 1])
    assert found.spread[0] == pytest.approx({10: 0.75, 20: 1 / 6, 30: 1 / 12})
    assert found.spread[1] == pytest.approx({10: 3 / 4, 30: 1 / 4})
    assert [sum(spread.values()) for spread in found.spread] == pytest.approx([1, 1, 1])


def test_what_cannot_be_shown_has_no_chance_and_what_follows_has_its_own() -> None:
    """Half of the slots drawn: 40 is no candidate, and 10 is still the best of all: .5 + .5 * 3/6."""
    assert followed(Exploration(share=0.5, of="slots"), [40, 10, 20]).chances == pytest.approx([0, 0.75, 0.5 + 1 / 3])
    assert followed(None, [20, 10, 30]).chances == [0, 1, 1], "without exploration the best alone is shown"
    assert followed(None, [40, 10]).chances == [0, 1], "and what comes after the list is not told"


def test_a_shorter_a_longer_and_a_silent_answer() -> None:
    """Slots that this policy has not are never shown by it; how many it has is told."""
    two = policy().replace("slots: 3", "slots: 2")
    assert retraced(two, ["a", "b", "c"]) == Retraced([1, 1, 0], retraced(two, ["a", "b", "c"]).spread, 2)
    assert (retraced(two, ["gone"]).chances, retraced(two, ["a"]).slots) == ([0], 2)
    silent = retraced(policy("silent_during: [talk],"), ["a", "b"], moment="talk")
    assert (silent.chances, silent.slots) == ([0, 0], 0)


@pytest.mark.parametrize("of", ["answers", "slots"])
@pytest.mark.parametrize(
    "rules",
    [
        "{}",
        "{pins: [{name: yes, item: d, slot: 2}]}",
        "{bans: [{name: no, item: b}]}",
        "{diversity: {strength: 0.5, category: 1}}",
        "{at_least: [{category: x, n: 2}]}",
    ],
)
def test_a_policy_that_follows_itself_tells_the_propensities_it_drew_with(of: str, rules: str) -> None:
    """Pins, filler and diversity included."""
    explored = policy(f"explore: {{share: 0.5, of: {of}}},", rules)
    for ids, propensities in answers(explored, seeds=30):
        assert retraced(explored, ids).chances == pytest.approx(propensities)
