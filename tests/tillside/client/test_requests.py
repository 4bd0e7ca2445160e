"""A request says what it was given and nothing else, and names a mistake before anything is sent."""

from dataclasses import fields

import pytest

from serving.protocol.messages import RecommendRequest
from tillside.client import Boost, CartLine, Dismissal, Event, Filter, Impression, PagePlacement, Request
from tillside.client.requests import page_document

FILTER = Filter(categories=["tech"], without=["tech.case"], at_most=300, attributes={"brand": ["aster"]})
SAID = {
    "categories": ["tech"],
    "without": ["tech.case"],
    "price": {"at_most": 300},
    "attributes": [{"name": "brand", "any_of": ["aster"]}],
}
WHOLE = Request(
    session=[Event("phone", "click", 5)],
    history=[Event("coat")],
    behaviour="purchase",
    k=3,
    exclude={"b", "a"},
    hide_seen=True,
    names=True,
    candidates=["z", "y"],
    filter=FILTER,
    cart=[CartLine("phone", 2)],
    shopper_id="ann",
    session_id="visit 3",
    boosts=[Boost(FILTER, 2.0)],
    segment="new",
    age=30,
    impressions=[Impression("film", 3, 7)],
    dismissed=[Dismissal(category="tech", timestamp=8)],
    host="phone",
    moment="explanation",
    scene=["coat"],
    language="zh",
    explain=True,
    timestamp=9,
)


def test_a_request_that_says_nothing_sends_nothing_but_its_session():
    assert Request().document() == {"session": []}
    assert Request(history=()).document() == {"session": [], "history": []}
    assert Request(filter=Filter(), candidates=[]).document() == {"session": [], "filter": {}, "candidates": []}


def test_a_request_that_says_everything():
    assert WHOLE.document() == {
        "session": [{"item_id": "phone", "behaviour": "click", "timestamp": 5}],
        "history": [{"item_id": "coat"}],
        "behaviour": "purchase",
        "k": 3,
        "exclude": ["a", "b"],
        "hide_seen": True,
        "names": True,
        "candidates": ["z", "y"],
        "filter": SAID,
        "cart": [{"item_id": "phone", "quantity": 2}],
        "shopper_id": "ann",
        "session_id": "visit 3",
        "boosts": [{"where": SAID, "factor": 2.0}],
        "segment": "new",
        "age": 30,
        "impressions": [{"item_id": "film", "count": 3, "timestamp": 7}],
        "dismissed": [{"category": "tech", "timestamp": 8}],
        "host": "phone",
        "moment": "explanation",
        "scene": ["coat"],
        "language": "zh",
        "explain": True,
        "timestamp": 9,
    }


def test_it_can_say_whatever_a_server_reads():
    asked = {"deadline_ms", "placement", "placements"}  # said by the call, not by the request
    assert {each.name for each in fields(Request)} == set(RecommendRequest.__struct_fields__) - asked


def test_a_shopper_may_stand_for_the_session():
    assert Request(session=None, shopper_id="ann").document() == {"shopper_id": "ann"}
    with pytest.raises(ValueError, match="session must be a sequence of Event, got None"):
        Request(session=None).document()


def test_several_placements():
    page = ["cart", PagePlacement("search", k=9, candidates=["a"], filter=Filter(categories=["tech"]))]
    assert page_document(page) == [
        {"placement": "cart"},
        {"placement": "search", "k": 9, "candidates": ["a"], "filter": {"categories": ["tech"]}},
    ]


@pytest.mark.parametrize(
    ("made", "sentence"),
    [
        (lambda: Request(k=0), "k must be an integer from 1 to 100000, got 0"),
        (lambda: Request(segment="vip"), "segment must be one of new, returning, dormant, high_value, got 'vip'"),
        (lambda: Request(language="de"), "language must be one of en, zh, got 'de'"),
        (lambda: Request(cart=["phone"]), "cart[0] must be a CartLine, got 'phone'"),
        (lambda: Request(cart=[CartLine("a", 0)]), "cart[0].quantity must be an integer from 1 to 1000000, got 0"),
        (
            lambda: Request(impressions=[Impression("")]),
            "impressions[0].item_id must be a string",
        ),
        (lambda: Request(dismissed=[Dismissal()]), "dismissed[0] must be of one of item_id, category and placement"),
        (lambda: Request(filter={"price": 5}), "filter must be a Filter, got {'price': 5}"),
        (lambda: Request(filter=Filter(at_least=-1)), "filter.at_least must be a number from 0 to 1e+12, got -1"),
        (lambda: Request(filter=Filter(categories="tech")), "filter.categories must be a collection of item ids"),
        (lambda: Request(filter=Filter(attributes=["x"])), "filter.attributes must be a mapping of names to values"),
        (lambda: Request(boosts=[Boost(Filter(), 0)]), "boosts[0].factor must be a number from 0.01 to 100, got 0"),
        (lambda: Request(explain=1), "explain must be True or False, got 1"),
        (lambda: Request(candidates="pear"), "candidates must be a collection of item ids, got 'pear'"),
    ],
)
def test_a_mistake_is_named(made, sentence):
    with pytest.raises(ValueError) as caught:
        made().document()
    assert str(caught.value).startswith(sentence)


@pytest.mark.parametrize("page", [[], "cart", [5], [PagePlacement("")], [PagePlacement("a", k=0)]])
def test_a_mistake_in_several_placements_is_named(page):
    with pytest.raises(ValueError, match=r"^placements"):
        page_document(page)
