"""The processes that train one model together, a device each, and how the first of them decides for all.

Surprising: a decision may take the first one hours (the blend, the store's answer), so the others wait for it on a
group of their own, with all the time in the world. Should the first one die instead, its connections end and so do
they; the group that trains keeps torch's timeout, by which a broken network is found.
"""

import contextlib
import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final, TypeVar

import torch
from pytorch_lightning.plugins.environments import (
    ClusterEnvironment,
    LSFEnvironment,
    MPIEnvironment,
    SLURMEnvironment,
    TorchElasticEnvironment,
)

from training.settings.trainer import TrainerConfig

T = TypeVar("T")
PATIENCE: Final = timedelta(days=7)
"""How long the other processes wait for the first one's word."""
BAD_INPUT: Final = 2
"""Exit code of a process whose first one has told the reader what is wrong."""
SCHEDULERS: Final = (SLURMEnvironment, LSFEnvironment, MPIEnvironment)


@dataclass(frozen=True)
class Processes:
    """This process among those that train together; by default it is alone.

    Attributes:
        rank: number of this process; 0 is the first, which alone chooses, records and judges.
        world: number of all.
    """

    rank: int = 0
    world: int = 1
    _waiting: Any = field(default=None, repr=False)
    """The group on which the others wait for the first."""

    @property
    def leads(self) -> bool:
        """Whether this is the first process."""
        return self.rank == 0

    def from_first(self, decide: Callable[[], T]) -> T:
        """What ``decide`` returns in the first process, in all of them; only there it is called.

        Raises:
            Exception: the first process's own, there.
            SystemExit: in the others, where the first one raised an exception.
        """
        if self.world == 1:
            return decide()
        said: list[Any] = [None, False]
        failure: Exception | None = None
        if self.leads:
            try:
                said = [decide(), True]
            except Exception as error:
                failure = error
        torch.distributed.broadcast_object_list(said, src=0, group=self._waiting)
        if failure is not None:
            raise failure
        if not said[1]:
            sys.exit(BAD_INPUT)
        decided: T = said[0]
        return decided

    def all(self, here: bool) -> bool:
        """Whether it is so in each of the processes."""
        if self.world == 1:
            return here
        there = [False] * self.world
        torch.distributed.all_gather_object(there, here, group=self._waiting)
        return all(there)

    def refuse_others_than(self, config: TrainerConfig) -> None:
        """Check that as many processes were started as train.

        Raises:
            ValueError: they are not as many as the config has devices.
        """
        asked = config.devices * config.nodes
        if asked != self.world:
            there = "one was started" if self.world == 1 else f"{self.world} were started"
            line = f"torchrun --nproc-per-node {config.devices} -m training.train ..." if asked > 1 else "no torchrun"
            raise ValueError(
                f"trainer.devices={config.devices} on trainer.nodes={config.nodes} needs {asked} process(es), "
                f"and {there}; start as many ({line}), or give trainer.devices as many as there are"
            )

    def leave(self) -> None:
        """End what they have in common; what follows is done by each alone."""
        if self.world > 1 and torch.distributed.is_initialized():
            torch.distributed.destroy_process_group()


ALONE: Final = Processes()


@contextlib.contextmanager
def joined(config: TrainerConfig) -> Iterator[Processes]:
    """The processes that were started together, as one group until they leave it or the block ends."""
    environment = started_by(config)
    if environment is None or environment.world_size() == 1:
        yield ALONE
        return
    rank, world = environment.global_rank(), environment.world_size()
    os.environ["MASTER_ADDR"], os.environ["MASTER_PORT"] = environment.main_address, str(environment.main_port)
    torch.distributed.init_process_group(backend_of(config), rank=rank, world_size=world)
    waiting = torch.distributed.new_group(backend="gloo", timeout=PATIENCE)
    processes = Processes(rank, world, waiting)
    try:
        yield processes
    finally:
        processes.leave()


def refuse_several(config: TrainerConfig, what: str) -> None:
    """Check that a stage which several processes would each do in full is done by one.

    Args:
        what: the stage, as a sentence begins.

    Raises:
        ValueError: several were started, or are asked for.
    """
    environment = started_by(config)
    started = 1 if environment is None else environment.world_size()
    several = max(started, config.devices * config.nodes)
    if several > 1:
        raise ValueError(
            f"{what} runs in one process, got {several} (torchrun, or trainer.devices={config.devices} on "
            f"trainer.nodes={config.nodes}); only training.train without -m trains in several"
        )


def started_by(config: TrainerConfig) -> ClusterEnvironment | None:
    """What started several processes: torchrun, or the cluster's scheduler where several devices are asked for.

    A scheduler's variables are also set in a job that starts a single process.
    """
    if TorchElasticEnvironment.detect():
        return TorchElasticEnvironment()
    if config.devices * config.nodes > 1:
        return next((kind() for kind in SCHEDULERS if kind.detect()), None)
    return None


def backend_of(config: TrainerConfig) -> str:
    """What carries their messages: NCCL between GPUs that will be used, and gloo for all that lies in memory."""
    gpus = config.accelerator in ("auto", "gpu", "cuda") and torch.cuda.is_available()
    return "cpu:gloo,cuda:nccl" if gpus else "gloo"
