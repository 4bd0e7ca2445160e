"""What past sessions add to an answer, worked out by hand: apple was once followed by date.

The goldens of tests/bundles.py have the arithmetic for one click on apple: the model gives apple, plum and fig 1,
pear 0 and date -1; memory adds 2.77 to apple and to date.
"""

import json
import shutil
from dataclasses import asdict

import numpy as np
import pytest

from serving.answering.recommender import Recommender
from serving.bundles.loading import load_recommender, restock
from serving.protocol.decoding import decode_request
from serving.protocol.limits import Limits
from serving.protocol.messages import Event, RecommendRequest
from tests import tills
from tests.bundles import GOLDENS_OF_TINY, GOLDENS_WITH_MEMORY, about_tiny, tiny_bundle, tiny_memory
from tests.datasets import make_sessions
from tests.tills import IDS, feed, till
from tillside.bundle import MANIFEST, NEIGHBOURS, open_bundle, seal
from tillside.policy import read_feed
from tillside.recommenders import Neighbourhood
from tillside.recommenders.blend import SessionMemory


@pytest.fixture(scope="module")
def orchard(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bundles") / "orchard"
    return tiny_bundle(folder, memory=tiny_memory(), goldens=GOLDENS_WITH_MEMORY)


@pytest.fixture(scope="module")
def recommender(orchard) -> Recommender:
    return load_recommender(orchard, Limits())


def ask(recommender: Recommender, *items: str, **fields):
    return recommender.answer(RecommendRequest([Event(item, "click", None) for item in items], **fields)).answer


def items_of(answer) -> list[str]:
    return [item.item_id for item in answer.items]


def test_what_followed_in_the_past_comes_in_although_the_model_has_it_last(recommender):
    answer = ask(recommender, "apple")
    assert items_of(answer) == ["apple", "date", "plum", "fig", "pear"]
    scores = [1 + 4 * np.log(2), -1 + 4 * np.log(2), 1, 1, 0]
    assert [item.score for item in answer.items] == pytest.approx(scores, rel=1e-6)
    assert {item.source for item in answer.items} == {"model"}
    assert {item.because for item in answer.items} == {"apple"}
    assert answer.purchase_intent == pytest.approx(0.2689414)  # of the session alone


def test_the_best_k_are_the_first_of_the_whole_list_and_exclusions_hold(recommender):
    assert items_of(ask(recommender, "apple", k=2)) == ["apple", "date"]
    assert items_of(ask(recommender, "apple", k=2, exclude=["date"])) == ["apple", "plum"]
    assert items_of(ask(recommender, "apple", k=2, exclude=["apple"])) == ["date", "plum"]
    assert items_of(ask(recommender, "apple", k=2, exclude=["apple", "date", "plum"])) == ["fig", "pear"]
    assert items_of(ask(recommender, "apple", k=9, exclude=["plum"])) == ["apple", "date", "fig", "pear"]


def test_each_behaviour_asked_for_has_its_own_weight(recommender):
    # cart, weight 0: (1, 0) + (0, 1) gives plum and fig 2, apple, pear and date 1
    assert items_of(ask(recommender, "apple", behaviour="cart")) == ["plum", "fig", "apple", "pear", "date"]
    # purchase, weight 1: (3, 0) gives apple 3 + log(2), plum and fig 3, pear 0, date -3 + log(2)
    answer = ask(recommender, "apple", behaviour="purchase")
    assert items_of(answer) == ["apple", "plum", "fig", "pear", "date"]
    assert answer.items[-1].score == pytest.approx(-3 + np.log(2), rel=1e-6)


def test_a_session_that_no_past_one_resembles_is_answered_by_the_model_and_an_unknown_one_by_popularity(recommender):
    assert [item.score for item in ask(recommender, "pear").items] == [2, 1, 1, 1, 0]  # date; pear, plum, fig; apple
    answer = ask(recommender, "newcomer")
    assert (answer.tier, answer.items[0].item_id) == ("popularity", "apple")


@pytest.mark.parametrize(
    ("new", "expected"),
    [(0.0, ["coat", "scarf", "hat"]), (2.4, ["coat", "hat", "scarf"]), (2.6, ["hat", "coat", "scarf"])],
)
def test_a_new_item_is_voted_for_by_its_likeness(tmp_path, new, expected):
    """After the coat past sessions give coat and scarf half of the votes each, 2.77 beside the model's 1 and 0.9.

    The model gives the new hat 1. Of eight items two are fashion and one is a coat, so the tokens weigh log(4) and
    log(8), 2 and 3 parts, and a fifth of the walks from the coat go over fashion to an item such as the hat.
    4 * log(1 + 2.4 / 5 / 0.5), 2.69, passes the scarf, and 2.6 instead of 2.4, 2.85, the coat as well.
    """
    blend = {"weights": [4.0] * 3, "floor": 0.5, "repeats": [[0.0]] * 3, "alike": [0.0, new]}
    document = {"neighbourhood": asdict(Neighbourhood(age_decay=0.0)), "blend": blend}
    past = make_sessions([[IDS.index("coat"), IDS.index("scarf")]])
    memory = SessionMemory.fit(past, items=len(IDS), document=document, behaviours=3)
    recommender = load_recommender(till(tmp_path / "bundle", memory=memory), Limits())
    hat = {"item_id": "hat", "stock": 3, "attributes": {"category": "fashion.hat"}}
    recommender.assortment = restock(recommender, read_feed(feed(hat)))
    request = decode_request(json.dumps(tills.ask("fashion", "coat")).encode(), Limits())
    assert items_of(recommender.answer(request).answer) == expected


def test_a_memory_without_weight_leaves_every_answer_alone(orchard, tmp_path):
    memory = tiny_memory(weights=(0.0, 0.0, 0.0))
    idle = load_recommender(tiny_bundle(tmp_path / "idle", memory=memory, goldens=GOLDENS_OF_TINY), Limits())
    plain = load_recommender(tiny_bundle(tmp_path / "plain", goldens=GOLDENS_OF_TINY), Limits())
    for session in (["apple"], ["apple", "pear"], ["date", "plum", "apple"]):
        assert ask(idle, *session).items == ask(plain, *session).items


def test_goldens_of_the_model_alone_are_refused(tmp_path):
    bundle = tiny_bundle(tmp_path / "bundle", memory=tiny_memory(), goldens=GOLDENS_OF_TINY)
    with pytest.raises(ValueError, match="golden"):
        load_recommender(bundle, Limits())


def test_an_opened_bundle_has_the_memory_that_was_put_in(orchard):
    memory = open_bundle(orchard).memory
    assert memory is not None
    assert memory.document() == tiny_memory().document()
    assert {path.name for path in (orchard / NEIGHBOURS).iterdir()} <= {
        name.removeprefix(f"{NEIGHBOURS}/") for name in json.loads((orchard / MANIFEST).read_text())["files"]
    }


@pytest.mark.parametrize(
    "document",
    [
        {},
        [],
        "past",
        {"blend": {"weights": [1, 1, 1], "floor": 1}},
        {"neighbourhood": {}},
        {"neighbourhood": {}, "blend": {"weights": [1], "floor": 1}},
        {"neighbourhood": {"colour": 1}, "blend": {"weights": [1, 1, 1], "floor": 1}},
    ],
    ids=str,
)
def test_a_memory_that_is_none_is_refused(orchard, tmp_path, document):
    bundle = shutil.copytree(orchard, tmp_path / "bundle")
    seal(bundle, about_tiny() | {"memory": document})
    with pytest.raises(ValueError) as caught:
        load_recommender(bundle, Limits())
    assert "\n" not in str(caught.value)


def test_a_memory_whose_arrays_are_not_there_or_of_other_items_is_refused(orchard, tmp_path):
    bundle = shutil.copytree(orchard, tmp_path / "bundle")
    shutil.rmtree(bundle / NEIGHBOURS)
    seal(bundle, about_tiny() | {"memory": tiny_memory().document()})
    with pytest.raises(ValueError, match=r"posting_offsets\.npy"):
        load_recommender(bundle, Limits())
    other = tiny_bundle(tmp_path / "other", items_ND=np.ones((4, 2), np.float32), memory=tiny_memory())
    with pytest.raises(ValueError, match="do not fit together or to 4 items"):
        load_recommender(other, Limits())
