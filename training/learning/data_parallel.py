"""DDP as tillside uses it: the gradient of all processes' batches, the same to the bit for a run that was resumed.

Surprising: torch orders the gradients' buffer anew after the first step of every start, and a ring adds the shares of
three processes or more in an order that depends on the place in the buffer. So on processors these are added in double
precision, where the order does not matter once the sum is rounded; two shares have only one order. Between GPUs, whose
own sums differ from run to run, nothing is added twice as wide.
"""

from inspect import signature
from typing import Any

import torch
from pytorch_lightning.strategies import DDPStrategy
from torch import Tensor
from torch.distributed import GradBucket
from torch.futures import Future
from torch.nn.parallel import DistributedDataParallel


class DataParallel(DDPStrategy):
    """Lightning's DDP; buffers are not sent before each step, since no step changes them.

    An item's companions are buffers, and larger than the model.
    """

    def __init__(self) -> None:
        renamed = "forward_sync_buffers" in signature(DistributedDataParallel).parameters  # in torch 2.13
        super().__init__(**{"forward_sync_buffers" if renamed else "broadcast_buffers": False})

    def configure_ddp(self) -> None:
        """Wrap the module; Lightning itself registers hooks on GPUs alone."""
        super().configure_ddp()
        assert isinstance(self.model, DistributedDataParallel)
        if self.root_device.type == "cpu" and self.world_size > 2:
            self.model.register_comm_hook(self.model.process_group, mean_in_any_order)


def mean_in_any_order(group: Any, bucket: GradBucket) -> Future[Tensor]:
    """DDP's communication hook: the mean of a buffer of gradients over the processes."""
    gradients, world = bucket.buffer(), torch.distributed.get_world_size(group)
    wide = gradients if gradients.is_sparse else gradients.double()
    added = torch.distributed.all_reduce(wide, group=group, async_op=True).get_future()

    def mean(done: Future[list[Tensor]]) -> Tensor:
        (total,) = done.value()
        return (total / world).to(gradients.dtype)

    return added.then(mean)
