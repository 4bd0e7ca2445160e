"""The rungs below the model, by hand: co-visitation, categories, popularity, the shop's own list, nothing."""

import numpy as np
import pytest

from serving.answering.recommender import Recommender
from serving.protocol.messages import Event, RecommendRequest
from tests.bundles import tiny_bundle
from tillside.bundle import COVISITATION, open_bundle
from tillside.engine import EngineError
from tillside.recommenders import ItemPairs

# apple, pear, plum, fig, date; apple met plum 4 times and fig twice, pear met fig 5 times and date once
PAIRS = ItemPairs(
    np.array([0, 2, 4, 5, 7, 8]),
    np.array([2, 3, 3, 4, 0, 0, 1, 1]),
    np.array([4, 2, 5, 1, 4, 2, 5, 1], np.float32),
)
TOKENS = [
    ["category=tree", "category=tree.apple"],
    ["category=tree"],
    ["category=stone"],
    ["brand=x"],
    ["category=tree"],
]


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    def make(name: str, **parts) -> Recommender:
        folder = tmp_path_factory.mktemp("bundles") / name
        return Recommender(open_bundle(tiny_bundle(folder, **parts)), static=["apple", "other", "voucher"])

    return make


@pytest.fixture(scope="module")
def with_pairs(shop) -> Recommender:
    return shop("pairs", pairs=PAIRS)


def degraded(recommender: Recommender, *items: str, reason="deadline", **fields):
    question = recommender.read(RecommendRequest([Event(item) for item in items], **fields))
    return recommender.degraded(question, reason).answer


def told(answer) -> list[tuple[str, str]]:
    return [(item.item_id, item.source) for item in answer.items]


def test_what_met_the_sessions_items_comes_first_and_the_latest_item_counts_most(with_pairs):
    answer = degraded(with_pairs, "pear", "apple", k=3)
    # plum 4; fig 2 + 0.7 * 5 = 5.5; date 0.7 * 1
    assert told(answer) == [("fig", "covisitation"), ("plum", "covisitation"), ("date", "covisitation")]
    assert [item.score for item in answer.items] == pytest.approx([5.5, 4, 0.7])
    assert (answer.tier, answer.degraded_reason, answer.purchase_intent) == ("covisitation", "deadline", None)
    assert {item.because for item in answer.items} == {None}


def test_popularity_fills_the_list_up(with_pairs):
    answer = degraded(with_pairs, "apple")
    # clicks: apple 9, fig 7, then plum 5 before pear 5 by all their events, 9 each, in catalogue order; date 1
    assert told(answer) == [
        ("plum", "covisitation"), ("fig", "covisitation"),
        ("apple", "popularity"), ("pear", "popularity"), ("date", "popularity"),
    ]  # fmt: skip


def test_exclusions_hold_on_every_rung(with_pairs, shop):
    answer = degraded(with_pairs, "apple", k=2, exclude=["plum", "apple"])
    assert told(answer) == [("fig", "covisitation"), ("pear", "popularity")]
    assert told(degraded(with_pairs, k=1, exclude=["apple"])) == [("fig", "popularity")]
    everything = ["apple", "pear", "plum", "fig", "date", "other"]
    answer = degraded(with_pairs, "apple", exclude=everything)
    assert (answer.tier, answer.items) == ("empty", [])  # k is clamped to what is eligible in the catalogue


def test_the_category_of_the_latest_item_that_has_one_comes_before_the_rest(shop):
    recommender = shop("categories", tokens=TOKENS)
    # fig has none, so pear's category speaks: pear 5 clicks, date 1; apple's finest category is another one
    answer = degraded(recommender, "pear", "fig")
    assert [item.item_id for item in answer.items] == ["pear", "date", "apple", "fig", "plum"]
    assert answer.tier == "popularity"
    # for a purchase: date 1, pear 0; then fig and plum 3, apple 0
    answer = degraded(recommender, "pear", behaviour="purchase")
    assert [item.item_id for item in answer.items] == ["date", "pear", "fig", "plum", "apple"]
    assert [item.item_id for item in degraded(recommender, "fig").items] == ["apple", "fig", "pear", "plum", "date"]


@pytest.mark.parametrize(("items", "reason"), [((), "empty_session"), (("ghost",), "unknown_items")])
def test_a_session_that_tells_nothing_says_so(with_pairs, items, reason):
    answer = with_pairs.answer(RecommendRequest([Event(item) for item in items])).answer
    assert (answer.tier, answer.degraded_reason) == ("popularity", reason)


def test_one_bad_row_takes_no_other_with_it(with_pairs, monkeypatch):
    """A batch of three, of which the encoder fails on one: alone it fails again, the others do not."""
    encode, search = with_pairs.engine.encode, with_pairs.engine.search
    pear = 1

    def encode_but_pear(batch, ask_B):
        if (batch.items_BL[:, 0] == pear).any():
            raise EngineError("numbers that are not finite")
        return encode(batch, ask_B)

    def search_but_pairs(query_BD, k):
        if len(query_BD) == 2:
            raise EngineError("Fail")
        return search(query_BD, k)

    requests = [RecommendRequest([Event(item)]) for item in ("apple", "pear", "plum")]
    usual = [with_pairs.answer(request).answer.items for request in requests]
    monkeypatch.setattr(with_pairs.engine, "encode", encode_but_pear)
    monkeypatch.setattr(with_pairs.engine, "search", search_but_pairs)
    outcomes = with_pairs.answer_many(requests)
    assert [outcome.answer.tier for outcome in outcomes] == ["model", "covisitation", "model"]
    assert [outcome.failure for outcome in outcomes] == [None, "numbers that are not finite", None]
    assert [outcome.answer.degraded_reason for outcome in outcomes] == [None, "model_failed", None]
    assert [outcomes[0].answer.items, outcomes[2].answer.items] == [usual[0], usual[2]]


def test_many_are_answered_as_if_each_were_alone(with_pairs):
    sessions = [["apple"], ["pear", "apple"], [], ["plum"], ["ghost"], ["fig", "date"], ["date"] * 4, ["pear", "plum"]]
    requests = [
        RecommendRequest([Event(item) for item in session], k=1 + number, exclude=["fig"] * (number % 2))
        for number, session in enumerate(sessions)
    ]
    together = [outcome.answer for outcome in with_pairs.answer_many(requests)]
    for request, answer in zip(requests, together, strict=True):
        alone = with_pairs.answer(request).answer
        assert (answer.items, answer.purchase_intent, answer.tier) == (alone.items, alone.purchase_intent, alone.tier)


def test_the_table_of_a_bundle_is_the_one_that_was_put_in(with_pairs):
    pairs = with_pairs.bundle.covisitation
    assert pairs is not None
    for name in ("offsets", "neighbours", "weights"):
        np.testing.assert_array_equal(getattr(pairs, name), getattr(PAIRS, name))
    assert f"{COVISITATION}/offsets.npy" in with_pairs.bundle.manifest["files"]
