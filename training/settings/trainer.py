"""Duration, batch size and hardware of training: the group ``trainer``."""

from dataclasses import dataclass
from enum import Enum

MOST = 1024
"""Devices, machines and threads."""


class Precision(Enum):
    """Arithmetic of the trunk; the softmax is always fp32."""

    auto = "auto"
    fp32 = "fp32"
    bf16 = "bf16"


@dataclass
class TrainerConfig:
    """Duration, batch size and hardware of training."""

    max_epochs: int | None = None
    """Default: 8 * (700,000 / targets) ** 0.4, between 3 and 60; a third of that, and at least 2, on a warm start from
    another model's weights."""
    batch_events: int | None = None
    """Events of a batch, padding included. Default: such that an epoch has about 400 batches, between 256 and 2,048."""
    patience: int = 5
    """Epochs without a better val/mrr@20 before early stopping. Learning-rate decay gains most in the last epochs, and
    until then the metric fluctuates."""
    validation_cases: int = 20_000
    """About so many cases of the validation part are ranked after each epoch."""
    refit: bool = True
    """Retrain at the end, for the best number of epochs, on the validation part too: the newest sessions predict the
    next ones best."""
    checkpoint_minutes: float = 5.0
    """A point to resume from is written at the start of each epoch and every so many minutes within one."""
    checkpoint_batches: int | None = None
    """And every so many batches. null: by time alone."""
    precision: Precision = Precision.auto
    """auto: bf16 where ``accelerator`` comes to a GPU that has it, fp32 elsewhere; on CPUs without AMX bf16 is slower.
    Whatever is chosen, sessions are ranked and bundles made in fp32."""
    accelerator: str = "auto"
    """Where Lightning trains: auto (a GPU if there is one), cpu, gpu, mps."""
    devices: int = 1
    """Devices of a machine, with a process each; torchrun starts them."""
    nodes: int = 1
    """Machines, each with ``devices`` devices."""
    threads: int | None = None
    """Threads of torch in each process. Default: OMP_NUM_THREADS where it is set, else as many of the idle cores as
    make training faster, tried out on a few batches; the run's config keeps the number."""
    progress_bar: bool = True
    """Show a bar of each epoch's batches."""

    def __post_init__(self) -> None:
        for name in (
            "max_epochs",
            "batch_events",
            "patience",
            "validation_cases",
            "checkpoint_batches",
            "devices",
            "nodes",
            "threads",
        ):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise ValueError(f"trainer.{name} must be at least 1, got {value}")
        for name in ("devices", "nodes", "threads"):
            value = getattr(self, name)
            if value is not None and value > MOST:
                raise ValueError(f"trainer.{name} must be at most {MOST}, got {value}")
        if not self.checkpoint_minutes >= 0:
            raise ValueError(f"trainer.checkpoint_minutes must be 0 or more, got {self.checkpoint_minutes}")
