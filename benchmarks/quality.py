"""Ranking quality of the default recipe beside its baselines: one table a log.

    python -m benchmarks.quality rees46 diginetica --data ../shared/data [--seeds 3]
    python -m benchmarks.quality beauty --systems item-knn sequential-rules
    python -m benchmarks.quality diginetica --merge peers.json

Every figure comes from the commands a user would type, each system in a process of its own, with no override but the
paths (and, for REES46, a support of 2, because the log at hand is three hours long). A table keeps the rows of the
systems that are not measured anew; they carry the command, date, machine and commit of their own.
"""

# Shapes: C cases.

import argparse
import json
import os
from collections.abc import Sequence
from dataclasses import asdict
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.logs import LOGS
from benchmarks.results import RESULTS, read_rows, write_results
from benchmarks.stages import Cost, run_stage
from tillside.atomic import write_text_atomically
from training.cli.console import print_table, say
from training.evaluation.case_ranks import OTHERS_RANKS, RANKS_FILE, Ranks
from training.evaluation.run import MODEL, NEIGHBOURS, TRANSFORMER
from training.evaluation.tables import METRICS_FILE
from training.learning.training_setup import RARE
from training.settings.evaluate import Baseline

METRICS = [f"{name}@{k}" for name in ("recall", "mrr", "ndcg") for k in (5, 10, 20)]
OTHER_NAMES = {"hr@10": "recall@10"}
"""Aliases under which papers report the same figures: with one target per case, hit rate equals recall."""
BASELINES = {baseline.value: baseline for baseline in Baseline}
NETWORKS = ("gru", "sasrec")
PEERS = ("rectools-sasrec", "rectools-ligr", "replay-sasrec")
SYSTEMS = (MODEL, *BASELINES, *NETWORKS, *PEERS)
PARTS = (TRANSFORMER, NEIGHBOURS)
"""The parts that tillside blends, each alone: rows of their own beside it."""
LEAD = "lead/"
ASKED = "asked/"
SHOWN = ("recall@20", "mrr@20", "hr@10", "ndcg@10", "train_s", "cpu_s", "peak_mb")

Row = dict[str, Any]


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure each log, or merge rows measured elsewhere, and write its result files."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("logs", nargs="+", choices=sorted(LOGS))
    parser.add_argument(
        "--systems",
        nargs="+",
        choices=SYSTEMS,
        default=(MODEL, *BASELINES),
        metavar="SYSTEM",
        help=f"{', '.join(SYSTEMS)}; the last three want `make peers`",
    )
    parser.add_argument("--budget", type=int, default=3600, help="seconds of a peer, its own search and all")
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1, help="of a peer's training")
    parser.add_argument("--clock", choices=["wall", "cpu"], default="wall", help="of a peer; cpu: on a busy machine")
    parser.add_argument("--data", type=Path, default=Path("../shared/data"), help="folder of the logs")
    parser.add_argument("--work", type=Path, default=Path("runs/benchmarks"), help="folder for data sets and runs")
    parser.add_argument("--seeds", type=int, default=1, help="train with seeds 0 to N - 1; figures are means")
    parser.add_argument("--resume", action="store_true", help="keep the seeds that a stopped measurement left in WORK")
    parser.add_argument(
        "--merge", nargs="+", type=Path, default=[], metavar="RESULT", help="measure nothing; take rows in"
    )
    given = parser.parse_args(arguments)
    peers = ["--budget-seconds", str(given.budget), "--threads", str(given.threads), "--clock", given.clock]
    for name in given.logs:
        if given.merge:
            fresh = [row for path in given.merge for row in read_rows(path) if row["log"] == name]
            if not fresh:
                parser.error(f"--merge: {', '.join(map(str, given.merge))} hold no row of the log {name}")
            notes = json.loads((RESULTS / f"quality-{name}.json").read_text(encoding="utf-8"))["notes"]
        else:
            fresh, notes = measure(
                name,
                given.systems,
                data=given.data,
                work=given.work / name,
                seeds=given.seeds,
                resume=given.resume,
                peers=peers,
            )
        publish(name, fresh, notes)


def measure(
    name: str,
    systems: Sequence[str],
    *,
    data: Path,
    work: Path,
    seeds: int,
    peers: Sequence[str],
    resume: bool = False,
) -> tuple[list[Row], str]:
    """Prepare one log and measure systems on it; returns their rows, and notes on the cases."""
    log, dataset = LOGS[name], work / "dataset"
    if log.simulate is not None:
        run_stage("training.simulate", *(part.format(work=work) for part in log.simulate))
    run_stage("training.prepare", *(part.format(data=data, work=work) for part in log.prepare), f"out={dataset}")
    rows: list[Row] = []
    for system in systems:
        out = work / "runs/latest" if system == MODEL else work / "others" / system
        if system == MODEL:
            rows += _ours(name, dataset=dataset, runs=work / "runs", seeds=seeds, resume=resume)
        elif system in BASELINES:
            rows += _baseline(name, system, dataset=dataset, out=out)
        else:
            rows += _other(name, system, dataset=dataset, out=out, peers=peers)
        document = _metrics(out)
    rows += leads(name, work)
    notes = (
        f"{log.cases} {document['cases']:,} cases of {document['sessions']:,} sessions, the whole catalogue ranked, "
        f"ties against us; {document['unseen_target_share']:.1%} of the targets cannot be ranked and stay as "
        "misses. Intervals: 95 %, bootstrap over sessions (seed 0). All but the peers and the networks, which keep "
        "validation for stopping and rank trained items alone, are fitted on the validation part too. Where shoppers "
        f"hardly return to an item (fewer than {RARE:.0%} of the events), peers and networks leave out what a session "
        "holds, as the libraries' filters do; tillside learns what it is worth, and the others leave it out where "
        "validation is ranked better so. "
        "train_s is the whole of `training.train` "
        "for tillside (training, evaluation, figures, export) and the fitting alone for the others; cpu_s and peak_mb "
        "are the processor seconds and the peak of the system's process, search, evaluation and all. "
        f"{TRANSFORMER} and {NEIGHBOURS} are the two parts of tillside, each alone. lead: by how much tillside, of its "
        "last seed, is above, case by case, with paired intervals. asked, where there are several behaviours: its "
        "mrr@20 on the cases of each, which want the very next event or (later) one further on, and what it loses when "
        "they are asked for another behaviour, with paired intervals."
    )
    return rows, notes


def publish(name: str, fresh: Sequence[Row], notes: str) -> None:
    """Write the result files of a log from the fresh rows and the present rows of other systems.

    A lead is kept as long as neither of its two systems was measured anew. Where tillside was, on other cases than
    before, the systems that still have those leave the table, which says so on screen.
    """
    old = read_rows(RESULTS / f"quality-{name}.json")
    measured, led = ({row["system"] for row in fresh if _is_lead(row) == lead} for lead in (False, True))
    out_of_date = led | measured | ({row["system"] for row in old} if MODEL in measured else set())
    kept = [row for row in old if row["system"] not in (out_of_date if _is_lead(row) else measured)]
    if MODEL in measured:
        own = {row["cases"] for row in fresh if row["metric"] == "recall@20"}
        gone = {row["system"] for row in kept if row["metric"] == "recall@20" and row["cases"] not in own}
        kept = [row for row in kept if row["system"] not in gone]
        if gone:
            say(f"left out, as measured on other cases: {', '.join(sorted(gone))}; measure them again")
    rows = best_first([*fresh, *kept])
    refuse_other_cases(name, rows)
    write_results(f"quality-{name}", rows, title=LOGS[name].title, notes=notes)
    cells = {(row["system"], row["metric"]): f"{row['value']:.4g}" for row in rows}
    systems = dict.fromkeys(row["system"] for row in rows if row["metric"] in SHOWN)
    table = [[system, *(cells.get((system, metric), "") for metric in SHOWN)] for system in systems]
    print_table(LOGS[name].title, ["system", *SHOWN], table, numbers=SHOWN)
    say(f"wrote benchmarks/results/quality-{name}.json and .md")


def figures(name: str, system: str, documents: Sequence[dict[str, Any]]) -> list[Row]:
    """Rows of one system, means over the documents: on all cases, and by behaviour where there are several."""
    rows: list[Row] = []
    results = [document["systems"][system] for document in documents]
    behaviours = list(results[0]["by_behaviour"])
    slices = {"": [result["all"] for result in results]}
    if len(behaviours) > 1:
        slices |= {f"{each}/": [result["by_behaviour"][each] for result in results] for each in behaviours}
    for prefix, found in slices.items():
        names = {metric: metric for metric in METRICS} | ({} if prefix else OTHER_NAMES)
        for metric, source in names.items():
            mean = _mean([each[source] for each in found])
            about = {"log": name, "system": system, "metric": prefix + metric, "seeds": len(found)}
            rows.append(about | {"cases": found[0]["cases"]} | mean)
    return rows


def by_question(name: str, documents: Sequence[dict[str, Any]]) -> list[Row]:
    """tillside's mrr@20 for each target behaviour, and its loss when asked for another, as means over the documents;
    no rows with a single behaviour."""
    rows: list[Row] = []
    for kind, matrix in documents[0].get("asked", {}).items():
        names = [key for key in next(iter(matrix.values()), {}) if key != "cases"]
        for asked, (target, entry) in product(names, matrix.items()):
            system = f"{MODEL}, {'later' if kind == 'look_ahead' else kind} {target}"
            answers = [document["asked"][kind][target][asked] for document in documents]
            found = [(each if asked == target else each["lost"])["mrr@20"] for each in answers]
            metric = "mrr@20" if asked == target else f"lost as {asked}"
            about = {"log": name, "system": system, "metric": ASKED + metric, "seeds": len(found)}
            rows.append(about | {"asked": entry["cases"]} | _mean(found))
    return rows


def leads(name: str, work: Path) -> list[Row]:
    """Lead of tillside over each system whose ranks lie in ``work``, with paired bootstrap intervals over sessions."""
    own = work / "runs/latest"
    if not (own / RANKS_FILE).is_file():
        return []
    ours, rows = Ranks.load(own / RANKS_FILE), []
    everywhere = np.ones(len(ours.ranks_C), bool)
    for path in sorted([*own.glob(f"{OTHERS_RANKS}/*.npz"), *(work / "others").glob(f"*/{OTHERS_RANKS}/*.npz")]):
        theirs = Ranks.load(path)
        if theirs.digest != ours.digest:
            continue  # stale: ranks of other cases
        about = {"log": name, "system": path.stem, "seeds": 1, "cases": len(ours.ranks_C)}
        for metric, gain in ours.ahead_of(theirs, everywhere, seed=0).items():
            rows.append(about | {"metric": f"{LEAD}{metric}", **asdict(gain)})
    return rows


def best_first(rows: Sequence[Row]) -> list[Row]:
    """Rows sorted by their system's recall@20, descending; systems without one come last."""
    recall = {row["system"]: row["value"] for row in rows if row["metric"] == "recall@20"}
    return sorted(rows, key=lambda row: -recall.get(row["system"], -1.0))


def refuse_other_cases(name: str, rows: Sequence[Row]) -> None:
    """Raise ValueError if two systems were judged on different numbers of cases: one table cannot compare them."""
    for metric in dict.fromkeys(row["metric"] for row in rows):
        cases = {row["system"]: row["cases"] for row in rows if row["metric"] == metric and "cases" in row}
        if len(set(cases.values())) > 1:
            raise ValueError(
                f"quality-{name}: {metric} was measured on other cases ({cases}); measure all systems again"
            )


def _mean(intervals: Sequence[dict[str, float]]) -> dict[str, float]:
    return {key: sum(each[key] for each in intervals) / len(intervals) for key in ("value", "low", "high")}


def _is_lead(row: Row) -> bool:
    return str(row["metric"]).startswith(LEAD)


def _ours(name: str, *, dataset: Path, runs: Path, seeds: int, resume: bool) -> list[Row]:
    documents, costs = [], []
    for seed in range(seeds):
        measured = runs / f"seed-{seed}.json"
        if not (resume and measured.is_file()):
            options = [f"dataset={dataset}", f"tracking.runs={runs}", f"seed={seed}", "trainer.progress_bar=false"]
            cost = run_stage("training.train", *options)
            done = {"run": (runs / "latest").resolve().name, "cost": asdict(cost)}
            write_text_atomically(measured, json.dumps(done))
        kept = json.loads(measured.read_text(encoding="utf-8"))
        costs.append(Cost(**kept["cost"]))
        documents.append(_metrics(runs / kept["run"]))
    about = {"log": name, "system": MODEL, "seeds": seeds}
    rows = [row for system in (MODEL, *PARTS) for row in figures(name, system, documents)]
    rows += by_question(name, documents)
    if "intent" in documents[0]:
        auc = sum(document["intent"]["auc"] for document in documents) / seeds
        rows.append(about | {"metric": "intent_auc", "value": auc})
    rows.append(about | {"metric": "train_s", "value": sum(cost.seconds for cost in costs) / seeds})
    rows.append(about | {"metric": "cpu_s", "value": sum(cost.cpu_seconds for cost in costs) / seeds})
    rows.append(about | {"metric": "peak_mb", "value": max(cost.peak_mb for cost in costs)})
    return rows


def _baseline(name: str, system: str, *, dataset: Path, out: Path) -> list[Row]:
    chosen = BASELINES[system].name
    cost = run_stage("training.evaluate", f"dataset={dataset}", f"baselines=[{chosen}]", f"out={out}")
    document = _metrics(out)
    about = {"log": name, "system": system, "seeds": 1}
    rows = figures(name, system, [document])
    rows.append(about | {"metric": "train_s", "value": document["fit_s"][system]})
    rows.append(about | {"metric": "cpu_s", "value": cost.cpu_seconds})
    rows.append(about | {"metric": "peak_mb", "value": cost.peak_mb})
    return rows


def _other(name: str, system: str, *, dataset: Path, out: Path, peers: Sequence[str]) -> list[Row]:
    where = ["--dataset", str(dataset), "--out", str(out)]
    if system in NETWORKS:
        cost = run_stage("benchmarks.networks", system, *where)
    else:
        cost = run_stage("benchmarks.peers", system, *where, *peers)
    document = _metrics(out)
    about, account = {"log": name, "system": system, "seeds": 1}, document["account"]
    seconds = account["train_s"] if system in NETWORKS else account["training_seconds"]
    rows = figures(name, system, [document])
    return [
        *rows,
        about | {"metric": "train_s", "value": seconds},
        about | {"metric": "cpu_s", "value": cost.cpu_seconds},
        about | {"metric": "peak_mb", "value": account["peak_mb"]},
    ]


def _metrics(folder: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((folder / METRICS_FILE).read_text(encoding="utf-8"))
    return document


if __name__ == "__main__":
    main()
