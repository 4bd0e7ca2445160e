"""What visitors do at the running shop is the shop's truth, and is told as a shop's page would tell it."""

from collections import Counter

import pytest

from tests.datasets import make_dataset
from tillside.feedback.events import Event, lacking
from training.simulator.storefront import Cart, Storefront, carts_of

CART = Cart(({"item_id": "phone", "behaviour": "cart"},), "phone")
PRICES = {"phone": 400.0, "case": 10.0, "fan": 30.0}


class Shop:
    """Answers ``shown`` to everybody, and keeps what it is asked and told."""

    def __init__(self, *shown: str) -> None:
        self.shown, self.asked, self.told, self.batches = shown, [], [], []

    def ask(self, body):
        self.asked.append(body)
        return {"recommendation_id": f"r{len(self.asked)}", "items": [{"item_id": item} for item in self.shown]}

    def report(self, events):
        self.batches.append(len(events))
        self.told += events

    def receives(self, visitors: int) -> Counter:
        """The number of events of a kind and item."""
        front = Storefront(self.ask, self.report, {"phone": ["case"]}, PRICES, now_ms=lambda: 1000)
        front.receive([CART], visitors=visitors, seed=1)
        return Counter((event["kind"], event.get("item")) for event in self.told)


def test_visitors_like_what_goes_with_their_cart():
    counts = Shop("case", "fan").receives(4000)
    assert counts["impression", "case"] == 4000  # the first slot is always looked at
    assert counts["impression", "fan"] == pytest.approx(4000 / 1.4, rel=0.05)
    assert counts["click", "case"] == pytest.approx(4000 * 0.5 * 0.9, rel=0.05)
    assert counts["click", "fan"] == pytest.approx(4000 / 1.4 * 0.5 * 0.15, rel=0.2)
    assert counts["cart", "case"] == pytest.approx(0.4 * counts["click", "case"], rel=0.1)
    assert counts["dismiss", "fan"] > counts["dismiss", "case"]


def test_whom_nothing_is_shown_buys_what_they_came_for():
    shop = Shop()
    assert set(shop.receives(2000)) == {("purchase", None)}
    assert len(shop.told) == pytest.approx(2000 * 0.6, rel=0.1)
    lines = [tuple(line["item"] for line in event["lines"]) for event in shop.told]
    assert set(lines) == {("phone",), ("phone", "case")}
    assert lines.count(("phone", "case")) == pytest.approx(0.05 * len(lines), rel=0.5)
    assert shop.told[0]["lines"][0]["price"] == 400.0


def test_every_event_is_one_that_the_collector_takes_and_belongs_to_its_answer():
    shop = Shop("case", "fan")
    shop.receives(300)
    assert len({event["event_id"] for event in shop.told}) == len(shop.told) == sum(shop.batches)
    assert len(shop.batches) > 1
    for event in shop.told:
        known = {name: value for name, value in event.items() if name != "lines"}
        assert lacking(Event(**known, lines=event.get("lines"))) is None
    answers = {f"visit-{number}": f"r{number + 1}" for number in range(300)}
    named = [event for event in shop.told if event["kind"] != "purchase"]
    assert all(event["recommendation_id"] == answers[event["session"]] for event in named)
    assert shop.asked[5]["shopper_id"] == "visitor-2"
    assert shop.asked[5]["session_id"] == "visit-5"
    assert shop.asked[5]["cart"] == [{"item_id": "phone"}]


def test_carts_are_the_moments_of_the_test_part_at_which_something_was_carted(tmp_path):
    rows = [[0, 1, 2, (3, "cart"), (2, "cart")], [1, (0, "purchase")]]
    dataset = make_dataset(tmp_path / "shop", train=[[(0, "cart"), 1, 2, 3]], test=rows, trained=4)
    _, i1, i2, i3 = dataset.catalogue.item_ids[:4]
    first, second = carts_of(dataset, longest=2)
    assert (first.anchor, second.anchor) == (i3, i2)
    assert [(event["item_id"], event["behaviour"]) for event in first.session] == [
        (i1, "click"),
        (i2, "click"),
        (i3, "cart"),
    ]
    assert [event["item_id"] for event in second.session] == [i2, i3, i2]
