"""The mean of gradients over processes, whatever order they are added in."""

from types import SimpleNamespace
from typing import Any

import pytest
import torch

from training.learning import data_parallel
from training.learning.data_parallel import DataParallel, mean_in_any_order

TINY = 2.0**-24
"""Half of the last place of 1 in single precision: 1 + TINY is 1 there, and 1 + 2 TINY is not."""


@pytest.mark.parametrize("order", [(1.0, TINY, TINY), (TINY, TINY, 1.0), (TINY, 1.0, TINY)])
def test_a_sum_does_not_depend_on_its_order(monkeypatch: pytest.MonkeyPatch, order: tuple[float, ...]) -> None:
    """In single precision the first order gives 1 / 3, the second (1 + 2 TINY) / 3."""

    def all_reduce(mine: torch.Tensor, *, group: object, async_op: bool) -> Any:
        total = torch.tensor([order[0]], dtype=mine.dtype)
        for each in order[1:]:
            total = total + torch.tensor([each], dtype=mine.dtype)
        future: torch.futures.Future[list[torch.Tensor]] = torch.futures.Future()
        future.set_result([total])
        return SimpleNamespace(get_future=lambda: future)

    monkeypatch.setattr(data_parallel.torch.distributed, "all_reduce", all_reduce)
    monkeypatch.setattr(data_parallel.torch.distributed, "get_world_size", lambda group: 3)
    bucket: Any = SimpleNamespace(buffer=lambda: torch.tensor([order[0]]))
    mean = mean_in_any_order("group", bucket).wait()
    assert mean.dtype == torch.float32
    assert mean.item() == torch.tensor((1 + 2 * TINY) / 3, dtype=torch.float64).float().item()
    assert mean.item() != torch.tensor(1 / 3).item()


def test_buffers_stay_where_they_are() -> None:
    """No step changes them, so they are not sent before each."""
    assert [sent for name, sent in DataParallel()._ddp_kwargs.items() if "buffers" in name] == [False]
