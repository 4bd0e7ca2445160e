"""Export: the bundle says where it came from, and nothing is written when it does not answer as torch does."""

import shutil
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
import torch

from serving.answering.recommender import Recommender
from serving.bundles.goldens import replay
from serving.protocol.limits import Limits
from tests.datasets import make_dataset
from tests.models import SPEC, make_trained
from tests.training.bundle.conftest import COUNTED_INTENT, ITEMS, METRICS, NEWCOMERS, RANKABLE
from tillside import bundle
from tillside.recommenders import CoVisitation
from training.bundle import write
from training.bundle.search_tier import choose_search
from training.bundle.write import export_run

pytestmark = pytest.mark.slow


def test_the_bundle_opens_and_says_where_it_came_from(dataset, exported):
    out, parity = exported
    opened = bundle.open_bundle(out)
    assert opened.encoding == SPEC
    assert opened.behaviours == dataset.behaviours
    assert opened.has_intent
    assert opened.counted_intent == COUNTED_INTENT
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


def test_a_bundle_searched_in_eight_bits_answers_as_the_one_in_fp32(dataset, trained, exported, tmp_path, monkeypatch):
    monkeypatch.setattr(write, "choose_search", partial(choose_search, int8_from=2))
    parity = export_run(trained, dataset, tmp_path / "bundle", metrics=METRICS, run_id="run-1")
    assert parity == exported[1]
    eight, full = bundle.open_bundle(tmp_path / "bundle"), bundle.open_bundle(exported[0])
    assert (eight.search.tier, full.search.tier) == ("int8", "exact")
    assert eight.search.measured["int8"]["recall@20"] == 1.0
    assert eight.goldens == full.goldens
    replay(Recommender(eight), Limits())


def test_nothing_is_written_when_the_encoder_is_made_of_other_weights(dataset, exported, tmp_path, monkeypatch):
    monkeypatch.setattr(write, "write_encoder", lambda _, path: shutil.copy(exported[0] / bundle.ENCODER, path))
    with pytest.raises(ValueError, match="export refused: onnxruntime and torch differ by"):
        export_run(make_trained(dataset, seed=9), dataset, tmp_path / "bundle", metrics=METRICS, run_id="run-1")
    assert list(tmp_path.iterdir()) == []


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


def test_a_model_whose_numbers_are_not_finite_is_refused_in_a_sentence(dataset, exported, tmp_path, monkeypatch):
    broken = make_trained(dataset)
    with torch.no_grad():
        next(broken.model.items.parameters()).fill_(torch.nan)
    monkeypatch.setattr(write, "write_encoder", lambda _, path: shutil.copy(exported[0] / bundle.ENCODER, path))
    with pytest.raises(ValueError, match="export refused: a graph fails on real sessions: numbers that are not finite"):
        export_run(broken, dataset, tmp_path / "bundle", metrics=METRICS, run_id="run-1")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("refitted", "counted"), [(False, [[2, 0, 0], [1, 0, 0]]), (True, [[2, 0, 0], [1, 0, 9]])])
def test_a_bundle_counts_what_its_model_learned_from(tmp_path, refitted, counted):
    """Nine purchases of item 1 are in the validation part alone: served popularity has them after a refit, else not."""
    newest = make_dataset(tmp_path / "d", train=[[0, 0, 1]], validation=[[(1, "purchase")] * 9], trained=2, clock=False)
    made = replace(make_trained(newest), refitted=refitted)
    catalogue = write.served_catalogue(made, newest)
    assert catalogue.popular_NB.tolist() == counted
    assert catalogue.recent_NB is None
