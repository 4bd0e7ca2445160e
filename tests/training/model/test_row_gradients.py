"""Row operations: their own gradients are those that autograd finds for the same sums written out densely."""

import pytest
import torch
from torch import Tensor

from training.model.row_gradients import LeaningRows, LeaningTable, UnitRows, WeightedSums, turned

ROWS, WIDTH = 7, 4
IDS = torch.tensor([1, 2, 5, 0, 3, 3, 6])
BOUNDS = torch.tensor([0, 2, 2, 3, 5, 6, 6, 7])
WEIGHTS = torch.tensor([0.5, 0.5, 1.0, 0.2, 0.8, 1.0, 0.4])
CHOSEN = torch.tensor([0, 3, 4])
CHOSEN_PAIRS = torch.tensor([0, 1, 3, 4, 5])


def dense() -> Tensor:
    """The pairs as a matrix: row n sums what its pairs point to."""
    matrix_NN = torch.zeros(ROWS, ROWS)
    for row in range(ROWS):
        for pair in range(int(BOUNDS[row]), int(BOUNDS[row + 1])):
            matrix_NN[row, IDS[pair]] += WEIGHTS[pair]
    return matrix_NN


def there_and_back() -> tuple[tuple[Tensor, ...], tuple[Tensor, ...]]:
    return (IDS, BOUNDS, WEIGHTS), turned(IDS, BOUNDS, WEIGHTS, items=ROWS)


def chosen_rows(table_ND: Tensor, lean: Tensor, *, sparse: bool) -> Tensor:
    bounds = torch.tensor([0, 2, 4, 5])
    return LeaningRows.apply(table_ND, lean, CHOSEN, IDS[CHOSEN_PAIRS], bounds, WEIGHTS[CHOSEN_PAIRS], sparse)


OPERATIONS = {
    "unit": (
        lambda table_ND, _: UnitRows.apply(table_ND),
        lambda table_ND, _: table_ND / table_ND.norm(dim=1, keepdim=True),
    ),
    "sums": (
        lambda table_ND, _: WeightedSums.apply(table_ND, *there_and_back()),
        lambda table_ND, _: dense() @ table_ND,
    ),
    "leaning table": (
        lambda table_ND, lean: LeaningTable.apply(table_ND, lean, *there_and_back()),
        lambda table_ND, lean: table_ND + lean * (dense() @ table_ND),
    ),
    "leaning rows": (
        lambda table_ND, lean: chosen_rows(table_ND, lean, sparse=False),
        lambda table_ND, lean: (table_ND + lean * (dense() @ table_ND))[CHOSEN],
    ),
    "leaning rows, sparse": (
        lambda table_ND, lean: chosen_rows(table_ND, lean, sparse=True),
        lambda table_ND, lean: (table_ND + lean * (dense() @ table_ND))[CHOSEN],
    ),
}


@pytest.mark.parametrize(("own", "plain"), OPERATIONS.values(), ids=OPERATIONS)
def test_values_and_gradients_are_those_of_the_dense_sums(own, plain):
    found = []
    for operation in (own, plain):
        torch.manual_seed(0)
        table_ND, lean = torch.randn(ROWS, WIDTH, requires_grad=True), torch.tensor(0.5, requires_grad=True)
        out = operation(table_ND, lean)
        (out * torch.randn(out.shape)).sum().backward()
        table_grad = table_ND.grad.to_dense() if table_ND.grad.is_sparse else table_ND.grad
        found.append((out.detach(), table_grad, torch.zeros(()) if lean.grad is None else lean.grad))
    for mine, expected in zip(*found, strict=True):
        torch.testing.assert_close(mine, expected)
