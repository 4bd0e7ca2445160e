"""No rung of the ladder shows what a hard rule forbids, whatever is asked: random sessions, carts, feeds, policies."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from serving.answering.fallbacks import answer_without_bundle
from serving.answering.recommender import Recommender
from serving.bundles.loading import load_recommender, restock
from serving.policy.assortment import Assortment
from serving.policy.policy_file import LoadedPolicy
from serving.protocol.decoding import decode_request
from serving.protocol.limits import Limits
from serving.protocol.messages import PlacedAnswer
from tests.bundles import tiny_bundle, tiny_memory
from tests.datasets import make_sessions
from tests.tills import IDS, ITEMS, POLICY, ask, feed, in_stock, till
from tillside.bundle import open_bundle
from tillside.policy import parse_policy, read_feed
from tillside.recommenders import ItemPairs

LIMITS = Limits()
HAT = {"item_id": "hat", "stock": 3, "price": 30.0, "minimum_age": 18, "attributes": {"category": "fashion.hat"}}
SLOTS = 7
HARD = """\
placements:
  any:
    sources: {model: 1, complement: 1, popular: 0.5, new: 0.5}
    anchors: [cart, session]
    slots: 7
    rules:
      stock: {unknown: UNKNOWN, feed_max_age_minutes: 30, when_stale: STALE}
      hide_viewed: all
      categories: {never: [NEVER]}
      age_limits: [{category: drinks, years: 18}]
      price_band: {of: cart_dearest, high: 1.0, hard: true}
      pins: [{name: pin, item: case, slot: 1}]
      bans: [{name: ban, item: BANNED}]
"""


@pytest.fixture(scope="module")
def recommender(tmp_path_factory) -> Recommender:
    sessions = make_sessions([[0, 2, 3], [0, 3, 4], [6, 7], [0, 1]])
    pairs = ItemPairs.count(
        sessions, items=len(IDS), window=3, weigh=lambda distance: np.ones(len(distance)), both_ways=True
    )
    bundle = till(tmp_path_factory.mktemp("till") / "bundle", pairs=pairs)
    return load_recommender(bundle, LIMITS, static=["scarf", "wine", "voucher", "cable"])


items = st.sampled_from([*IDS, "hat", "ghost"])


@st.composite
def shops(draw) -> tuple[dict, str]:
    stock = draw(st.dictionaries(st.sampled_from(IDS), st.sampled_from([0, 9, None])))
    lines = [HAT, *({"item_id": item, "stock": count} for item, count in stock.items())]
    words = {
        "UNKNOWN": draw(st.sampled_from(["show", "hide"])),
        "STALE": draw(st.sampled_from(["hide_unknown", "hide_all"])),
        "NEVER": draw(st.sampled_from(["fashion", "tech.case", "tech"])),
        "BANNED": draw(st.sampled_from(IDS)),
        "lines": lines,
        "age": draw(st.sampled_from([0, 45])),
    }
    text = HARD
    for word in ("UNKNOWN", "STALE", "NEVER", "BANNED"):
        text = text.replace(word, words[word])
    return words, text


def forbidden(words: dict, body: dict) -> set[str]:
    """What no rule of the policy lets through, worked out item by item."""
    stock = {line["item_id"]: line.get("stock") for line in words["lines"]}
    category = {item: path for item, (_, path, _) in ITEMS.items()} | {"hat": "fashion.hat"}
    price = {item: value for item, (_, _, value) in ITEMS.items()} | {"hat": 30.0}
    cart = [line["item_id"] for line in body["cart"]]
    stale = words["age"] > 30
    hide_unknown = stale or words["UNKNOWN"] == "hide"
    dearest = max((price[item] for item in cart if item in price), default=None)
    found = {"ghost", "voucher", words["BANNED"], *cart, *body.get("exclude", ())}
    found |= {event["item_id"] for event in body["session"]}
    latest = [event["item_id"] for event in body["session"] if event["item_id"] in category][-1:]
    carted = [category[item] for item in latest if item in cart]
    for item, path in category.items():
        known = stock.get(item)
        if any(path == kind or path.startswith(f"{kind}.") for kind in carted):
            found.add(item)  # more of what was just put into the cart
        never = path == words["NEVER"] or path.startswith(f"{words['NEVER']}.")
        young = body.get("age", 0) < 18 and item in ("wine", "hat")
        dear = dearest is not None and price[item] > dearest
        if known == 0 or (known is None and hide_unknown) or never or young or dear:
            found.add(item)
    return {*category, "voucher"} if stale and words["STALE"] == "hide_all" else found


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    shop=shops(),
    seen=st.lists(items, max_size=4),
    cart=st.lists(items, max_size=3),
    excluded=st.lists(items, max_size=3),
    age=st.none() | st.integers(0, 40),
    k=st.integers(1, 10),
)
def test_no_rung_shows_what_a_hard_rule_forbids(recommender, shop, seen, cart, excluded, age, k):
    words, text = shop
    known = read_feed(feed(*words["lines"], minutes_ago=words["age"]))
    loaded = LoadedPolicy(parse_policy(text), "0" * 12, "any.yaml")
    recommender.assortment = Assortment.of(recommender.bundle, loaded, feed=known, static=["scarf", "wine", "voucher"])
    body = ask("any", *seen, cart=cart, exclude=excluded, k=k, **({} if age is None else {"age": age}))
    question = recommender.read(decode_request(json.dumps(body).encode(), LIMITS))
    wrong = forbidden(words, body)
    outcomes = [*recommender.answer_questions([question]), recommender.degraded(question, "deadline")]
    for outcome in outcomes:
        assert outcome.failure is None
        shown = [item.item_id for item in outcome.answer.items]
        assert wrong.isdisjoint(shown)
        assert len(set(shown)) == len(shown)
        # k is honoured up to the slots where enough may be shown: popularity fills what the sources leave open
        assert len(shown) == min(k, SLOTS, len({*IDS, "hat"} - wrong))


def test_a_question_keeps_the_items_it_was_read_with(recommender):
    """A feed that comes while a question waits changes the next one, not this."""
    loaded = LoadedPolicy(parse_policy(POLICY), "0" * 12, "policy.yaml")
    recommender.assortment = Assortment.of(recommender.bundle, loaded, feed=read_feed(feed(*in_stock())))
    request = decode_request(json.dumps(ask("fashion", "coat")).encode(), LIMITS)
    waiting = recommender.read(request)
    recommender.assortment = restock(recommender, read_feed(feed(*in_stock("scarf"), HAT | {"minimum_age": 0})))
    assert [item.item_id for item in recommender.answer_questions([waiting])[0].answer.items] == ["coat", "scarf"]
    assert [item.item_id for item in recommender.answer(request).answer.items] == ["coat", "hat"]


def test_a_policy_that_fails_shows_nothing(recommender, monkeypatch):
    loaded = LoadedPolicy(parse_policy(POLICY), "0" * 12, "policy.yaml")
    recommender.assortment = Assortment.of(recommender.bundle, loaded)

    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("an-id-that-no-log-may-hold")

    monkeypatch.setattr("tillside.policy.PreparedPlacement.place", fail)
    placed, plain = (
        recommender.read(decode_request(json.dumps(body).encode(), LIMITS))
        for body in (ask("fashion", "coat"), {"session": [{"item_id": "coat"}]})
    )
    outcomes = recommender.answer_questions([placed, plain])
    assert (outcomes[0].answer.items, outcomes[0].answer.tier, outcomes[0].failure) == ([], "empty", "RuntimeError")
    assert outcomes[1].answer.tier == "model"  # whoever came in the same batch has an answer


def test_without_a_bundle_a_placement_gets_nothing_and_others_the_shops_list():
    placed = decode_request(json.dumps(ask("checkout")).encode(), LIMITS)
    assert answer_without_bundle(placed, ["scarf"], "not_ready").items == []
    assert len(answer_without_bundle(decode_request(b'{"session": []}', LIMITS), ["scarf"], "not_ready").items) == 1


def test_items_of_past_sessions_are_filtered_too(tmp_path: Path):
    """What the memory adds to the model's candidates goes through the policy like all else."""
    memory = tiny_memory(("apple", "date"))
    tokens = [["category=in"], ["category=in"], ["category=in"], ["category=in"], ["category=out"]]
    bundle = tiny_bundle(
        tmp_path / "bundle",
        memory=memory,
        tokens=tokens,
        goldens=[],
        policy="placements: {here: {behaviour: click, sources: {model: 1}, rules: {categories: {only: [in]}}}}",
    )
    opened = open_bundle(bundle)
    loaded = LoadedPolicy(parse_policy((bundle / "policy.yaml").read_text()), "0" * 12, "policy.yaml")
    served = Recommender(opened, assortment=Assortment.of(opened, loaded))
    request = decode_request(json.dumps(ask("here", "apple", k=9)).encode(), LIMITS)
    answer = served.answer(request).answer
    assert isinstance(answer, PlacedAnswer)
    assert [item.item_id for item in answer.items] == ["apple", "fig", "plum", "pear"]
    # fig and plum are level and stand by id; the date, which the memory lifts to 1.77, is out
    assert {item.source for item in answer.items} == {"model"}
