"""The step that touches only a batch's rows of the item table: same gradients as over the whole table, exact resume."""

import copy
from dataclasses import replace

import numpy as np
import pytest
import torch

from tests.datasets import make_catalogue, make_sessions
from tests.models import CONFIG, SPEC, stir
from tillside.recommenders import Popularity
from training.inputs.batches import TrainingBatch
from training.learning.lightning_module import NextItemModule
from training.model.next_item import NextItemModel
from training.model.optimizer import AdamWithSparseRows, clip_gradients
from training.settings.loss import LossConfig, Softmax
from training.settings.optimizer import OptimizerConfig

ITEMS = 40
TOKENS = [[f"brand={item % 3}", *([f"colour={item % 2}"] if item % 5 else [])] for item in range(ITEMS)]


def make_module(*, pool: int = 6, tokens: list[list[str]] = TOKENS) -> NextItemModule:
    """A module of a catalogue that is larger than what a batch can touch; no dropout, so that steps compare."""
    torch.manual_seed(0)
    catalogue = make_catalogue(make_sessions([]), trained=ITEMS, tokens=tokens)
    config = replace(CONFIG, dropout=0.0, item_dropout=0.0, id_dropout=0.0, companions=2)
    met = make_sessions([[item, item + 1, item + 3] for item in range(ITEMS - 3)])
    model = NextItemModel(config, catalogue, behaviours=3, gap_buckets=SPEC.gap_buckets, sessions=met)
    stir(model, 0)
    counts = np.arange(1, ITEMS + 1)
    return NextItemModule(
        model,
        loss=LossConfig(softmax=Softmax.sampled, pool=pool, sparse_from_items=ITEMS),
        optimizer=OptimizerConfig(),
        counts_N=torch.from_numpy(counts),
        fallback=Popularity(counts.astype(np.float32)),
        intent=True,
    )


def make_batch(seed: int = 0) -> TrainingBatch:
    """Two rows of three events, the last one padding; the second row is asked for a purchase further on, too."""
    generator = torch.Generator().manual_seed(seed)

    def draw(high: int) -> torch.Tensor:
        return torch.randint(0, high, (2, 3), generator=generator)

    learn_BL = torch.tensor([[True, True, True], [True, True, False]])
    sessions = (draw(12), draw(3), draw(SPEC.gap_buckets), draw(12), draw(3), draw(2).bool(), learn_BL, learn_BL)
    ahead = (torch.tensor([1]), torch.tensor([2]), torch.tensor([[7, 7, 0]]), torch.tensor([[3, 2, 0]]))
    return TrainingBatch(*sessions, torch.tensor([1.0, 0.5]), *ahead)


def gradients(module: NextItemModule, batch: TrainingBatch, *, seed: int = 0) -> tuple[float, dict[str, torch.Tensor]]:
    module.zero_grad()
    torch.manual_seed(seed)
    next_item, intent = module.losses(batch)
    (next_item + intent).backward()
    return next_item.item(), {name: parameter.grad for name, parameter in module.named_parameters()}


def over_the_whole_table(module: NextItemModule) -> NextItemModule:
    """The same module, but every vector is computed and every row has a gradient."""
    dense = copy.deepcopy(module)
    table = dense.model.items
    table.item.sparse = False
    whole = table.trained
    table.trained = lambda rows_R: whole()[rows_R]
    return dense


@pytest.mark.parametrize("tokens", [TOKENS, []], ids=["attributes", "no attributes"])
def test_chosen_rows_are_those_of_the_whole_table(tokens):
    table = make_module(tokens=tokens).model.items
    rows_R = torch.tensor([39, 0, 5, 5, 10, 1])
    torch.testing.assert_close(table.trained(rows_R), table.trained()[rows_R])


@pytest.mark.parametrize("tokens", [TOKENS, []], ids=["attributes", "no attributes"])
def test_loss_and_gradients_are_those_over_the_whole_table(tokens):
    sparse, batch = make_module(tokens=tokens), make_batch()
    dense = over_the_whole_table(sparse)
    value, found = gradients(sparse, batch)
    expected_value, expected = gradients(dense, batch)
    rows = found["model.items.item.weight"]
    touched = rows.coalesce().indices()[0]
    assert rows.is_sparse
    assert len(touched) < ITEMS
    assert torch.isin(batch.items_BL, touched).all()
    assert value == pytest.approx(expected_value, rel=1e-6)
    for name, grad in expected.items():
        dense_grad = found[name].to_dense() if found[name].is_sparse else found[name]
        torch.testing.assert_close(dense_grad, grad, rtol=1e-4, atol=1e-5)


def test_clipping_takes_the_norm_over_dense_and_sparse_gradients():
    # rows 2 (drawn twice: 1 + 2 = 3) and the dense 4: norm 5, so at most 1 leaves 3/5 and 4/5
    table, other = torch.nn.Parameter(torch.zeros(4, 1)), torch.nn.Parameter(torch.zeros(1))
    table.grad = torch.sparse_coo_tensor([[2, 2]], [[1.0], [2.0]], (4, 1), check_invariants=True)
    other.grad = torch.tensor([4.0])
    clip_gradients([table, other, torch.nn.Parameter(torch.zeros(3))], 1.0)
    torch.testing.assert_close(table.grad.to_dense().flatten(), torch.tensor([0, 0, 0.6, 0]))
    torch.testing.assert_close(other.grad, torch.tensor([0.8]))
    clip_gradients([table, other], 2.0)  # already shorter
    torch.testing.assert_close(other.grad, torch.tensor([0.8]))


def make_optimizer(table: torch.nn.Parameter, other: torch.nn.Parameter) -> AdamWithSparseRows:
    dense = torch.optim.AdamW([other], lr=0.1, weight_decay=0.0, fused=True)
    return AdamWithSparseRows(dense, torch.optim.SparseAdam([table], lr=0.1))


def take_steps(table, other, optimizer, schedule, first: int, last: int) -> None:
    for step in range(first, last):
        optimizer.zero_grad()
        rows = torch.tensor([step % 3, 3])
        loss = torch.nn.functional.embedding(rows, table, sparse=True).pow(2).sum() + (other - step).pow(2).sum()
        loss.backward()
        optimizer.step()
        schedule.step()


def fresh():
    table, other = torch.nn.Parameter(torch.linspace(1, 2, 10).view(5, 2)), torch.nn.Parameter(torch.ones(2))
    optimizer = make_optimizer(table, other)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: 1 / (1 + step))
    return table, other, optimizer, schedule


def test_first_step_by_hand_and_untouched_rows_stand_still():
    # Adam's first step is the learning rate, whatever the gradient's length; both have 0.1
    table, other, optimizer, schedule = fresh()
    before = table.detach().clone()
    take_steps(table, other, optimizer, schedule, 0, 1)
    torch.testing.assert_close(before[[0, 3]] - table[[0, 3]], torch.full((2, 2), 0.1))
    assert torch.equal(table[[1, 2, 4]], before[[1, 2, 4]])
    torch.testing.assert_close(other, torch.full((2,), 0.9))
    assert [group["lr"] for group in optimizer.param_groups] == [0.05, 0.05]  # the schedule reaches both


def test_state_saved_and_loaded_between_steps_changes_no_bit():
    unbroken, stopped, resumed = fresh(), fresh(), fresh()
    take_steps(*unbroken, 0, 7)
    take_steps(*stopped, 0, 4)
    with torch.no_grad():
        for mine, saved in zip(resumed[:2], stopped[:2], strict=True):
            mine.copy_(saved)
    for mine, saved in zip(resumed[2:], stopped[2:], strict=True):
        mine.load_state_dict(copy.deepcopy(saved.state_dict()))
    take_steps(*resumed, 4, 7)
    assert torch.equal(resumed[0], unbroken[0])
    assert torch.equal(resumed[1], unbroken[1])
