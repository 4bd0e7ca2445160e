"""How many threads torch computes with: as many as bring something, of the cores that stand idle when training starts.

A step of a small model is hundreds of operations on a few kilobytes each; a second thread then costs more than it
brings, and makes training depend on whatever else runs on the second core. So real steps are timed on one thread, on
two, on four, until twice as many no longer bring GAIN. Surprising: sums are rounded in another order on another number
of threads, so the choice is part of a run's config (``trainer.threads``), and a resumed run computes on as many.
"""

import statistics
import time
from collections.abc import Callable
from typing import Final

import torch

from tillside.cores import idle_cores, threads_of_user, usable_cores
from training.inputs.batches import TrainingBatch, TrainingLoader
from training.inputs.datamodule import SessionData
from training.learning.accelerator import autocast, device_type
from training.learning.lightning_module import NextItemModule
from training.settings.trainer import TrainerConfig

GAIN: Final = 1.25
"""Speed-up by twice as many threads, from which they are used."""
ROUNDS: Final = 5
BATCHES: Final = 4
"""Batches of a round; all rounds take the same ones."""
SECONDS: Final = 1.0
"""Wall-clock time of a round, after which it takes no further batch."""


def choose_threads(config: TrainerConfig, module: NextItemModule, data: SessionData) -> int:
    """The config's number of threads, else the user's OMP_NUM_THREADS, else what this machine gives and is worth it.

    With several processes the usable cores are divided among those of this machine, and with a GPU all are used:
    neither is timed. Weights, gradients and random state are left as they were.
    """
    given = config.threads or threads_of_user()
    if given is not None:
        return given
    if config.devices * config.nodes > 1:
        return max(1, usable_cores() // config.devices)
    if device_type(config.accelerator) != "cpu":
        return usable_cores()
    most = idle_cores()
    return 1 if most == 1 else worthwhile(_timed_steps(config, module, data), most=most)


def worthwhile(seconds: Callable[[int], float], *, most: int) -> int:
    """The largest power of two, or ``most``, up to which each step of more threads brings GAIN.

    Args:
        seconds: of the same work on so many threads.
    """
    threads, best = 1, seconds(1)
    while threads < most:
        more = min(2 * threads, most)
        took = seconds(more)
        if best < GAIN * took:
            break
        threads, best = more, took
    return threads


def _timed_steps(config: TrainerConfig, module: NextItemModule, data: SessionData) -> Callable[[int], float]:
    """Median seconds of a few batches, forward and backward, on a number of threads."""
    loader = TrainingLoader(data.rows, budget=data.batch_events, seed=data.seed)
    batches = [batch for batch, _ in zip(loader, range(BATCHES), strict=False)]

    def seconds(threads: int) -> float:
        before = torch.get_num_threads()
        mode = module.training
        torch.set_num_threads(threads)
        module.train()
        try:
            with torch.random.fork_rng(devices=[]):
                _steps(config, module, batches[:1])  # starts the threads
                return statistics.median(_steps(config, module, batches) for _ in range(ROUNDS))
        finally:
            module.zero_grad(set_to_none=True)
            module.train(mode)
            torch.set_num_threads(before)

    return seconds


def _steps(config: TrainerConfig, module: NextItemModule, batches: list[TrainingBatch]) -> float:
    """Seconds of one batch, on average."""
    started, done = time.perf_counter(), 0
    for batch in batches:
        module.zero_grad(set_to_none=True)
        with autocast(config):
            next_item, intent = module.losses(batch)
        (next_item + module.loss.intent_weight * intent).backward()
        done += 1
        if time.perf_counter() - started > SECONDS:
            break
    return (time.perf_counter() - started) / done
