"""``training.prepare`` and garbage: one clear sentence, exit code 2, nothing half-made, even by a killed run."""

import gzip
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.logs import EVENTS_HEADER, click_log, events_log, write_log
from tillside.dataset import load_dataset
from training import prepare as command
from training.cli.progress import silenced
from training.settings.prepare import PrepareConfig
from training.settings.split import SplitBy, SplitConfig
from training.stages import prepare as stage
from training.stages.prepare import prepare

ROOT = Path(__file__).parents[2]
PROGRESS = ("loading the libraries", "preparing", "writing the data set")
"""How lines begin that a busy machine makes a command print."""


@pytest.fixture(autouse=True)
def _without_progress() -> Iterator[None]:
    with silenced():  # a busy machine is slow enough for it
        yield


def good_log(path: Path) -> Path:
    return events_log(path, [(f"s{number}", 10 * number, ["a", "b"]) for number in range(40)])


def command_line(data: Path, out: Path, *more: str) -> list[str]:
    return ["data=events", f"data.path='{data}'", "data.behaviours=[click]", f"out='{out}'", *more]


Make = Callable[[Path], None]


@pytest.mark.parametrize(
    ("name", "make", "sentence"),
    [
        ("log.csv", lambda path: path.write_bytes(b""), "is empty"),
        ("log.csv.gz", lambda path: path.write_bytes(gzip.compress(b"")), "is empty once unpacked"),
        ("log.csv", lambda path: write_log(path, EVENTS_HEADER), "the log holds no events"),
        ("log.csv", lambda path: None, "data.path: there is no file"),
        ("log.csv", lambda path: path.mkdir(), "holds no file of a log"),
        ("log.csv", lambda path: write_log(path, "a,b", "1,2"), "neither a session_id nor a user_id column"),
        (
            "log.csv",
            lambda path: write_log(path, "session_id,sku,timestamp", "1,2,3"),
            "has no column 'item_id' (set data.columns.item_id); it has: session_id, sku, timestamp",
        ),
        ("log.csv", lambda path: write_log(path, "item_id,ITEM_ID", "1,2"), "more than one column 'ITEM_ID'"),
        (
            "log.csv",
            lambda path: path.write_bytes(f"{EVENTS_HEADER}\ns,é,click,1\n".encode("cp1252")),
            "most often: invalid UTF-8 (1 rows",
        ),
        (
            "log.csv",
            lambda path: path.write_bytes(f"{EVENTS_HEADER}\n".encode() + "s,café,click,1\n".encode("latin-1") * 20),
            "20 of 20 rows are bad (100.00%, max_reject_share is 1.00%), most often: invalid UTF-8 (20 rows, such as "
            "line 2",
        ),
        (
            "log.csv.gz",
            lambda path: path.write_bytes(gzip.compress(good_log(path.parent / "raw.csv").read_bytes())[:-20]),
            "is a damaged or truncated gzip file",
        ),
        ("log.csv.gz", lambda path: path.write_bytes(b"item_id,timestamp\n"), "is named .gz but is not a gzip file"),
        ("log.parquet", lambda path: path.write_bytes(b"PAR1 and no more"), "cannot be read as Parquet"),
        ("log.jsonl", lambda path: path.write_bytes(b"[1]\nx\n"), "is no JSON array of objects"),
        ("log.xlsx", lambda path: path.write_bytes(b"x"), "must end in one of .csv, .tsv"),
        ("log.csv", lambda path: path.write_bytes(b"x" * (5 << 20)), "has a line longer than 4 MB"),
        (
            "log.csv",
            lambda path: write_log(path, EVENTS_HEADER, "s,i,look,1", "s,i,look,2", "s,,click,2", "s,i,click,3"),
            "3 of 4 rows are bad (75.00%, max_reject_share is 1.00%), most often: unknown behaviour (2 rows, such as "
            "line 2: 's,i,look,1')",
        ),
        (
            "log.csv",
            lambda path: write_log(path, f"{EVENTS_HEADER},price", *["s,i,click,1,nan"] * 9),
            "no training session is left",
        ),
        ("log.csv", lambda path: events_log(path, [("s", 0, ["a"])]), "no training session is left"),
    ],
    ids=lambda value: value[:40] if isinstance(value, str) else "",
)
def test_garbage_gets_one_sentence_and_leaves_nothing(
    tmp_path: Path,
    name: str,
    make: Make,
    sentence: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    make(tmp_path / name)
    out = tmp_path / "runs" / "out"
    monkeypatch.setattr(sys, "argv", ["prepare", *command_line(tmp_path / name, out)])
    with pytest.raises(SystemExit) as exit_:
        command.main()
    assert exit_.value.code == 2
    printed = capsys.readouterr()
    assert printed.out == f"prepare: data=events -> {out}\n"
    assert printed.err.startswith("error: ")
    assert printed.err.count("\n") == 1
    assert sentence in printed.err
    assert not out.parent.exists() or list(out.parent.iterdir()) == []


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"name": " "}, "name must be null or 1 to 100 printable characters, got ' '"),
        ({"name": "a\nb"}, "name must be null or 1 to 100 printable characters"),
        ({"session_gap_minutes": 0.0}, "session_gap_minutes must be above 0 or null, got 0"),
        ({"max_session_length": 1}, "max_session_length must be at least 2 or null, got 1"),
        ({"min_item_support": 0}, "min_item_support must be at least 1, got 0"),
        ({"min_session_length": 0}, "min_session_length must be at least 1, got 0"),
        ({"holdout_items": 1.0}, "holdout_items must be at least 0 and below 1, got 1.0"),
        ({"holdout_items": -0.1}, "holdout_items must be at least 0 and below 1, got -0.1"),
        ({"seed": -1}, "seed must not be negative, got -1"),
        ({"max_reject_share": 1.5}, "max_reject_share must be between 0 and 1, got 1.5"),
        ({"split": SplitConfig(validation=0.5, test=0.5)}, "must be below 1"),
        ({"split": SplitConfig(validation=-1)}, "split.validation must be at least 0, got -1"),
        ({"split": SplitConfig(by=SplitBy.given)}, "split.by is 'given', which does not fit this log"),
        ({"split": SplitConfig(by=SplitBy.days, validation=1, test=900)}, "no training session is left"),
        ({"split": SplitConfig(validation=0.001, test=0.1)}, "the validation part holds no session"),
        ({"split": SplitConfig(by=SplitBy.leave_one_out, test=0.1)}, "must be null for leave_one_out"),
        ({"min_item_support": 1000}, "no training session is left"),
    ],
)
def test_settings_out_of_range_are_refused(tmp_path: Path, changes: dict[str, object], sentence: str) -> None:
    path = good_log(tmp_path / "log.csv")
    data = click_log(path)
    with pytest.raises(ValueError, match=sentence):
        prepare(replace(PrepareConfig(out=str(tmp_path / "out"), data=data), **changes))  # type: ignore[arg-type]
    assert not (tmp_path / "out").exists()


def test_a_directory_that_holds_something_else_is_not_replaced(tmp_path: Path) -> None:
    path = good_log(tmp_path / "log.csv")
    with pytest.raises(ValueError, match=r"holds other files and no dataset\.json"):
        prepare(PrepareConfig(out=str(tmp_path), data=click_log(path)))
    assert path.exists()


def test_a_failed_run_leaves_the_old_data_set_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = click_log(good_log(tmp_path / "log.csv"))
    config = PrepareConfig(out=str(tmp_path / "out"), data=data)
    digest = prepare(config).digest

    def fail(*_: object, **__: object) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr(stage, "write_dataset", fail)
    with pytest.raises(OSError, match="no space left"):
        prepare(config)
    assert load_dataset(tmp_path / "out").digest == digest
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["log.csv", "out"]


KILLED = """
import os, signal, sys
from training.data.readers.events import EventsConfig
from training.stages import prepare as stage

def kill(*_, **__):
    print("writing", flush=True)
    os.kill(os.getpid(), signal.SIGKILL)

stage.write_dataset = kill
stage.prepare(stage.PrepareConfig(out=sys.argv[2], data=EventsConfig(path=sys.argv[1], behaviours=["click"])))
"""


def test_a_killed_run_leaves_the_old_data_set_and_the_next_run_sweeps_up(tmp_path: Path) -> None:
    log, out = good_log(tmp_path / "log.csv"), tmp_path / "runs" / "out"
    config = PrepareConfig(out=str(out), data=click_log(log))
    digest = prepare(config).digest
    child = subprocess.run(
        [sys.executable, "-c", KILLED, str(log), str(out)], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (child.returncode, child.stdout) == (-signal.SIGKILL, "writing\n"), child.stderr
    assert load_dataset(out).digest == digest
    left = [entry.name for entry in out.parent.iterdir() if entry != out]
    assert len(left) == 1
    assert left[0].startswith(".out.partial-")
    assert prepare(config).digest == digest
    assert list(out.parent.iterdir()) == [out]


def test_the_command_prints_the_summary_and_what_to_type_next(tmp_path: Path) -> None:
    log, out = good_log(tmp_path / "log.csv"), tmp_path / "out"
    arguments = command_line(log, out, "min_item_support=1")
    child = subprocess.run(
        [sys.executable, "-W", "error", "-m", "training.prepare", *arguments],
        cwd=ROOT,
        env=os.environ | {"PATH": str(Path(sys.executable).parent)},  # where a shell finds it as python
        capture_output=True,
        text=True,
        check=False,
    )
    assert child.returncode == 0, child.stderr
    assert [line for line in child.stderr.splitlines() if not line.startswith(PROGRESS)] == []
    assert "2 trained items and 0 cold ones of 2" in child.stdout
    assert load_dataset(out).digest[:16] in child.stdout
    assert child.stdout.rstrip().endswith(f"next: python -m training.train dataset={out}")


def test_a_mistyped_setting_names_the_allowed_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    log = good_log(tmp_path / "log.csv")
    for wrong, allowed in (
        ("data.columns.sku=item", "item_id"),
        ("min_items=3", "min_item_support"),
        ("repeats=drop", "collapse"),
        ("split.by=weeks", "fractions"),
        ("data=rees47", "rees46"),
    ):
        monkeypatch.setattr(sys, "argv", ["prepare", *command_line(log, tmp_path / "out"), wrong])
        with pytest.raises(SystemExit) as exit_:
            command.main()
        error = capsys.readouterr().err
        assert exit_.value.code == 2
        assert allowed in error
        assert error.count("\n") == 1


def test_mappings_are_given_on_the_command_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = [f"s{number // 2},{number % 2},{'view' if number % 2 else 'order'},{number}" for number in range(80)]
    log = write_log(tmp_path / "log.csv", "session_id,sku,kind,timestamp", *lines)
    arguments = ["data=events", f"data.path={log}", f"out={tmp_path / 'out'}", "data.columns.item_id=sku"]
    arguments += ["data.columns.behaviour=kind", "data.behaviour_map={view: click, order: purchase}"]
    monkeypatch.setattr(sys, "argv", ["prepare", *arguments])
    command.main()
    assert "80 rows read" in capsys.readouterr().out
    dataset = load_dataset(tmp_path / "out")
    assert dataset.behaviours.names == ("click", "cart", "purchase")
    # Each session of the 40 holds an order at its even second and a view at the odd one.
    assert dataset.sessions.behaviours.tolist() == [2, 0] * 40
