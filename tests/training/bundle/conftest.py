"""One small export, of a catalogue with two cold items, that the tests of all parts of a bundle look at."""

from dataclasses import replace

import pytest
import torch

from tests.datasets import make_dataset, random_rows
from tests.models import make_trained
from tillside.recommenders.counted_intent import CountedIntent, count_features
from tillside.search import SearchPlan
from training.bundle.write import export_run
from training.evaluation.scorers import ModelScorer, popularity_of

ITEMS, NEWCOMERS = 30, 2
EXACT = SearchPlan()
COUNTED_INTENT = CountedIntent((-1.0, *[0.1] * 13))
METRICS = {"systems": {"tillside": {"all": {"cases": 4, "recall@20": {"value": 0.5, "low": 0.4, "high": 0.6}}}}}
RANKABLE = ITEMS + 1
TOKENS = [[f"brand={item % 4}"] for item in range(RANKABLE)]
"""The first newcomer has a brand that training knows, the second one has nothing."""


@pytest.fixture(scope="session")
def dataset(tmp_path_factory):
    train, test = random_rows(30, items=ITEMS, seed=1), random_rows(40, items=ITEMS + NEWCOMERS, longest=12, seed=2)
    folder = tmp_path_factory.mktemp("data") / "d"
    return make_dataset(folder, train=train, test=test, trained=ITEMS, newcomers=NEWCOMERS, tokens=TOKENS)


@pytest.fixture(scope="session")
def trained(dataset):
    made = make_trained(dataset)
    made.model.encoder.intent_calibration.copy_(torch.tensor([1.5, 0.7, -0.5]))
    made.model.encoder.intent_by_counts.copy_(torch.linspace(-0.5, 0.5, count_features(3)))
    return replace(made, counted_intent=COUNTED_INTENT)


@pytest.fixture(scope="session")
def exported(dataset, trained, tmp_path_factory):
    out = tmp_path_factory.mktemp("bundles") / "bundle"
    parity = export_run(trained, dataset, out, metrics=METRICS, run_id="run-1")
    return out, parity


def scorer_of(trained, dataset) -> ModelScorer:
    return ModelScorer.of(trained.model, popularity_of(dataset, refit=trained.refitted))
