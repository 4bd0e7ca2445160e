"""What placements are answered from, by hand: shelves by behaviour, a feed over the base facts, the shop's own list."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from serving.policy.assortment import Assortment
from serving.policy.feeds import combined
from serving.policy.policy_file import LoadedPolicy
from tests.bundles import tiny_bundle
from tests.tills import IDS, NOW_MS, POLICY, feed, in_stock, till
from tillside.bundle import Bundle, open_bundle
from tillside.fitting.rules import Kin, Rule, Side, Terms
from tillside.policy import PlacementRequest, parse_policy, prepare, read_feed
from tillside.policy.merchandising import ByHand, Price
from tillside.relations import ALWAYS, ManualPairs

LOADED = LoadedPolicy(parse_policy(POLICY), "0" * 12, "policy.yaml")
HAT = {"item_id": "hat", "stock": 3, "price": 30.0, "attributes": {"category": "fashion.hat"}}
VOUCHER = {"item_id": "voucher", "stock": 3, "attributes": {"category": "paper"}}


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return open_bundle(till(tmp_path_factory.mktemp("till") / "bundle"))


def test_shelves_are_by_behaviour_and_share_the_facts(bundle: Bundle) -> None:
    assortment = Assortment.of(bundle, LOADED)
    assert [shelves.popular.items_P.tolist() for shelves in assortment.shelves_B] == [list(range(len(IDS)))] * 3
    assert all(shelves.facts is assortment.facts for shelves in assortment.shelves_B)
    assert (assortment.kinds, assortment.cart_behaviour) == ((0, 1, 2), 1)
    assert assortment.facts.feed_time_ms is None


def test_a_feed_makes_another_assortment_over_the_base_facts(bundle: Bundle) -> None:
    bare = Assortment.of(bundle, LOADED, static=["voucher", "scarf", "ghost"])
    one = bare.restocked(read_feed(feed(*in_stock("cable"), HAT, VOUCHER)))
    assert (len(one.facts), len(one.base), len(bare.facts)) == (len(IDS) + 2, len(IDS), len(IDS))
    assert one.facts.item_ids[-2:] == ["hat", "voucher"]
    assert one.facts.stock_N.tolist() == [1, 1, 1, 1, 1, -1, 1, 1, 1, 1]
    # of the hat's category something was learned, of paper nothing
    assert one.proposer.cold.items_A.tolist() == [len(IDS)]
    np.testing.assert_array_equal(one.facts.vectors.of(np.array([len(IDS)])), one.proposer.cold.rows_AD[:, :-1])
    assert [one.facts.item_ids[item] for item in one.static] == ["voucher", "scarf"]
    assert [bare.facts.item_ids[item] for item in bare.static] == ["scarf"]
    # feeds are merged before they come here: another one starts from the base again
    other = one.restocked(read_feed(feed(*in_stock())))
    assert (len(other.facts), len(other.proposer.cold)) == (len(IDS), 0)
    assert other.proposer.items_WD is bare.proposer.items_WD


def test_an_item_put_a_second_ago_goes_with_what_it_fits(bundle: Bundle) -> None:
    """A case for the new phone, and the new phone itself as an anchor, with a pair set by hand for it."""
    later = [("complement", "new-phone", "scarf", "pin", None, *ALWAYS)]
    terms = Terms(
        (Rule("made for", Side("tech.phone", "series"), Side("tech.case", "fits"), unknown="refused"),),
        (Kin("tech.phone", "tech.case", 0.5),),
    )
    relations = replace(bundle.relations, fitting=terms, manual=ManualPairs.of([], later))
    bare = replace(Assortment.of(bundle, LOADED), relations=relations).restocked(None)
    fits = {"category": "tech.case", "fits": "n1"}
    items = [
        {"item_id": "new-phone", "stock": 3, "attributes": {"category": "tech.phone", "series": "n1"}},
        {"item_id": "new-case", "stock": 3, "attributes": fits},
        {"item_id": "old-case", "stock": 3, "attributes": {**fits, "fits": "n0"}},
    ]
    one = bare.restocked(read_feed(feed(*items)))
    number = one.facts.index_of
    assert one.facts.kinship is not None
    found, strengths = one.facts.kinship.proposals(number["new-phone"])
    assert ([one.facts.item_ids[item] for item in found], strengths.tolist()) == (["new-case"], [0.5])
    request = PlacementRequest(placement="checkout", now_ms=1, cart_M=np.array([number["new-phone"]]))
    answer = prepare(LOADED.policy, request, one.facts).place(
        shelves=one.shelves_B[-1], relations=one.placed_relations, model=None
    )
    shown = [one.facts.item_ids[item.item] for item in answer.items]
    assert shown[:2] == ["scarf", "new-case"]
    assert not {"old-case", "case"} & set(shown)  # the filler keeps the rules too
    assert (len(bare.placed_relations.manual), len(one.placed_relations.manual)) == (0, 1)


def test_a_shop_without_carts_has_no_cart_behaviour(tmp_path: Path) -> None:
    path = tiny_bundle(tmp_path / "bundle", about={"behaviours": ["click", "like", "purchase"]})
    assortment = Assortment.of(open_bundle(path), LOADED)
    assert (assortment.cart_behaviour, assortment.kinds) == (-1, (0, 0, 2))


ITEMS = st.sampled_from([*IDS, "hat"])
SAID = st.fixed_dictionaries(
    {},
    optional={
        "stock": st.sampled_from([None, 0, 3]),
        "price": st.sampled_from([None, 5.0, 700.0]),
        "clearance": st.sampled_from([0.0, 0.5]),
        "margin": st.sampled_from([None, 0.2]),
        "new_until_ms": st.sampled_from([0, NOW_MS + 9]),
        "minimum_age": st.sampled_from([0, 18]),
    },
)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.dictionaries(ITEMS, SAID, min_size=1, max_size=4), min_size=1, max_size=4))
def test_news_over_an_assortment_make_what_the_sum_of_all_feeds_makes(bundle: Bundle, told: list[dict]) -> None:
    """Stock, prices and times of items that are there, the hat among them, which came by feed and is ranked by its
    price too; a price set by hand stays over all of them."""
    by_hand = ByHand(prices=(Price(item="film", price=9.0),))
    whole = read_feed(feed(*in_stock("cable"), HAT))
    made = bare = Assortment.of(bundle, replace(LOADED, by_hand=by_hand), static=["scarf"])
    made = made.restocked(whole)
    for rows in told:
        news = read_feed(feed(*({"item_id": item_id, **said} for item_id, said in rows.items())))
        assert made.facts.only_counted_by(news)
        before, whole = whole, combined(whole, news)
        made = made.restocked(whole, before=before, news=news)
        alone = bare.restocked(whole)
        for name in ("prices_N", "stock_N", "clearance_N", "margin_N", "new_until_N", "minimum_age_N"):
            np.testing.assert_array_equal(getattr(made.facts, name), getattr(alone.facts, name), err_msg=name)
        assert (made.facts.ages, made.facts.newest_ms) == (alone.facts.ages, alone.facts.newest_ms)
        assert made.facts.prices_N[IDS.index("film")] == 9.0
        np.testing.assert_array_equal(made.proposer.cold.rows_AD, alone.proposer.cold.rows_AD)
        assert made.facts.vectors is not alone.facts.vectors
        for one, other in zip(made.shelves_B, alone.shelves_B, strict=True):
            assert one.facts is made.facts
            for shelf in ("popular", "new", "clearance"):
                for column in ("items_P", "sorted_P", "starts"):
                    left, right = (getattr(getattr(each, shelf), column) for each in (one, other))
                    np.testing.assert_array_equal(left, right, err_msg=f"{shelf}.{column}")
        assert made.fed is whole


def test_news_of_anything_else_or_after_another_feed_start_from_the_base_again(bundle: Bundle) -> None:
    first = read_feed(feed(*in_stock("cable")))
    made = Assortment.of(bundle, LOADED, feed=first)
    for row in (HAT, {"item_id": "film", "name": "Foil"}, {"item_id": "film", "attributes": {}}):
        news = read_feed(feed(row))
        whole = combined(first, news)
        again = made.restocked(whole, before=first, news=news)
        assert (again.facts.item_ids, again.facts.names) == (
            made.restocked(whole).facts.item_ids,
            made.restocked(whole).facts.names,
        )
    sold = read_feed(feed({"item_id": "film", "stock": 0}))
    other = read_feed(feed(*in_stock("film")))
    again = made.restocked(combined(other, sold), before=other, news=sold)  # made with another feed than the one before
    assert again.facts.stock_N.tolist() == made.restocked(combined(other, sold)).facts.stock_N.tolist()
    assert again.facts.stock_N[IDS.index("cable")] == 1
