"""The training loop of ``training.train`` on one data set, timed: a process of its own, so that its peak memory is its.

    python -m benchmarks.loop --dataset DIR --seconds 60 --out FILE [--quality 0.15]

Module, data, batches and schedule are those of a real run's first fit; only the clock that ends it is added. Time in
validation is not counted, and what comes before the first batch (companions, the choice of a neighbourhood) is told
apart, as ``setup_seconds``. A useful event is a target that was learned; padding is none, and a later event that is
learned beside the next one is not counted again.
"""

# Shapes: B rows of a batch, L events of a row.

import argparse
import json
import resource
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import training  # noqa: F401  sets the environment before torch is loaded

# isort: split
import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import ModelCheckpoint
from torch.utils.flop_counter import FlopCounterMode

from tillside.atomic import write_text_atomically
from tillside.dataset import Dataset, load_dataset
from training.inputs.batches import TrainingBatch
from training.inputs.datamodule import SessionData
from training.learning.fit import make_trainer, quiet_lightning
from training.learning.lightning_module import NextItemModule
from training.learning.training_setup import TrainingSetup
from training.settings.train import TrainConfig
from training.settings.trainer import TrainerConfig

CLOCKS = {"wall": time.perf_counter, "cpu": time.process_time}
WARM_UP = 3
"""Batches before the clock starts: the first ones pay for memory allocation and kernel selection."""
LOOKS = 8
"""Validations per epoch when timing to a quality; on a small log one epoch is most of the way."""
COUNTED = 16
"""Batches whose floating-point operations (FLOPs) are counted."""
PEAK_SIZE = 1024


def added_product_flops(
    sum_shape: Sequence[int], left_shape: Sequence[int], right_shape: Sequence[int], **_: Any
) -> int:
    """FLOPs of ``sum += left @ right``."""
    return 2 * left_shape[0] * left_shape[1] * right_shape[1]


IN_PLACE = {torch.ops.aten.addmm_: added_product_flops}
"""Operators that torch's own FLOP counter leaves out."""


class Clock(pl.Callback):
    """Counts targets, sequences and steps against training time, and stops the training."""

    def __init__(self, *, seconds: float, quality: float | None, clock: str) -> None:
        self.limit, self.quality, self.now = seconds, quality, CLOCKS[clock]
        self.seconds, self.targets, self.sequences, self.steps = 0.0, 0, 0, 0
        self.curve: list[dict[str, float]] = []
        self._since: float | None = None
        self._batches = 0

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Start the clock at once when timing to a quality; a rate is taken after the warm-up."""
        if self.quality is not None:
            self._since = self.now()

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, outputs: Any, batch: TrainingBatch, batch_idx: int
    ) -> None:
        """Count the batch."""
        self._batches += 1
        if self._since is None:
            if self._batches >= WARM_UP:
                self._since = self.now()
            return
        self._pause()
        self.targets += int(batch.learn_BL.sum())
        self.sequences += len(batch.learn_BL)
        self.steps += 1
        if self.seconds >= self.limit:
            trainer.should_stop = True
        self._since = self.now()

    def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Record the validation metrics; the clock was stopped in the meantime."""
        assert self.quality is not None
        figures = {name: float(trainer.callback_metrics[f"val/{name}"]) for name in ("recall@20", "mrr@20")}
        self.curve.append({"step": trainer.global_step, "seconds": self.seconds} | figures)
        trainer.should_stop = trainer.should_stop or figures["mrr@20"] >= self.quality
        self._since = self.now()

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Leave out the time between two epochs."""
        if self._since is not None:
            self._since = self.now()

    def _pause(self) -> None:
        assert self._since is not None
        self.seconds += self.now() - self._since


def measure(dataset: Dataset, *, seconds: float, quality: float | None, clock: str, seed: int) -> dict[str, Any]:
    """Train for ``seconds``, or until validation mrr@20 reaches ``quality``; returns the account."""
    quiet_lightning()
    pl.seed_everything(seed, verbose=False)
    peak = peak_flops(clock)
    config = TrainConfig(seed=seed, trainer=TrainerConfig(progress_bar=False))
    started = CLOCKS[clock]()
    setup = TrainingSetup.prepare(config, dataset)
    setup_seconds = CLOCKS[clock]() - started
    module, data = setup.module, setup.data
    timed = Clock(seconds=seconds, quality=quality, clock=clock)
    callbacks: list[pl.Callback] = [timed] if quality is None else [timed, ModelCheckpoint(save_top_k=0)]
    trainer = make_trainer(
        config.trainer,
        epochs=setup.epochs,
        callbacks=callbacks,
        clip_norm=config.optimizer.clip_norm,
        validate=quality is not None,
    )
    if quality is not None:
        trainer.val_check_interval = 1 / LOOKS
    trainer.fit(module, data)
    assert data.loader is not None
    reached = [point["seconds"] for point in timed.curve if quality is not None and point["mrr@20"] >= quality]
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    per_target = flops_per_target(module, data)
    rate = timed.targets / max(timed.seconds, 1e-9)
    return {
        "softmax": module.softmax.value,
        "batch_events": data.batch_events,
        "setup_seconds": setup_seconds,
        "steps": timed.steps,
        "training_seconds": timed.seconds,
        "targets": timed.targets,
        "targets_per_second": rate,
        "sequences_per_second": timed.sequences / max(timed.seconds, 1e-9),
        "padding_share": data.loader.padding_share,
        "peak_mb": memory,
        "peak_gflops": peak / 1e9,
        "flops_per_target": per_target,
        "matmul_peak_share": rate * per_target / peak,
        "curve": timed.curve,
        "seconds_to_quality": reached[0] if reached else None,
    }


def peak_flops(clock: str) -> float:
    """FLOP/s of the fastest of twelve large fp32 matrix products, on as many threads as training has."""
    left, right = torch.randn(PEAK_SIZE, PEAK_SIZE), torch.randn(PEAK_SIZE, PEAK_SIZE)
    out, now = torch.empty(PEAK_SIZE, PEAK_SIZE), CLOCKS[clock]
    shortest = float("inf")
    for _ in range(12):
        started = now()
        torch.mm(left, right, out=out)
        shortest = min(shortest, now() - started)
    return 2 * PEAK_SIZE**3 / shortest


def flops_per_target(module: NextItemModule, data: SessionData) -> float:
    """FLOPs of a step's matrix products, forward and backward, per target learned."""
    loader = data.train_dataloader()
    module.train()
    operations, targets = 0, 0
    for batch, _ in zip(loader, range(COUNTED), strict=False):
        module.zero_grad()
        with FlopCounterMode(display=False, custom_mapping=IN_PLACE) as counter:
            next_item, intent = module.losses(batch)
            (next_item + intent).backward()
        operations += counter.get_total_flops()
        targets += int(batch.learn_BL.sum())
    return operations / max(targets, 1)


def main() -> None:
    """Entry point."""
    parser = argparse.ArgumentParser("python -m benchmarks.loop", description=__doc__)
    parser.add_argument("--dataset", type=Path, required=True)
    parser.add_argument("--seconds", type=float, required=True)
    parser.add_argument("--quality", type=float)
    parser.add_argument("--clock", choices=sorted(CLOCKS), default="wall")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, required=True)
    given = parser.parse_args()
    account = measure(
        load_dataset(given.dataset), seconds=given.seconds, quality=given.quality, clock=given.clock, seed=given.seed
    )
    write_text_atomically(given.out, json.dumps(account, indent=2) + "\n")


if __name__ == "__main__":
    main()
