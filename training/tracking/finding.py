"""Which run is meant by what was typed: a full id, the beginning of one, or ``latest``.

Surprising: a full id is returned as it is, without a look at any folder or store; whether it exists is for its reader
to say. Everything else is looked up in the folder ``tracking.runs``, by the file that such a run has; in the MLflow
store only where that folder has no such run, since its library takes seconds to import.
"""

import re
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from training.settings.tracking import TrackingConfig, not_recorded

LATEST: Final = "latest"
RUN_ID: Final = re.compile(r"[0-9a-f]{32}")
"""MLflow's ids of runs."""
TRAINED, RESUMABLE, SWEEP, BACKTEST, SENDABLE = (
    "model.pt",
    "resume.ckpt",
    "sweep.yaml",
    "children.json",
    "journal.jsonl",
)
"""By what can be done with a run, the file that it then has in its folder."""
NAMED: Final = 5
"""Maximum runs that an error names."""
SHOWN: Final = 8
"""Characters of an id that an error shows, more where these are not unique."""


@dataclass(frozen=True)
class Found:
    """A run: its id, and what a reader knows it by, such as its data set and time."""

    run_id: str
    name: str = ""


def find_run(tracking: TrackingConfig, given: str, *, file: str = TRAINED, key: str = "run") -> str:
    """The full id of the run that was meant.

    Args:
        given: a full id, the beginning of one, or ``latest``: the newest run that has ``file``.
        file: one of TRAINED, RESUMABLE, SWEEP, BACKTEST, SENDABLE.
        key: the setting, for errors.

    Raises:
        ValueError: no run begins so, or several do; the sentence names those that there are.
    """
    if RUN_ID.fullmatch(given):
        return given
    runs = Path(tracking.runs)
    if given != LATEST and given and Path(given).name == given and (runs / given / file).is_file():
        return given
    there = in_folder(runs, file)
    if file == TRAINED and not (
        there if given == LATEST else [each for each in there if each.run_id.startswith(given)]
    ):
        there += [each for each in in_store(tracking) if each.run_id not in {known.run_id for known in there}]
    store = tracking.named_store() if file == TRAINED else None
    where = f"among the runs at {store or tracking.runs}"
    if not there:
        if file == TRAINED and store is None and not tracking.own_store().exists():
            raise ValueError(f"{key}={given}: {not_recorded(f'sqlite:///{tracking.own_store()}')}")
        so = ", so there is nothing to go on from" if file in (RESUMABLE, SWEEP, BACKTEST) else ""
        raise ValueError(f"{key}={given}: there is no such run {where}{so}; tracking.runs=DIR says where they are")
    if given == LATEST:
        return there[0].run_id
    meant = [each for each in there if given and each.run_id.startswith(given)]
    if not meant:
        raise ValueError(f"{key}={given}: no such run {where}; the newest are {_listed(there)}; or say {key}={LATEST}")
    if len(meant) > 1:
        raise ValueError(f"{key}={given} is the beginning of several runs: {_listed(meant)}")
    return meant[0].run_id


def in_folder(runs: Path, file: str) -> list[Found]:
    """Runs with the file in the folder of runs, the newest file first."""
    files = [path for path in runs.glob(f"*/{file}") if RUN_ID.fullmatch(path.parent.name)]
    newest = sorted(files, key=lambda each: each.stat().st_mtime_ns, reverse=True)
    return [Found(path.parent.name, _known_by(path)) for path in newest]


def in_store(tracking: TrackingConfig) -> list[Found]:
    """Finished runs of the experiment in the MLflow store, the newest first; none where no store is named.

    The store in the folder of runs knows no more than the folder.
    """
    if tracking.named_store() is None:
        return []
    from training.tracking.store import mlflow_errors, open_store, request_limits  # slow to import

    client, uri = open_store(tracking, create=False)
    with mlflow_errors(uri), request_limits():
        experiment = client.get_experiment_by_name(tracking.experiment)
        if experiment is None:
            return []
        query = "attributes.status = 'FINISHED' and tags.mlflow.source.name = 'training.train'"
        order = ["attributes.start_time DESC"]
        found = client.search_runs([experiment.experiment_id], query, max_results=1000, order_by=order)
    return [Found(str(run.info.run_id), str(run.info.run_name or "")) for run in found]


def _known_by(file: Path) -> str:
    """The run's name or else its data set, as its config says, and when the file was written."""
    config = file.parent / "config.yaml"
    text = config.read_text(encoding="utf-8") if config.is_file() else ""
    found = dict(re.findall(r"^ *(dataset|run_name): *(\S.*)$", text, re.MULTILINE))
    names = [each for each in (found.get("run_name"), found.get("dataset")) if each not in (None, "null")]
    return ", ".join([*map(str, names[:1]), time.strftime("%Y-%m-%d %H:%M", time.localtime(file.stat().st_mtime))])


def _listed(runs: list[Found]) -> str:
    shown = runs[:NAMED]
    length = next(length for length in range(SHOWN, 33) if len({each.run_id[:length] for each in shown}) == len(shown))
    names = [f"{each.run_id[:length]}{f' ({each.name})' if each.name else ''}" for each in shown]
    return ", ".join(names) + (f" and {len(runs) - NAMED} more" if len(runs) > NAMED else "")
