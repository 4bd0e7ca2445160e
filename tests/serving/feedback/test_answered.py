"""An exposure says who was answered what, where, from which source and with which probability."""

from msgspec import UNSET, structs

from serving.answering.outcome import Outcome
from serving.feedback.answered import Answered, exposure_of
from serving.protocol.messages import Answer, Event, PlacedAnswer, PlacedItem, RecommendedItem, RecommendRequest
from tillside.feedback.exposures import Exposure, Slot

ANSWER = Answer(
    recommendation_id="r",
    items=[
        RecommendedItem("fig", 2.0, "model", "apple", False),
        RecommendedItem("plum", 1.0, "popularity", None, True),
    ],
    tier="model",
    degraded_reason=None,
    behaviour="click",
    purchase_intent=0.25,
    unknown_items=[],
    model_version="m",
    bundle="m",
)
ASKED = RecommendRequest([Event("apple")], shopper_id="ann", session_id="visit")


def noted(request, outcome, placement=None):
    return exposure_of(Answered(1.5, request, placement, outcome), str.upper)


def test_an_answer_without_placement():
    assert noted(ASKED, Outcome(ANSWER)) == Exposure(
        recommendation_id="r",
        time=1500,
        tier="model",
        slots=[Slot("fig", 1, "model", "apple", 1.0), Slot("plum", 2, "popularity", None, 1.0)],
        shopper="ANN",
        session="VISIT",
        intent=0.25,
        model="m",
    )


def test_a_placement_has_mode_policy_and_segment_and_what_was_drawn_its_probability():
    item = PlacedItem("fig", 2.0, "complement", "apple", False, origin="", rule=None, reason_key="", reason="")
    answer = PlacedAnswer(
        **{name: getattr(ANSWER, name) for name in Answer.__struct_fields__ if name != "items"}
        | {"experiment": "layout", "arm": "b"},
        items=[item],
        placement="cart",
        mode="complete",
        why=[],
        bundles=[],
        promotion=None,
        policy="p",
        segment="new",
        notes=[],
    )
    outcome = Outcome(answer, propensities=[0.125])
    found = noted(structs.replace(ASKED, shopper_id=UNSET), outcome, "cart")
    assert found.slots == [Slot("fig", 1, "complement", "apple", 0.125)]
    assert (found.placement, found.mode, found.policy, found.segment) == ("cart", "complete", "p", "new")
    assert (found.experiment, found.arm) == ("layout", "b")
    assert (found.anonymous, found.subject) == (True, "VISIT")


def test_an_answer_that_was_given_unread_is_an_exposure_of_nobody():
    answer = structs.replace(ANSWER, items=[], tier="empty", degraded_reason="overload", model_version=None)
    found = noted(None, Outcome(answer))
    assert (found.subject, found.slots, found.tier, found.reason) == (None, [], "empty", "overload")


def test_the_segment_that_was_sent_stands_where_no_policy_answered():
    assert noted(structs.replace(ASKED, segment="dormant"), Outcome(ANSWER)).segment == "dormant"
