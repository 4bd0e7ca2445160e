"""What fit and refit begin with: which sessions, which weights, which plan."""

import pytest
import torch

from tests.datasets import make_dataset, make_sessions, random_rows
from tests.training.learning.test_recipe import ITEMS, config
from tillside.dataset import Dataset
from training.learning.training_setup import TrainingSetup, repeat_share
from training.settings.model import ModelConfig
from training.settings.train import TrainConfig
from training.settings.trainer import TrainerConfig

pytestmark = pytest.mark.usefixtures("one_thread")


def refit_of(dataset: Dataset, *, epochs: int) -> TrainingSetup:
    """What is trained once validation has chosen."""
    neighbourhood = TrainingSetup.prepare(config(), dataset).neighbourhood
    return TrainingSetup.build(config(), dataset, neighbourhood=neighbourhood, refit_epochs=epochs)


def sessions_of(rows) -> list[list[int]]:
    return [rows.encoded.items[start:end].tolist() for start, end in zip(rows.starts, rows.ends, strict=True)]


def test_the_refit_learns_from_the_validation_part_too(tmp_path):
    rows = {"train": [[0, 1, 2], [1, 0]], "validation": [[2, 0], [1, 2, 0]], "test": [[0, 2]]}
    dataset = make_dataset(tmp_path / "d", **rows, trained=3)
    fit = TrainingSetup.prepare(config(), dataset)
    assert sessions_of(fit.data.rows) == rows["train"]
    assert (fit.data.rows.targets, fit.epochs) == (3, 3)
    refit = refit_of(dataset, epochs=2)
    assert sessions_of(refit.data.rows) == rows["train"] + rows["validation"]
    assert (refit.data.rows.targets, refit.epochs) == (3 + 3, 2)
    assert len(refit.data.validation) == len(fit.data.validation) == 3


def test_by_leaving_one_out_no_event_is_learned_twice(tmp_path):
    """Each shopper's validation session is the training session and one event more."""
    rows = {"train": [[0, 1], [2, 0]], "validation": [[0, 1, 2], [2, 0, 1]], "test": [[0, 1, 2, 1]]}
    dataset = make_dataset(tmp_path / "d", **rows, trained=3, validation_cases="last", test_cases="last")
    refit = refit_of(dataset, epochs=1)
    assert sessions_of(refit.data.rows) == rows["validation"]
    assert refit.data.rows.targets == 4


def test_which_share_of_events_returns_to_an_item_of_its_session():
    assert repeat_share(make_sessions([[0, 1, 0, 0], [], [2], [3, 2]])) == 2 / 4
    assert repeat_share(make_sessions([[0, 1], [1, 0]])) == 0
    assert repeat_share(make_sessions([[], [5]])) == 0


def test_both_begin_with_the_same_weights(tmp_path):
    rows = {name: random_rows(20, items=ITEMS, seed=seed) for seed, name in enumerate(("train", "validation", "test"))}
    dataset = make_dataset(tmp_path / "d", **rows, trained=ITEMS)
    fit, refit = TrainingSetup.prepare(config(), dataset), refit_of(dataset, epochs=1)
    expected, found = dict(fit.module.named_parameters()), refit.module.state_dict()
    assert all(torch.equal(found[name], expected[name]) for name in expected)


def test_the_plan_counts_the_targets_that_training_has_and_the_refit_keeps_it(tmp_path):
    """6,000 sessions of two events have 12,000 events and 6,000 targets: 8 * (700,000 / 6,000) ** 0.4 = 53.7 epochs,
    not the 40.7 of 12,000. A refit with twice as many targets has the batches and the dropout that were validated."""
    rows = [[number % ITEMS, (number + 1) % ITEMS] for number in range(6_000)]
    dataset = make_dataset(tmp_path / "d", train=rows, validation=rows, test=rows[:9], trained=ITEMS)
    settings = TrainConfig(model=ModelConfig(dim=8, layers=1, heads=2, max_length=8), trainer=TrainerConfig(threads=1))
    setup = TrainingSetup.prepare(settings, dataset)
    assert dataset.catalogue.counts_NB.sum() == 12_000
    assert (setup.data.rows.targets, setup.epochs, setup.data.batch_events) == (6_000, 54, 256)
    assert setup.model.dropout == pytest.approx(0.3 * (20 * 6 / 6_000) ** 0.75)
    given = {"neighbourhood": setup.neighbourhood, "refit_epochs": 2}
    again = TrainingSetup.build(settings, dataset, targets=setup.data.rows.targets, **given)
    assert (again.data.rows.targets, again.epochs, again.data.batch_events) == (12_000, 2, 256)
    assert again.model.dropout == setup.model.dropout
