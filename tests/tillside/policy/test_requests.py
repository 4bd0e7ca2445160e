"""Requests in the policy's terms: the kinds of events."""

import numpy as np

from tillside.events import Behaviours
from tillside.policy import PlacementRequest, event_kinds
from tillside.policy.requests import CART, GOAL, VIEW


def test_the_last_behaviour_is_the_goal_and_cart_is_told_by_its_name() -> None:
    assert event_kinds(Behaviours()).tolist() == [VIEW, CART, GOAL]
    assert event_kinds(Behaviours(("view", "like", "cart", "buy"))).tolist() == [VIEW, VIEW, CART, GOAL]
    assert event_kinds(Behaviours(("view", "cart"))).tolist() == [VIEW, GOAL]  # the goal, whatever it is called


def test_what_a_request_leaves_out_is_nothing() -> None:
    request = PlacementRequest(placement="here", now_ms=5)
    assert [len(each) for each in (request.session_L, request.kinds_L, request.times_L, request.cart_M)] == [0] * 4
    assert (request.k, request.age, request.intent, request.language) == (None, None, None, "en")
    assert request.session_L.dtype == np.int64
