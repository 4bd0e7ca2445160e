"""What must come out equal: a run of two processes that was killed and resumed, against one that nothing disturbed.

python -m benchmarks.processes [--kills 2] [--sessions 3000] [--systems kill-resume-ddp bf16]

The shop is simulated. Each system is a function of SYSTEMS that returns its rows; the rows of systems that are not
measured stay in the result file as they were.
"""

import argparse
import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import torch

from benchmarks.precision import bf16
from benchmarks.results import RESULTS, read_rows, write_results
from benchmarks.servers import children_of
from benchmarks.stages import run_stage
from training.cli.console import say
from training.learning.callbacks import RESUME_FILE
from training.learning.recipe import REFIT
from training.model.checkpoint import MODEL_FILE

LOG: Final = "simulated"
NAME: Final = "processes"
EPOCHS: Final = 2
OFTEN: Final = 5
"""Batches between two resume points."""
LOOK_SECONDS: Final = 0.02
HANGS_SECONDS: Final = 1200.0
"""A start that takes longer counts as one that hangs."""
Row = dict[str, Any]


def kill_resume(dataset: Path, work: Path, given: argparse.Namespace) -> list[Row]:
    """Kill both processes by SIGKILL, in the fit's last epoch and in the refit in turn, each time further on, and
    resume: the share of kills after which every weight equals that of the undisturbed run to the bit."""
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--local-addr", "127.0.0.1"]
    train = [*torchrun, "--nproc-per-node", "2", "-m", "training.train"]
    settings = [
        f"dataset={dataset}",
        "model=small",
        f"trainer.max_epochs={EPOCHS}",
        f"trainer.checkpoint_batches={OFTEN}",
    ]
    settings += ["trainer.devices=2", "trainer.accelerator=cpu", "trainer.progress_bar=false", "export=false"]
    settings += ["tracking.register=false"]
    whole = work / "whole"
    run_to_end([*train, *settings, f"tracking.runs={whole}"])
    expected = weights_of(whole)
    equal = 0
    for kill in range(given.kills):
        runs, batches = work / f"kill-{kill}", OFTEN * (2 + kill // 2)
        stage, epoch = (("fit", EPOCHS - 1), (REFIT, 0))[kill % 2]  # how many epochs a refit has, the fit will tell
        say(f"kill {kill + 1} of {given.kills}: in the {stage}, from batch {batches} of epoch {epoch + 1} on")
        point = f"*/{RESUME_FILE}" if stage == "fit" else f"*/{REFIT}/{RESUME_FILE}"
        killed_at((epoch, batches), [*train, *settings, f"tracking.runs={runs}"], point, runs)
        (point,) = runs.glob(f"*/{RESUME_FILE}")
        try:
            run_to_end([*train, f"resume={point.parent.name}", f"tracking.runs={runs}"])
        except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
            say(f"it does not go on: {error}")
            continue
        found = weights_of(runs)
        equal += all(torch.equal(found[name], expected[name]) for name in expected)
    row = {"log": LOG, "system": "kill-resume-ddp", "metric": "weights_equal", "value": equal / given.kills}
    return [row | {"kills": given.kills}]


SYSTEMS: Final[dict[str, Callable[[Path, Path, argparse.Namespace], list[Row]]]] = {
    "kill-resume-ddp": kill_resume,
    "bf16": bf16,
}
"""Each is given the prepared data set, a folder of its own for runs, and the arguments."""


def run_to_end(command: list[str]) -> None:
    """Run a command.

    Raises:
        subprocess.CalledProcessError, subprocess.TimeoutExpired: it failed, or hung.
    """
    with subprocess.Popen(command, stdout=sys.stderr) as started:
        try:
            code = started.wait(HANGS_SECONDS)
        except BaseException:
            kill_all(started.pid)
            raise
    if code:
        raise subprocess.CalledProcessError(code, command)


def killed_at(place: tuple[int, int], command: list[str], points: str, runs: Path) -> None:
    """Run a command, and kill its processes once a resume point lies in that epoch, so many batches on."""
    until = time.monotonic() + HANGS_SECONDS
    with subprocess.Popen(command, stdout=sys.stderr, stderr=subprocess.DEVNULL) as started:
        while not any(is_far(point, place) for point in runs.glob(points)):
            if started.poll() is not None or time.monotonic() > until:
                kill_all(started.pid)
                raise RuntimeError(f"{command} ended, or hung, before it was to be killed")
            time.sleep(LOOK_SECONDS)
        kill_all(started.pid)


def is_far(point: Path, place: tuple[int, int]) -> bool:
    """Whether a resume point lies in that epoch or a later one, so many batches on."""
    with contextlib.suppress(Exception):  # it may just be written
        told = torch.load(point, map_location="cpu", weights_only=True)["tillside"]
        return bool(told["epoch"] >= place[0] and told["batches_done"] >= place[1])
    return False


def kill_all(pid: int) -> None:
    """Kill what a process started, and then the process."""
    for child in children_of(pid):
        with contextlib.suppress(FileNotFoundError):
            kill_all(child)
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def weights_of(runs: Path) -> dict[str, torch.Tensor]:
    """Weights of the run that ended last."""
    state: dict[str, torch.Tensor] = torch.load(runs / "latest" / MODEL_FILE, weights_only=True)["state"]
    return state


def main() -> None:
    """Entry point."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=2, help="in the fit and the refit in turn")
    parser.add_argument("--sessions", type=int, default=3000, help="of the simulated shop")
    parser.add_argument("--systems", nargs="+", choices=[*SYSTEMS], default=[*SYSTEMS])
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        shop = [f"sessions={given.sessions}", "items=300", f"shoppers={given.sessions // 3}", "days=30"]
        run_stage("training.simulate", f"out={work / 'shop'}", *shop)
        log = [f"data.path={work / 'shop' / 'events.parquet'}", f"data.items={work / 'shop' / 'items.parquet'}"]
        run_stage("training.prepare", "data=events", *log, f"out={work / 'ds'}")
        measured: list[Row] = []
        for system in given.systems:
            runs = work / system
            runs.mkdir()
            measured += SYSTEMS[system](work / "ds", runs, given)
        again = {row["system"] for row in measured}  # a system may bring the rows of what it is compared with
        rows = [row for row in read_rows(RESULTS / f"{NAME}.json") if row["system"] not in again] + measured
    notes = (
        "`weights_equal`: share of the kills (both processes, SIGKILL, in the fit and in the refit) after which the "
        "resumed run ends with the weights of the undisturbed one, bit for bit. `recall_ratio`: recall@20 trained "
        "in bf16 (autocast) over that in fp32, mean over seeds."
    )
    write_results(NAME, rows, title="What several processes and bf16 must not change", notes=notes)


if __name__ == "__main__":
    main()
