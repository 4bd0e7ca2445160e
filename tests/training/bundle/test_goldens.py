"""Golden requests: real sessions of every behaviour, and the answers that torch gives."""

import numpy as np
import pytest

from serving.answering.recommender import Recommender
from serving.protocol.messages import Event, RecommendRequest
from tests.models import SPEC
from tests.training.bundle.conftest import EXACT, ITEMS, RANKABLE, scorer_of
from tillside import bundle
from tillside.encoding.live import encode_session
from tillside.events import TIME_UNKNOWN
from tillside.ranking import top_k
from training.bundle.goldens import make_goldens

pytestmark = pytest.mark.slow


def test_goldens_can_be_made_again_and_ask_for_every_behaviour(dataset, trained, exported):
    goldens = bundle.open_bundle(exported[0]).goldens
    assert make_goldens(trained, dataset, exported[0], EXACT) == goldens
    assert {golden["request"]["behaviour"] for golden in goldens} == {"click", "cart", "purchase"}
    assert goldens[-1]["request"]["session"] == []
    for golden in goldens:
        session = golden["request"]["session"]
        items = np.array([dataset.catalogue.index_of[event["item_id"]] for event in session])
        behaviours = np.array([dataset.behaviours.index(event["behaviour"]) for event in session])
        times = np.array([event.get("timestamp", TIME_UNKNOWN) for event in session])
        batch = encode_session(items, behaviours, times, spec=SPEC, known_items=RANKABLE)
        ask_B = np.array([dataset.behaviours.index(golden["request"]["behaviour"])])
        scores_BV, intent_B = scorer_of(trained, dataset).score_and_intent(batch, ask_B)
        best = top_k(scores_BV, 20)[0]
        assert golden["items"] == [dataset.catalogue.item_ids[item] for item in best]
        np.testing.assert_allclose(golden["scores"], scores_BV[0, best], atol=1e-4)
        if session:
            assert golden["purchase_intent"] == pytest.approx(intent_B[0], abs=1e-4)
        else:
            assert golden["purchase_intent"] is None


def test_a_cold_item_is_read_and_offered_by_the_server(dataset, exported):
    """Also by the golden before the last one, so that every server proves it before it answers."""
    newcomer, stranger = dataset.catalogue.item_ids[ITEMS:]
    recommender = Recommender(bundle.open_bundle(exported[0]))
    event = Event(newcomer, behaviour="click")
    answer = recommender.answer(RecommendRequest([event], k=RANKABLE)).answer
    assert (answer.tier, answer.unknown_items) == ("model", [])
    assert newcomer in [item.item_id for item in answer.items]
    assert {item.because for item in answer.items} == {newcomer}
    golden = bundle.open_bundle(exported[0]).goldens[-2]
    assert golden["request"]["session"] == [{"item_id": newcomer, "behaviour": "click"}]
    assert golden["items"] == [item.item_id for item in answer.items[:20]]
    empty = recommender.answer(RecommendRequest([Event(stranger, behaviour="click")], k=RANKABLE)).answer
    assert (empty.tier, empty.unknown_items) == ("popularity", [stranger])
    assert (empty.items[-1].item_id, empty.items[-1].score) == (newcomer, 0.0)  # no event, so no popularity
