"""The recommender's answers, worked out by hand from the encoder that tests/bundles.py describes."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.answering.recommender import Recommender
from serving.bundles.loading import load_recommender
from serving.protocol.errors import FieldError
from serving.protocol.limits import Limits
from serving.protocol.messages import CartLine, Event, RecommendRequest
from tests.bundles import ASK_AD, GOLDENS_OF_TINY, ITEMS_ND, tiny_bundle
from tests.datasets import make_sessions
from tests.tills import till
from tillside.bundle import open_bundle
from tillside.encoding.spec import EncodingSpec
from tillside.engine import EngineError
from tillside.recommenders import Neighbourhood, SessionNeighbours, popularity
from tillside.recommenders.blend import Blend, SessionMemory
from tillside.recommenders.counted_intent import CountedIntent


@pytest.fixture(scope="module")
def recommender(orchard) -> Recommender:
    return load_recommender(orchard, Limits())


def memory_of(blend: Blend, *past: list[int], items: int) -> SessionMemory:
    return SessionMemory(SessionNeighbours.fit(make_sessions(past), items=items, settings=Neighbourhood()), blend)


def session_of(*events: str) -> list[Event]:
    """Events from words: ``pear`` is a click, ``pear:cart`` a cart, ``pear:cart@1500`` one with a timestamp."""
    session = []
    for word in events:
        name, _, time = word.partition("@")
        item_id, _, behaviour = name.partition(":")
        session.append(Event(item_id, behaviour or "click", int(time) if time else None))
    return session


def ask(recommender: Recommender, *events: str, **fields):
    return recommender.answer(RecommendRequest(session_of(*events), **fields)).answer


def scores_of(answer) -> dict[str, float]:
    return {item.item_id: pytest.approx(item.score) for item in answer.items}


def test_two_clicks_by_hand(recommender):
    answer = ask(recommender, "pear", "apple")
    # weights 1 and 2: (1 * (0, 1) + 2 * (1, 0)) / 3 = (2/3, 1/3)
    # plum (1, 1) and fig (1, 1): 1; apple (1, 0): 2/3; pear (0, 1): 1/3; date (-1, 2): -2/3 + 2/3 = 0
    assert [item.item_id for item in answer.items] == ["plum", "fig", "apple", "pear", "date"]
    assert [item.score for item in answer.items] == pytest.approx([1, 1, 2 / 3, 1 / 3, 0], abs=1e-6)
    assert answer.purchase_intent == pytest.approx(0.5)  # sigmoid(2 - 2)
    assert answer.tier == "model"
    assert answer.behaviour == "click"
    assert answer.unknown_items == []


def test_because_is_the_nearest_item_of_the_session_and_the_latest_of_level_ones(recommender):
    because = {item.item_id: item.because for item in ask(recommender, "pear", "apple").items}
    # plum and fig have a cosine of 0.71 with both, and apple came last; date has 0.89 with pear, -0.45 with apple
    assert because == {"plum": "apple", "fig": "apple", "apple": "apple", "pear": "pear", "date": "pear"}


def test_a_stronger_behaviour_weighs_more_and_ties_stand_in_catalogue_order(recommender):
    answer = ask(recommender, "apple:cart", "pear")
    # weights 1 * 2 and 2 * 1: (0.5, 0.5), so plum and fig have 1, and apple, pear and date 0.5 each
    assert [item.item_id for item in answer.items] == ["plum", "fig", "apple", "pear", "date"]
    assert [item.score for item in answer.items] == [1, 1, 0.5, 0.5, 0.5]


def test_time_between_events_counts(recommender):
    answer = ask(recommender, "apple@1767225600000", "pear@1767225601500")
    # 1.5 s is gap bucket 2, so pear weighs 2 / 3 beside apple's 1: (1, 2/3) / (5/3) = (0.6, 0.4)
    assert scores_of(answer) == {"plum": 1.0, "fig": 1.0, "apple": 0.6, "pear": 0.4, "date": 0.2}


def test_the_behaviour_asked_for_changes_the_answer(recommender):
    # a click on apple gives (1, 0); asking for a cart adds (0, 1), for a purchase (2, 0)
    assert scores_of(ask(recommender, "apple", behaviour="cart", k=3)) == {"plum": 2.0, "fig": 2.0, "apple": 1.0}
    bought = ask(recommender, "apple", behaviour="purchase", k=4)
    assert scores_of(bought) == {"apple": 3.0, "plum": 3.0, "fig": 3.0, "pear": 0.0}
    assert bought.behaviour == "purchase"


def test_past_sessions_and_repeats_are_added_by_hand(tmp_path):
    blend = Blend((0.0, 1.0, 0.0), 0.1, ((-2.0, 0.5), (0.0, -3.0), (0.0,)))
    memory = memory_of(blend, [0, 4], items=len(ITEMS_ND))
    recommender = Recommender(open_bundle(tiny_bundle(tmp_path / "bundle", memory=memory)))
    # clicks: 1, 1, 2/3, 1/3, 0 as above; apple, the latest, loses 2 and pear, the one before, gains 1/2
    answer = ask(recommender, "pear", "apple")
    assert [item.item_id for item in answer.items] == ["plum", "fig", "pear", "date", "apple"]
    assert [item.score for item in answer.items] == pytest.approx([1, 1, 5 / 6, 0, -4 / 3], abs=1e-6)
    assert {item.item_id: item.because for item in answer.items}["date"] == "pear"
    # the best two without plum: fig, and pear has passed apple
    answer = ask(recommender, "pear", "apple", k=2, exclude=["plum"])
    assert [item.item_id for item in answer.items] == ["fig", "pear"]
    # a cart adds (0, 1): plum and fig 2, pear 4/3, date 2, apple 2/3; date followed apple in the one past session, half
    # of its votes each: log(1 + 0.5 / 0.1); pear, the item before the last, loses 3
    votes = np.log(6)
    expected = {"date": 2 + votes, "apple": 2 / 3 + votes, "plum": 2.0, "fig": 2.0, "pear": 4 / 3 - 3}
    answer = ask(recommender, "pear", "apple", behaviour="cart")
    assert [item.item_id for item in answer.items] == list(expected)
    assert scores_of(answer) == expected


def test_earlier_sessions_stand_before_the_session_where_the_bundle_was_trained_with_them(tmp_path):
    blend = Blend((0.0, 0.0, 0.0), 0.1, ((-2.0, 0.5), (0.0,), (0.0,)))
    memory, spec = memory_of(blend, [0, 4], items=len(ITEMS_ND)), EncodingSpec(4, gap_edges_ms=(), history=2)
    bundle = tiny_bundle(tmp_path / "bundle", spec=spec, memory=memory, goldens=[])
    returning = Recommender(open_bundle(bundle))
    # date is one event too many; plum weighs 3, pear and apple, in bucket 2 of the gaps, 1/3 and 2/3 beside it:
    # (3 * (1, 1) + (0, 1) / 3 + 2 * (1, 0) / 3) / 4 is (11/12, 10/12). Of the bonuses for repeats plum alone gets one,
    # -2: pear and apple were seen on another day
    answer = ask(returning, "plum", history=session_of("date", "pear", "apple", "ghost"))
    expected = {"fig": 7 / 4, "apple": 11 / 12, "pear": 10 / 12, "date": 3 / 4, "plum": -1 / 4}
    assert [item.item_id for item in answer.items] == list(expected)
    assert scores_of(answer) == expected
    assert answer.unknown_items == ["ghost"]
    assert {item.item_id: item.because for item in answer.items}["date"] == "pear"
    # where the session's own events leave less room, fewer earlier ones are read
    full = ask(returning, "plum", "fig", "date", history=session_of("pear", "apple"))
    assert full.items == ask(returning, "plum", "fig", "date", history=session_of("apple")).items
    assert full.items != ask(returning, "plum", "fig", "date").items
    # an empty session of a shopper who is known is no empty session: (1 * (0, 1) + 2 * (1, 0)) / 3
    home = ask(returning, history=session_of("pear", "apple"))
    assert (home.tier, home.degraded_reason) == ("model", None)
    assert scores_of(home) == {"plum": 1.0, "fig": 1.0, "apple": 2 / 3, "pear": 1 / 3, "date": 0.0}
    assert {item.because for item in home.items} == {"pear", "apple"}


def test_a_bundle_without_history_passes_over_it(recommender):
    answer = ask(recommender, "pear", "apple", history=session_of("date", "ghost"))
    assert answer.items == ask(recommender, "pear", "apple").items
    assert answer.unknown_items == ["ghost"]
    assert ask(recommender, history=session_of("date")).degraded_reason == "empty_session"
    with pytest.raises(FieldError, match=r"history\[0\].behaviour must be one of click, cart, purchase, got"):
        ask(recommender, "pear", history=[Event("date", "like")])


def test_only_the_latest_events_are_kept(recommender):
    # max_length is 4
    long = ask(recommender, "date", "pear", "apple", "apple", "plum")
    short = ask(recommender, "pear", "apple", "apple", "plum")
    told = [(item.item_id, item.score, item.because) for item in long.items]
    assert told == [(item.item_id, item.score, item.because) for item in short.items]
    # date is too old for the model, and still an item of the session
    assert [item.item_id for item in long.items if not item.seen] == ["fig"]
    assert long.purchase_intent == short.purchase_intent


def test_unknown_items_are_left_out_and_listed_once_each(recommender):
    answer = ask(recommender, "pear", "ghost", "apple", "ghost", "newcomer", exclude=["ghost", "phantom", "fig"])
    without = ask(recommender, "pear", "apple", exclude=["fig"])
    assert answer.unknown_items == ["ghost", "newcomer", "phantom"]
    assert answer.items == without.items


@pytest.mark.parametrize("events", [(), ("ghost", "newcomer")], ids=["empty", "unknown only"])
def test_a_session_that_tells_nothing_gets_popularity(recommender, events):
    answer = ask(recommender, *events, behaviour="purchase")
    # purchases: plum 3, fig 3, date 1, apple 0, pear 0; by all events fig 11 > plum 9, and 9 of apple = 9 of pear
    assert [item.item_id for item in answer.items] == ["fig", "plum", "date", "apple", "pear"]
    assert {item.source for item in answer.items} == {answer.tier} == {"popularity"}
    assert {item.because for item in answer.items} == {None}
    assert answer.purchase_intent is None


LEVELS = {"weights": [np.log(1 / 3), 0, 0, np.log(1 / 3), *[0] * 10]}
"""One in four, and after a purchase log(1/9), one in ten."""


def test_what_was_done_tells_the_intent_of_a_session_of_unknown_items(tmp_path):
    about = {"intent_without_items": LEVELS}
    recommender = Recommender(open_bundle(tiny_bundle(tmp_path / "bundle", about=about)))
    assert ask(recommender, "ghost", "newcomer").purchase_intent == pytest.approx(0.25)
    answer = ask(recommender, "ghost", "ghost:purchase")
    assert (answer.purchase_intent, answer.degraded_reason) == (pytest.approx(0.1), "unknown_items")
    assert ask(recommender).purchase_intent is None  # nothing was done
    assert ask(recommender, "ghost", "pear").purchase_intent == pytest.approx(0.2689414)  # sigmoid(1 - 2), the model's


def test_what_is_in_the_cart_was_put_there_though_it_is_unknown(tmp_path, monkeypatch):
    """A level of log(1/3), one in four, and log 3 more where the latest event is a cart."""
    recommender = load_recommender(till(tmp_path / "bundle"), Limits())
    counted = CountedIntent((np.log(1 / 3), 0, np.log(3), *[0] * 11))
    monkeypatch.setattr(recommender, "_counted_intent", counted)
    carted = ask(recommender, placement="fashion", cart=[CartLine("ghost"), CartLine("phantom")])
    assert (carted.degraded_reason, carted.purchase_intent) == ("empty_session", pytest.approx(0.5))
    assert "intent 0.50" in carted.why
    assert ask(recommender, "ghost", placement="fashion", cart=[]).purchase_intent == pytest.approx(0.25)
    assert ask(recommender, placement="fashion", cart=[]).purchase_intent is None


def test_a_bundle_that_tells_no_intent_tells_none_of_unknown_items_either(tmp_path):
    about = {"intent_without_items": LEVELS, "intent": False}
    recommender = Recommender(open_bundle(tiny_bundle(tmp_path / "bundle", about=about)))
    assert ask(recommender, "ghost").purchase_intent is None


def test_popularity_counts_recent_events_where_the_bundle_has_them(tmp_path):
    recent_NA = np.array([[0, 0, 0], [0.5, 0, 0], [0, 0, 2], [0, 0, 0], [0.75, 0, 0.25], [0, 0, 0]], np.float32)
    recommender = Recommender(open_bundle(tiny_bundle(tmp_path / "bundle", recent_NA=recent_NA)))
    answer = ask(recommender, behaviour="purchase", k=3)
    # the tie-break is an item's events over 2 + 1: plum 2 + 2/3, date 0.25 + 1/3, pear 0 + 0.5/3
    assert scores_of(answer) == {"plum": 2 + 2 / 3, "date": 0.25 + 1 / 3, "pear": 0.5 / 3}


def test_popularity_keeps_exclusions_and_k(recommender):
    answer = ask(recommender, behaviour="purchase", k=2, exclude=["plum"])
    assert [item.item_id for item in answer.items] == ["fig", "date"]


@pytest.mark.parametrize("events", [(), ("apple",)])
def test_k_is_clamped_to_what_is_eligible(recommender, events):
    assert len(ask(recommender, *events, k=1000).items) == 5
    assert len(ask(recommender, *events, k=1000, exclude=["fig", "fig", "ghost"]).items) == 4
    assert ask(recommender, *events, exclude=["apple", "pear", "plum", "fig", "date"]).items == []


def test_an_answer_without_items_still_has_its_intent(recommender):
    answer = ask(recommender, "apple", exclude=["apple", "pear", "plum", "fig", "date"])
    assert answer.tier == "model"
    assert answer.purchase_intent == pytest.approx(0.2689414)  # sigmoid(1 - 2)


def test_twenty_items_are_the_default(tmp_path):
    bundle = tiny_bundle(
        tmp_path / "many",
        items_ND=np.ones((30, 2), np.float32),
        item_ids=[f"i{number:02}" for number in range(30)],
        counts_NA=np.zeros((30, 3), np.int64),
    )
    answer = ask(Recommender(open_bundle(bundle)), "i07")
    assert [item.item_id for item in answer.items] == [f"i{number:02}" for number in range(20)]


def test_an_unknown_behaviour_is_refused_by_name_and_place(recommender):
    with pytest.raises(FieldError, match=r'^behaviour must be one of click, cart, purchase, got "buy"$'):
        ask(recommender, behaviour="buy")
    with pytest.raises(FieldError, match=r'^session\[1\].behaviour must be one of click, cart, purchase, got "like"$'):
        ask(recommender, "pear", "ghost:like")


def test_a_bundle_without_a_trained_intent_gives_none(tmp_path):
    goldens = [{**golden, "purchase_intent": None} for golden in GOLDENS_OF_TINY]
    bundle = tiny_bundle(tmp_path / "b", goldens=goldens, about={"intent": False})
    assert ask(load_recommender(bundle, Limits()), "apple").purchase_intent is None


def test_a_model_that_fails_is_replaced_by_popularity(recommender, monkeypatch):
    def fail(*_):
        raise EngineError("Fail")

    monkeypatch.setattr(recommender.engine, "encode", fail)
    outcome = recommender.answer(RecommendRequest(session_of("apple")))
    assert outcome.failure == "Fail"
    assert outcome.answer.tier == "popularity"
    assert outcome.answer.items[0].item_id == "apple"


def test_numbers_that_are_not_finite_never_reach_an_answer(tmp_path):
    asks_AD = ASK_AD.copy()
    asks_AD[2] = np.nan  # no golden asks for a purchase
    recommender = load_recommender(tiny_bundle(tmp_path / "nan", ask_AD=asks_AD), Limits())
    outcome = recommender.answer(RecommendRequest(session_of("apple"), behaviour="purchase"))
    assert outcome.failure == "numbers that are not finite"
    assert outcome.answer.tier == "popularity"
    assert outcome.answer.purchase_intent is None


def crowd_of(folder: Path, memory: SessionMemory | None = None) -> Recommender:
    """Forty items whose small whole coordinates give many exact ties."""
    rng = np.random.default_rng(7)
    bundle = tiny_bundle(
        folder / "crowd",
        items_ND=rng.integers(-2, 3, (40, 3)).astype(np.float32),
        item_ids=[f"i{number:02}" for number in range(40)],
        counts_NA=rng.integers(0, 4, (40, 3)),
        ask_AD=np.zeros((3, 3), np.float32),
        memory=memory,
    )
    return Recommender(open_bundle(bundle))


@pytest.fixture(scope="module")
def crowd(tmp_path_factory) -> Recommender:
    return crowd_of(tmp_path_factory.mktemp("bundles"))


@pytest.fixture(scope="module")
def crowd_that_goes_on(tmp_path_factory) -> Recommender:
    """A crowd whose latest item loses 3 and whose item before that gains 3/4."""
    blend = Blend((0.0,) * 3, 0.1, ((-3.0, 0.75),) * 3)
    return crowd_of(tmp_path_factory.mktemp("bundles"), memory_of(blend, items=40))


@given(
    seen=st.integers(0, 39),
    k=st.integers(1, 60),
    excluded=st.sets(st.integers(0, 39)),
    known_session=st.booleans(),
)
def test_excluding_is_masking_before_the_top_k(crowd, seen, k, excluded, known_session):
    """Whatever is excluded, the answer is the best k of the rest, ties in catalogue order."""
    exclude = [f"i{item:02}" for item in excluded]
    answer = ask(crowd, *([f"i{seen:02}"] if known_session else []), k=k, exclude=exclude)
    items_ND = crowd.engine.items_ND
    popular_N = popularity(crowd.bundle.catalogue.popular_NB[:40])[0]
    scores_N = items_ND @ items_ND[seen] if known_session else popular_N
    scores_N[list(excluded)] = -np.inf
    best = np.argsort(-scores_N, kind="stable")[: min(k, 40 - len(excluded))]
    assert [item.item_id for item in answer.items] == [f"i{item:02}" for item in best]
    assert [item.score for item in answer.items] == scores_N[best].tolist()


@given(
    seen=st.tuples(st.integers(0, 39), st.integers(0, 39)),
    k=st.integers(1, 60),
    excluded=st.sets(st.integers(0, 39)),
)
def test_excluding_is_masking_after_the_blend_of_the_whole_catalogue(crowd_that_goes_on, seen, k, excluded):
    """Items that lose by repeats and items that are excluded make way for the next ones at once."""
    earlier, latest = seen
    exclude = [f"i{item:02}" for item in excluded]
    # a cart first and a click second weigh 1 * 2 and 2 * 1, so every score is exact
    answer = ask(crowd_that_goes_on, f"i{earlier:02}:cart", f"i{latest:02}", k=k, exclude=exclude)
    items_ND = crowd_that_goes_on.engine.items_ND
    scores_N = items_ND @ ((items_ND[earlier] + items_ND[latest]) / 2)
    if earlier != latest:
        scores_N[earlier] += 0.75
    scores_N[latest] -= 3
    scores_N[list(excluded)] = -np.inf
    best = np.argsort(-scores_N, kind="stable")[: min(k, 40 - len(excluded))]
    assert [item.item_id for item in answer.items] == [f"i{item:02}" for item in best]
    assert [item.score for item in answer.items] == scores_N[best].tolist()


def test_an_id_padded_with_spaces_is_the_item_that_prepare_read(recommender):
    """A CHAR(n) column pads the ids of a log, which prepare trims, and those of the shop's requests as well."""
    padded = recommender.read(RecommendRequest([Event("pear   "), Event("  ghost")], exclude=[" apple"]))
    plain = recommender.read(RecommendRequest([Event("pear"), Event("ghost")], exclude=["apple"]))
    assert padded.batch.items_BL.tolist() == plain.batch.items_BL.tolist()
    assert (padded.excluded, padded.unknown) == (plain.excluded, ["ghost"])
