"""Whole placements on real and simulated sessions beside each of their sources alone.

    python -m benchmarks.policy simulated online-retail --data ../shared/data

The newest run under WORK/LOG/runs, where ``benchmarks.quality`` leaves it, is judged; where there is none one is
trained. Every figure of a log comes from ``training.evaluate policy=FILE``; answers under a policy with every rule
switched on are checked in this process, on a shop of 100,000 items that is made up.
"""

import argparse
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import yaml

from benchmarks.big_shop import BigShop
from benchmarks.logs import LOGS, BenchmarkLog
from benchmarks.results import RESULTS, read_rows, write_results
from benchmarks.stages import run_stage
from tillside.policy import place
from tillside.relations import ABOUT
from training.cli.console import print_table
from training.evaluation.placements.metrics import POLICY_FILE, K
from training.evaluation.placements.rule_check import broken_rules
from training.evaluation.placements.systems import POLICY
from training.learning.recipe import HISTORY_FILE
from training.mining.stored import FOLDER
from training.model.checkpoint import MODEL_FILE

POLICIES: Final = {"simulated": "configs/policy/electronics.yaml", "online-retail": "configs/policy/online_retail.yaml"}
METRICS: Final = (f"attach_rate@{K}", f"price_recall@{K}", "coverage", "diversity", f"hit_rate@{K}", "rule_violations")
ALL_RULES: Final = "all-rules"
AHEAD: Final = f"the policy is ahead by/attach_rate@{K}"

Row = dict[str, Any]


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and write the result files."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("logs", nargs="*", choices=sorted(POLICIES), default=sorted(POLICIES, reverse=True))
    parser.add_argument("--data", type=Path, default=Path("../shared/data"), help="folder of the logs")
    parser.add_argument("--work", type=Path, default=Path("runs/benchmarks"), help="folder for data sets and runs")
    parser.add_argument("--items", type=int, default=100_000, help="of the shop whose every rule is on")
    parser.add_argument("--questions", type=int, default=400, help="to it")
    parser.add_argument("--train", nargs="*", default=[], metavar="OVERRIDE", help="of training.train, if it is run")
    given = parser.parse_args(arguments)
    rows, counts = [], []
    for name in given.logs:
        document = measure(name, data=given.data, work=given.work / name, train=given.train)
        rows += figures(name, document)
        told = ", ".join(f"{judged['questions']:,} at {place}" for place, judged in document["placements"].items())
        counts.append(f"{name}: {told}, {_model(given.work / name / 'runs' / document['run'])}")
    rows.append(violations(items=given.items, questions=given.questions))
    # keep the latency figures, which benchmarks.placements measures
    rows += [row for row in read_rows(RESULTS / "policy.json") if row["metric"].endswith("_ms")]
    write_results("policy", rows, title="Placements, beside each source alone", notes=_notes(counts, given))
    cells = {(row["log"], row["system"], row["metric"]): f"{row['value']:.4f}" for row in rows}
    table = [
        [*key, *(cells.get((*key, metric), "") for metric in METRICS)]
        for key in dict.fromkeys((row["log"], row["system"]) for row in rows)
    ]
    print_table("placements", ["log", "system", *METRICS], table, numbers=METRICS)


def measure(name: str, *, data: Path, work: Path, train: Sequence[str]) -> dict[str, Any]:
    """Make a log's data set, relations and run where they are missing, and evaluate its policy."""
    run = make(LOGS[name], data=data, work=work, train=train)
    where = [f"dataset={work / 'dataset'}", f"tracking.runs={work / 'runs'}", f"run={run.name}"]
    run_stage("training.evaluate", *where, f"policy={POLICIES[name]}")
    found: dict[str, Any] = json.loads((run / POLICY_FILE).read_text(encoding="utf-8"))
    return found


def make(
    log: BenchmarkLog,
    *,
    data: Path,
    work: Path,
    relate: Sequence[str] = (),
    related: Sequence[str] = (ABOUT,),
    train: Sequence[str] = (),
) -> Path:
    """Make a log's data set, relations and run where they are missing; the folder of the newest run.

    Args:
        relate, train: overrides of training.relate and training.train.
        related: files without one of which relations are missing.
    """
    dataset, runs = work / "dataset", work / "runs"
    if not (dataset / "dataset.json").is_file():
        if log.simulate is not None:
            run_stage("training.simulate", *(part.format(work=work) for part in log.simulate))
        run_stage("training.prepare", *(part.format(data=data, work=work) for part in log.prepare), f"out={dataset}")
    if not all((dataset / FOLDER / each).is_file() for each in related):
        run_stage("training.relate", f"dataset={dataset}", *relate)
    if not (runs / "latest" / MODEL_FILE).is_file():
        options = [f"dataset={dataset}", f"tracking.runs={runs}", "trainer.progress_bar=false", *train]
        run_stage("training.train", *options)
    return (runs / "latest").resolve()


def figures(log: str, document: Mapping[str, Any]) -> list[Row]:
    """Rows of a policy.json: one figure of one system at one placement each; the system is named PLACEMENT/SYSTEM."""
    rows: list[Row] = []
    for placement, judged in document["placements"].items():
        for system, found in judged["systems"].items():
            about = {"log": log, "system": f"{placement}/{system}", "seeds": 1, "cases": judged["questions"]}
            values = {metric: found[metric] for metric in METRICS}
            if system == POLICY:
                sources = found["by_source"]
                values |= {f"by source/{source}": row[f"hit_rate@{K}"] for source, row in sources.items()}
            ahead = judged.get("policy_ahead_of", {}).get(system)
            if ahead is not None:
                values[AHEAD] = ahead[f"attach_rate@{K}"]
            for metric, value in values.items():
                if value is not None:
                    rows.append(about | {"metric": metric} | (value if isinstance(value, dict) else {"value": value}))
    return rows


def violations(*, items: int, questions: int) -> Row:
    """Number of rule violations in answers under a policy with every rule on."""
    shop = BigShop.make(items=items)
    given = {"shelves": shop.shelves, "relations": shop.relations}
    broken = 0
    for request, model in shop.questions(questions):
        answer = place(shop.policy, request, model=model, **given)  # type: ignore[arg-type]
        broken += broken_rules([each.item for each in answer.items], shop.policy, request, shop.shelves.facts).total()
    about = {"log": "made-up", "system": ALL_RULES, "items": items, "cases": questions}
    return about | {"metric": "rule_violations", "value": broken}


def _model(run: Path) -> str:
    """How the run's model was trained, in words."""
    epochs = len(json.loads((run / HISTORY_FILE).read_text(encoding="utf-8")))
    refit = yaml.safe_load((run / "config.yaml").read_text(encoding="utf-8"))["trainer"]["refit"]
    learned = "then fitted to the validation part too" if refit else "not fitted to the validation part"
    return f"run {run.name[:8]} ({epochs} epochs, {learned})"


def _notes(counts: Sequence[str], given: argparse.Namespace) -> str:
    return (
        "One question of a session. At placements that look at the cart the first half of the different items that a "
        "session takes (an invoice's lines, in the order of the file) is the cart; elsewhere the first half of the "
        "events is seen. The answer is what the session met later with the behaviour asked for or a stronger one, "
        f"without the cart. Questions: {'; '.join(counts)}. {K} items are shown. attach_rate: share of the questions "
        "with a hit; the policy is ahead by: at the same questions, its rate less the other system's; price_recall: "
        "prices of the hits over those of all answers; hit_rate: share of the items shown "
        "that are hits; diversity: different categories over items. Intervals: 95 %, bootstrap over sessions (seed 0). "
        "Each source alone is the same placement with only that source, popular items filling up; model-top is the "
        "model's best without what a hard rule forbids, model-unruled its best as they come, fp-growth association "
        "rules by confidence, filled up like popularity. rule_violations are counted by an independent check of the "
        f"hard rules; those of all-rules in the answers to {given.questions} questions to a made-up shop of "
        f"{given.items:,} items. A system that rules do not bind may show what the policy must not: docs/policy.md "
        "says what the electronics example's rules cost."
    )


if __name__ == "__main__":
    main()
