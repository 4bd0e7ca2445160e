"""Visits: what is kept of a shopper, in which order, for how long, and what makes it go."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.feedback.shoppers import visits as visits_module
from serving.feedback.shoppers.limits import VisitLimits
from serving.feedback.shoppers.visits import Visits, decode_kept, in_words_of
from serving.protocol.messages import Event
from tillside.feedback.forgetting import Order, digest_of

MINUTE = 60_000
NOW = 1_700_000_000_000


def kept(item="fig", *, shopper="ann", kind="click", at=0, late=0, **more):
    """An event at a minute after NOW that is received so many minutes later."""
    time = NOW + at * MINUTE
    event = {"event_id": "e", "kind": kind, "time": time, "received": time + late * MINUTE, "shopper": shopper}
    return decode_kept(json.dumps(event | ({} if item is None else {"item": item}) | more).encode())


def visits(*events, **limits):
    found = Visits(VisitLimits(**{"gap_minutes": 30, **limits}))
    for event in events:
        found.add(event)
    return found


def items(visits, shopper="ann", *, at=0):
    found = visits.find(digest_of(shopper), now_ms=NOW + at * MINUTE)
    return None if found is None else [event.item_id for event in found]


def order(shopper="ann", *, at):
    return Order([digest_of(shopper).hex()], NOW + at * MINUTE)


def test_a_visit_holds_what_its_shopper_did_in_order():
    known = visits(kept("fig", at=0), kept("plum", shopper="bob", at=1), kept("pear", kind="cart", at=2))
    assert known.find(digest_of("ann"), now_ms=NOW) == [
        Event("fig", "click", NOW),
        Event("pear", "cart", NOW + 120_000),
    ]
    assert items(known, "bob") == ["plum"]
    assert items(known, "eve") is None
    assert (len(known), known.events) == (2, 3)


def test_what_came_out_of_order_stands_at_its_time():
    assert items(visits(kept("fig", at=0), kept("plum", at=2), kept("pear", at=1))) == ["fig", "pear", "plum"]


def test_an_event_that_the_log_holds_twice_counts_once():
    """As after a failure of the disk: what was not synced is written again, elsewhere."""
    known = visits(kept("fig", at=0), kept("plum", at=1), kept("fig", at=0), kept("plum", at=1))
    assert items(known) == ["fig", "plum"]
    assert known.events == 2


def test_a_purchase_is_an_event_for_each_of_its_lines():
    lines = [{"item": "fig", "quantity": 2}, {"item": "plum"}]
    known = visits(kept(None, kind="purchase", lines=lines, order_id="o"))
    assert [(event.item_id, event.behaviour) for event in known.find(digest_of("ann"), now_ms=NOW)] == [
        ("fig", "purchase"),
        ("plum", "purchase"),
    ]


@pytest.mark.parametrize("kind", ["impression", "return", "dismiss"])
def test_what_is_no_behaviour_is_no_part_of_a_visit(kind):
    assert items(visits(kept(kind=kind))) is None


def test_what_was_taken_out_of_the_cart_is_not_in_it():
    known = visits(kept("fig"), kept("fig", kind="cart", at=1), kept("plum", kind="cart", at=1))
    known.add(kept("fig", kind="remove", at=2))
    assert [(event.item_id, event.behaviour) for event in known.find(digest_of("ann"), now_ms=NOW)] == [
        ("fig", "click"),
        ("plum", "cart"),
    ]
    assert known.events == 2
    only = visits(kept("fig", kind="cart"), kept("fig", kind="remove", at=1))
    assert (items(only), len(only), only.events) == (None, 0, 0)


def test_a_visit_ends_after_a_gap_and_the_next_begins_without_it():
    known = visits(kept("fig", at=0), kept("plum", at=30))
    assert items(known, at=60) == ["fig", "plum"]
    assert items(known, at=61) is None
    known.add(kept("pear", at=61))
    assert items(known, at=61) == ["pear"]


def test_what_was_sent_long_after_it_happened_is_no_part_of_the_visit():
    """Last night's batch does not say what the shopper looks at now; nor does a clock that is wrong by hours."""
    assert items(visits(kept("fig", late=31)), at=31) is None
    assert items(visits(kept("fig", at=31, late=-31))) is None
    assert items(visits(kept("fig", late=30)), at=30) == ["fig"]


def test_of_a_long_visit_the_latest_events_are_kept():
    known = visits(*(kept(str(number), at=number) for number in range(5)), events=3)
    assert items(known, at=4) == ["2", "3", "4"]
    assert known.events == 3


def test_with_too_many_shoppers_the_one_that_was_silent_longest_makes_room():
    known = visits(kept(at=0), kept(shopper="bob", at=1), kept(at=2), shoppers=2)
    known.add(kept(shopper="eve", at=3))
    assert [items(known, shopper, at=3) for shopper in ("ann", "bob", "eve")] == [["fig", "fig"], None, ["fig"]]
    assert (known.made_room, known.events) == (1, 3)


def test_visits_that_have_ended_are_let_go_of():
    known = visits(kept(at=0), kept(shopper="bob", at=10))
    known.expire(now_ms=NOW + 35 * MINUTE, orders_before_ms=0)
    assert (len(known), known.events) == (1, 1)


def test_without_consent_nothing_is_kept():
    assert items(visits(kept(consent=False))) is None
    assert items(visits(kept(consent=True))) == ["fig"]


def test_who_asks_is_forgotten_and_what_was_received_before_never_comes_back():
    known = visits(kept("fig", at=0))
    assert known.forget(order(at=5)) == 1
    assert (items(known), known.events, known.forgotten) == (None, 0, 1)
    known.add(kept("late", at=5))
    assert items(known, at=5) is None
    known.add(kept("plum", at=6))
    assert items(known, at=6) == ["plum"]
    assert known.forget(order(at=5)) == 0  # told by the log as well
    assert items(known, at=6) == ["plum"]
    assert known.forgotten == 1


def test_an_order_that_is_read_before_the_events_holds_too():
    known = visits()
    known.forget(order(at=5))
    known.add(kept(at=3))
    assert items(known, at=5) is None


def test_orders_are_let_go_of_only_with_the_events_that_they_mean():
    known = visits()
    known.forget(order(at=5))
    known.expire(now_ms=NOW, orders_before_ms=NOW + 6 * MINUTE)
    known.add(kept(at=5))
    assert items(known, at=5) is None
    known.add(kept(at=7))
    assert items(known, at=7) == ["fig"]


def test_too_many_orders_become_one_for_all(monkeypatch):
    monkeypatch.setattr(visits_module, "MOST_ORDERS", 2)
    known = visits()
    for at, shopper in ((1, "ann"), (2, "bob"), (3, "eve")):
        known.forget(order(shopper, at=at))
    known.add(kept(shopper="ann", at=1))
    known.add(kept(shopper="dan", at=1))
    known.add(kept(shopper="dan", at=2))
    assert items(known, "ann", at=2) is None
    assert items(known, "dan", at=2) == ["fig"]  # the one of minute 2


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 60), st.sampled_from(["click", "cart", "remove"]))))
def test_the_bounds_and_the_count_hold_whatever_comes(steps):
    known = visits(shoppers=2, events=3)
    for shopper, at, kind in steps:
        known.add(kept(shopper=shopper, at=at, kind=kind))
        found = [known.find(digest_of(each), now_ms=NOW + at * MINUTE) or [] for each in "abc"]
        assert len(known) <= 2
        assert all(len(each) <= 3 for each in found)
        assert all(each == sorted(each, key=lambda event: event.timestamp) for each in found)
    assert known.events == sum(len(visit.events) for visit in known._visits.values())


def test_kinds_are_told_in_the_words_of_the_bundle():
    events = [Event(kind, kind, 1) for kind in ("click", "cart", "purchase", "wishlist", "view")]
    assert in_words_of(events[:3], ("click", "cart", "purchase")) == events[:3]
    assert [(event.item_id, event.behaviour) for event in in_words_of(events, ("view", "buy"))] == [
        ("click", "view"),
        ("cart", "view"),
        ("purchase", "buy"),
        ("view", "view"),
    ]
    assert [event.behaviour for event in in_words_of(events, ("click",))] == ["click", "click", "click"]
