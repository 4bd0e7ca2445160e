"""Requests without a placement: candidates, filters, and with a feed the stock, the cart and what was bought.

The scores are those of tests.tills: after one view of the phone each item's first coordinate.
"""

from datetime import date

import pytest

from serving.answering.recommender import Recommender
from serving.answering.scope import scope_of
from serving.bundles.loading import load_recommender, merchandised, restock
from serving.protocol.errors import FieldError
from serving.protocol.limits import Limits
from serving.protocol.messages import AttributeIs, CartLine, Event, Filter, PriceRange, RecommendRequest
from tests.bundles import tiny_bundle, tiny_memory
from tests.tills import IDS, POLICY, feed, in_stock, till
from tillside.bundle import open_bundle
from tillside.policy import read_feed
from tillside.policy.merchandising import ByHand, PlacedBan

PHONE = (Event("phone"),)


@pytest.fixture(scope="module", params=["policy", "no policy"])
def bundle(request, tmp_path_factory):
    own = {} if request.param == "policy" else {"policy": ""}
    return till(tmp_path_factory.mktemp("scope") / "bundle", **own)


@pytest.fixture(scope="module")
def plain(bundle) -> Recommender:
    return load_recommender(bundle, Limits())


@pytest.fixture(scope="module")
def fed(bundle) -> Recommender:
    """All but the case are in stock."""
    return load_recommender(bundle, Limits(), feed=read_feed(feed(*in_stock("case"))))


def ask(recommender: Recommender, session=PHONE, **fields):
    return recommender.answer(RecommendRequest(list(session), **fields)).answer


def ids(answer) -> list[str]:
    return [item.item_id for item in answer.items]


def test_the_shop_s_own_list_is_ranked_whole_and_what_the_bundle_lacks_comes_last_as_it_was_sent(plain):
    answer = ask(plain, candidates=["ghost", "scarf", "film", "spook", "wine", "film"])
    assert ids(answer) == ["wine", "film", "scarf", "ghost", "spook"]
    assert [item.source for item in answer.items] == ["model"] * 3 + ["given"] * 2
    assert [item.score for item in answer.items] == pytest.approx([0.85, 0.7, 0.1, 0, 0])
    assert answer.unknown_items == ["ghost", "spook"]
    assert answer.tier == "model"


def test_k_cuts_the_list_and_exclusions_and_hidden_items_leave_it(plain):
    assert ids(ask(plain, candidates=IDS, k=2)) == ["phone", "phone-se"]
    fields = {"candidates": ["phone", "ghost", "film", "spook"], "exclude": ["spook", "film"], "hide_seen": True}
    assert ids(ask(plain, **fields)) == ["ghost"]


def test_a_list_is_ranked_by_popularity_where_the_model_does_not_answer(plain):
    answer = ask(plain, session=(), candidates=["scarf", "ghost", "wine", "coat"])
    assert ids(answer) == ["wine", "coat", "scarf", "ghost"]
    assert (answer.tier, answer.degraded_reason) == ("popularity", "empty_session")
    assert ids(ask(plain, session=(), candidates=["ghost"])) == ["ghost"]
    assert ask(plain, session=(), candidates=["ghost"]).tier == "given"


def test_no_candidates_are_no_items(plain):
    assert ids(ask(plain, candidates=[])) == []
    assert ids(ask(plain, session=(), candidates=[])) == []


def test_a_filter_holds_for_the_model_and_for_every_other_tier(plain):
    asked = Filter(categories=["tech"], price=PriceRange(at_most=300))
    assert ids(ask(plain, filter=asked)) == ["phone-se", "case", "film", "cable"]
    assert ids(ask(plain, session=(), filter=asked)) == ["phone-se", "case", "film", "cable"]
    assert ids(ask(plain, session=(Event("ghost"),), filter=asked, k=2)) == ["phone-se", "case"]
    assert ids(ask(plain, filter=asked, candidates=["phone", "film", "scarf"])) == ["film"]


def test_what_nobody_knows_anything_of_meets_no_filter(plain):
    assert ids(ask(plain, filter=Filter(), candidates=["film", "ghost"])) == ["film"]


def test_a_filter_that_leaves_nothing_says_so(plain):
    answer = ask(plain, filter=Filter(attributes=[AttributeIs("category", ["garden"])]))
    assert ids(answer) == []
    assert answer.hint == "the filter leaves no item: none is whose category is garden"


def test_a_cart_that_is_sent_is_not_answered(plain):
    assert "case" not in ids(ask(plain, cart=[CartLine("case")]))
    assert "case" in ids(ask(plain, session=[Event("phone"), Event("case", "cart")]))


def test_with_a_feed_the_sold_out_the_cart_and_the_bought_are_not_answered(fed):
    assert "case" not in ids(ask(fed))
    assert "case" not in ids(ask(fed, session=()))
    session = [Event("film", "cart"), Event("cable", "purchase"), Event("phone")]
    assert not {"case", "film", "cable"} & set(ids(ask(fed, session=session)))
    assert not {"case", "film", "cable"} & set(ids(ask(fed, session=[*session, Event("ghost")][:2])))
    assert "film" in ids(ask(fed, session=session, cart=[CartLine("wine")]))  # what is sent is the cart
    assert ids(ask(fed, candidates=["case", "film", "ghost"])) == ["film", "ghost"]


def test_a_feed_that_comes_later_counts_too(bundle):
    recommender = load_recommender(bundle, Limits())
    later = read_feed(feed(*in_stock("phone-se")))
    recommender.equip(restock(recommender, later), later)
    assert "phone-se" not in ids(ask(recommender))


def test_a_feed_that_came_while_a_policy_was_set_by_hand_counts_when_that_is_given_up(tmp_path):
    recommender = load_recommender(till(tmp_path / "bundle", policy=""), Limits())
    later = read_feed(feed(*in_stock("phone-se")))
    recommender.equip(merchandised(recommender, None, ByHand(policy=POLICY), feed=None), None)
    recommender.equip(restock(recommender, later), later)
    recommender.equip(merchandised(recommender, None, ByHand(), feed=later), later)
    assert recommender.assortment is None
    assert "phone-se" not in ids(ask(recommender))


def test_a_ban_of_no_placement_holds_without_one_on_its_days(tmp_path):
    """The recalled case is shown by nothing, the wine not on its day; what one placement may not show, others may."""
    recommender = load_recommender(till(tmp_path / "bundle"), Limits())
    day = date(2026, 6, 1)
    bans = (
        PlacedBan(name="recall", item="case"),
        PlacedBan(name="a recall of what is new", item="ghost"),
        PlacedBan(name="dry day", category="drinks", since=day, until=date(2026, 6, 2)),
        PlacedBan(name="not there", item="film", placements=("checkout",)),
    )
    recommender.equip(merchandised(recommender, None, ByHand(bans=bans), feed=None), None)
    noon = 1_780_315_200_000  # of that day
    for session in (PHONE, ()):
        shown = ids(ask(recommender, session, k=20))
        assert "case" not in shown
        assert {"wine", "film"} <= {*shown}
        assert "wine" not in ids(ask(recommender, session, k=20, timestamp=noon))
    assert ids(ask(recommender, candidates=["case", "film", "ghost", "spook"])) == ["film", "spook"]
    assert ids(ask(recommender, candidates=["wine", "film"], timestamp=noon)) == ["film"]
    recommender.equip(merchandised(recommender, None, ByHand(), feed=None), None)
    assert "case" in ids(ask(recommender, k=20))


def test_past_sessions_bring_back_nothing_that_may_not_answer(tmp_path):
    """After the apple the memory votes for the date, which is no candidate."""
    memory = tiny_memory(("apple", "date"))
    bundle = tiny_bundle(tmp_path / "bundle", memory=memory)
    recommender = Recommender(open_bundle(bundle))
    assert ids(ask(recommender, session=[Event("apple")], candidates=["fig", "pear"])) == ["fig", "pear"]
    assert ids(ask(recommender, session=[Event("apple")], candidates=["fig", "date"])) == ["date", "fig"]


def test_a_bundle_whose_age_limits_are_no_numbers_answers_all_but_filters(tmp_path):
    bundle = tiny_bundle(tmp_path / "bundle", tokens=[["minimum_age=old"]])
    recommender = load_recommender(bundle, Limits(), feed=read_feed(feed({"item_id": "apple", "stock": 0})))
    assert len(ids(ask(recommender, session=[Event("apple")]))) == 5
    with pytest.raises(FieldError, match=r"filter and candidates cannot be answered with this bundle: .*minimum_age"):
        ask(recommender, filter=Filter())


def test_a_request_that_limits_nothing_has_no_scope(plain):
    stockroom = plain.stockroom
    assert scope_of(RecommendRequest([]), stockroom, index_of={}, items=0, unknown={}) is None
