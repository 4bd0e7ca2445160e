"""What each part of the default recipe is worth: the recipe without it, or with another in its place, over some seeds.

    python -m benchmarks.ablation beauty --seeds 3 [--variants full no-companions]

Every variant is ``training.train`` with one override or two on the same prepared log. Two figures stand for each: what
validation saw of the Transformer while it was fitted (``val/mrr@20``), which the recipe is chosen by, and what the test
part says of the whole (``recall@20``, ``mrr@20``), which it is not. Variants not measured anew keep their rows.
"""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from statistics import mean, stdev
from typing import Any

from benchmarks.logs import LOGS
from benchmarks.results import RESULTS, read_rows, write_results
from benchmarks.stages import run_stage
from tillside.dataset import load_dataset
from training.cli.console import print_table, say
from training.evaluation.run import MODEL, TRANSFORMER
from training.evaluation.tables import METRICS_FILE
from training.inputs.visits import knows_visits
from training.learning.recipe import HISTORY_FILE
from training.settings.evaluate import Baseline

VARIANTS: dict[str, tuple[str, ...]] = {
    "full": (),
    "no-refit": ("trainer.refit=false",),
    "no-companions": ("model.companions=0",),
    "no-recency": ("loss.recency=0",),
    "no-look-ahead": ("loss.look_ahead=0",),
    "no-id-dropout": ("model.id_dropout=0",),
    "light-dropout": ("model.dropout=0.1", "model.item_dropout=0.2"),
    "heavy-dropout": ("model.dropout=0.3", "model.item_dropout=0.5"),
    "full-softmax": ("loss=full",),
    "sampled-softmax": ("loss=sampled",),
    "popular-negatives": ("loss=sampled", "loss.uniform_share=0.5"),
    "one-layer": ("model.layers=1",),
    "history": ("model.history=20",),
}
FIGURES = ("val/mrr@20", "recall@20", "mrr@20", "transformer/recall@20", "transformer/mrr@20", "train_s")
OPENINGS = {
    f"{table}/{metric}": (system, metric)
    for table, system in (("openings", MODEL), ("openings by popularity", Baseline.popularity.value))
    for metric in ("recall@20", "mrr@20")
}
"""For a model that reads earlier sessions: its and popularity's metrics on returning shoppers' first events."""

Row = dict[str, Any]


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure each variant on one log and write ``ablation-LOG``."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("log", choices=sorted(LOGS))
    parser.add_argument("--variants", nargs="+", choices=VARIANTS, metavar="VARIANT", help="default: all for the log")
    parser.add_argument("--seeds", type=int, default=3, help="train with seeds 0 to N - 1")
    parser.add_argument("--data", type=Path, default=Path("../shared/data"), help="folder of the logs")
    parser.add_argument("--work", type=Path, default=Path("runs/benchmarks"), help="folder for data sets and runs")
    given = parser.parse_args(arguments)
    log, work = LOGS[given.log], given.work / given.log
    dataset = work / "dataset"
    if log.simulate is not None:
        run_stage("training.simulate", *(part.format(work=work) for part in log.simulate))
    run_stage("training.prepare", *(part.format(data=given.data, work=work) for part in log.prepare), f"out={dataset}")
    known = knows_visits(load_dataset(dataset))
    given.variants = given.variants or [name for name in VARIANTS if name != "history" or known]
    rows: list[Row] = []
    for variant in given.variants:
        measured = [_measure(VARIANTS[variant], dataset, work / "ablation", seed=seed) for seed in range(given.seeds)]
        rows += rows_of(given.log, variant, measured)
    notes = (
        "A row is the default recipe with what its name says. Values are means over the seeds, ± their standard "
        "deviation where there are several. The log's own rules still decide the rest, so a variant that they would "
        "have taken anyway equals the full recipe. history: behind up to 20 events of the shopper's earlier sessions; "
        "openings are the first events of sessions whose shopper is known, which only such a model can be asked for."
    )
    kept = [row for row in read_rows(RESULTS / f"ablation-{given.log}.json") if row["system"] not in given.variants]
    ordered = sorted([*rows, *kept], key=lambda row: list(VARIANTS).index(row["system"]))
    write_results(f"ablation-{given.log}", ordered, title=f"Ablation: {log.title}", notes=notes)
    cells = {(row["system"], row["metric"]): f"{row['value']:.4g}" for row in rows}
    table = [[variant, *(cells[variant, figure] for figure in FIGURES)] for variant in given.variants]
    print_table(f"Ablation: {log.title}", ["variant", *FIGURES], table, numbers=FIGURES)
    say(f"wrote benchmarks/results/ablation-{given.log}.json and .md")


def rows_of(log: str, variant: str, measured: Sequence[dict[str, float]]) -> list[Row]:
    """One row per figure: the mean over the seeds and, with several of them, one standard deviation either side."""
    rows: list[Row] = []
    for figure in (*FIGURES, *OPENINGS):
        if figure not in measured[0]:
            continue
        values = [each[figure] for each in measured]
        row: Row = {"log": log, "system": variant, "metric": figure, "value": mean(values), "seeds": len(values)}
        if len(values) > 1:
            row |= {"low": mean(values) - stdev(values), "high": mean(values) + stdev(values)}
        rows.append(row)
    return rows


def _measure(overrides: Sequence[str], dataset: Path, runs: Path, *, seed: int) -> dict[str, float]:
    options = [f"dataset={dataset}", f"tracking.runs={runs}", f"seed={seed}", "trainer.progress_bar=false"]
    cost = run_stage("training.train", *overrides, *options, "export=false")
    systems = json.loads((runs / "latest" / METRICS_FILE).read_text(encoding="utf-8"))["systems"]
    history = json.loads((runs / "latest" / HISTORY_FILE).read_text(encoding="utf-8"))
    figures = {"val/mrr@20": max(epoch["val/mrr@20"] for epoch in history), "train_s": cost.seconds}
    for name, prefix in ((MODEL, ""), (TRANSFORMER, "transformer/")):
        figures |= {f"{prefix}{metric}": systems[name]["all"][metric]["value"] for metric in ("recall@20", "mrr@20")}
    for figure, (name, metric) in OPENINGS.items():
        if "openings" in systems[name]:
            figures[figure] = systems[name]["openings"][metric]["value"]
    return figures


if __name__ == "__main__":
    main()
