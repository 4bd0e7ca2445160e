"""A peer's process: a small hyperparameter search, one training with early stopping, the lists of the test cases.

    python -m benchmarks.peers.trainer FOLDER

``python -m benchmarks.peers`` starts it with the peer's own Python. It imports numpy, torch and one peer library, and
from this project only what needs just numpy. Trials learn from the newest training sessions, for equal time; the
training on all sessions takes the settings of the best one on validation.

Shapes: C cases, K items of a list, B rows of a chunk, V items.
"""

import json
import platform
import resource
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import torch

from benchmarks.peers.curve import SELECTED_BY, Curve
from benchmarks.peers.exchange import LIST_LENGTH, NO_ITEM, Rows, Task, read_task, write_answer
from benchmarks.peers.options import Options, Settings
from tillside.ranking import case_metrics, ranks_of_targets, top_k

CHUNK_SCORES = 2**24
CLOCKS = {"wall": time.perf_counter, "cpu": time.process_time}
TRIAL_SHARE = 0.3
"""Share of the budget for all trials together."""
TRIAL_SESSIONS = 0.25
"""Share of the training sessions, the newest ones, that trials learn from."""
TRIAL_CASES = 4000
CHECKS = 20
"""Checks inside epochs that a budget has room for."""


class Peer(Protocol):
    """One model of one library."""

    def fit(self, sessions: Rows, curve: Curve) -> None:
        """Learn from the sessions, batch by batch, until the curve says stop."""

    def weights(self) -> Any:
        """A copy of the weights."""

    def restore(self, weights: Any) -> None:
        """Put a copy back."""

    def score(self, rows: list[npt.NDArray[np.int32]]) -> npt.NDArray[np.float32]:
        """Scores [B, V] of the item after each row, by the library's own encoding; -inf for items it does not know."""


MakePeer = Callable[[Options, Settings, int], Peer]


def answer(task: Task, *, make: MakePeer, grid: list[Settings]) -> tuple[npt.NDArray[np.int64] | None, dict[str, Any]]:
    """Search, train and rank; returns the lists [C, K] of the test cases, None with ``speed_only``, and the account."""
    options = Options(**task.options)
    clock = CLOCKS[options.clock]
    started = clock()
    settings = Settings(**options.settings) if options.settings else grid[0]
    trials: list[dict[str, Any]] = []
    if options.trials and not options.settings and not options.speed_only:
        trials = search(task, options, make=make, grid=grid[: options.trials])
        settings = Settings(**max(trials, key=lambda trial: trial[SELECTED_BY])["settings"])
    searched = clock()
    peer, curve = train(task, options, settings, make=make, deadline=started + options.budget_seconds)
    account: dict[str, Any] = {"settings": asdict(settings), "search_seconds": searched - started, "trials": trials}
    account |= curve.account()
    lists_CK = None
    if not options.speed_only:
        answering = clock()
        lists_CK = best_items(peer, task)
        account["answer_seconds"] = clock() - answering
    return lists_CK, account


def train(task: Task, options: Options, settings: Settings, *, make: MakePeer, deadline: float) -> tuple[Peer, Curve]:
    """Train on all sessions and restore the weights of the best check."""
    torch.manual_seed(options.seed)
    peer = make(options, settings, task.items)
    cases = np.arange(len(task.validation))
    curve = Curve(
        measure=None if options.speed_only else lambda: validate(peer, task, cases),
        keep=peer.weights,
        patience=options.patience,
        check_seconds=options.budget_seconds / CHECKS,
        deadline=deadline,
        test_share=len(task.test) / max(len(cases), 1),
        clock=CLOCKS[options.clock],
    )
    peer.fit(task.train, curve)
    curve.close()
    if curve.best_weights is not None:
        peer.restore(curve.best_weights)
    return peer, curve


def search(task: Task, options: Options, *, make: MakePeer, grid: list[Settings]) -> list[dict[str, Any]]:
    """Train each settings of the grid for equal time on the newest sessions; returns their best validation metrics."""
    sessions = task.train.newest(TRIAL_SESSIONS)
    step = max(1, len(task.validation) // TRIAL_CASES)
    cases = np.arange(0, len(task.validation), step)
    seconds = options.budget_seconds * TRIAL_SHARE / len(grid)
    clock, trials = CLOCKS[options.clock], []
    for settings in grid:
        torch.manual_seed(options.seed)
        peer = make(options, settings, task.items)
        curve = Curve(
            measure=lambda peer=peer: validate(peer, task, cases),
            keep=lambda: None,
            patience=options.patience,
            check_seconds=seconds / 2,
            deadline=clock() + seconds,
            clock=clock,
        )
        peer.fit(sessions, curve)
        curve.close()
        best = curve.best or {}
        trials.append(
            {"settings": asdict(settings)} | best | {"targets_per_second": curve.account()["targets_per_second"]}
        )
        print(json.dumps(trials[-1]), flush=True)
    return trials


def validate(peer: Peer, task: Task, cases: npt.NDArray[np.int64]) -> dict[str, float]:
    """MRR@20 and recall@20 over the chosen validation cases; popularity answers empty prefixes."""
    ranks_C = task.fallback_ranks_C.copy()
    for chosen, scores_BV in _scored(peer, task, task.validation, cases):
        ranks_C[chosen] = ranks_of_targets(scores_BV, task.targets_C[chosen])
    metrics = case_metrics(ranks_C[cases], cutoffs=(LIST_LENGTH,))
    return {name: float(metrics[name].mean()) for name in (SELECTED_BY, "recall@20")}


def best_items(peer: Peer, task: Task) -> npt.NDArray[np.int64]:
    """Top items after each test prefix [C, K]; items that the peer does not know are never listed."""
    lists_CK = np.full((len(task.test), LIST_LENGTH), NO_ITEM, np.int64)
    for chosen, scores_BV in _scored(peer, task, task.test, np.arange(len(task.test))):
        best_BK = top_k(scores_BV, LIST_LENGTH)
        known_BK = np.isfinite(np.take_along_axis(scores_BV, best_BK, axis=1))
        lists_CK[chosen[:, None], np.arange(best_BK.shape[1])] = np.where(known_BK, best_BK, NO_ITEM)
    return lists_CK


def _scored(
    peer: Peer, task: Task, rows: Rows, cases: npt.NDArray[np.int64]
) -> Iterator[tuple[npt.NDArray[np.int64], npt.NDArray[np.float32]]]:
    """Chunks of cases with non-empty prefixes, sorted by length, and their scores; -inf: not to be listed."""
    lengths = rows.lengths[cases]
    ordered = cases[np.argsort(lengths, kind="stable")][int((lengths == 0).sum()) :]
    step = max(1, min(1024, CHUNK_SCORES // task.items))
    for start in range(0, len(ordered), step):
        chosen = ordered[start : start + step]
        prefixes = [rows[row] for row in chosen]
        scores_BV = peer.score(prefixes)
        if not task.options["repeats"]:
            for scores_V, prefix in zip(scores_BV, prefixes, strict=True):
                scores_V[prefix] = -np.inf
        yield chosen, scores_BV


def main() -> None:
    """Entry point of the peer's process."""
    folder = Path(sys.argv[1])
    begun = {name: clock() for name, clock in CLOCKS.items()}
    task = read_task(folder)
    torch.set_num_threads(task.options["threads"])
    if task.options["system"].startswith("rectools"):
        from benchmarks.peers import rectools_sasrec as adapter

        library = "rectools"
    else:
        from benchmarks.peers import replay_sasrec as adapter  # type: ignore[no-redef]

        library = "replay-rec"
    lists_CK, account = answer(task, make=adapter.make_peer, grid=adapter.grid(task.options["system"]))
    account |= {
        "process_seconds": {name: clock() - begun[name] for name, clock in CLOCKS.items()},
        "system": task.options["system"],
        "options": dict(task.options),
        "versions": {name: version(name) for name in (library, "torch", "numpy")}
        | {"python": platform.python_version()},
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }
    write_answer(folder, lists_CK, account)


if __name__ == "__main__":
    main()
