"""What review costs a run, and what it survives: the share of logging, six runs at once, a server killed in mid-run.

    python -m benchmarks.review --work runs/benchmarks/review [--dataset demo/dataset]

Runs are real and train on synthetic sessions. Those that are timed go once against ``mlflow server`` over HTTP and once
against an SQLite file. The server that is killed is a process too; it is started again on its store, what waits in the
run's journal is sent, and the store is held against the journal and against a twin run that nothing disturbed.
"""

import argparse
import contextlib
import hashlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from unittest import mock

from mlflow import MlflowClient

import training.evaluation.run
from benchmarks.results import write_results
from benchmarks.sessions import write_sessions
from benchmarks.tracking_server import TrackingServer
from tillside.dataset import load_dataset
from training.cli.console import say
from training.settings.model import ModelConfig
from training.settings.send import SendConfig
from training.settings.tracking import TrackingConfig
from training.settings.train import TrainConfig
from training.settings.trainer import TrainerConfig
from training.stages import train as stage
from training.stages.send import send
from training.stages.train import train
from training.tracking.journal import JOURNAL_FILE, KIND, Journal
from training.tracking.replay import ARTIFACT, BATCH, INPUTS, STATUS
from training.tracking.store import open_store
from training.tracking.tracker import Tracker

TEN_MINUTES: Final = 600.0
EPOCHS: Final = 120
"""More than any run has by default: 60 at most, and as many again in the refit."""
WRITERS: Final = 6
KILLED_AFTER: Final = 2
"""Logged epochs."""
EACH_EPOCH: Final = "each epoch"
WATCHED: Final = (
    (Tracker, "start", "start"),
    (Tracker, "metrics", EACH_EPOCH),
    *((Tracker, name, "the run") for name in ("parameters", "dataset", "tags", "publish", "artifact", "end")),
    *((stage, name, "registry") for name in ("keep_and_register", "champion_if_there")),
    *((stage, name, "page") for name in ("measure_latency", "publish_page")),
    *((training.evaluation.run, name, "page") for name in ("show_examples", "write_examples")),
)
"""Owner and name of the calls that count as review, and the category they count in."""
Facts = set[tuple[Any, ...]]


@dataclass
class Meter:
    """Wall and CPU seconds of each call, by category; a call nested in a watched one counts with the outer one.

    Args:
        others: CPU seconds so far of the processes that this one waits for.
    """

    others: Callable[[], float] = float
    calls: dict[str, list[tuple[float, float]]] = field(default_factory=dict)
    _inside: bool = False

    def watching(self, function: Callable[..., Any], what: str) -> Callable[..., Any]:
        """The function with its calls timed, in the category ``what``."""

        def timed(*arguments: Any, **named: Any) -> Any:
            if self._inside:
                return function(*arguments, **named)
            self._inside, wall, cpu = True, time.perf_counter(), self.cpu()
            try:
                return function(*arguments, **named)
            finally:
                self._inside = False
                self.calls.setdefault(what, []).append((time.perf_counter() - wall, self.cpu() - cpu))

        return timed

    def cpu(self) -> float:
        """CPU seconds so far, of this process and the others."""
        return time.process_time() + self.others()

    def seconds(self, what: str) -> tuple[float, float]:
        """Total wall and CPU seconds of a category's calls."""
        wall, cpu = zip(*self.calls.get(what, [(0.0, 0.0)]), strict=True)
        return sum(wall), sum(cpu)


@contextlib.contextmanager
def metered(others: Callable[[], float]) -> Iterator[Meter]:
    """Patch every WATCHED call with a timer for the length of the block."""
    meter = Meter(others)
    with contextlib.ExitStack() as stack:
        for owner, name, what in WATCHED:
            timed: Any = meter.watching(getattr(owner, name), what)
            bound = owner is Tracker and name == "start"  # a class method, bound to its class already
            stack.enter_context(mock.patch.object(owner, name, staticmethod(timed) if bound else timed))
        yield meter


def logging_cost(config: TrainConfig, *, others: Callable[[], float] = float) -> dict[str, float]:
    """Train; returns what logging, figures and registry took of the run, and their share extrapolated to ten minutes.

    A missing store is created before the clock starts: that happens once in a store's life.

    Args:
        others: CPU seconds so far of the server.
    """
    open_store(config.tracking)
    with metered(others) as meter:
        started, cpu = time.perf_counter(), meter.cpu()
        train(config)
        ran, ran_cpu = time.perf_counter() - started, meter.cpu() - cpu
    epochs = len(meter.calls[EACH_EPOCH])
    whole = [meter.seconds(what) for what in meter.calls]
    (wall, cpu), (wall_each, cpu_each) = map(sum, zip(*whole, strict=True)), meter.seconds(EACH_EPOCH)
    for what in meter.calls:
        say(f"{config.tracking.uri or 'sqlite'}: {what}: %.2f s, %.2f of the processor" % meter.seconds(what))
    return {
        "overhead_share": extrapolated(cpu_each / epochs, cpu - cpu_each),
        "overhead_share_wall": extrapolated(wall_each / epochs, wall - wall_each),
        "share_of_this_run": cpu / ran_cpu,
        "each_epoch_cpu_s": cpu_each / epochs,
        "fixed_cpu_s": cpu - cpu_each,
        "epochs": epochs,
        "run_cpu_s": ran_cpu,
        "run_wall_s": ran,
    }


def extrapolated(each: float, fixed: float) -> float:
    """Share of ten minutes that EPOCHS epochs plus the fixed cost take; both arguments in seconds."""
    return (fixed + EPOCHS * each) / TEN_MINUTES


def writers_that_failed(dataset: Path, runs: Path, *, writers: int) -> int:
    """Start ``writers`` trainings at once on a new default store; how many fail or lack a finished run or version."""
    settings = [f"dataset={dataset}", f"tracking.runs={runs}", "model.dim=16", "model.layers=1", "trainer.max_epochs=1"]
    command = [sys.executable, "-m", "training.train", *settings, "trainer.progress_bar=false"]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    environment.pop("MLFLOW_TRACKING_URI", None)
    runs.mkdir(parents=True)
    with (runs / "said").open("wb") as said:
        processes = [subprocess.Popen(command, stdout=said, stderr=said, env=environment) for _ in range(writers)]
        codes = [process.wait() for process in processes]
    client, _ = open_store(TrackingConfig(runs=str(runs)))
    (experiment,) = (each for each in client.search_experiments() if each.name == TrackingConfig.experiment)
    found = client.search_runs([experiment.experiment_id])
    whole = [run for run in found if run.info.status == "FINISHED" and "registry.version" in run.data.tags]
    versions = {run.data.tags["registry.version"] for run in whole}
    return max(sum(code != 0 for code in codes), writers - len(whole), writers - len(versions))


def server_killed(config: TrainConfig, server: TrackingServer) -> dict[str, float]:
    """Train twice, killing the server in the second run; counts what the store still lacks once the journal is sent."""
    train(config)
    runs = Path(config.tracking.runs)
    twin = (runs / "latest").resolve().name
    metrics, calls = Tracker.metrics, 0

    def killing(tracker: Tracker, *arguments: Any, **named: Any) -> None:
        nonlocal calls
        metrics(tracker, *arguments, **named)
        calls += 1
        if calls == KILLED_AFTER:
            server.kill()

    with mock.patch.object(Tracker, "metrics", killing):
        train(config)
    killed = (runs / "latest").resolve().name
    waited = len(Journal(runs / killed / JOURNAL_FILE).waiting)
    server.start()
    sent = send(SendConfig(killed, config.tracking))
    client = MlflowClient(server.url)
    there, whole = held(client, killed), written(runs / killed / JOURNAL_FILE)
    named = {_name(fact) for fact in there}
    lost = sorted(map(str, (whole - there) | {_name(fact) for fact in held(client, twin)} - named))
    for fact in lost:
        say(f"lost: {fact}")
    return {"lost": len(lost), "entries_waited": waited, "entries_sent": sent, "facts": len(whole | there)}


def held(client: MlflowClient, run_id: str) -> Facts:
    """All facts that a store holds of a run."""
    run = client.get_run(run_id)
    facts: Facts = {("status", run.info.status)}
    facts |= {("param", *item) for item in run.data.params.items()} | {("tag", *item) for item in run.data.tags.items()}
    for name in run.data.metrics:
        facts |= {("metric", name, m.step, m.timestamp, m.value) for m in client.get_metric_history(run_id, name)}
    for each in run.inputs.dataset_inputs:
        facts.add(("input", each.dataset.name, each.dataset.digest, each.dataset.profile, each.tags[0].value))
    with tempfile.TemporaryDirectory() as folder:
        return facts | _files(Path(client.download_artifacts(run_id, "", folder)), "")


def written(journal: Path) -> Facts:
    """All facts that a run's journal logged; of a tag, a file and the status the last one."""
    single: dict[tuple[str, str], tuple[Any, ...]] = {}
    facts: Facts = set()
    lines = journal.read_bytes().splitlines(keepends=True)
    with tempfile.TemporaryDirectory() as folder:
        unsent = Path(folder) / JOURNAL_FILE
        unsent.write_bytes(b"".join(line for line in lines if not line.startswith(b'{"sent"')))
        entries = [entry for _, entry in Journal(unsent).waiting]
    for entry in entries:
        if entry[KIND] == BATCH:
            facts |= {("param", *param) for param in entry.get("params", [])}
            facts |= {("metric", name, step, at, value) for name, value, at, step in entry.get("metrics", [])}
            single |= {("tag", key): ("tag", key, value) for key, value in entry.get("tags", [])}
        elif entry[KIND] == INPUTS:
            for context, part in entry["inputs"].items():
                facts.add(("input", part["name"], part["digest"], part["profile"], context))
        elif entry[KIND] == ARTIFACT:
            single |= {fact[:2]: fact for fact in _files(journal.parent / entry["path"], entry["folder"] or "")}
        elif entry[KIND] == STATUS:
            single["status", ""] = ("status", entry["status"])
    return facts | set(single.values())


def _files(path: Path, folder: str) -> Facts:
    """Artifact facts: each file's path among the run's artifacts, and its SHA-256."""
    files = [file for file in path.rglob("*") if file.is_file()] if path.is_dir() else [path]
    top = path if path.is_dir() else path.parent
    places = {Path(folder, file.relative_to(top)).as_posix(): file for file in files}
    return {("artifact", place, hashlib.sha256(file.read_bytes()).hexdigest()) for place, file in places.items()}


def _name(fact: tuple[Any, ...]) -> tuple[Any, ...]:
    """A fact without its value, equal in two runs of one config: kind and name, and of a metric the step."""
    return fact[:3] if fact[0] == "metric" else fact[:2]


def run_config(dataset: Path, runs: Path, uri: str | None, *, epochs: int, dim: int) -> TrainConfig:
    """Config of a run on synthetic sessions."""
    trainer = TrainerConfig(max_epochs=epochs, patience=epochs, progress_bar=False)
    tracking = TrackingConfig(uri=uri, runs=str(runs))
    return TrainConfig(dataset=str(dataset), model=ModelConfig(dim=dim), trainer=trainer, tracking=tracking)


def review(
    work: Path, *, items: int, sessions: int, epochs: int, writers: int, dataset: Path | None
) -> list[dict[str, Any]]:
    """Run all measurements; one row per figure.

    Args:
        dataset: trained on too, with default settings and to the end.
    """
    large, small = work / "large", work / "small"
    write_sessions(large, items=items, sessions=sessions)
    write_sessions(small, items=50, sessions=300)
    figures: dict[str, Mapping[str, float]] = {}
    (work / "server").mkdir()
    server = TrackingServer(work / "server")
    try:
        stores = {"sqlite": None, "server": server.url}
        dim = ModelConfig().dim
        costs = {
            name: logging_cost(
                run_config(large, work / "timed" / name, uri, epochs=epochs, dim=dim),
                others=float if uri is None else server.cpu_seconds,
            )
            for name, uri in stores.items()
        }
        if dataset is not None:
            whole = TrainConfig(
                dataset=str(dataset),
                trainer=TrainerConfig(progress_bar=False),
                tracking=TrackingConfig(uri=server.url, runs=str(work / "timed" / "whole")),
            )
            costs["whole"] = logging_cost(whole, others=server.cpu_seconds)
        figures["logging"] = {"overhead_share": max(cost["overhead_share"] for cost in costs.values())}
        figures |= {f"logging/{name}": cost for name, cost in costs.items()}
        small_run = run_config(small, work / "killed", server.url, epochs=4, dim=16)
        figures["server-killed"] = server_killed(small_run, server)
    finally:
        server.kill()
    figures["six-writers"] = {"failed": writers_that_failed(small, work / "writers", writers=writers)}
    real = "" if dataset is None else load_dataset(dataset).name
    return [
        {
            "log": real if system == "logging/whole" else f"synthetic-{items}",
            "system": system,
            "metric": metric,
            "value": float(value),
        }
        for system, values in figures.items()
        for metric, value in values.items()
    ]


def main() -> None:
    """Measure and write the result files."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, default=Path("runs/benchmarks/review"), help="a new folder")
    parser.add_argument("--items", type=int, default=20_000)
    parser.add_argument("--sessions", type=int, default=2_500)
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--dataset", type=Path, help="train on this one too, with default settings and to the end")
    given = parser.parse_args()
    os.environ.pop("MLFLOW_TRACKING_URI", None)
    given.work.mkdir(parents=True)
    sizes = {"items": given.items, "sessions": given.sessions, "epochs": given.epochs}
    rows = review(given.work, **sizes, writers=WRITERS, dataset=given.dataset)
    notes = (
        f"logging: runs of {given.sessions:,} synthetic sessions and {given.items:,} items, default model, bundle "
        "exported and registered, against mlflow server over HTTP on this machine and against SQLite. Counted are "
        "all calls of the tracker, the registry, the twenty sessions, the latency of the bundle and the figures. "
        f"overhead_share: (fixed_cpu_s + {EPOCHS} * each_epoch_cpu_s) / {TEN_MINUTES:g} s, the share of a ten-minute "
        f"run of one thread with {EPOCHS} epochs, more than any run has by default; the largest of them stands under "
        "logging. logging/whole: a run with default settings to its end, over HTTP, where a data set is given; "
        "share_of_this_run is what it took of it. Seconds are the processor's, of the run's process and of the "
        "server's together, because a run waits for both and other work shared this machine; overhead_share_wall is "
        "the same by the wall clock, of that shared machine. That a new store is made, once in its life, is not "
        "counted. "
        f"six-writers: {WRITERS} processes of training.train started at once on a new default store; failed are those "
        "that end with an error or whose finished run or own model version is not in the store. server-killed: the "
        f"server is killed by its process group's number after {KILLED_AFTER} logged epochs and started again after "
        "the run, and training.send sends what waited; lost are facts (a metric at a step, a parameter, a tag, an "
        "input, a file by its SHA-256, the status) that the journal has and the store has not, or that a twin run has "
        "by name and this one has not."
    )
    write_results("review", rows, title="What review costs a run, and what it survives", notes=notes)
    say("wrote benchmarks/results/review.json and .md")


if __name__ == "__main__":
    main()
