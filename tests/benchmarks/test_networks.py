"""The plain networks: they stand where the model stands, never look ahead, and learn what a pair of items teaches."""

from pathlib import Path

import numpy as np
import pytest
import torch

from benchmarks.networks import (
    ENCODERS,
    PlainItems,
    PlainModel,
    Settings,
    Size,
    train_network,
    validation_curve,
    without_attributes,
)
from tests.datasets import make_dataset
from tillside.encoding.spec import EncodingSpec
from training.evaluation.run import cases_to_judge
from training.inputs.cases import make_cases
from training.settings.trainer import TrainerConfig

SIZE = Size(dim=8, layers=2, heads=2, max_length=6)
ITEMS = 12


def make_network(name: str) -> PlainModel:
    torch.manual_seed(0)
    return PlainModel(ITEMS, SIZE, ENCODERS[name](SIZE, 0.5)).eval()


def hidden(model: PlainModel, items_BL: torch.Tensor) -> torch.Tensor:
    zeros_BL = torch.zeros_like(items_BL)
    return model.encoder.trunk(model.items()[items_BL], zeros_BL, zeros_BL)


@pytest.mark.parametrize("name", sorted(ENCODERS))
def test_no_hidden_state_sees_what_follows_and_each_sees_what_came_before(name):
    model = make_network(name)
    items_BL = torch.tensor([[1, 2, 3, 4]])
    later, earlier = items_BL.clone(), items_BL.clone()
    later[0, 2], earlier[0, 0] = 9, 9
    before_BLD = hidden(model, items_BL)
    torch.testing.assert_close(hidden(model, later)[:, :2], before_BLD[:, :2])
    assert (hidden(model, later)[:, 2:] - before_BLD[:, 2:]).abs().amax(dim=2).min() > 1e-4
    assert (hidden(model, earlier) - before_BLD).abs().amax(dim=2).min() > 1e-4


@pytest.mark.parametrize("name", sorted(ENCODERS))
def test_the_query_is_that_of_the_last_event_and_padding_changes_nothing(name):
    model = make_network(name)
    items_BL, ask_B = torch.tensor([[1, 2, 0, 0], [3, 4, 5, 6]]), torch.zeros(2, dtype=torch.int64)
    zeros_BL = torch.zeros_like(items_BL)
    query_BD, intent_B = model.encoder(model.items()[items_BL], zeros_BL, zeros_BL, torch.tensor([2, 4]), ask_B)
    torch.testing.assert_close(query_BD[0], hidden(model, items_BL[:1, :2])[0, -1])
    torch.testing.assert_close(query_BD[1], hidden(model, items_BL)[1, -1])
    assert intent_B.isnan().all()  # no such head, and none is claimed


def test_rows_of_the_plain_table_are_its_weights_at_any_length():
    table = PlainItems(4, 3)
    torch.testing.assert_close(table.trained(torch.tensor([2, 0])), table.item.weight[[2, 0]])
    torch.testing.assert_close(table.trained(), table.item.weight)
    torch.testing.assert_close(table(), table.item.weight)


def test_without_attributes_only_trained_items_can_be_ranked_and_seen(tmp_path: Path):
    """Item 2 is cold: a brand is all that is known of it. No network has a vector for it, as target or in a prefix."""
    rows = {"train": [[0, 1]], "validation": [[0, 2, 1]], "test": [[2, 0]]}
    dataset = make_dataset(tmp_path / "d", **rows, trained=2, newcomers=1, tokens=[["brand=a"]] * 3)
    plain = without_attributes(dataset)
    assert (dataset.catalogue.rankable, plain.catalogue.rankable) == (3, 2)
    cases = cases_to_judge(plain, EncodingSpec(max_length=6))
    assert (len(cases), cases.targets_C.tolist()) == (1, [0])
    assert cases.batch(np.array([0])).lengths_B.tolist() == [0]


def test_the_curve_counts_training_seconds_alone():
    # 100 targets at 50 a second, then at 25: 2 s, and 4 s more
    history = [
        {
            "epoch": 0,
            "train/events_per_second": 50.0,
            "val/recall@20": 0.3,
            "val/mrr@20": 0.1,
            "train/epoch_seconds": 9,
        },
        {
            "epoch": 1,
            "train/events_per_second": 25.0,
            "val/recall@20": 0.4,
            "val/mrr@20": 0.2,
            "train/epoch_seconds": 9,
        },
    ]
    assert validation_curve(history, targets=100) == [
        {"epoch": 0, "seconds": 2.0, "recall@20": 0.3, "mrr@20": 0.1},
        {"epoch": 1, "seconds": 6.0, "recall@20": 0.4, "mrr@20": 0.2},
    ]


@pytest.mark.parametrize("name", sorted(ENCODERS))
def test_a_network_learns_what_follows_what(tmp_path: Path, name: str):
    """After item n always comes n + 1; of twelve items, guessing gives an mrr of .26."""
    rows = [[(start + step) % ITEMS for step in range(4)] for start in range(ITEMS)]
    dataset = make_dataset(tmp_path / "circle", train=rows * 12, validation=rows, test=rows, trained=ITEMS)
    fitted = train_network(
        name,
        Settings(learning_rate=1e-2, dropout=0.0),
        dataset,
        size=SIZE,
        spec=EncodingSpec(max_length=6),
        config=TrainerConfig(max_epochs=20, batch_events=32, patience=20, progress_bar=False),
        seed=0,
    )
    assert fitted.mrr > 0.9
    cases = make_cases(dataset.part("test"), rule="every", spec=EncodingSpec(max_length=6), items=ITEMS, goal=2)
    scores_BV = fitted.scorer.score(cases.batch(np.array([1])), np.array([0]))
    assert np.isneginf(scores_BV[0]).sum() == 2  # nobody in a circle returns, so what was seen is left out
    assert [point["epoch"] for point in fitted.curve] == list(range(20))
