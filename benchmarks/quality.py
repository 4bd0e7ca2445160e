"""Ranking quality of the default recipe on real logs, beside its baselines: one table a log.

    python -m benchmarks.quality rees46 diginetica --data ../shared/data [--seeds 1]

Every figure comes from the commands a user would type, run as processes of their own, with no override but the paths
(and, for REES46, a support of 2, because the log at hand is three hours long).
"""

import argparse
import json
import resource
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.results import write_results
from training.tables import metrics_table, say

METRICS = [f"{name}@{k}" for name in ("recall", "mrr", "ndcg") for k in (5, 10, 20)]


@dataclass(frozen=True)
class BenchmarkLog:
    """A log to measure on: its title and how ``training.prepare`` reads it."""

    title: str
    prepare: tuple[str, ...]


LOGS = {
    "rees46": BenchmarkLog(
        "REES46, first hours of 2019-10-01",
        ("data=rees46", "data.path={data}/rees46_2019oct_head/events.csv.gz", "min_item_support=2"),
    ),
    "diginetica": BenchmarkLog(
        "Diginetica, the published split of SR-GNN and GCE-GNN",
        (
            "data=sessions_split",
            "data.train={data}/diginetica_gce/train_sessions.txt.gz",
            "data.test={data}/diginetica_gce/test_prefix_tab_target.txt.gz",
        ),
    ),
}


def main() -> None:
    """Measure each log and write its result files."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("logs", nargs="+", choices=sorted(LOGS))
    parser.add_argument("--data", type=Path, default=Path("../shared/data"), help="folder of the logs")
    parser.add_argument("--work", type=Path, default=Path("runs/benchmarks"), help="folder for data sets and runs")
    parser.add_argument("--seeds", type=int, default=1, help="train with seeds 0 to N - 1; figures are means")
    arguments = parser.parse_args()
    for name in arguments.logs:
        measure(name, arguments)


def measure(name: str, arguments: argparse.Namespace) -> None:
    """Prepare and train one log, print its table and write its files."""
    log, work = LOGS[name], arguments.work / name
    prepare = [part.format(data=arguments.data) for part in log.prepare]
    _run("training.prepare", *prepare, f"out={work}/dataset")
    documents, seconds, peaks = [], [], []
    for seed in range(arguments.seeds):
        started = time.monotonic()
        options = [f"dataset={work}/dataset", f"tracking.runs={work}/runs"]
        _run("training.train", *options, *([f"seed={seed}"] if seed else []), "trainer.progress_bar=false")
        seconds.append(time.monotonic() - started)
        peaks.append(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024)
        documents.append(json.loads((work / "runs/latest/metrics.json").read_text(encoding="utf-8")))
    rows = figures(name, documents)
    rows.append({"log": name, "system": "tillside", "metric": "train_s", "value": sum(seconds) / len(seconds)})
    rows.append({"log": name, "system": "tillside", "metric": "peak_mb", "value": max(peaks)})
    first = documents[0]
    notes = (
        f"{first['cases']:,} cases of {first['sessions']:,} sessions, the whole catalogue ranked, ties against us; "
        f"{first['unseen_target_share']:.1%} of the targets cannot be ranked and stay as misses. Intervals: "
        f"95 %, bootstrap over sessions (seed 0); seeds of training: {arguments.seeds}. train_s is the whole of "
        "`training.train`: training, evaluation, figures, export."
    )
    write_results(f"quality-{name}", rows, title=log.title, notes=notes)
    metrics_table(first, title=log.title)
    say(f"wrote benchmarks/results/quality-{name}.json and .md")


def figures(name: str, documents: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows of every system and metric: over all cases, and by behaviour where there are several."""
    rows = []
    for system, result in documents[0]["systems"].items():
        slices = {"": "all"} | ({f"{b}/": b for b in result["by_behaviour"]} if len(result["by_behaviour"]) > 1 else {})
        for prefix, place in slices.items():
            for metric in METRICS:
                found = [
                    d["systems"][system]["all"] if place == "all" else d["systems"][system]["by_behaviour"][place]
                    for d in documents
                ]
                mean = {key: sum(f[metric][key] for f in found) / len(found) for key in ("value", "low", "high")}
                rows.append(
                    {"log": name, "system": system, "metric": prefix + metric, "seeds": len(found)}
                    | {"cases": found[0]["cases"]}
                    | mean
                )
    if "intent" in documents[0]:
        auc = sum(d["intent"]["auc"] for d in documents) / len(documents)
        rows.append({"log": name, "system": "tillside", "metric": "intent_auc", "value": auc, "seeds": len(documents)})
    return rows


def _run(module: str, *arguments: str) -> None:
    command = [sys.executable, "-m", module, *arguments]
    say(f"$ python -m {module} {' '.join(arguments)}")
    subprocess.run(command, check=True)


if __name__ == "__main__":
    main()
