"""A question is checked before it is sent, an answer before it is used."""

import json

import pytest

from tests.tillside.client.sockets import ANSWER
from tillside.client import CartLine, Event, PagePlacement, RecommendedItem, Request
from tillside.client.messages import PageQuestion, PlacementQuestion, Question, decode_answer


def question(session=(), **fields) -> Question:
    return Question(session, **{"behaviour": None, "k": None, "exclude": (), **fields})


def test_the_body_holds_what_was_said_and_nothing_else():
    assert json.loads(question().body(deadline_ms=49)) == {"session": [], "deadline_ms": 49}
    asked = question(
        [Event("pear"), Event("früh", "cart", 1767225600000)],
        behaviour="purchase",
        k=3,
        exclude={"fig", "apple"},
        history=[Event("plum", "purchase")],
    )
    assert json.loads(asked.body(deadline_ms=7)) == {
        "session": [{"item_id": "pear"}, {"item_id": "früh", "behaviour": "cart", "timestamp": 1767225600000}],
        "history": [{"item_id": "plum", "behaviour": "purchase"}],
        "behaviour": "purchase",
        "k": 3,
        "exclude": ["apple", "fig"],
        "deadline_ms": 7,
    }


def test_the_deadline_is_one_that_the_server_takes():
    assert json.loads(question().body(deadline_ms=0))["deadline_ms"] == 1
    assert json.loads(question().body(deadline_ms=10_001))["deadline_ms"] == 10_000


def test_of_a_long_session_the_newest_thousand_events_are_sent():
    sent = json.loads(question([Event(str(number)) for number in range(1002)]).body(deadline_ms=1))["session"]
    assert [sent[0], sent[-1], len(sent)] == [{"item_id": "2"}, {"item_id": "1001"}, 1000]


def test_the_own_list_leaves_out_what_is_excluded_and_ends_at_k():
    own = question(k=2, exclude=["pear"], behaviour="purchase").own_answer(["pear", "fig", "plum", "date"], reason="x")
    assert own.items == (RecommendedItem("fig", None, "caller"), RecommendedItem("plum", None, "caller"))
    assert (own.tier, own.degraded_reason, own.behaviour) == ("caller", "x", "purchase")
    assert len(question().own_answer([str(number) for number in range(30)], reason="x").items) == 20


def test_the_own_list_says_what_the_session_holds_and_hides_it_where_that_is_asked():
    asked = question([Event("fig"), Event("date")], k=2)
    assert "hide_seen" not in json.loads(asked.body(deadline_ms=1))  # servers of before this field refuse it
    assert [(item.item_id, item.seen) for item in asked.own_answer(["fig", "plum"], reason="x").items] == [
        ("fig", True),
        ("plum", False),
    ]
    hiding = question([Event("fig"), Event("date")], k=2, hide_seen=True, exclude=["pear"])
    assert json.loads(hiding.body(deadline_ms=1))["hide_seen"] is True
    own = hiding.own_answer(["fig", "pear", "plum", "kiwi", "bag"], reason="x")
    assert [(item.item_id, item.seen) for item in own.items] == [("plum", False), ("kiwi", False)]


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"k": 0}, "k must be an integer from 1 to 100000, got 0"),
        ({"k": True}, "k must be an integer from 1 to 100000, got True"),
        ({"k": 2.0}, "k must be an integer from 1 to 100000, got 2.0"),
        ({"behaviour": ""}, "behaviour must be a string of 1 to 256 characters, got ''"),
        ({"exclude": "pear"}, "exclude must be a collection of item ids, got 'pear'"),
        ({"hide_seen": 1}, "hide_seen must be True or False, got 1"),
        ({"exclude": [7]}, "exclude must be a string of 1 to 256 characters, got 7"),
        ({"session": "pear"}, "session must be a sequence of Event, got 'pear'"),
        ({"session": None}, "session must be a sequence of Event, got None"),
        ({"session": ["pear"]}, "session[0] must be an Event, got 'pear'"),
        ({"history": "pear"}, "history must be a sequence of Event, got 'pear'"),
        ({"history": [Event("a", 1)]}, "history[0].behaviour must be a string of 1 to 256 characters, got 1"),
        ({"session": [Event("a"), Event("")]}, "session[1].item_id must be a string of 1 to 256 characters, got ''"),
        (
            {"session": [Event("a", timestamp=-1)]},
            "session[0].timestamp must be an integer from 0 to 253402300799999, got -1",
        ),
        ({"session": [Event("\ud800")]}, "item ids and behaviours must be valid Unicode, got a lone surrogate"),
    ],
)
def test_a_mistake_is_named(wrong, sentence):
    with pytest.raises(ValueError) as caught:
        question(**wrong)
    assert str(caught.value) == sentence


def test_an_answer_is_read_whole():
    answer = decode_answer(json.dumps({**ANSWER, "of_a_later_version": [1]}).encode())
    assert answer.items == (
        RecommendedItem("pear", 2.5, "model", "fig"),
        RecommendedItem("plum", 1.0, "popularity", None),
    )
    said = {**ANSWER, "items": [{**item, "seen": item["item_id"] == "plum"} for item in ANSWER["items"]]}
    assert [item.seen for item in decode_answer(json.dumps(said).encode()).items] == [False, True]
    assert answer.hint is None
    assert decode_answer(json.dumps({**ANSWER, "hint": "send ids"}).encode()).hint == "send ids"
    assert (answer.tier, answer.degraded_reason, answer.recommendation_id) == ("model", None, "r1")
    assert (answer.behaviour, answer.purchase_intent, answer.bundle) == ("purchase", 0.25, "b1")
    assert answer.unknown_items == ("quince",)


@pytest.mark.parametrize(
    "told",
    [{"model_version": "b2"}, {"bundle": "b2"}, {"model_version": "b2", "bundle": "b2"}],
    ids=lambda told: "+".join(told),
)
def test_the_model_s_version_is_read_by_its_name_and_by_the_one_that_older_servers_give_it(told):
    fields = {name: value for name, value in ANSWER.items() if name != "bundle"}
    answer = decode_answer(json.dumps({**fields, **told}).encode())
    assert (answer.model_version, answer.bundle) == ("b2", "b2")


def test_a_server_without_reasons_is_understood():
    fields = {name: value for name, value in ANSWER.items() if name != "degraded_reason"}
    assert decode_answer(json.dumps(fields).encode()).degraded_reason is None


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xff",
        b"null",
        b"[]",
        b"{}",
        b"[" * 100_000,
        json.dumps({**ANSWER, "items": None}).encode(),
        json.dumps({**ANSWER, "items": ["pear"]}).encode(),
        json.dumps({**ANSWER, "items": [{"item_id": 7, "source": "model"}]}).encode(),
        json.dumps({**ANSWER, "items": [{**ANSWER["items"][0], "score": float("nan")}]}).encode(),
        json.dumps({**ANSWER, "items": [{**ANSWER["items"][0], "score": "1"}]}).encode(),
        json.dumps({**ANSWER, "items": [{**ANSWER["items"][0], "score": 10**400}]}).encode(),
        json.dumps(ANSWER).encode().replace(b"2.5", b"1e999"),
        json.dumps({**ANSWER, "tier": None}).encode(),
        json.dumps({**ANSWER, "purchase_intent": True}).encode(),
        json.dumps({**ANSWER, "unknown_items": "quince"}).encode(),
        json.dumps({**ANSWER, "bundle": 7}).encode(),
        json.dumps({**ANSWER, "model_version": 7}).encode(),
        json.dumps(ANSWER).encode()[:-1],
    ],
    ids=lambda body: body[:60].decode("latin-1"),
)
def test_what_is_no_answer_is_refused(body):
    with pytest.raises(ValueError):
        decode_answer(body)


OWN = ["bag", "card", "bow", "ring"]


def test_a_placement_goes_where_placements_are_answered_and_says_which():
    asked = PlacementQuestion("checkout", Request(cart=[CartLine("card")], k=2))
    assert asked.path == "/v1/recommend"
    assert json.loads(asked.body(deadline_ms=5)) == {
        "session": [],
        "k": 2,
        "cart": [{"item_id": "card", "quantity": 1}],
        "placement": "checkout",
        "deadline_ms": 5,
    }
    own = asked.own_answer(OWN, reason="timeout")
    assert [item.item_id for item in own.items] == ["bag", "bow"]  # what is in the cart is not offered
    assert (own.placement, own.tier, own.degraded_reason, own.mode) == ("checkout", "caller", "timeout", None)


def test_several_placements_deal_out_the_own_list_and_show_no_item_twice():
    asked = PageQuestion([PagePlacement("a", k=1), "b", PagePlacement("c", candidates=["x", "bow"])], Request(k=2))
    assert asked.path == "/v1/page"
    own = asked.own_answer(OWN, reason="connect")
    assert [[item.item_id for item in answer.items] for answer in own] == [["bag"], ["card", "bow"], ["x"]]
    assert [answer.placement for answer in own] == ["a", "b", "c"]
    assert len({answer.recommendation_id for answer in own}) == 3


def test_a_shop_s_own_list_stays_as_it_was_where_the_server_gives_no_answer():
    listed = [str(number) for number in range(30)]
    asked = Question((), request=Request(candidates=listed, exclude=["3"]))
    assert [item.item_id for item in asked.own_answer(OWN, reason="x").items] == [n for n in listed if n != "3"]
    assert len(Question((), request=Request(candidates=listed, k=4)).own_answer(OWN, reason="x").items) == 4
