"""A request in a bundle's indices, by hand: what is unknown, what is left out, and what a placement reads otherwise."""

import json
from pathlib import Path
from typing import Any

import pytest
from msgspec import UNSET

from serving.answering.indexed_request import IndexedRequest
from serving.answering.recommender import Recommender
from serving.answering.request_indexer import RequestIndexer
from serving.bundles.loading import load_recommender
from serving.policy.assortment import Assortment
from serving.policy.policy_file import load_policy
from serving.protocol.decoding import decode_request
from serving.protocol.errors import FieldError
from serving.protocol.limits import Limits
from serving.protocol.messages import PlacedAnswer
from tests.bundles import tiny_bundle
from tests.tills import IDS, NOW_MS, ask, feed, till
from tillside.bundle import Bundle, open_bundle
from tillside.encoding.spec import EncodingSpec
from tillside.events import TIME_UNKNOWN
from tillside.policy import read_feed

APPLE, PEAR, PLUM, FIG, DATE = range(5)
HAT = {"item_id": "hat", "stock": 1, "attributes": {"category": "fashion.hat"}}


@pytest.fixture(scope="module")
def orchard(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return open_bundle(tiny_bundle(tmp_path_factory.mktemp("orchard") / "bundle"))


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> tuple[Bundle, Assortment]:
    bundle = open_bundle(till(tmp_path_factory.mktemp("till") / "bundle"))
    loaded = load_policy(bundle, None)
    assert loaded is not None
    return bundle, Assortment.of(bundle, loaded, feed=read_feed(feed(HAT)))


def indexed(bundle: Bundle, body: dict[str, Any], assortment: Assortment | None = None) -> IndexedRequest:
    request = decode_request(json.dumps(body).encode(), Limits())
    return RequestIndexer(bundle).index(request, assortment)


def clicks(*ids: str) -> list[dict[str, Any]]:
    return [{"item_id": item_id} for item_id in ids]


def test_items_become_indices_and_what_is_unknown_is_told_once(orchard: Bundle) -> None:
    """The newcomer stands in the catalogue without a vector: the model does not know it."""
    found = indexed(
        orchard, {"session": clicks("apple", "ghost", "newcomer", "fig", "ghost"), "exclude": ["gone", "fig"]}
    )
    assert found.session_L.tolist() == found.seen_L.tolist() == [APPLE, FIG]
    assert found.unknown == ["ghost", "newcomer", "gone"]
    assert (found.excluded, list(found.excluded_ids)) == (frozenset([FIG]), ["gone", "fig"])
    assert (found.known, found.empty, found.placement) == (True, False, None)


def test_what_is_done_with_unknown_items_is_counted(tmp_path: Path) -> None:
    session = [*clicks("apple", "ghost", "ghost", "elf"), {"item_id": "imp", "behaviour": "cart"}]
    for collapse, seen in ((False, 4), (True, 3)):  # the ghost seen again, not the elf after it, is a repeat
        spec = EncodingSpec(collapse_repeats=collapse)
        bundle = open_bundle(tiny_bundle(tmp_path / str(collapse), about={"encoding": spec.document()}))
        counts_BC, latest_B = indexed(bundle, {"session": session}).batch.counted(3)
        assert (counts_BC.tolist(), latest_B.tolist()) == ([[seen, 1, 0]], [1])


def test_a_session_of_which_nothing_is_known_is_told_how_ids_look(orchard: Bundle) -> None:
    hint = 'the bundle knows no item of the session; its ids look like "apple"'
    assert indexed(orchard, {"session": clicks("ghost", "p-1", "ghost")}).hint == hint
    for session in ([], clicks("ghost", "pear")):
        assert indexed(orchard, {"session": session, "exclude": ["ghost", "gone"]}).hint is UNSET


def test_a_time_in_seconds_is_told_to_be_one(orchard: Bundle) -> None:
    """Seconds of the years 2001 to 2286 would be milliseconds of 1970, which no session of a shop is from."""

    def hint(*times: int | None) -> object:
        return indexed(orchard, {"session": [{"item_id": "pear", "timestamp": time} for time in times]}).hint

    seconds = "timestamps are UTC milliseconds, and 1767261600 would be in 1970; multiply seconds by 1000"
    assert hint(1767261590, 1767261600) == seconds
    assert [hint(time) for time in (0, 999_999_999, 10_000_000_000, 1767261600000, None)] == [UNSET] * 5


def test_k_is_no_more_than_what_may_be_shown(orchard: Bundle) -> None:
    assert indexed(orchard, {"session": [], "k": 9}).k == 5
    assert indexed(orchard, {"session": [], "k": 9, "exclude": ["fig", "date", "ghost"]}).k == 3
    assert indexed(orchard, {"session": [], "k": 2}).k == 2
    assert not indexed(orchard, {"session": []}).known


def test_behaviours_are_numbers_and_what_the_bundle_lacks_is_refused(orchard: Bundle) -> None:
    session = [{"item_id": "pear", "behaviour": "cart", "timestamp": 5}, *clicks("pear")]
    found = indexed(orchard, {"session": session, "behaviour": "purchase"})
    assert (found.ask, found.batch.behaviours_BL.tolist()) == (2, [[1, 0]])
    assert indexed(orchard, {"session": session}).ask == 0
    with pytest.raises(FieldError, match=r"^session\[1\]\.behaviour must be one of click, cart, purchase"):
        indexed(orchard, {"session": [*clicks("pear"), {"item_id": "pear", "behaviour": "like"}]})
    with pytest.raises(FieldError, match=r"^behaviour must be"):
        indexed(orchard, {"session": [], "behaviour": "like"})


def test_a_placement_knows_the_feed_s_items_and_asks_for_its_own_behaviour(shop: tuple[Bundle, Assortment]) -> None:
    bundle, assortment = shop
    found = indexed(bundle, ask("fashion", "coat", "hat", "ghost"), assortment)
    assert found.placement is not None
    assert found.placement.prepared.request.session_L.tolist() == [IDS.index("coat"), len(IDS)]
    assert (found.session_L.tolist(), found.unknown) == ([IDS.index("coat")], ["ghost"])  # no vector in the bundle
    assert found.ask == found.placement.ask == 0  # click
    assert indexed(bundle, ask("checkout", "coat"), assortment).ask == 2
    assert indexed(bundle, ask("checkout", "coat", behaviour="cart"), assortment).ask == 1


def test_a_cart_alone_is_the_session(shop: tuple[Bundle, Assortment]) -> None:
    found = indexed(shop[0], ask("checkout", cart=["phone", "case"]), shop[1])
    assert found.session_L.tolist() == [IDS.index("phone"), IDS.index("case")]
    assert found.batch.behaviours_BL.tolist() == [[1, 1]]
    assert found.empty  # the request's own session is
    assert TIME_UNKNOWN not in found.batch.gaps_BL


def test_a_catalogue_that_counts_other_behaviours_is_refused(orchard: Bundle, tmp_path: Path) -> None:
    two = tiny_bundle(tmp_path / "two", about={"behaviours": ["click", "purchase"]})
    with pytest.raises(ValueError, match=r"counts \[3\] behaviours, the manifest names 2"):
        RequestIndexer(open_bundle(two))
    twice = tiny_bundle(tmp_path / "twice", item_ids=["a", "b", "a", "c", "d", "e"])
    with pytest.raises(ValueError, match="the catalogue holds an item id twice"):
        RequestIndexer(open_bundle(twice))


def fed(recommender: Recommender, *lines: dict) -> Recommender:
    """The recommender with items that came by feed."""
    assert recommender.assortment is not None
    feed = read_feed("\n".join(map(json.dumps, [{"time_ms": NOW_MS}, *lines])).encode())
    recommender.assortment = recommender.assortment.restocked(feed)
    return recommender


def test_an_item_that_came_by_feed_is_context_by_its_attributes(tmp_path):
    """Of fashion the tokens make the row (0, 1, 0): after a new cape the model answers as after the coat."""
    cape = {"item_id": "cape", "price": 90, "attributes": {"category": "fashion.coat"}}
    recommender = fed(load_recommender(till(tmp_path / "bundle"), Limits()), cape)

    def answer(*seen: str) -> PlacedAnswer:
        [outcome] = recommender.answer_many([decode_request(json.dumps(ask("fashion", *seen)).encode(), Limits())])
        assert isinstance(outcome.answer, PlacedAnswer)
        return outcome.answer

    of_cape = answer("cape")
    assert (of_cape.tier, of_cape.degraded_reason, of_cape.unknown_items) == ("model", None, [])
    # (0, 1) . (0, 1) = 1 of the coat and the cape itself, (0, 1) . (.1, .9) = .9 of the scarf
    assert [(item.item_id, round(item.score, 3)) for item in answer("cape").items] == [
        (item.item_id, round(item.score, 3)) for item in answer("coat").items
    ]
    assert of_cape.items[0].because is None  # nothing that the bundle knows led to it
    both = recommender.read(decode_request(json.dumps(ask("fashion", "phone", "cape")).encode(), Limits()))
    assert both.session_L.tolist() == both.seen_L.tolist() == [0]  # past sessions and the tiers know the phone alone
    assert both.vectors_LD(recommender.engine.items_ND)[:2].tolist() == [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]


def test_questions_with_and_without_fed_items_are_answered_together_as_alone(tmp_path):
    cape = {"item_id": "cape", "price": 90, "attributes": {"category": "fashion.coat"}}
    recommender = fed(load_recommender(till(tmp_path / "bundle"), Limits()), cape)
    asked = [
        decode_request(json.dumps(ask("checkout", *seen)).encode(), Limits())
        for seen in (["phone", "cape"], ["phone", "coat"], ["cape", "phone"])
    ]
    together = recommender.answer_many(asked)
    alone = [recommender.answer(request) for request in asked]
    assert [[(i.item_id, i.score) for i in o.answer.items] for o in together] == [
        [(i.item_id, i.score) for i in o.answer.items] for o in alone
    ]


def test_a_fed_item_of_which_nothing_tells_what_it_is_like_is_named_as_unknown(tmp_path):
    recommender = fed(load_recommender(till(tmp_path / "bundle"), Limits()), {"item_id": "thing", "price": 9})
    answer = recommender.answer(decode_request(json.dumps(ask("checkout", "thing")).encode(), Limits())).answer
    assert (answer.degraded_reason, answer.unknown_items) == ("unknown_items", ["thing"])
