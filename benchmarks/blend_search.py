"""The search for the blend alone, timed: ``python -P benchmarks/blend_search.py DATASET``; prints seconds as JSON.

A script, not a module: an older checkout's Python runs it on the code of that checkout; -P keeps this folder, which has
a ``training.py`` too, off the module path. The model is not trained, which changes what is found and not how much there
is to search.
"""

import json
import sys
import time
from pathlib import Path

import training  # noqa: F401  sets the environment before torch is loaded

# isort: split
import torch

from tillside.dataset import load_dataset
from training.train import TrainConfig

try:
    from training.learning.recipe import choose
    from training.learning.training_setup import TrainingSetup
except ImportError:  # until November 2026 it was one module
    from training.learning import Lesson as TrainingSetup
    from training.learning import choose


def main(path: str) -> None:
    """Choose neighbours and blend for the data set."""
    dataset = load_dataset(Path(path))
    clocks = (time.monotonic, time.process_time)
    started = [clock() for clock in clocks]
    setup = TrainingSetup.prepare(TrainConfig(), dataset)
    setup.module.eval()
    with torch.no_grad():
        choose(setup, dataset)
    wall, cpu = (clock() - start for clock, start in zip(clocks, started, strict=True))
    print(json.dumps({"wall_s": wall, "cpu_s": cpu}))


if __name__ == "__main__":
    main(sys.argv[1])
