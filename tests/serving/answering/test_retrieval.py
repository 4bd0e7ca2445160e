"""What the model finds for several questions at once is what it finds for each alone, and one's failure is its own."""

import pytest

from serving.answering.nearest_item import NearestItem
from serving.answering.request_indexer import RequestIndexer
from serving.answering.retrieval import Retrieval
from serving.protocol.messages import Event, RecommendRequest
from tillside.bundle import open_bundle
from tillside.engine import Engine, EngineError


@pytest.fixture(scope="module")
def opened(orchard):
    bundle = open_bundle(orchard)
    engine = Engine(bundle.path, bundle.items_ND, bundle.search)
    return bundle, engine, Retrieval(bundle, engine, NearestItem(engine.items_ND))


def questions_of(bundle, *sessions):
    indexer = RequestIndexer(bundle)
    return [indexer.index(RecommendRequest([Event(item) for item in session], k=3)) for session in sessions]


def found_in(retrieval, questions, failures):
    encoded = retrieval.encode(questions, failures)
    found = retrieval.search(questions, encoded, failures)
    return {row: [(item.item_id, item.score) for item in items] for row, items in found.items()}


def test_questions_of_several_lengths_are_found_as_each_alone_and_an_unknown_session_not_at_all(opened):
    bundle, _, retrieval = opened
    questions = questions_of(bundle, ["pear", "apple"], ["pear"], ["nothing"], ["apple", "pear"])
    failures: dict[int, str] = {}
    found = found_in(retrieval, questions, failures)
    assert sorted(found) == [0, 1, 3]
    assert not failures
    for row in found:
        assert found[row] == found_in(retrieval, [questions[row]], {})[0]
    assert [item for item, _ in found[0]] == ["plum", "fig", "apple"]  # by hand in test_recommender


def test_a_row_that_fails_is_told_and_the_others_are_found(opened, monkeypatch):
    bundle, engine, retrieval = opened
    questions = questions_of(bundle, ["pear", "apple"], ["apple", "pear"])
    failing, search = questions[1].batch, engine.encode

    def encode(batch, *given, **named):
        if len(batch.items_BL) > 1 or batch is failing:
            raise EngineError("out of memory")
        return search(batch, *given, **named)

    monkeypatch.setattr(engine, "encode", encode)
    failures: dict[int, str] = {}
    assert sorted(found_in(retrieval, questions, failures)) == [0]
    assert failures == {1: "out of memory"}
