"""Export: the bundle answers what torch answers, and nothing is written when it does not."""

import json
import shutil
from functools import partial

import numpy as np
import onnx
import pytest
import torch

from serving.answering.recommender import Recommender
from serving.bundles.goldens import replay
from serving.protocol.limits import Limits
from serving.protocol.messages import Event, RecommendRequest
from tests.datasets import make_dataset, random_rows
from tests.models import SPEC, make_trained
from tillside import bundle
from tillside.encoding import EncodingSpec, encode_session
from tillside.events import TIME_UNKNOWN
from tillside.ranking import top_k
from tillside.recommenders import CoVisitation, Popularity, popularity
from tillside.search import SearchPlan
from training.bundle import write
from training.bundle.goldens import make_goldens
from training.bundle.graphs import write_int8_scorer
from training.bundle.parity import check_parity
from training.bundle.search_tier import choose_search, write_index
from training.bundle.write import export_run
from training.evaluation.scorers import ModelScorer
from training.evaluation.served import BundleGraphs, open_search

ITEMS, NEWCOMERS = 30, 2
EXACT = SearchPlan()
METRICS = {"systems": {"tillside": {"all": {"cases": 4, "recall@20": {"value": 0.5, "low": 0.4, "high": 0.6}}}}}
RANKABLE = ITEMS + 1
TOKENS = [[f"brand={item % 4}"] for item in range(RANKABLE)]
"""The first newcomer has a brand that training knows, the second one has nothing."""


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    train, test = random_rows(30, items=ITEMS, seed=1), random_rows(40, items=ITEMS + NEWCOMERS, longest=12, seed=2)
    folder = tmp_path_factory.mktemp("data") / "d"
    return make_dataset(folder, train=train, test=test, trained=ITEMS, newcomers=NEWCOMERS, tokens=TOKENS)


@pytest.fixture(scope="module")
def trained(dataset):
    made = make_trained(dataset)
    made.model.encoder.intent_calibration.copy_(torch.tensor([1.5, 0.7, -0.5]))
    return made


@pytest.fixture(scope="module")
def exported(dataset, trained, tmp_path_factory):
    out = tmp_path_factory.mktemp("bundles") / "bundle"
    parity = export_run(trained, dataset, out, metrics=METRICS, run_id="run-1")
    return out, parity


def scorer_of(trained, dataset) -> ModelScorer:
    return ModelScorer.of(trained.model, Popularity(popularity(dataset.catalogue.popular_NB[:RANKABLE])))


def test_the_bundle_opens_and_says_where_it_came_from(dataset, exported):
    out, parity = exported
    opened = bundle.open_bundle(out)
    assert opened.encoding == SPEC
    assert opened.behaviours == dataset.behaviours
    assert opened.has_intent
    assert len(opened.items_ND) == RANKABLE
    assert len(opened.catalogue) == ITEMS + NEWCOMERS
    assert opened.manifest["run"] == "run-1"
    assert opened.manifest["dataset"] == {"name": "d", "digest": dataset.digest}
    assert opened.manifest["metrics"] == {"recall@20": 0.5}
    assert opened.manifest["parity"] == parity
    assert parity["max_difference"] < 1e-4
    assert parity["prefixes"] > 30


def test_the_bundle_has_the_strongest_partners_of_every_item_that_can_be_ranked(dataset, exported):
    pairs = bundle.open_bundle(exported[0]).covisitation
    expected = CoVisitation.fit(dataset.before_test(), items=RANKABLE).pairs.strongest(write.PARTNERS)
    assert len(expected.neighbours)
    for name in ("offsets", "neighbours", "weights"):
        np.testing.assert_array_equal(getattr(pairs, name), getattr(expected, name))


@pytest.mark.parametrize("rows", [1, 3])
@pytest.mark.parametrize("length", [1, 2, SPEC.max_length, 3 * SPEC.max_length])
def test_torch_and_onnx_agree(dataset, trained, exported, length, rows):
    rng = np.random.default_rng(length)
    batches = [
        encode_session(
            rng.integers(0, RANKABLE, length),
            rng.integers(0, 3, length),
            np.cumsum(rng.integers(0, 10**7, length)),
            spec=SPEC,
            known_items=RANKABLE,
        )
        for _ in range(rows)
    ]
    batch = type(batches[0])(
        *(np.concatenate([getattr(b, name) for b in batches]) for name in ("items_BL", "behaviours_BL", "gaps_BL")),
        *(np.concatenate([getattr(b, name) for b in batches]) for name in ("lengths_B", "own_B")),
    )
    ask_B = np.arange(rows) % 3
    scores_BV, intent_B = scorer_of(trained, dataset).score_and_intent(batch, ask_B)
    graphs = BundleGraphs(exported[0], None, EXACT)
    query_BD, onnx_intent_B = graphs.encode(batch, ask_B)
    onnx_scores_BK, onnx_items_BK = graphs.top(query_BD, RANKABLE)
    np.testing.assert_allclose(onnx_intent_B, intent_B, atol=1e-4)
    np.testing.assert_allclose(onnx_scores_BK, np.take_along_axis(scores_BV, onnx_items_BK, axis=1), atol=1e-4)
    np.testing.assert_array_equal(onnx_items_BK[:, :5], top_k(scores_BV, 5))


def test_the_scorer_maps_the_item_vectors_in_place(exported, tmp_path):
    path = exported[0]
    model = onnx.load(path / bundle.SCORER, load_external_data=False)
    (matrix,) = model.graph.initializer
    place = {entry.key: entry.value for entry in matrix.external_data}
    vectors_ND = np.load(path / bundle.ITEMS)
    assert place["location"] == bundle.ITEMS
    content = (path / bundle.ITEMS).read_bytes()[int(place["offset"]) :][: int(place["length"])]
    assert content == vectors_ND.tobytes()
    assert (path / bundle.SCORER).stat().st_size < 2000  # no second copy of the matrix
    copy = shutil.copytree(path, tmp_path / "copy")
    query_BD = np.eye(1, vectors_ND.shape[1], dtype=np.float32)
    np.save(copy / bundle.ITEMS, -vectors_ND)
    (best,) = BundleGraphs(copy, None, EXACT).top(query_BD, 1)[1]
    assert best == vectors_ND[:, 0].argmin()


def test_level_items_come_in_catalogue_order(exported):
    query_BD = np.zeros((1, np.load(exported[0] / bundle.ITEMS).shape[1]), np.float32)
    _, items_BK = BundleGraphs(exported[0], None, EXACT).top(query_BD, RANKABLE)
    assert items_BK.tolist() == [list(range(RANKABLE))]


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


def test_a_bundle_searched_in_eight_bits_answers_as_the_one_in_fp32(dataset, trained, exported, tmp_path, monkeypatch):
    monkeypatch.setattr(write, "choose_search", partial(choose_search, int8_from=2))
    parity = export_run(trained, dataset, tmp_path / "bundle", metrics=METRICS, run_id="run-1")
    assert parity == exported[1]
    eight, full = bundle.open_bundle(tmp_path / "bundle"), bundle.open_bundle(exported[0])
    assert (eight.search.tier, full.search.tier) == ("int8", "exact")
    assert eight.search.measured["int8"]["recall@20"] == 1.0
    assert eight.goldens == full.goldens
    replay(Recommender(eight), Limits())


def test_what_an_index_misses_does_not_stop_an_export(dataset, trained, exported, tmp_path, monkeypatch):
    """Here it holds the rows the other way round, and finds next to nothing."""
    pytest.importorskip("faiss")
    shutil.copytree(exported[0], tmp_path / "bundle")
    folder = tmp_path / "bundle"
    items_ND = np.load(folder / bundle.ITEMS)
    rounding = write_int8_scorer(folder / bundle.ITEMS, folder / bundle.INT8)
    write_index(items_ND[::-1].copy(), folder / bundle.INDEX)
    plan = SearchPlan("approximate", rounding, 1)
    monkeypatch.setattr("tillside.search.LEAST", 1)
    monkeypatch.setattr("training.bundle.parity.TOP", 5)
    search = open_search(folder, items_ND, plan)
    assert [search.search(row[None], 1)[1][0, 0] == search.whole(row, 1)[1][0] for row in items_ND].count(
        False
    ) > ITEMS / 2
    compared = check_parity(trained, dataset, folder, plan)
    assert compared["prefixes"] == exported[1]["prefixes"]


def test_nothing_is_written_when_the_encoder_is_made_of_other_weights(dataset, exported, tmp_path, monkeypatch):
    monkeypatch.setattr(write, "write_encoder", lambda _, path: shutil.copy(exported[0] / bundle.ENCODER, path))
    with pytest.raises(ValueError, match="export refused: onnxruntime and torch differ by"):
        export_run(make_trained(dataset, seed=9), dataset, tmp_path / "bundle", metrics=METRICS, run_id="run-1")
    assert list(tmp_path.iterdir()) == []


def test_the_gate_notices_item_vectors_of_other_weights(dataset, trained, exported, tmp_path):
    copy = shutil.copytree(exported[0], tmp_path / "copy")
    vectors_ND = np.load(copy / bundle.ITEMS)
    vectors_ND[3] = -vectors_ND[3]
    np.save(copy / bundle.ITEMS, vectors_ND)
    with pytest.raises(ValueError, match="export refused"):
        check_parity(trained, dataset, copy, EXACT)


def test_the_gate_notices_a_list_in_another_order(dataset, trained, exported, monkeypatch):
    top = BundleGraphs.top

    def reversed_top(self, query_BD, k):
        scores_BK, items_BK = top(self, query_BD, k)
        return scores_BK[:, ::-1], items_BK[:, ::-1]

    monkeypatch.setattr(BundleGraphs, "top", reversed_top)
    with pytest.raises(
        ValueError, match=r"export refused: the top 20 differ for test session \d+ after \d+ of its events"
    ):
        check_parity(trained, dataset, exported[0], EXACT)


def test_a_log_that_collapses_repeats_and_has_no_clock_passes_the_gate(tmp_path, trained, exported):
    """The gate joins sessions, and the joints repeat the same click; nothing there may be taken for a repeat."""
    rows = {"train": [[0, 1]], "test": [[0, 0, 1]] * 3}
    data = make_dataset(tmp_path / "d", **rows, trained=ITEMS, newcomers=NEWCOMERS, tokens=TOKENS, clock=False)
    spec = EncodingSpec(max_length=SPEC.max_length, collapse_repeats=True)
    collapsing = type(trained)(trained.model, trained.config, spec, intent=False)
    assert check_parity(collapsing, data, exported[0], EXACT)["max_difference"] < 1e-4
    goldens = make_goldens(collapsing, data, exported[0], EXACT)
    assert all("timestamp" not in event for golden in goldens for event in golden["request"]["session"])
    assert {golden["purchase_intent"] for golden in goldens} == {None}
    assert json.dumps(goldens)


def test_a_test_part_of_unseen_items_only_is_refused(tmp_path, trained, exported):
    data = make_dataset(tmp_path / "d", train=[[0, 1]], test=[[ITEMS, ITEMS]], trained=ITEMS, newcomers=1)
    with pytest.raises(ValueError, match="export refused: the test part has no item that can be ranked"):
        check_parity(trained, data, exported[0], EXACT)


def test_tokens_make_a_new_item_the_row_that_a_cold_one_has(dataset, exported):
    opened = bundle.open_bundle(exported[0])
    cold = range(dataset.catalogue.trained, dataset.catalogue.rankable)
    assert len(cold) == 1
    rankable, rows_ND = opened.tokens.rows(
        [opened.catalogue.tokens_of(item) for item in cold], opened.catalogue.prices_N[list(cold)]
    )
    assert rankable.tolist() == [0]
    np.testing.assert_allclose(rows_ND, opened.items_ND[list(cold)], atol=1e-6)


def test_a_policy_goes_into_the_bundle_unless_there_is_a_mistake_in_it(dataset, trained, tmp_path):
    policy = tmp_path / "shop.yaml"
    policy.write_text("placements:\n  home:\n    behaviour: look\n    sources: {model: 1}\n")
    export_with = partial(export_run, trained, dataset, metrics=METRICS, run_id="run-1", policy=policy)
    with pytest.raises(ValueError, match=r"shop\.yaml:3: placements\.home\.behaviour: got 'look'; allowed: click"):
        export_with(tmp_path / "bundle")
    assert not (tmp_path / "bundle").exists()
    policy.write_text(policy.read_text().replace("look", "click"))
    export_with(tmp_path / "bundle")
    assert bundle.open_bundle(tmp_path / "bundle").policy.read_text() == policy.read_text()
