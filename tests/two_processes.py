"""Two processes that train together: how tests start them, and, run as a script, what each of them does.

``python two_processes.py all FOLDER PORTS ARGUMENT...`` is ``training.train`` of which both processes are killed in
the fit, and again, resumed, in the refit, and which then goes on to its end; after it one data set after another is
learned; ``... again FOLDER PORTS`` learns those alone. Surprising: torchrun's agent is started by its function and not
by its command, so that both processes are forks of one that has only imported its libraries, and so is each run of the
command: to import them takes longer than all that is asked of them.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import pytorch_lightning as pl
import torch

ROOT: Final = Path(__file__).resolve().parents[1]
PIDS: Final = "TILLSIDE_TEST_PIDS"
"""Environment variable: folder where each process leaves a file of its number."""
SECONDS: Final = 400
"""Far more than any start takes; what hangs is ended then."""
COMMANDS: Final = 3
"""Of one start: to the first kill, to the second, and to the end."""
ITEMS: Final = 8
SETTINGS: Final = {"max_epochs": 2, "batch_events": 64, "checkpoint_batches": 2, "devices": 2, "accelerator": "cpu"}
MODEL: Final = {"dim": 8, "layers": 1, "heads": 2, "max_length": 8}


def start(what: str, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Start this script, with a free port for each command, and wait for its two processes; none is left when it
    returns."""
    pids = folder / "pids"
    pids.mkdir(exist_ok=True)
    command = [sys.executable, __file__]
    with ExitStack() as held:
        sockets = [held.enter_context(socket.socket()) for _ in range(COMMANDS)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        ports = ",".join(str(each.getsockname()[1]) for each in sockets)
    loopback = {"GLOO_SOCKET_IFNAME": "lo"} if sys.platform == "linux" else {}
    environment = os.environ | loopback | {PIDS: str(pids), "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        [*command, what, str(folder), ports, *arguments],
        cwd=folder,
        env=environment,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    ) as started:
        try:
            told, _ = started.communicate(timeout=SECONDS)
        finally:
            started.kill()
            left = [int(each.name) for each in pids.iterdir() if alive(int(each.name))]
            for pid in left:
                os.kill(pid, signal.SIGKILL)
    assert not left, f"processes {left} outlived torchrun: {told}"
    return subprocess.CompletedProcess(command, started.returncode, told)


def alive(pid: int) -> bool:
    """Whether there is such a process."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


class Killed(BaseException):
    """What a kill is to a process that goes on."""


def after(stage: str, step: int, die: Callable[[], None]) -> Callable[..., Any]:
    """What takes the place of ``EpochMetrics.on_train_batch_end`` to die after a step of a stage."""
    from training.learning.callbacks import EpochMetrics

    count = EpochMetrics.on_train_batch_end

    def counted(self: EpochMetrics, trainer: pl.Trainer, *arguments: Any) -> None:
        count(self, trainer, *arguments)
        if (self.stage, trainer.global_step) == (stage, step):
            die()

    return counted


@contextmanager
def dying(stage: str, step: int, die: Callable[[], None]) -> Iterator[None]:
    """Within the block whoever trains dies after that step."""
    from training.learning.callbacks import EpochMetrics

    before = EpochMetrics.on_train_batch_end
    EpochMetrics.on_train_batch_end = after(stage, step, die)  # type: ignore[method-assign]
    try:
        yield
    finally:
        EpochMetrics.on_train_batch_end = before  # type: ignore[method-assign]


def kill() -> None:
    """End this process as the system would when memory is short."""
    os.kill(os.getpid(), signal.SIGKILL)


def raise_killed() -> None:
    """End what this process does."""
    raise Killed


def command(stage: str, step: int, arguments: Sequence[str]) -> None:
    """``training.train``, to be killed; it draws no figures."""
    import training.train
    from tests.training.conftest import figures_left_out

    sys.argv[1:] = arguments
    with dying(stage, step, kill), figures_left_out():
        training.train.main()


def forked(port: str, stage: str, step: int, arguments: Sequence[str]) -> int:
    """:func:`command` in a fork of this process, which meets the other one's at ``port``; its exit code."""
    pid = os.fork()
    if pid:
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    code = 1
    try:
        (Path(os.environ[PIDS]) / str(os.getpid())).touch()
        os.environ |= {"MASTER_PORT": port, "TORCHELASTIC_USE_AGENT_STORE": "False"}
        command(stage, step, arguments)
        code = 0
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else 1
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def resumed(folder: Path) -> list[str]:
    """What is typed to go on with the only run in ``folder``/runs."""
    (resume,) = (folder / "runs").glob("*/resume.ckpt")
    return [f"resume={resume.parent.name}", f"tracking.runs={folder / 'runs'}"]


def killed_twice(folder: Path, ports: Sequence[str], arguments: Sequence[str]) -> list[int]:
    """Train until both processes are killed in the fit, go on until they are killed in the refit, and go on to the end;
    this process's exit code of each."""
    first, second, third = ports
    codes = [forked(first, "train", 8, arguments)]
    if os.environ["RANK"] == "0":
        fitted = [str(path) for path in (folder / "runs").glob("*/history.json")]
        (folder / "between.json").write_text(json.dumps(fitted), encoding="utf-8")
    codes.append(forked(second, "refit", 5, resumed(folder)))
    if os.environ["RANK"] == "0":
        fitted = [str(path) for path in (folder / "runs").glob("*/history.json")]
        (folder / "refitting.json").write_text(json.dumps(fitted), encoding="utf-8")
    return [*codes, forked(third, "never", 0, resumed(folder))]


def write_logs(folder: Path) -> None:
    """A data set whose shoppers return and buy, and one of clicks alone."""
    from tests.datasets import make_catalogue, make_sessions, random_rows
    from tillside.dataset import PARTS, Part, write_dataset
    from tillside.events import Behaviours

    sessions = [*random_rows(150, items=ITEMS, seed=1), *random_rows(40, items=ITEMS, seed=2)]
    rows = [*sessions, *random_rows(20, items=ITEMS, seed=3)]
    longest = max(range(150, 190), key=lambda number: len(rows[number]))
    rows[longest] = rows[longest][:-1]  # an odd number of cases to validate on
    users = {"users": (np.arange(len(rows)) % 40).astype(np.int32)}
    parts: dict[Part, tuple[int, int]] = dict(zip(PARTS, ((0, 150), (150, 190), (190, 210)), strict=True))
    clicks = [[(item, "click", time) for item, _, time in row] for row in rows]
    for name, log, behaviours in (
        ("goal", rows, Behaviours()),
        ("clicks", clicks, Behaviours(("click",))),
    ):
        place = folder / name
        place.mkdir()
        learned = make_sessions(log[:150])
        catalogue = make_catalogue(learned, trained=ITEMS)
        write_dataset(
            place,
            sessions=replace(make_sessions(log), optional=users),
            catalogue=replace(catalogue, counts_NB=catalogue.counts_NB[:, : len(behaviours.names)]),
            behaviours=behaviours,
            parts=parts,
            test_cases="every",
            about={"name": name, "config": {"repeats": "keep"}, "counts": {}},
        )


def scenes(folder: Path) -> None:
    """Learn each scene undisturbed, and again with a death in the fit and one in the refit; write what came of it."""
    from training.learning.processes import joined
    from training.settings.loss import LossConfig, Softmax
    from training.settings.model import ModelConfig
    from training.settings.train import TrainConfig
    from training.settings.trainer import TrainerConfig

    sampled = LossConfig(softmax=Softmax.sampled, pool=8, sparse_from_items=1)
    config = TrainConfig(model=ModelConfig(**MODEL), trainer=TrainerConfig(progress_bar=False, **SETTINGS))
    listed = {
        "full": ("goal", config),
        "sparse": ("goal", replace(config, loss=sampled)),
        "history": ("goal", replace(config, model=ModelConfig(history=4, **MODEL))),
        "no goal": ("clicks", config),
    }
    torch.set_num_threads(1)
    with joined(config.trainer) as processes:
        found = {}
        for name, (log, settings) in listed.items():
            place = folder / name
            whole = learned(settings, folder / log, place / "whole", processes)
            resumed = learned(settings, folder / log, place / "died", processes, deaths=(("train", 5), ("refit", 5)))
            found[name] = asdict_of(whole, resumed, processes)
            if processes.leads:
                torch.save(whole["weights"], place / "weights.pt")
        if processes.leads:
            patience = processes._waiting._get_backend(torch.device("cpu")).options._timeout
            document = {"scenes": found, "waits_days": patience.days}
            (folder / "found.json").write_text(json.dumps(document), encoding="utf-8")


def learned(
    settings: Any, log: Path, folder: Path, processes: Any, deaths: Sequence[tuple[str, int]] = ()
) -> dict[str, Any]:
    """What this process has learned: weights, memory, recency in fit and refit, history; after deaths, if any."""
    from tillside.dataset import load_dataset
    from tillside.ranking import mrr_at
    from training.evaluation.ranking import rank
    from training.learning.fit import load_best
    from training.learning.recipe import learn
    from training.learning.training_setup import TrainingSetup
    from training.tracking.unrecorded import Unrecorded

    built: list[TrainingSetup] = []
    build = TrainingSetup.build.__func__  # type: ignore[attr-defined]

    def noting(cls: type, *arguments: Any, **named: Any) -> TrainingSetup:
        built.append(build(cls, *arguments, **named))
        return built[-1]

    def run() -> Any:
        setup = TrainingSetup.prepare(settings, dataset, processes=processes)
        return learn(setup, dataset, folder=folder, tracker=Unrecorded("r"))  # type: ignore[arg-type]

    dataset = load_dataset(log)
    folder.mkdir(parents=True, exist_ok=True)
    for death in deaths:
        with dying(*death, raise_killed):
            try:
                run()
            except Killed:
                pass
            else:
                raise AssertionError(f"nobody died in {death}")
    TrainingSetup.build = classmethod(noting)  # type: ignore[method-assign,assignment]
    try:
        best, trained, history = run()
    finally:
        TrainingSetup.build = classmethod(build)  # type: ignore[method-assign]
    losses = [epoch["train/loss"] for epoch in history]
    fitted = built[0]
    alone: tuple[float, int] = (0.0, 0)
    if processes.leads:
        load_best(fitted.module, folder)
        cases, items = fitted.data.validation, dataset.catalogue.rankable
        ranks_C = rank(fitted.module.make_scorer(), cases, items=items, coverage=False).ranks_C
        alone = float(mrr_at(ranks_C, 20).mean()), len(cases)
    return {
        "alone": alone,
        "best": best,
        "weights": {name: each.clone() for name, each in trained.model.state_dict().items()},
        "parameters": {name: each.detach().clone() for name, each in trained.model.named_parameters()},
        "memory": None if trained.memory is None else trained.memory.document(),
        "recency": [setup.data.recency for setup in built],
        "neighbourhood": asdict(built[0].neighbourhood),
        "losses": losses,
        "intent": trained.intent,
    }


def asdict_of(whole: dict[str, Any], resumed: Mapping[str, Any], processes: Any) -> dict[str, Any]:
    """What the test asks about a scene, the same in all processes."""
    mine = {  # the first process alone calibrates intent
        name: each.tolist() for name, each in whole["parameters"].items() if not name.startswith("encoder.intent")
    }
    shared: list[Any] = [None, None]
    torch.distributed.all_gather_object(shared, (mine, whole["recency"], whole["neighbourhood"], whole["best"]))
    return {
        "intent": whole["intent"],
        "same_everywhere": shared[0] == shared[1],
        "best": whole["best"],
        "alone": whole["alone"],
        "recency": whole["recency"],
        "resumed": {
            "weights": all(torch.equal(each, resumed["weights"][name]) for name, each in whole["weights"].items()),
            "memory": resumed["memory"] == whole["memory"],
            "best": resumed["best"] == whole["best"],
            "losses": bool(np.allclose(resumed["losses"], whole["losses"], rtol=1e-12, atol=0)),
        },
    }


def one_of_two(what: str, place: str, free: str, *arguments: str) -> None:
    """What each of the two processes does."""
    (Path(os.environ[PIDS]) / str(os.getpid())).touch()
    if what == "all":
        codes = killed_twice(Path(place), free.split(","), arguments)
        (Path(place) / f"codes{os.environ['RANK']}.json").write_text(json.dumps(codes), encoding="utf-8")
    scenes(Path(place))


if __name__ == "__main__":
    import mlflow.store.tracking.sqlalchemy_store  # noqa: F401  what the forks need is imported once
    from torch.distributed.launcher.api import LaunchConfig, elastic_launch

    import tests.training.conftest  # noqa: F401
    import training.stages.train  # noqa: F401

    torchrun = LaunchConfig(
        min_nodes=1,
        max_nodes=1,
        nproc_per_node=2,
        run_id="two",
        rdzv_backend="c10d",
        rdzv_endpoint="127.0.0.1:0",
        local_addr="127.0.0.1",
        max_restarts=0,
        start_method="fork",
    )
    elastic_launch(torchrun, one_of_two)(*sys.argv[1:])
