"""Garbage on the command line of the training room: one sentence, exit code 2, and nothing half-written remains."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from omegaconf import OmegaConf

from tests.datasets import make_dataset, random_rows
from tests.models import make_trained
from tillside.dataset import Dataset
from training import evaluate, export, prepare, simulate, train
from training.bundle.write import export_run
from training.cli.progress import silenced
from training.evaluation.tables import METRICS_FILE
from training.learning.callbacks import RESUME_FILE
from training.model.checkpoint import MODEL_FILE, save_model
from training.settings.tracking import TrackingConfig
from training.settings.train import TrainConfig
from training.settings.trainer import TrainerConfig
from training.stages import train as stage
from training.tracking.store import open_store
from training.tracking.tracker import Tracker

COMMANDS = {module.__name__: module.main for module in (prepare, simulate, train, evaluate, export)}
TINY = ["trainer.max_epochs=1", "trainer.progress_bar=false", "model.dim=8", "export=false"]

Refused = Callable[..., str]


@pytest.fixture
def refused(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Refused:
    """Starts a command in this process as if typed in ``tmp_path``; its sentence."""
    monkeypatch.delenv("HYDRA_FULL_ERROR", raising=False)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.chdir(tmp_path)

    def run(name: str, *arguments: str) -> str:
        capsys.readouterr()
        monkeypatch.setattr(sys, "argv", [f"training.{name}", *arguments])
        with silenced(), pytest.raises(SystemExit) as caught:  # a busy machine is slow enough for progress
            COMMANDS[f"training.{name}"]()
        lines = capsys.readouterr().err.splitlines()
        assert (caught.value.code, len(lines)) == (2, 1), lines
        assert lines[0].startswith("error: ")
        return lines[0].removeprefix("error: ")

    return run


def shop(folder: Path, *, validation: int = 10, test: int = 10) -> Dataset:
    rows = random_rows(60 + validation + test, items=12)
    return make_dataset(
        folder,
        train=rows[:60],
        validation=rows[60 : 60 + validation],
        test=rows[60 + validation :],
        trained=12,
    )


@pytest.fixture
def dataset(tmp_path: Path) -> Dataset:
    return shop(tmp_path / "dataset")


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Dataset, str, str]:
    """A store with a run that kept its model but no metrics, and one that kept nothing; and their data set."""
    folder = tmp_path_factory.mktemp("recorded")
    dataset = shop(folder / "dataset")
    config = TrackingConfig(runs=str(folder / "runs"))
    whole, bare = Tracker.start(config), Tracker.start(config)
    whole.dataset(dataset)
    save_model(folder / MODEL_FILE, make_trained(dataset), dataset)
    whole.artifact(folder / MODEL_FILE)
    return folder / "runs", dataset, whole.run_id, bare.run_id


@pytest.mark.parametrize(
    ("argument", "words"),
    [
        ("trainer.max_epochs=0", "trainer.max_epochs must be at least 1, got 0"),
        ("trainer.batch_events=-7", "trainer.batch_events must be at least 1, got -7"),
        ("trainer.checkpoint_minutes=nan", "trainer.checkpoint_minutes must be 0 or more, got nan"),
        ("model.layers=0", "model.layers must be at least 1, got 0"),
        ("model.temperature=nan", "model.temperature must be above 0"),
        ("optimizer.learning_rate=-1", "optimizer.learning_rate must be above 0"),
        ("seed=-1", "seed must be from 0 to 4294967295, got -1"),
        ("trainer.epochs=3", "allowed here: accelerator, "),
        ("resume=unknown", "there is nothing to go on from"),
        ("dataset=nowhere", "nowhere is not a prepared data set"),
        ("tracking.uri=http://127.0.0.1:9", "MLflow at http://127.0.0.1:9: the server does not answer: "),
        ("tracking.uri=gopher://hole", "MLflow at gopher://hole: "),
        ("tracking.uri=sqlite:///dataset/dataset.json", "file is not a database"),
        ("tracking.runs=dataset/dataset.json", "dataset/dataset.json"),
    ],
)
def test_training_on_garbage_is_refused(refused, dataset, tmp_path, argument, words):
    given = [] if argument.startswith("dataset=") else ["dataset=dataset"]
    assert words in refused("train", *given, argument)
    assert sorted(path.name for path in tmp_path.iterdir() if path.name != "runs") == ["dataset"]
    assert not list((tmp_path / "runs").glob("*/config.yaml"))


def test_a_server_that_answers_nothing_is_asked_twice_and_no_more(refused, dataset):
    """MLflow by itself would ask for minutes."""
    asked = []
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def hang_up():
            with contextlib.suppress(OSError):
                while True:
                    listener.accept()[0].close()
                    asked.append(1)

        serving = threading.Thread(target=hang_up)
        serving.start()
        refused("train", "dataset=dataset", f"tracking.uri=http://127.0.0.1:{listener.getsockname()[1]}")
        listener.shutdown(socket.SHUT_RDWR)
        serving.join()
    assert 1 <= len(asked) <= 2


@pytest.mark.parametrize("part", ["validation", "test"])
def test_an_empty_part_is_refused_before_training(refused, tmp_path, part):
    shop(tmp_path / "lacking", **{part: 0})
    assert f"the {part} part has no cases" in refused("train", "dataset=lacking")
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize(
    "arguments", [["--multirun", "model.dim=8,wide"], ["-m", "model.dmi=8,16"], ["--cfg", "job", "model.dmi=3"]]
)
def test_sweeps_and_flags_are_answered_with_one_sentence_as_well(refused, dataset, arguments):
    assert "model.d" in refused("train", "dataset=dataset", *arguments)


def test_training_that_diverged_is_no_result(refused, dataset, tmp_path):
    assert "training diverged" in refused("train", "dataset=dataset", "optimizer.learning_rate=1e30", *TINY)
    (run,) = (path.parent for path in tmp_path.glob("runs/*/config.yaml"))
    assert not (run / MODEL_FILE).exists()


def test_what_the_machine_has_not_is_named(refused, dataset):
    sentence = refused("train", "dataset=dataset", "trainer.accelerator=tpu", *TINY)
    assert sentence.startswith("trainer.accelerator=tpu, trainer.devices=1 cannot be had here: ")


def interrupted(tmp_path: Path, dataset: Dataset, tracker: Tracker) -> Path:
    """What a killed run leaves: its config and its resume point."""
    folder = tmp_path / "runs" / tracker.run_id
    config = TrainConfig(dataset=str(dataset.path), seed=3, trainer=TrainerConfig(max_epochs=3))
    (folder / "config.yaml").write_text(OmegaConf.to_yaml(OmegaConf.structured(config)))
    torch.save({}, folder / RESUME_FILE)
    return folder


def test_a_run_is_resumed_as_it_was_or_not_at_all(refused, dataset, tmp_path):
    tracker = Tracker.start(TrackingConfig(runs=str(tmp_path / "runs")))
    tracker.dataset(dataset)
    tracker.end("KILLED")
    folder = interrupted(tmp_path, dataset, tracker)
    resume = f"resume={tracker.run_id}"
    sentence = refused("train", resume, "trainer.max_epochs=9")
    assert sentence == f"trainer.max_epochs cannot be changed by {resume}: it is 3 there, got 9"
    for default in ("seed=0", "trainer.max_epochs=null"):  # what is typed is meant, even if nobody need type it
        key = default.partition("=")[0]
        sentence = refused("train", resume, default)
        assert sentence.startswith(f"{key} cannot be changed by {resume}: it is 3 there, got ")
    shop(tmp_path / "other", test=11)
    assert "was trained on the data set with digest " in refused("train", resume, "dataset=other")
    (folder / RESUME_FILE).write_bytes((folder / RESUME_FILE).read_bytes()[:100])
    assert "is damaged" in refused("train", resume)
    assert tracker.client.get_run(tracker.run_id).info.status == "KILLED"


@pytest.mark.parametrize("name", ["evaluate", "export"])
def test_a_run_that_cannot_be_had_is_named(refused, recorded, name):
    runs, _, _, bare = recorded
    where = [f"tracking.runs={runs}", *(["out=bundle"] if name == "export" else [])]
    assert "nonsense" in refused(name, "run=nonsense", *where)
    assert "has no artifact model.pt" in refused(name, f"run={bare}", *where)
    assert "the server does not answer" in refused(name, "run=a", "tracking.uri=http://127.0.0.1:9", *where)
    assert not Path("bundle").exists()


def test_looking_for_runs_makes_no_store(refused, tmp_path):
    assert "no runs are recorded at sqlite:" in refused("evaluate", "run=a", "tracking.runs=nowhere")
    assert not list(tmp_path.iterdir())


def test_a_data_set_that_was_moved_or_changed_is_named(refused, recorded, tmp_path):
    runs, _, whole, _ = recorded
    shop(tmp_path / "other", test=11)
    run = [f"run={whole}", f"tracking.runs={runs}"]
    assert "nowhere is not a prepared data set" in refused("evaluate", *run, "dataset=nowhere")
    assert "was trained on the data set with digest" in refused("evaluate", *run, "dataset=other")


def test_an_export_without_metrics_is_refused(refused, recorded):
    runs, _, whole, _ = recorded
    assert f"has no artifact {METRICS_FILE}" in refused("export", f"run={whole}", f"tracking.runs={runs}", "out=bundle")
    assert not Path("bundle").exists()


def test_a_place_to_write_that_is_a_file_is_refused_before_the_work(refused, tmp_path):
    (tmp_path / "out").write_text("mine")
    assert "out=out exists and is not a directory" in refused("evaluate", "run=a", "out=out")
    assert "out exists and is not a directory" in refused("simulate", "out=out", "items=100")
    assert (tmp_path / "out").read_text() == "mine"


@pytest.mark.parametrize("name", ["thesis.txt", "manifest.json"])
def test_an_export_replaces_a_bundle_and_nothing_else(dataset, tmp_path, name):
    """A manifest.json alone shows nothing: browser extensions have one too."""
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / name).write_text("mine")
    trained = make_trained(dataset)
    with pytest.raises(ValueError, match=r"out holds other files and no (manifest\.json|encoder\.onnx); name a new"):
        export_run(trained, dataset, tmp_path / "out", metrics={}, run_id="a")
    assert [path.read_text() for path in (tmp_path / "out").iterdir()] == ["mine"]


@pytest.mark.slow
def test_training_whose_reader_goes_after_the_first_line_ends_quietly(dataset, tmp_path, monkeypatch, capfd):
    """As in ``tillside train ... | head -1``: exit code 141, nothing on stderr, and the run is KILLED, not FAILED."""
    reader, writer = os.pipe()
    set_up, read = stage.set_up, []

    def set_up_and_read(*given):
        read.append(os.read(reader, 1000).decode())
        os.close(reader)
        return set_up(*given)

    monkeypatch.setattr(stage, "set_up", set_up_and_read)
    runs = tmp_path / "runs"
    monkeypatch.setattr(sys, "argv", ["training.train", f"dataset={dataset.path}", f"tracking.runs={runs}", *TINY])
    with os.fdopen(writer, "w", buffering=1) as out, monkeypatch.context() as patched:
        patched.setattr(sys, "stdout", out)
        with silenced(), pytest.raises(SystemExit) as caught:
            train.main()
    assert caught.value.code == 128 + signal.SIGPIPE
    assert read == [f"train: dataset={dataset.path} -> {runs}\n"]
    assert capfd.readouterr().err == ""
    client, _ = open_store(TrackingConfig(runs=str(runs)))
    [run] = client.search_runs([each.experiment_id for each in client.search_experiments()])
    assert run.info.status == "KILLED"


@pytest.mark.slow
@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
def test_a_stopped_run_is_killed_in_mlflow_and_names_the_way_on(tmp_path, dataset, name):
    number = signal.Signals[name]
    settings = ["trainer.max_epochs=100000", "trainer.patience=100000", *TINY[1:]]
    arguments = [f"dataset={dataset.path}", f"tracking.runs={tmp_path / 'runs'}", *settings]
    with (tmp_path / "err").open("w") as err:
        process = subprocess.Popen(
            [sys.executable, "-m", "training.train", *arguments],
            stdout=subprocess.PIPE,
            stderr=err,
            text=True,
            env=os.environ | {"OMP_NUM_THREADS": "1"},
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
        )
        assert process.stdout is not None
        assert process.stdout.readline() == f"train: dataset={dataset.path} -> {tmp_path / 'runs'}\n"
        run_id = process.stdout.readline().removeprefix("run ").partition(":")[0]
        assert process.stdout.readline().startswith("epoch 1 ")
        process.send_signal(number)
        output, _ = process.communicate(timeout=60)
    assert process.returncode == 128 + number
    said = (tmp_path / "err").read_text().splitlines()  # on a busy machine loading is long enough to be told of
    assert [line for line in said if not line.startswith("loading the libraries")] == [f"error: stopped by {name}"]
    assert f"training.train resume={run_id} " in output
    client, _ = open_store(TrackingConfig(runs=str(tmp_path / "runs")))
    assert client.get_run(run_id).info.status == "KILLED"
