"""Train another library's model on a prepared data set and judge it by our metrics on the very same test cases.

    python -m benchmarks.peers rectools-sasrec --dataset DIR --out DIR --budget-seconds 1800

``OUT/metrics.json`` is a metrics document like a run's, with the peer's account beside it: settings, trials, training
seconds, targets per second, peak memory, curve. ``--speed-only`` trains for the budget and writes the account alone.
"""

import argparse
import json
import os
import subprocess
import sys
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

from benchmarks.peers.environments import ENVIRONMENTS, SYSTEMS, python_of
from benchmarks.peers.exchange import read_account, read_lists, write_task
from benchmarks.peers.options import Options, Settings
from benchmarks.peers.referee import judge, make_task, usual_length
from tillside.atomic import write_text_atomically
from tillside.dataset import load_dataset
from training.cli.console import say
from training.evaluation.tables import metrics_table
from training.learning.training_setup import has_repeats

ROOT = Path(__file__).parents[2]


def main() -> None:
    """Entry point."""
    arguments = parse(sys.argv[1:])
    try:
        python_of(arguments.system, arguments.environments)
        document = run(
            options_of(arguments), dataset=arguments.dataset, out=arguments.out, environments=arguments.environments
        )
    except ValueError as error:
        print(error, file=sys.stderr)
        raise SystemExit(2) from None
    account = document["account"]
    if "systems" in document:
        metrics_table(document, title=f"{document['dataset']['name']}: test part")
    say(
        f"{account['targets']:,} targets in {account['training_seconds']:.0f} s of training: "
        f"{account['targets_per_second']:,.0f} targets/s, {account['sequences_per_second']:,.0f} sequences/s, "
        f"peak {account['peak_mb']:,.0f} MB; wrote {arguments.out / 'metrics.json'}"
    )


def run(options: Options, *, dataset: Path, out: Path, environments: Path = ENVIRONMENTS) -> dict[str, Any]:
    """Write the task, run the peer's process, judge its lists; returns the document written to ``out/metrics.json``.

    Raises:
        ValueError: the peer's environment or the data set is missing, or the peer's process failed.
    """
    python = python_of(options.system, environments)
    data = load_dataset(dataset)
    task = make_task(data, length=options.length, options=asdict(options))
    folder = out / "exchange"
    write_task(folder, task)
    threads = str(options.threads)
    path = os.pathsep.join([str(ROOT / "src"), str(ROOT)])
    limits = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), threads)
    command = [str(python), "-m", "benchmarks.peers.trainer", str(folder.absolute())]
    settings = limits | {"PYTHONPATH": path, "PYTHONWARNINGS": "ignore"}
    finished = subprocess.run(command, cwd=out, env=os.environ | settings, check=False)
    if finished.returncode:
        raise ValueError(f"{options.system} ended with code {finished.returncode}; its own message stands above")
    document: dict[str, Any] = {}
    if not options.speed_only:
        lists_CK = read_lists(folder, cases=len(task.test), items=task.items)
        document = judge(data, lists_CK, system=options.system, length=options.length, folder=out)
    document["account"] = read_account(folder)
    write_text_atomically(out / "metrics.json", json.dumps(document, indent=2) + "\n")
    return document


def parse(words: list[str]) -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(
        "python -m benchmarks.peers", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("system", choices=sorted(SYSTEMS))
    parser.add_argument("--dataset", type=Path, required=True, help="a prepared data set")
    parser.add_argument("--out", type=Path, required=True, help="folder for metrics.json and the exchanged files")
    parser.add_argument("--budget-seconds", type=float, required=True, help="for search, training and answers together")
    parser.add_argument("--dim", type=int, default=96)
    parser.add_argument("--layers", type=int, default=2)
    parser.add_argument("--heads", type=int, default=2)
    parser.add_argument("--length", type=int, help="items of a session that are seen; else what 99 % of them have")
    parser.add_argument("--batch", type=int, default=128, help="sessions of a batch")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--patience", type=int, default=3, help="checks without a better mrr@20")
    parser.add_argument("--trials", type=int, default=4, help="settings that are tried first; 0: none")
    parser.add_argument("--settings", type=json.loads, help="settings as JSON, instead of a search")
    parser.add_argument("--clock", choices=["wall", "cpu"], default="wall", help="cpu: where others use the machine")
    parser.add_argument("--speed-only", action="store_true", help="train for the budget, answer nothing")
    parser.add_argument("--environments", type=Path, default=ENVIRONMENTS, help="folder of the peers' environments")
    return parser.parse_args(words)


def options_of(arguments: argparse.Namespace) -> Options:
    """Options from the command line; what it leaves open follows from the data set."""
    dataset = load_dataset(arguments.dataset)
    arguments.repeats = has_repeats(dataset)
    if arguments.length is None:
        arguments.length = usual_length(dataset)
    if arguments.settings is not None:
        arguments.settings = asdict(Settings(**arguments.settings))
    return Options(**{field.name: getattr(arguments, field.name) for field in fields(Options)})


if __name__ == "__main__":
    main()
