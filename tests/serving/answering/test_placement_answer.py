"""From candidates to an answer: the first tier that shows anything, the explaining items, and a policy that fails."""

import json

import numpy as np
import pytest

from serving.answering.nearest_item import NearestItem
from serving.answering.placement_answer import answer_placement, fallback_candidates
from serving.answering.recommender import Recommender
from serving.bundles.loading import load_recommender
from serving.protocol.decoding import decode_request
from serving.protocol.limits import Limits
from serving.protocol.messages import CommonFields, PlacedAnswer
from tests.tills import IDS, ask, till
from tillside.policy import ModelCandidates

COMMON = CommonFields(
    recommendation_id="r",
    degraded_reason=None,
    behaviour="click",
    purchase_intent=0.9,
    unknown_items=[],
    model_version="v",
    bundle="v",
)
PHONE, SE, WINE, CASE, FILM, CABLE, COAT, SCARF = range(8)
assert IDS == ["phone", "phone-se", "wine", "case", "film", "cable", "coat", "scarf"]


@pytest.fixture(scope="module")
def recommender(tmp_path_factory: pytest.TempPathFactory) -> Recommender:
    return load_recommender(till(tmp_path_factory.mktemp("till") / "bundle"), Limits(), static=["scarf", "gone"])


def question(recommender: Recommender, *seen: str, placement: str = "fashion"):
    return recommender.read(decode_request(json.dumps(ask(placement, *seen)).encode(), Limits()))


def candidates(*items: int, tier: str = "model") -> ModelCandidates:
    scores = np.arange(len(items), 0, -1, dtype=np.float32)
    return ModelCandidates(np.array(items, np.int64), scores, tier)  # type: ignore[arg-type]


def answered(recommender: Recommender, given: list[ModelCandidates], *seen: str, **options: object) -> PlacedAnswer:
    nearest = NearestItem(recommender.engine.items_ND)
    outcome = answer_placement(question(recommender, *seen, **options), given, COMMON, nearest)  # type: ignore[arg-type]
    assert isinstance(outcome.answer, PlacedAnswer)
    return outcome.answer


def test_the_first_tier_of_which_the_policy_shows_an_item_answers(recommender: Recommender) -> None:
    """The placement shows fashion alone, and nothing fills it up."""
    nothing, some, more = candidates(PHONE), candidates(COAT, tier="covisitation"), candidates(SCARF, tier="popularity")
    answer = answered(recommender, [nothing, some, more], "phone")
    assert ([item.item_id for item in answer.items], answer.tier) == (["coat"], "covisitation")
    assert answered(recommender, [nothing], "phone").tier == "empty"
    assert answered(recommender, [], "phone").items == []
    # a placement that needs no model is the model's tier
    assert answered(recommender, [], "phone", placement="product").tier == "model"


def test_the_fields_of_every_answer_are_handed_on_and_the_intent_steers(recommender: Recommender) -> None:
    answer = answered(recommender, [candidates(COAT)], "phone")
    given = (answer.recommendation_id, answer.behaviour, answer.purchase_intent, answer.degraded_reason)
    assert given == ("r", "click", 0.9, None)
    assert answer.model_version == answer.bundle == "v"
    assert (answer.mode, answer.why) == ("cross_sell", ["intent 0.90"])


def test_the_model_s_items_are_explained_by_the_nearest_seen_and_others_by_their_anchor(
    recommender: Recommender,
) -> None:
    # the scarf (0.1, 0.9) is nearest to the coat (0, 1)
    [item] = answered(recommender, [candidates(SCARF)], "coat", "phone").items
    assert (item.source, item.because) == ("model", "coat")
    [item] = answered(recommender, [candidates(SCARF, tier="popularity")], "coat", "phone").items
    assert (item.source, item.because) == ("popularity", None)
    [item] = answered(recommender, [], "coat", "phone", placement="product").items
    assert (item.source, item.because) == ("complement", "phone")


def test_a_policy_that_fails_leaves_an_empty_answer(recommender: Recommender, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError

    monkeypatch.setattr("tillside.policy.PreparedPlacement.place", fail)
    nearest = NearestItem(recommender.engine.items_ND)
    outcome = answer_placement(question(recommender, "phone"), [], COMMON, nearest, spent=(0.25, 0.5))
    answer = outcome.answer
    assert (answer.items, answer.tier, answer.degraded_reason) == ([], "empty", "model_failed")
    assert (answer.purchase_intent, answer.recommendation_id, answer.model_version) == (None, "r", "v")
    assert (outcome.failure, outcome.encode_seconds, outcome.search_seconds) == ("RuntimeError", 0.25, 0.5)


def test_below_the_model_come_the_tiers_of_the_bundle_and_then_the_shop_s_own_list(recommender: Recommender) -> None:
    tiers = list(fallback_candidates(recommender._ladder, question(recommender, "coat")))
    assert [tier.tier for tier in tiers] == ["popularity", "static"]  # this bundle has no co-visitation
    # the coat's category first, then what is popular; both lists are ranked by their order
    assert tiers[0].items[:3].tolist() == [COAT, PHONE, SE]
    assert (tiers[1].items.tolist(), tiers[1].scores.tolist()) == ([SCARF], [1.0])
