"""What the model is asked for and what the policy sees of it, by hand; no search deeper than asked changes it."""

from collections.abc import Sequence
from dataclasses import asdict, replace

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.datasets import make_sessions
from tests.shops import Item, Shop
from tillside.policy import ItemFacts, ModelCandidates, PreparedPlacement, parse_policy, prepare
from tillside.policy.cold_items import ColdItems
from tillside.policy.proposals import Proposer, eligible_items, listed, wanted_items
from tillside.recommenders import Neighbourhood
from tillside.recommenders.blend import SessionMemory
from tillside.search import best, inner_products

ITEMS = 200
"""With a vector; as cold items there are COLD more."""
COLD = 9
SHOP = Shop(
    [Item(f"i{n:03}", 10.0 + n, "even" if n % 2 == 0 else "odd", stock=0 if n == 7 else 5) for n in range(ITEMS + COLD)]
)
FACTS = SHOP.facts()
NONE = np.zeros(0, np.int64)
QUERY_D = np.array([1, 0, 0], np.float32)
ITEMS_WD = np.array([[(ITEMS - n) / 8, 0.5, 0.0] for n in range(ITEMS)], np.float32)
"""The query scores item n (200 - n) / 8: 25 for the first, an eighth less for each one after."""


def prepared(rules: str = "", *, k: int = 3, facts: ItemFacts = FACTS, **given: object) -> PreparedPlacement:
    text = f"placements: {{here: {{sources: {{model: 1}}, anchors: [cart], slots: {k}, rules: {{{rules}}}}}}}"
    return prepare(parse_policy(text), SHOP.request(**given), facts)


def proposer(
    items_WD: npt.NDArray[np.float32] = ITEMS_WD, *, memory: SessionMemory | None = None, cold: Sequence[float] = ()
) -> Proposer:
    """Cold items are numbered from ITEMS and have these scores for the query."""
    rows_AD = np.array([[score, 0, 0] for score in cold], np.float32).reshape(-1, 3)
    return Proposer(items_WD, memory, ColdItems(ITEMS + np.arange(len(cold)), rows_AD))


def memory_of(*sessions: Sequence[int], repeats: Sequence[float] = (0.0,)) -> SessionMemory:
    blend = {"weights": [1.0] * 3, "floor": 0.5, "repeats": [list(repeats)] * 3}
    document = {"neighbourhood": asdict(Neighbourhood(age_decay=0.0)), "blend": blend}
    return SessionMemory.fit(make_sessions(sessions), items=ITEMS, document=document, behaviours=3)


def found(own: Proposer, asked: PreparedPlacement, *, more: int = 0, session: Sequence[int] = ()) -> ModelCandidates:
    """Candidates after a search of the depth asked for, or ``more`` than that."""
    seen = {"session_L": np.array(session, np.int64), "past_H": NONE, "ask": 0}
    eligible_V = own.eligible(asked.rulebook)
    items_V = np.arange(len(own.items_WD)) if eligible_V is None else eligible_V
    depth = own.depth(asked, **seen) + more
    scores_K, items_K = best(inner_products(own.items_WD, items_V, QUERY_D), items_V, depth)
    return own.candidates(asked, scores_K, items_K, query_D=QUERY_D, **seen)


def test_twice_what_is_shown_is_wanted_and_what_the_request_forbids_on_top() -> None:
    assert wanted_items(prepared(k=3)) == 2 * 3
    given = {"cart": ["i001", "i002"], "excluded": ["i003"], "session": ["i004", "i005"]}
    assert wanted_items(prepared("hide_viewed: all, bans: [{name: b, item: i006}]", k=3, **given)) == 6 + 2 + 1 + 2 + 1
    # four times as many under a hard price band, if there is a price to compare with
    assert wanted_items(prepared("price_band: {of: cart_dearest, hard: true}", k=3, cart=["i001"])) == 4 * 6 + 1
    assert wanted_items(prepared("price_band: {of: cart_dearest, hard: true}", k=3)) == 6
    assert wanted_items(prepared("price_band: {of: cart_dearest}", k=3, cart=["i001"])) == 6 + 1


def test_the_search_is_as_deep_as_its_powers_of_two_and_the_catalogue() -> None:
    seen = {"session_L": NONE, "past_H": NONE, "ask": 0}
    assert proposer().depth(prepared(k=3), **seen) == 64  # the least
    assert proposer().depth(prepared(k=40), **seen) == 128  # 80
    assert proposer().depth(prepared(k=90), **seen) == ITEMS  # 180, so 256
    # what the blend may push down comes on top: 60 + 5
    longer = seen | {"session_L": np.arange(5)}
    assert proposer().depth(prepared(k=30), **longer) == 64
    assert proposer(memory=memory_of([0, 1])).depth(prepared(k=30), **longer) == 128


def test_the_model_searches_among_what_the_standing_rules_allow() -> None:
    assert eligible_items(prepared().rulebook, 7) is None  # 0 to 6 are all in stock
    assert eligible_items(prepared().rulebook, 10).tolist() == [0, 1, 2, 3, 4, 5, 6, 8, 9]  # type: ignore[union-attr]
    own, odd = proposer(), "categories: {only: [odd]}"
    eligible_V = own.eligible(prepared(odd).rulebook)
    assert eligible_V is not None
    assert eligible_V[:5].tolist() == [1, 3, 5, 9, 11]
    assert own.eligible(prepared(odd, cart=["i001"]).rulebook) is eligible_V  # the cart is the policy's business
    assert found(own, prepared(odd)).items[:4].tolist() == [1, 3, 5, 9]


def test_a_list_ends_with_the_last_item_asked_for() -> None:
    one = found(proposer(), prepared())
    assert one.items.tolist() == [n for n in range(65) if n != 7]
    assert one.scores[[0, 63]].tolist() == [25.0, 17.0]  # (200 - 64) / 8
    assert one.tier == "model"


def test_the_blend_lifts_items_that_no_search_found_and_sinks_others() -> None:
    """After item 150 the past has item 190: half of the votes each, 1 * log(1 + 0.5 / 0.5) = 0.69 on top."""
    lifted = ITEMS_WD.copy()
    lifted[190, 0] = 16.9  # just below the 17 of item 64, the last one searched
    one = found(proposer(lifted, memory=memory_of([150, 190])), prepared(), session=[150])
    place = one.items.tolist().index(190)
    assert one.scores[place] == pytest.approx(16.9 + np.log(2), rel=1e-6)
    assert 150 not in one.items  # 6.25 + 0.69 is less than what was not searched may have
    # the session's own item falls from 24.5 by 9: below the list's end
    sunk = found(proposer(memory=memory_of([150, 190], repeats=[-9.0])), prepared(), session=[4])
    assert sunk.items.tolist() == [n for n in range(65) if n not in (4, 7)]


def test_cold_items_come_in_where_they_score_as_high() -> None:
    own = proposer(cold=[24.9, 17.0, 16.9])
    one = found(own, prepared())
    assert one.items[:3].tolist() == [0, ITEMS, 1]  # 25, 24.9, 24.875
    assert one.items[-2:].tolist() == [64, ITEMS + 1]  # level with the last one; 16.9 may be below what nobody searched
    # where the rules leave fewer items than are wanted the list is complete, and so are the cold items
    few = replace(
        SHOP,
        items=[replace(item, category="rare" if n < 4 or n >= ITEMS else "odd") for n, item in enumerate(SHOP.items)],
    )
    one = found(own, prepared("categories: {only: [rare]}", facts=few.facts()))
    assert one.items.tolist() == [0, ITEMS, 1, 2, 3, ITEMS + 1, ITEMS + 2]


def test_of_a_longer_list_than_the_policy_reads_the_forbidden_items_are_left_out() -> None:
    """A policy reads a hundred candidates: the cart would take the place of what can be shown."""
    cart = {"cart": ["i000", "i001"]}
    assert found(proposer(), prepared(k=3, **cart)).items[:3].tolist() == [0, 1, 2]
    assert found(proposer(), prepared(k=40, **cart)).items[:3].tolist() == [2, 3, 4]


def test_a_list_without_scores_is_ranked_by_its_order() -> None:
    one = listed(np.array([9, 4, 6]), "popularity")
    assert (one.items.tolist(), one.scores.tolist(), one.tier) == ([9, 4, 6], [3, 2, 1], "popularity")


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 999),
    k=st.integers(1, 50),
    more=st.integers(0, 200),
    rules=st.sampled_from(["", "categories: {only: [odd]}", "price_band: {of: cart_dearest, high: 2.0, hard: true}"]),
)
def test_who_searches_deeper_finds_the_same(seed: int, k: int, more: int, rules: str) -> None:
    """So that a batch, an index or the evaluator, which all have more items at hand, change no rank and no softmax."""
    rng = np.random.default_rng(seed)
    items_WD = rng.normal(size=(ITEMS, 3)).round(1).astype(np.float32)  # many are level
    past = [rng.integers(0, ITEMS, 4).tolist() for _ in range(20)]
    own = proposer(items_WD, memory=memory_of(*past, repeats=[-1.0, 0.5]), cold=rng.normal(size=COLD).round(1).tolist())
    asked, session = prepared(rules, k=k, cart=["i001"]), rng.integers(0, ITEMS, 3).tolist()
    one, other = found(own, asked, session=session), found(own, asked, more=more, session=session)
    assert one.items.tolist() == other.items.tolist()
    assert one.scores.tolist() == other.scores.tolist()


def test_other_numbers_forget_what_the_rules_allowed_and_rank_cold_items_by_their_new_price() -> None:
    """Of items 3 and 200, which is cold; without token vectors nothing can be ranked anew."""
    own = proposer(cold=[1.0, 2.0])
    own.eligible(prepared().rulebook)
    same = own.recounted(FACTS, [3], tokens=None)
    assert (same.cold, len(same._eligible), len(own._eligible)) == (own.cold, 0, 1)
    assert len(own.recounted(FACTS, [ITEMS], tokens=None).cold) == 0
