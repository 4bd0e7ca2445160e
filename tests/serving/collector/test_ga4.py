"""What a shop's pages send to Google Analytics 4 already is read as it is."""

import hashlib

import pytest

from serving.collector import ga4
from serving.collector.ga4 import PER_EVENT, Envelope, events_of, is_ga4
from tillside.feedback.events import Event, Line

ITEMS = [
    {"item_id": "fig", "item_name": "Figs", "index": 0, "price": 2.5, "quantity": 2},
    {"item_id": 12, "index": "1", "price": "3", "item_list_id": "own"},
]
ENVELOPE = {"client_id": "device", "timestamp_micros": "1700000000000123"}


def read(document, envelope):
    return events_of(document, Envelope(envelope))


def measured(name, **params):
    """An event of the Measurement Protocol."""
    return {"name": name, "params": params}


def test_a_list_that_was_seen_is_an_impression_of_each_item():
    document = measured(
        "view_item_list", items=ITEMS, item_list_id="cart", recommendation_id="r", ga_session_id=9, event_id="e"
    )
    shared = {
        "kind": "impression",
        "time": 1700000000000,
        "shopper": "device",
        "session": "9",
        "recommendation_id": "r",
    }
    assert read(document, ENVELOPE) == [
        Event(event_id="e/0", item="fig", position=1, placement="cart", **shared),
        Event(event_id="e/1", item="12", position=2, placement="own", **shared),
    ]


@pytest.mark.parametrize(
    ("name", "kind"),
    [("select_item", "click"), ("add_to_cart", "cart"), ("view_item", "view"), ("begin_checkout", "checkout")],
)
def test_one_item_is_one_event(name, kind):
    document = {"event": name, "event_id": "e", "ecommerce": {"items": ITEMS[:1]}}
    assert read(document, {}) == [Event(event_id="e", kind=kind, item="fig", position=1)]


def test_a_purchase_is_known_by_its_transaction_and_a_refund_by_all_it_says():
    bought = read(measured("purchase", transaction_id=77, items=ITEMS, value=8, currency="EUR"), ENVELOPE)
    lines = [Line("fig", 2, 2.5), Line("12", 1, 3.0)]
    assert bought == [
        Event(event_id="purchase:77", kind="purchase", time=1700000000000, shopper="device", order_id="77", lines=lines)
    ]
    back = [read(measured("refund", transaction_id="77", items=ITEMS[:n]), ENVELOPE)[0] for n in (1, 2, 1)]
    assert [each.kind for each in back] == ["return"] * 3
    assert back[0] == back[2]
    assert back[0].event_id != back[1].event_id


def test_the_customer_stands_before_the_device():
    (event,) = read(measured("select_item", items=ITEMS[:1]), ENVELOPE | {"user_id": "ann"})
    assert event.shopper == "ann"


@pytest.mark.parametrize("name", ["page_view", "scroll", None, 5])
def test_what_says_nothing_of_items_is_passed_over(name):
    assert read({"name": name, "params": {}}, {}) == []


@pytest.mark.parametrize("items", [None, [], [5], {"a": 1}])
def test_an_event_of_items_without_items_is_refused(items):
    with pytest.raises(ValueError, match="items of select_item must be a list of at least one item"):
        read(measured("select_item", items=items), {})


def test_the_shape_is_told_from_that_of_our_own_events():
    assert is_ga4(measured("purchase"))
    assert is_ga4({"event": "purchase", "ecommerce": {}})
    assert not is_ga4({"event_id": "e", "kind": "click"})
    assert not is_ga4(["params"])


def test_what_stands_beside_the_events_is_encoded_once_for_all_of_them(monkeypatch):
    encoded = []
    canonical = ga4._canonical
    monkeypatch.setattr(ga4, "_canonical", lambda value: encoded.append(value) or canonical(value))
    envelope = Envelope(ENVELOPE | {"user_properties": {"a": 1}})
    made = [events_of(measured("view_item", items=ITEMS[:1], n=n), envelope)[0] for n in range(5)]
    assert sum(each is envelope.members for each in encoded) == 1
    assert len({each.event_id for each in made}) == 5
    whole = canonical([envelope.members, measured("view_item", items=ITEMS[:1], n=3)])
    assert made[3].event_id == hashlib.blake2b(whole, digest_size=16).hexdigest()


def test_a_list_that_is_too_long_is_refused_before_any_of_it_is_made(monkeypatch):
    assert len(read(measured("view_item_list", items=ITEMS[:1] * PER_EVENT), {})) == PER_EVENT
    monkeypatch.setattr(ga4, "_made", None)
    with pytest.raises(ValueError, match="items must be at most 200, got 201"):
        read(measured("view_item_list", items=ITEMS[:1] * (PER_EVENT + 1)), {})
