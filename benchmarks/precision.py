"""What bf16 costs in quality: runs of one seed in bf16 and in fp32, ranked on the same test part; a system of
``benchmarks.processes``.
"""

import argparse
import json
import statistics
from pathlib import Path
from typing import Any, Final

from benchmarks.stages import run_stage
from training.evaluation.run import MODEL
from training.evaluation.tables import METRICS_FILE
from training.settings.trainer import Precision

LOG: Final = "simulated"
SYSTEM: Final = "bf16"
EPOCHS: Final = 6
SEEDS: Final = 3
ARITHMETICS: Final = (Precision.fp32, Precision.bf16)
Row = dict[str, Any]


def bf16(dataset: Path, work: Path, given: argparse.Namespace, *, seeds: int = SEEDS) -> list[Row]:
    """Train in both arithmetics, once for each seed; recall@20 on the test part of bf16 over that of fp32."""
    recalls = {
        arithmetic: [recall(dataset, work, arithmetic, seed=seed) for seed in range(seeds)]
        for arithmetic in ARITHMETICS
    }
    return rows(recalls[Precision.fp32], recalls[Precision.bf16])


def recall(dataset: Path, work: Path, arithmetic: Precision, *, seed: int) -> float:
    """recall@20 of a run's model on the test part."""
    runs = work / f"{arithmetic.value}-{seed}"
    settings = [f"dataset={dataset}", f"seed={seed}", f"trainer.max_epochs={EPOCHS}", f"tracking.runs={runs}"]
    settings += ["export=false", "trainer.accelerator=cpu", "trainer.progress_bar=false"]
    run_stage("training.train", *settings, f"trainer.precision={arithmetic.value}")
    metrics = json.loads((runs / "latest" / METRICS_FILE).read_text(encoding="utf-8"))
    return float(metrics["systems"][MODEL]["all"]["recall@20"]["value"])


def rows(fp32: list[float], half: list[float]) -> list[Row]:
    """The ratio of the means; and, as its interval, the least and the most that a pair of one seed has."""
    pairs = [mine / other for mine, other in zip(half, fp32, strict=True)]
    about = {"log": LOG, "system": SYSTEM, "seeds": len(pairs)}
    ratio = statistics.fmean(half) / statistics.fmean(fp32)
    return [
        about | {"metric": "recall_ratio", "value": ratio, "low": min(pairs), "high": max(pairs)},
        about | {"metric": "recall@20", "value": statistics.fmean(half)},
        about | {"system": "fp32", "metric": "recall@20", "value": statistics.fmean(fp32)},
    ]
