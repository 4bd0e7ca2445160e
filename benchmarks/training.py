"""Training speed and memory by size of catalogue, and time to a validation quality, beside RecTools and RePlay.

    python -m benchmarks.training --seconds 60 [--rounds 3] [--items 10000 50000 200000 1000000]
        [--peers rectools replay]
    python -m benchmarks.training --seconds 60 --dataset DIR --peers replay --finished runs/benchmarks/LOG/others/*
    python -m benchmarks.training --items --seconds 60 --dataset DIR --measure times

Each measurement is a process of its own and takes ``--seconds`` of training at most. Peers have the same width, depth
and length; above the catalogue size where we sample the softmax they sample it too: RePlay, which like us shares one
pool over a batch, as many negatives, RecTools, which draws them for every position, fewer. With ``--rounds`` all are
measured so often in turn, and medians count: what else runs on the machine changes a rate by a third.
``--finished`` names what ``benchmarks.peers`` wrote on the same data set: how long each peer took to its best
validation mrr@20, and how long our training takes to the same. What the result file holds of other peers' times on that
log stands, and ours is taken anew for them too. ``--measure`` takes rates or times alone; the others stand.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Any

from benchmarks.loop import LOOKS
from benchmarks.results import RESULTS, read_rows, write_results
from benchmarks.sessions import write_sessions
from tillside.dataset import load_dataset
from training.cli.console import say
from training.settings.loss import LossConfig
from training.settings.model import ModelConfig

SIZES = (10_000, 50_000, 200_000, 1_000_000)
PEERS = {"rectools": ("rectools-sasrec", 256), "replay": ("replay-sasrec", LossConfig().pool)}
"""A peer's system in benchmarks.peers, and the number of negatives it samples."""
FIGURES = {
    "targets_per_second": "events_per_s",
    "sequences_per_second": "sequences_per_s",
    "padding_share": "padding_share",
    "peak_mb": "peak_mb",
    "matmul_peak_share": "matmul_peak_share",
    "peak_gflops": "matmul_peak_gflops",
    "setup_seconds": "setup_s",
}
"""Keys of an account, and the metric names they are written as."""
RATES, TIMES = "rates", "times"
TO_QUALITY = {"best_val_mrr@20": "mrr@20", "time_to_quality_s": "seconds"}
"""Metrics of a peer that was trained to its end, and their keys in its account."""


def main() -> None:
    """Measure, print as it goes, and write the result files."""
    parser = argparse.ArgumentParser(
        "python -m benchmarks.training", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--items", type=int, nargs="*", default=SIZES, help="sizes of the synthetic catalogues")
    parser.add_argument("--seconds", type=float, required=True, help="of training, for each measurement")
    parser.add_argument("--measure", nargs="+", default=[RATES, TIMES], choices=[RATES, TIMES], help="the rest stands")
    parser.add_argument("--rounds", type=int, default=1, help="of measurements, in turn; medians count")
    parser.add_argument("--dataset", type=Path, help="a prepared data set to take the rates of too")
    parser.add_argument("--finished", type=Path, nargs="*", default=[], metavar="DIR", help="peers trained on it")
    parser.add_argument("--peers", nargs="*", default=[], choices=sorted(PEERS), help="see python -m benchmarks.peers")
    parser.add_argument("--environments", type=Path, default=Path("runs/peers"), help="of the peers")
    parser.add_argument("--work", type=Path, default=Path("runs/benchmarks/training"))
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--clock", choices=["wall", "cpu"], default="wall", help="cpu: where others use the machine")
    given = parser.parse_args()
    if given.finished and (given.dataset is None or TIMES not in given.measure):
        parser.error("--finished wants the --dataset that they were trained on, and times to be measured")
    if given.rounds < 1:
        parser.error(f"--rounds must be at least 1, got {given.rounds}")
    old = read_rows(RESULTS / "training.json")
    rows, missing, standing, best = [], [], [], {}
    logs = [(f"synthetic-{items}", dataset_of(items, given.work)) for items in given.items]
    if given.dataset is not None:
        name = load_dataset(given.dataset).name
        logs.append((name, given.dataset))
        finished = finished_accounts(given.finished)
        standing = [row for row in old if row["log"] == name and stands(row) and row["system"] not in finished]
        best = standing_accounts(standing) | finished
    for log, dataset in logs:
        found = []
        if RATES in given.measure:
            rounds = [measured(log, dataset, given) for _ in range(given.rounds)]
            missing += [f"{peer} on {log}" for peer in given.peers if any(peer not in accounts for accounts in rounds)]
            found += rows_of(log, rounds)
        if TIMES in given.measure and dataset == given.dataset and best:
            curve = ours(log, dataset, max(peer["mrr@20"] for peer in best.values()), given)["curve"]
            known = {row["system"] for row in standing}
            found += [row for row in times_to_quality(log, curve, best) if row["system"] not in known]
        for row in found:
            say(f"{log}: {row['system']} {row['metric']} {row['value']:,.4g}")
        rows += found
    anew = {log for log, _ in logs}
    kept = [row for row in old if row["log"] not in anew or row in standing or kind(row) not in given.measure]
    failed = f" Not measured, because the peer failed: {', '.join(missing)}." if missing else ""
    notes = (
        "An event is a target that was learned; padding is none. Rates are over training alone, so many seconds of "
        "it at most as the command says, of its clock; medians of its rounds. matmul_peak_share: operations of the "
        "step's matrix products against the fastest 1024 x 1024 product of the same process. setup_s: before the "
        "first batch, for companions and the choice of a neighbourhood; it counts in no rate or time. Synthetic "
        "sessions: power law, mean length 5.5. A ratio of rates or times above 1 means that tillside is faster. "
        "time_to_quality_s: of training, validation not counted, to the peer's best mrr@20 on the validation part "
        f"(best_val_mrr@20; settings as its own search chose); ours is looked at {LOOKS} times an epoch.{failed}"
    )
    write_results("training", [*kept, *rows], title="Training speed", notes=notes)
    say("wrote benchmarks/results/training.json and .md")


def dataset_of(items: int, work: Path) -> Path:
    """The synthetic data set of a size, written once."""
    path = work / f"synthetic-{items}"
    if not path.is_dir():
        work.mkdir(parents=True, exist_ok=True)
        write_sessions(path, items=items)
    return path


def measured(log: str, dataset: Path, given: argparse.Namespace) -> dict[str, dict[str, Any]]:
    """One round: accounts of our loop and of the peers that did not fail."""
    accounts = {"tillside": ours(log, dataset, None, given)}
    for peer in given.peers:
        account = theirs(peer, log, dataset, given)
        if account is not None:
            accounts[peer] = account
    return accounts


def ours(log: str, dataset: Path, quality: float | None, given: argparse.Namespace) -> dict[str, Any]:
    """Account of our training loop, run in a process of its own.

    Raises:
        subprocess.CalledProcessError: the process failed.
    """
    out = given.work / f"tillside-{log}.json"
    out.parent.mkdir(parents=True, exist_ok=True)
    command = ["--dataset", str(dataset), "--seconds", str(given.seconds), "--clock", given.clock, "--out", str(out)]
    command += [] if quality is None else ["--quality", str(quality)]
    threads = {"OMP_NUM_THREADS": str(given.threads)}
    subprocess.run([sys.executable, "-m", "benchmarks.loop", *command], env=os.environ | threads, check=True)
    account: dict[str, Any] = json.loads(out.read_text(encoding="utf-8"))
    return account


def theirs(peer: str, log: str, dataset: Path, given: argparse.Namespace) -> dict[str, Any] | None:
    """Account of a peer's training on the same sessions, None if it failed."""
    (system, negatives), model = PEERS[peer], ModelConfig()
    out = given.work / f"{peer}-{log}"
    out.mkdir(parents=True, exist_ok=True)
    full = load_dataset(dataset).catalogue.trained <= LossConfig().full_up_to_items
    settings = {"loss": "softmax" if full else "sampled_softmax", "dropout": 0.2, "rate": 0.001, "negatives": negatives}
    command = [system, "--dataset", dataset, "--out", out, "--environments", given.environments]
    command += ["--budget-seconds", given.seconds, "--clock", given.clock, "--threads", given.threads]
    command += ["--dim", model.dim, "--layers", model.layers, "--heads", model.heads, "--length", model.max_length]
    command += ["--settings", json.dumps(settings), "--speed-only"]
    words = [str(word) for word in command]
    if subprocess.run([sys.executable, "-m", "benchmarks.peers", *words], check=False).returncode:
        return None
    account: dict[str, Any] = json.loads((out / "metrics.json").read_text(encoding="utf-8"))["account"]
    return account


def finished_accounts(folders: list[Path]) -> dict[str, dict[str, float]]:
    """Best check of each peer that was trained to its end, by system: its mrr@20 and the seconds to it; folders without
    one are skipped."""
    found = {}
    for folder in folders:
        account = json.loads((folder / "metrics.json").read_text(encoding="utf-8"))["account"]
        if account.get("best"):
            found[str(account["system"])] = account["best"]
    return found


def kind(row: dict[str, Any]) -> str:
    """TIMES if a row of the result file is about a time to a quality, else RATES: rates and what goes with them."""
    return TIMES if row["metric"] in {*TO_QUALITY, "time_to_quality_ratio"} else RATES


def stands(row: dict[str, Any]) -> bool:
    """Whether a row of the result file belongs to a peer that was trained to its end."""
    return row["metric"] in TO_QUALITY and "/" not in row["system"]


def standing_accounts(rows: list[dict[str, Any]]) -> dict[str, dict[str, float]]:
    """What :func:`finished_accounts` gives, from rows of the result file."""
    found: dict[str, dict[str, float]] = {}
    for row in rows:
        found.setdefault(row["system"], {})[TO_QUALITY[row["metric"]]] = row["value"]
    return found


def times_to_quality(
    log: str, curve: list[dict[str, float]], best: dict[str, dict[str, float]]
) -> list[dict[str, Any]]:
    """Seconds of each peer to its best validation mrr@20, ours to the same, and the ratio; a library has the lowest
    ratio of its systems. A quality that we never reach has neither our seconds nor a ratio."""
    rows: list[dict[str, Any]] = []
    ratios: dict[str, list[float]] = {}
    for system, peer in best.items():
        library = system.partition("-")[0]
        figures = [(system, metric, peer[name]) for metric, name in TO_QUALITY.items()]
        reached = [point["seconds"] for point in curve if point["mrr@20"] >= peer["mrr@20"]]
        if reached:
            ratio = peer["seconds"] / reached[0]
            figures += [(f"tillside/{system}", "time_to_quality_s", reached[0])]
            figures += [(f"tillside/{system}", "time_to_quality_ratio", ratio)]
        ratios.setdefault(library, []).append(ratio if reached else 0.0)
        rows += [{"log": log, "system": s, "metric": metric, "value": value} for s, metric, value in figures]
    least = {library: min(found) for library, found in ratios.items()}
    return rows + [
        {"log": log, "system": f"tillside/{library}", "metric": "time_to_quality_ratio", "value": ratio}
        for library, ratio in least.items()
        if ratio
    ]


def rows_of(log: str, rounds: list[dict[str, dict[str, Any]]]) -> list[dict[str, Any]]:
    """Absolute figures of every system, then ratios of tillside to each peer, as medians over the rounds; an unknown
    figure has no row, nor has a system that was not measured in every round."""
    systems = [system for system in rounds[0] if all(system in accounts for accounts in rounds)]
    rows = []
    for system in systems:
        for figure, metric in FIGURES.items():
            values = [float(each[system][figure]) for each in rounds if each[system].get(figure) is not None]
            if values:
                rows.append({"log": log, "system": system, "metric": metric, "value": statistics.median(values)})
    for peer in systems[1:]:
        ratios = [each["tillside"]["targets_per_second"] / each[peer]["targets_per_second"] for each in rounds]
        ratio = statistics.median(ratios)
        rows.append({"log": log, "system": f"tillside/{peer}", "metric": "events_per_s_ratio", "value": ratio})
    return rows


if __name__ == "__main__":
    main()
