"""Items of the session in an answer: marked as seen at every tier, left out with ``hide_seen``, and names on demand."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET

from serving.answering.placement_answer import NO_FRESH_FEED
from serving.answering.recommender import Recommender
from serving.bundles.loading import load_recommender
from serving.protocol.decoding import decode_request
from serving.protocol.limits import Limits
from serving.protocol.messages import Answer, Event, RecommendRequest
from tests import tills
from tests.bundles import tiny_bundle
from tests.datasets import make_sessions
from tests.serving.answering.test_fallbacks import PAIRS
from tillside.bundle import open_bundle
from tillside.policy import read_feed
from tillside.recommenders import Neighbourhood, SessionNeighbours
from tillside.recommenders.blend import Blend, SessionMemory


@pytest.fixture(scope="module")
def orchard(tmp_path_factory) -> Recommender:
    return Recommender(open_bundle(tiny_bundle(tmp_path_factory.mktemp("bundles") / "orchard", pairs=PAIRS)))


@pytest.fixture(scope="module")
def shop(tmp_path_factory) -> Recommender:
    """The till, whose feed has everything in stock and a hat that the model does not know."""
    hat = {"item_id": "hat", "stock": 9, "name": "Hat", "attributes": {"category": "fashion.hat"}}
    feed = read_feed(tills.feed(*tills.in_stock(), hat))
    return load_recommender(tills.till(tmp_path_factory.mktemp("tills") / "till"), Limits(), feed=feed)


def request(*items: str, **fields) -> RecommendRequest:
    return RecommendRequest([Event(item) for item in items], **fields)


def told(answer: Answer) -> list[tuple[str, bool]]:
    return [(item.item_id, item.seen) for item in answer.items]


def test_the_model_says_what_the_session_holds_and_hides_it_on_demand(orchard):
    # the scores are those of test_two_clicks_by_hand: plum and fig 1, apple 2/3, pear 1/3, date 0
    answer = orchard.answer(request("pear", "apple")).answer
    assert told(answer) == [("plum", False), ("fig", False), ("apple", True), ("pear", True), ("date", False)]
    hiding = orchard.answer(request("pear", "apple", k=3, hide_seen=True)).answer
    assert told(hiding) == [("plum", False), ("fig", False), ("date", False)]  # three of them, though two are hidden
    assert orchard.answer(request("pear", "apple", hide_seen=False)).answer.items == answer.items


def test_unknown_ids_and_everything_seen_leave_what_there_is(orchard):
    answer = orchard.answer(request("ghost", "pear", k=9, hide_seen=True, exclude=["plum", "ghost"])).answer
    assert sorted(item.item_id for item in answer.items) == ["apple", "date", "fig"]
    assert answer.unknown_items == ["ghost"]
    answer = orchard.answer(request("apple", "pear", "plum", "fig", "date", hide_seen=True)).answer
    assert (answer.items, answer.tier) == ([], "model")


def test_what_only_the_history_holds_is_neither_seen_nor_hidden(orchard):
    answer = orchard.answer(request("pear", history=[Event("fig")], hide_seen=True)).answer
    assert ("fig", False) in told(answer)
    assert "pear" not in dict(told(answer))


def test_lower_tiers_say_it_and_hide_it_too(orchard):
    question = orchard.read(request("apple"))
    # apple met plum and fig; the popular ones fill up: apple, pear, date
    found = told(orchard.degraded(question, "deadline").answer)
    assert found == [("plum", False), ("fig", False), ("apple", True), ("pear", False), ("date", False)]
    question = orchard.read(request("apple", "plum", k=3, hide_seen=True))
    # plum met apple, and apple fig
    assert told(orchard.degraded(question, "deadline").answer) == [("fig", False), ("pear", False), ("date", False)]


@given(
    seen=st.lists(st.integers(0, 39), min_size=1, max_size=6),
    excluded=st.sets(st.integers(0, 39)),
    k=st.integers(1, 60),
    past=st.booleans(),
)
def test_hiding_is_excluding_the_session(crowds, seen, excluded, k, past):
    """The list is that of an exclusion list with the session's items: exact, and as long as the catalogue allows."""
    crowd = crowds[past]
    ids = [f"i{item:02}" for item in seen]
    exclude = [f"i{item:02}" for item in excluded]
    hiding = crowd.answer(request(*ids, exclude=exclude, k=k, hide_seen=True)).answer
    assert hiding.items == crowd.answer(request(*ids, exclude=exclude + ids, k=k)).answer.items
    assert len(hiding.items) == min(k, 40 - len(excluded.union(seen)))
    assert not any(item.seen for item in hiding.items)


@pytest.fixture(scope="module")
def crowds(tmp_path_factory) -> list[Recommender]:
    """Forty items without and with past sessions, of which the latest loses 3 and the one before gains 3/4."""
    blend = Blend((0.5,) * 3, 0.1, ((-3.0, 0.75),) * 3)
    past = SessionNeighbours.fit(make_sessions([[0, 7, 9], [3, 7]]), items=40, settings=Neighbourhood())
    items_ND = np.random.default_rng(3).integers(-4, 5, (40, 2)).astype(np.float32)
    made = []
    for memory in (None, SessionMemory(past, blend)):
        bundle = tiny_bundle(
            tmp_path_factory.mktemp("bundles") / "crowd",
            items_ND=items_ND,
            item_ids=[f"i{number:02}" for number in range(40)],
            counts_NA=np.tile(np.arange(40, 0, -1)[:, None], (1, 3)),
            memory=memory,
            goldens=[],
        )
        made.append(Recommender(open_bundle(bundle)))
    return made


def placed(recommender: Recommender, body: dict) -> Answer:
    return recommender.answer(decode_request(json.dumps(body).encode(), Limits())).answer


def test_a_placement_says_it_and_hides_it_at_every_tier(shop):
    body = tills.ask("fashion", "coat")
    assert told(placed(shop, body)) == [("coat", True), ("hat", False), ("scarf", False)]
    assert told(placed(shop, {**body, "hide_seen": True})) == [("hat", False), ("scarf", False)]
    question = shop.read(decode_request(json.dumps({**body, "hide_seen": True}).encode(), Limits()))
    fallback = shop.degraded(question, "overload")
    assert fallback.answer.tier != "model"
    assert "coat" not in dict(told(fallback.answer))
    # so does the feed's own item, which the model does not know
    both = tills.ask("fashion", "hat", "coat")
    assert dict(told(placed(shop, both))) == {"coat": True, "hat": True, "scarf": False}
    assert told(placed(shop, {**both, "hide_seen": True})) == [("scarf", False)]


def test_a_product_page_still_offers_what_is_bought_with_the_item_it_shows(shop):
    """A bundle may hold what was viewed, as under ``hide_viewed``: it is an offer of both together."""
    body = tills.ask("checkout", "film", cart=["phone"], hide_seen=True)
    answer = placed(shop, body)
    assert "film" not in dict(told(answer))
    assert answer.bundles[0].missing == ["case", "film"]


def test_a_placement_that_hides_everything_for_want_of_a_feed_says_so(tmp_path, shop):
    """The checkout's stock rule wants a feed of at most 30 minutes; the product page has no such rule."""
    without = load_recommender(tills.till(tmp_path / "till"), Limits())
    answer = placed(without, tills.ask("checkout", cart=["phone"]))
    assert answer.items == []
    assert answer.hint == NO_FRESH_FEED
    assert placed(without, tills.ask("product", "phone")).hint is UNSET
    assert placed(shop, tills.ask("checkout", cart=["phone"])).hint is UNSET
    nothing_left = tills.ask("fashion", "coat", "scarf", "hat", hide_seen=True)
    assert (placed(shop, nothing_left).items, placed(shop, nothing_left).hint) == ([], UNSET)


def test_items_carry_their_names_on_demand_at_every_tier(shop, orchard):
    plain = shop.answer(request("phone", k=2, names=True)).answer
    assert [(item.item_id, item.name) for item in plain.items] == [("phone", "Phone"), ("phone-se", "Phone-Se")]
    body = tills.ask("fashion", "coat", names=True)
    assert [item.name for item in placed(shop, body).items] == ["Coat", "Hat", "Scarf"]
    nothing = shop.answer(request(k=1, names=True)).answer
    assert (nothing.tier, nothing.items[0].name) == ("popularity", "Phone")
    assert [item.name for item in orchard.answer(request("pear", k=1, names=True)).answer.items] == [None]
