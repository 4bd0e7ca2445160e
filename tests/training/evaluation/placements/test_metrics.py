"""Attach rate, price recall, hit rate, coverage, diversity, violations by hand; the evaluator answers as place does."""

import json
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from tests.datasets import make_dataset, random_rows
from tests.models import make_trained
from tests.shops import Item, Shop
from tillside.encoding.sessions import cut_before, encode_sessions
from tillside.policy import ItemFacts, Shelves, event_kinds, parse_policy, place, read_feed
from tillside.ranking import bootstrap_means, top_k
from tillside.relations import RELATIONS, Bundles, ManualPairs, Relations, RelationTable
from training.evaluation.placements import metrics
from training.evaluation.placements.metrics import evaluate_policy, judge_offers, policy_headline, policy_tables
from training.evaluation.placements.proposals import propose, with_intents
from training.evaluation.placements.questions import Questions, ask_sessions
from training.evaluation.placements.shop import OfflineShop
from training.evaluation.placements.systems import Offer
from training.evaluation.scorers import ModelScorer, popularity_of

SHOP = Shop(
    [
        Item("phone", 500, "tech.phone", stock=9),
        Item("case", 20, "tech.case", stock=9),
        Item("film", 15, "tech.case", stock=9),
        Item("cable", 5, "tech.cable", stock=0),
        Item("scarf", 40, stock=9),
        Item("gem", None, "jewels", stock=9),
    ]
)
PHONE, CASE, FILM, CABLE, SCARF, GEM = range(6)
HERE = parse_policy("placements: {here: {sources: {popular: 1}, slots: 2}}")


def judged(shown: Sequence[Offer], *, name="policy", answers=((CASE, FILM), (SCARF,), (GEM,)), **others):
    """The figures of answers to questions of one session each, with the phone in the cart."""
    questions = Questions(
        np.arange(len(shown)),
        np.arange(len(shown)),
        [np.array([PHONE])] * len(shown),
        [np.array(each) for each in answers[: len(shown)]],
    )
    requests = [SHOP.request(cart=["phone"])] * len(shown)
    offers = {name: shown, **others}
    return judge_offers(offers, questions, requests, HERE, SHOP.facts(), k=2, seed=0)


def offer(*items: int, source: str = "model") -> Offer:
    return Offer(items, (source,) * len(items))


def test_the_figures_by_hand():
    found = judged([offer(CASE, FILM), offer(CASE, CABLE), offer(GEM)])["systems"]["policy"]
    # a hit at the first and the third question
    assert found["attach_rate@2"]["value"] == pytest.approx(2 / 3)
    # 20 + 15 of 20 + 15, 0 of 40; what the gem costs nobody knows
    assert found["price_recall@2"]["value"] == pytest.approx(35 / 75)
    # of five items shown the case, the film and the gem were taken
    assert (found["shown"], found["hit_rate@2"]["value"]) == (5, pytest.approx(3 / 5))
    assert found["coverage"] == 4 / 6
    # two of one category, 1/2; two of two; one of one
    assert found["diversity"]["value"] == pytest.approx((1 / 2 + 1 + 1) / 3)
    assert (found["rule_violations"], found["broken_rules"]) == (1, {"stock": 1})  # the cable is sold out
    assert found["attach_rate@2"]["low"] <= 2 / 3 <= found["attach_rate@2"]["high"]


def test_the_hit_rate_of_each_source_by_hand():
    mixed = Offer((CASE, SCARF), ("complement", "model"))
    found = judged([mixed, offer(FILM, SCARF), Offer((), ())])["systems"]["policy"]["by_source"]
    # the complement was taken; of the model's three the scarf of the second question
    assert {name: row["shown"] for name, row in found.items()} == {"complement": 1, "model": 3}
    assert found["complement"]["hit_rate@2"]["value"] == 1
    assert found["model"]["hit_rate@2"]["value"] == pytest.approx(1 / 3)


def test_how_far_ahead_the_policy_is_by_hand():
    other = [offer(SCARF), offer(SCARF), offer(SCARF)]
    found = judged([offer(CASE), offer(CASE), offer(GEM)], plain=other)
    # right at the first and third question, against the second one
    assert found["policy_ahead_of"]["plain"]["attach_rate@2"]["value"] == pytest.approx((1 - 1 + 1) / 3)
    assert list(found["policy_ahead_of"]) == ["plain"]


def test_what_cannot_be_measured_is_null():
    found = judged([Offer((), ())], answers=((GEM,),))["systems"]["policy"]
    assert (found["price_recall@2"], found["diversity"], found["hit_rate@2"]) == (None, None, None)
    assert (found["attach_rate@2"]["value"], found["coverage"]) == (0, 0)
    bare = judged([offer(SCARF)])["systems"]["policy"]
    assert bare["diversity"] is None  # the scarf has no category


def test_violations_of_every_system_are_counted():
    found = judged([offer(CASE)], plain=[offer(PHONE, CABLE)], longer=[offer(CASE, FILM, SCARF)])["systems"]
    assert {name: row["broken_rules"] for name, row in found.items()} == {
        "policy": {},
        "plain": {"cart": 1, "stock": 1},
        "longer": {"too_many": 1},
    }


def test_the_mean_of_weighted_shares_is_the_ratio_of_the_sums():
    # 1 of 1 and 0 of 3: a quarter, in any resample between 0 and 1
    shares, weights = np.array([[1.0, 0.0]]), np.array([1.0, 3.0])
    (found,) = bootstrap_means(shares, np.array([5, 9]), rng=np.random.default_rng(0), weights_B=weights)
    assert (found.value, found.low, found.high) == (0.25, 0, 1)
    plain = bootstrap_means(shares, np.array([5, 9]), rng=np.random.default_rng(0))
    assert plain == bootstrap_means(shares, np.array([5, 9]), rng=np.random.default_rng(0), weights_B=np.ones(2))


TEXT = """
placements:
  checkout:
    sources: {model: 1, complement: 2, gift: 1}
    anchors: [cart]
    slots: 3
    rules:
      stock: {feed_max_age_minutes: 30}
      bans: [{name: never, item: i3}]
      diversity: {strength: 0.3}
  product:
    behaviour: click
    sources: {model: 1, complement: 1}
    anchors: [last]
    slots: 4
    rules: {hide_viewed: all}
"""
POLICY = parse_policy(TEXT)
FEED = b'{"time_ms": 5, "items": [{"item_id": "i4", "stock": 0}, {"item_id": "i5", "stock": 3}]}'
ITEMS = 12


def small_shop(path):
    """A data set whose items have categories, its relations, and a model that learned nothing."""
    train, test = random_rows(60, items=ITEMS, seed=1), random_rows(40, items=ITEMS, longest=12, seed=2)
    tokens = [[f"category=c{item % 3}"] for item in range(ITEMS)]
    dataset = make_dataset(path / "d", train=train, test=test, trained=ITEMS - 2, newcomers=2, tokens=tokens)
    rng = np.random.default_rng(3)
    tables = {}
    for name in RELATIONS:
        anchors, items = np.nonzero((rng.random((ITEMS, ITEMS)) < 0.3) & ~np.eye(ITEMS, dtype=bool))
        strengths = rng.uniform(0.01, 1, len(anchors)).astype(np.float32)
        tables[name] = RelationTable.of(anchors, items, strengths, items=ITEMS, most=9)
    relations = Relations(tables, ManualPairs.of([]), Bundles.from_sets([], []))
    return dataset, relations, make_trained(dataset)


def test_the_evaluator_gives_the_lists_of_place_itself(tmp_path, monkeypatch):
    dataset, relations, trained = small_shop(tmp_path)
    kept = {}
    judge = metrics.judge_offers
    monkeypatch.setattr(
        metrics, "judge_offers", lambda offers, *a, **b: kept.setdefault("found", offers) and judge(offers, *a, **b)
    )
    feed = read_feed(FEED)
    policy = parse_policy(TEXT.partition("  product:")[0])
    evaluate_policy(trained, dataset, policy, relations=relations, feed=feed, k=3)

    test, behaviours, rankable = dataset.part("test"), dataset.behaviours, dataset.catalogue.rankable
    facts = ItemFacts.of_catalogue(dataset.catalogue).with_feed(feed)
    goals_N = dataset.catalogue.counts_NB[:, 2] + dataset.catalogue.counts_NB.sum(axis=1) / 1e6
    popular = sorted(range(ITEMS), key=lambda item: (-goals_N[item], dataset.catalogue.item_ids[item]))
    questions = ask_sessions(test, taken=[1, 2], asked=2, at_cart=True)
    arrays = (np.asarray(each) for each in (test.items, test.behaviours, test.times, test.offsets))
    encoded = encode_sessions(*arrays, spec=trained.spec, known_items=rankable)
    requests = questions.requests(test, placement="checkout", k=3, kinds_B=event_kinds(behaviours))
    shop = OfflineShop.of(trained, dataset, feed=feed)
    proposals = propose(shop, policy, requests, encoded, questions.events_Q, ask=2, k=3)
    requests = with_intents(requests, proposals)
    assert len(requests) > 10
    for row, request in enumerate(requests):
        fresh = replace(facts, feed_time_ms=request.now_ms)  # just come, at every question
        shelves = Shelves.of(fresh, popular_N=np.array(popular))
        model = proposals.candidates[row]
        answer = place(policy, request, shelves=shelves, relations=relations, model=model)
        assert kept["found"]["policy"][row].items == tuple(each.item for each in answer.items)
        assert kept["found"]["policy"][row].sources == tuple(each.source for each in answer.items)
        # the model's own best three that are not in the cart or of a kind in it, banned (3) or sold out (4)
        kinds = set(facts.categories.codes_N[request.cart_M].tolist()) - {0}
        others = [item for item in model.items.tolist() if facts.categories.codes_N[item] not in kinds]
        plain = [item for item in others if item not in (3, 4, *request.cart_M)]
        assert kept["found"]["model-top"][row].items == tuple(plain[:3])


def test_the_model_proposes_its_best_eligible_items_and_the_policy_takes_the_cart_out(tmp_path):
    dataset, relations, trained = small_shop(tmp_path)
    test, rankable = dataset.part("test"), dataset.catalogue.rankable
    fallback = popularity_of(dataset, refit=False)
    scorer = ModelScorer.of(trained.model, fallback)
    questions = ask_sessions(test, taken=[1, 2], asked=2, at_cart=True)
    arrays = (np.asarray(each) for each in (test.items, test.behaviours, test.times, test.offsets))
    encoded = encode_sessions(*arrays, spec=trained.spec, known_items=rankable)
    shop = OfflineShop.of(trained, dataset, feed=read_feed(FEED))
    requests = questions.requests(test, placement="checkout", k=4, kinds_B=event_kinds(dataset.behaviours))
    proposals = propose(shop, POLICY, requests, encoded, questions.events_Q, ask=2, k=4)
    batch = cut_before(encoded, questions.events_Q, spec=trained.spec)
    scores_QV, intents_Q = scorer.score_and_intent(batch, np.full(len(questions), 2))
    best_QV = top_k(scores_QV, rankable)
    carted = 0
    for row, (event, cart) in enumerate(zip(questions.events_Q, questions.carts, strict=True)):
        kept = slice(encoded.starts_E[event], encoded.kept_before_E[event])
        assert kept.stop - kept.start == event - test.offsets[questions.sessions_Q[row]] - np.count_nonzero(
            np.asarray(test.items[test.offsets[questions.sessions_Q[row]] : event]) >= rankable
        )
        model, unread = proposals.candidates[row], kept.start == kept.stop
        assert model.tier == ("popularity" if unread else "model")
        assert (proposals.intents[row] is None) == unread
        assert proposals.best_QK[row].tolist() == best_QV[row, :4].tolist()
        carted += len(set(proposals.best_QK[row].tolist()) & set(cart.tolist()))
        if not unread:
            assert proposals.intents[row] == pytest.approx(intents_Q[row])
            assert model.items.tolist() == [item for item in best_QV[row].tolist() if item != 4]  # sold out
            np.testing.assert_allclose(model.scores, scores_QV[row, model.items], rtol=1e-5)
        shown = place(POLICY, requests[row], shelves=shop.shelves_B[2], relations=relations, model=model).items
        assert not {each.item for each in shown} & set(cart.tolist())
    assert carted  # the plain list holds items of the cart
    assert top_k(np.zeros((1, rankable)), 4).shape == (1, 4)


def test_a_policy_is_judged_beside_its_sources_and_the_same_again(tmp_path):
    dataset, relations, trained = small_shop(tmp_path)
    one, two = (evaluate_policy(trained, dataset, POLICY, relations=relations, k=3) for _ in range(2))
    assert json.dumps(one) == json.dumps(two)
    plain = ["model-top", "fp-growth", "popularity", "model-unruled"]
    found = {name: list(judged["systems"]) for name, judged in one["placements"].items()}
    assert found == {
        "checkout": ["policy", "model", "complement", "gift", *plain],
        "product": ["policy", "model", "complement", *plain],
    }
    checkout, product = one["placements"]["checkout"], one["placements"]["product"]
    assert (checkout["behaviour"], product["behaviour"]) == ("purchase", "click")
    assert 0 < checkout["questions"] < product["questions"] <= 40
    for judged in (checkout, product):
        for name, figures in judged["systems"].items():
            assert (figures["rule_violations"] == 0) == (name != "model-unruled"), name
            assert figures["shown"] == 3 * judged["questions"] or judged is product
    flat = policy_headline(one)
    rate = checkout["systems"]["fp-growth"]["attach_rate@3"]["value"]
    assert flat["policy/checkout/fp-growth/attach_rate@3"] == rate
    assert flat["policy/product/policy/rule_violations"] == 0
    policy_tables(one, title="a table of it can be printed")


def test_what_the_log_does_not_have_is_refused(tmp_path):
    dataset, _, trained = small_shop(tmp_path)
    with pytest.raises(ValueError, match=r"placement checkout asks for complement, gift, but .* has no relations"):
        evaluate_policy(trained, dataset, POLICY, relations=None)
    other = parse_policy("placements: {home: {behaviour: like, sources: {model: 1}}}")
    with pytest.raises(ValueError, match="behaviour 'like', which the log does not have; allowed: click, cart, pur"):
        evaluate_policy(trained, dataset, other, relations=None)
    empty = make_dataset(tmp_path / "e", train=[[0, 1]], test=[[1, 0]], trained=2)
    plain = parse_policy("placements: {checkout: {sources: {model: 1}, anchors: [cart]}}")
    with pytest.raises(ValueError, match="no session of the test part has a question for checkout"):
        evaluate_policy(make_trained(empty), empty, plain, relations=None)
