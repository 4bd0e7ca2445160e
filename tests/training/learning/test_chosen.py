"""What followed from the log is told to the run: the derived settings, the chosen blend, and its validation figures."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.datasets import make_dataset, make_sessions, random_rows
from tests.models import SPEC
from tillside.dataset import Dataset
from tillside.recommenders import Neighbourhood, SessionNeighbours
from tillside.recommenders.blend import Blend, SessionMemory
from training.inputs.cases import make_cases
from training.learning.chosen import chosen_settings, validated
from training.learning.training_setup import TrainingSetup
from training.settings.model import ModelConfig
from training.settings.train import TrainConfig
from training.settings.trainer import TrainerConfig

pytestmark = pytest.mark.usefixtures("one_thread")
ITEMS = 6


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    folder: Path = tmp_path_factory.mktemp("chosen")
    rows = random_rows(30, items=ITEMS, seed=1)
    return make_dataset(folder / "d", train=rows[:20], validation=rows[20:25], test=rows[25:], trained=ITEMS)


def test_settings_that_follow_from_the_log_are_those_that_are_trained_with(dataset: Dataset) -> None:
    """What the config sets is told as it is; six items met often keep less than the full dropout of 0.3."""
    trainer = TrainerConfig(max_epochs=3, progress_bar=False)
    model = ModelConfig(dim=8, layers=1, heads=2, max_length=8, item_dropout=0.125)
    setup = TrainingSetup.prepare(TrainConfig(model=model, trainer=trainer), dataset)
    derived = setup.derived()["derived"]
    assert derived["model"] == {"dropout": setup.model.dropout, "item_dropout": 0.125}
    assert 0 < derived["model"]["dropout"] <= 0.3
    assert derived["trainer"] == {"batch_events": 256, "max_epochs": 3, "precision": "fp32"}  # 256 is the least
    assert derived["loss"] == {"softmax": "full", "recency": setup.neighbourhood.age_decay}
    assert derived["validated_on_repeats"] is True


def test_the_chosen_blend_is_told_by_behaviour(dataset: Dataset) -> None:
    near = Neighbourhood(item_decay=2.0, age_decay=1.0, reach=0.25)
    index = SessionNeighbours.fit(dataset.part("train"), items=ITEMS, settings=near)
    blend = Blend((0.5, 1.0, 0.0), 0.01, ((0.0, 2.0), (-1.0, 0.5), (0.0, 0.0)), earlier=(0.0, 0.5, 3.0))
    told = chosen_settings(SessionMemory.of(index, blend, None), [0.1, 0.0, 0.2], dataset)["derived"]
    assert told["neighbours"] == {"item_decay": 2.0, "age_decay": 1.0, "reach": 0.25}
    assert told["blend"] == {
        "floor": 0.01,
        "click": {"weight": 0.5, "repeats": "0/2", "trend": 0.1, "earlier": 0.0},
        "cart": {"weight": 1.0, "repeats": "-1/0.5", "trend": 0.0, "earlier": 0.5},
        "purchase": {"weight": 0.0, "repeats": "0/0", "trend": 0.2, "earlier": 3.0},
    }
    plain = SessionMemory.of(index, replace(blend, earlier=()), None)
    assert chosen_settings(plain, [0.0] * 3, dataset)["derived"]["blend"]["cart"].keys() == {
        "weight",
        "repeats",
        "trend",
    }


class Counting:
    """Item ``n`` scores ``-n``: the target's rank is its index plus one."""

    def score(self, batch: object, ask_B: np.ndarray) -> np.ndarray:
        return np.tile(-np.arange(ITEMS, dtype=np.float32), (len(ask_B), 1))


def test_validated_figures_are_means_over_the_cases() -> None:
    """Targets 1 and 3 are at ranks 2 and 4: recall 1, MRR (1/2 + 1/4) / 2, NDCG (1 / log2 3 + 1 / log2 5) / 2."""
    cases = make_cases(make_sessions([[0, 1], [0, 3]]), rule="last", spec=SPEC, items=ITEMS, goal=2)
    assert validated(Counting(), cases, items=ITEMS) == pytest.approx(
        {
            "val/blend/recall@20": 1.0,
            "val/blend/mrr@20": 0.375,
            "val/blend/ndcg@20": (1 / np.log2(3) + 1 / np.log2(5)) / 2,
        }
    )
