"""Served purchase intent against what happened: asked over HTTP after every event of the test sessions.

    python -m benchmarks.intent simulated rees46 trivago --data ../shared/data

Each log is prepared and trained on with the commands a user would type; its bundle is served, and the server gets the
session as the shop would send it, event by event: with items that the model does not know, visits of one event and the
last event of all. Gradient boosting on session features, which learned from the same moments of the same parts, is
judged at the same moments. Where the head cannot tell intent, the server says null, and only that is reported; where it
knows no item of a session, it tells intent by what was done, and those moments have rows of their own.
"""

# Shapes: M moments, E events.

import argparse
import contextlib
import http.client
import json
import urllib.parse
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from benchmarks import servers
from benchmarks.logs import LOGS, BenchmarkLog
from benchmarks.results import RESULTS, read_rows, write_results
from benchmarks.stages import run_stage
from tillside.dataset import Dataset, load_dataset
from tillside.events import BEHAVIOUR, ITEM_ID, TIME_UNKNOWN, TIMESTAMP
from tillside.ranking import calibration_error, reliability
from training.cli.console import print_table, say
from training.evaluation.intent import auc_interval, observed, slices
from training.evaluation.intent_baseline import boosted_intent
from training.evaluation.run import MODEL
from training.inputs.moments import Moments, moments_of
from training.model.checkpoint import MODEL_FILE, load_model

BOOSTING: Final = "boosting"
ASKED: Final = {name: LOGS[name] for name in ("simulated", "rees46", "trivago")}
SHOWN: Final = ("auc", "calibration_error", "mean_predicted", "mean_observed")
Row = dict[str, Any]
Floats = npt.NDArray[np.float64]


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure each log and write the result files."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("logs", nargs="*", default=[*ASKED], help=f"{', '.join(ASKED)} (default: all)")
    parser.add_argument("--data", type=Path, default=Path("../shared/data"), help="folder of the published logs")
    parser.add_argument("--work", type=Path, default=Path("runs/intent"), help="folder for data sets and runs")
    parser.add_argument("--trained", action="store_true", help="judge the newest run in --work instead of training one")
    parser.add_argument("--moments", type=int, default=20_000, help="most moments asked of a log")
    parser.add_argument("--results", type=Path, default=RESULTS, help="folder of the result files")
    given = parser.parse_args(arguments)
    unknown = [name for name in given.logs if name not in ASKED]
    if unknown:
        parser.error(f"no such log: {', '.join(unknown)}; there are {', '.join(ASKED)}")
    if given.moments < 1:
        parser.error(f"--moments must be at least 1, got {given.moments}")
    rows = [row for row in read_rows(given.results / "intent.json") if row["log"] not in given.logs]
    for name in given.logs:
        rows += measure(name, data=given.data, work=given.work / name, most=given.moments, trained=given.trained)
    notes = (
        "Purchase intent as served, P(the session still buys), asked over HTTP after events of the last tenth of the "
        "sessions, visits of one event, last events and moments where the server knows no item among them; told_share: "
        "of those at which it did not answer null. mean_observed: share of the moments after which the session bought, "
        "with its 95 % interval, bootstrap over sessions. prefix N: moments at which the session held N events; after "
        "B: at which the latest was B; no known item: at which the server knew no item. Boosting learned from the "
        "parts that the model learned from, and reads items that the server does not know."
    )
    write_results("intent", rows, title="Purchase intent against what happened", notes=notes, folder=given.results)
    show(rows)


def measure(name: str, *, data: Path, work: Path, most: int, trained: bool = False) -> list[Row]:
    """Prepare, train and serve one log, ask at up to ``most`` moments, and judge.

    Args:
        trained: the data set and the run lie in ``work``, where ``benchmarks.quality`` leaves them.
    """
    place, runs = work / "dataset", work / "runs"
    if not trained:
        train(ASKED[name], data, work)
    dataset, run = load_dataset(place), runs / "latest"
    model = load_model(run / MODEL_FILE, dataset)
    moments = moments_of(dataset, "test", spec=model.spec, known=None)
    rng = np.random.default_rng(0)
    if len(moments) > most:
        moments = moments.only(np.sort(rng.choice(len(moments), most, replace=False)))
    with servers.tillside(run / "bundle", log=work / "server.log") as server:
        served_M = ask(server.url, dataset, moments)
    told_M = ~np.isnan(served_M)
    about = {"log": name, "system": MODEL, "metric": "told_share", "value": float(told_M.mean())}
    if not told_M.any():
        say(f"{name}: purchase intent is unknown: {model.intent_unknown}")
        return [about | {"why": model.intent_unknown}]
    moments = moments.only(told_M)
    boosted_M = boosted_intent(dataset, moments, refitted=model.refitted, seed=0)
    names = dataset.behaviours.names
    rows = [about, *figures(name, MODEL, served_M[told_M], moments, names)]
    return rows if boosted_M is None else rows + figures(name, BOOSTING, boosted_M, moments, names)


def train(log: BenchmarkLog, data: Path, work: Path) -> None:
    """Prepare a log and train on it with the commands a user would type."""
    place = work / "dataset"
    if log.simulate is not None:
        run_stage("training.simulate", *(part.format(work=work) for part in log.simulate))
    run_stage("training.prepare", *(part.format(data=data, work=work) for part in log.prepare), f"out={place}")
    run_stage("training.train", f"dataset={place}", f"tracking.runs={work / 'runs'}", "trainer.progress_bar=false")


def ask(url: str, dataset: Dataset, moments: Moments) -> Floats:
    """Purchase intent [M] that the server answers at each moment; NaN where it says null."""
    sessions, names = dataset.whole("test"), dataset.behaviours.names
    offsets, ids = np.asarray(sessions.offsets), dataset.catalogue.item_ids
    where = urllib.parse.urlsplit(url)
    answered = []
    with contextlib.closing(http.client.HTTPConnection(str(where.hostname), where.port)) as connection:
        for session, event in zip(moments.sessions_M.tolist(), moments.events_M.tolist(), strict=True):
            shown = []
            for at in range(offsets[session], event + 1):
                shown.append({ITEM_ID: ids[sessions.items[at]], BEHAVIOUR: names[sessions.behaviours[at]]})
                if sessions.times[at] != TIME_UNKNOWN:
                    shown[-1][TIMESTAMP] = int(sessions.times[at])
            body = json.dumps({"session": shown, "behaviour": names[-1], "k": 1})
            connection.request("POST", "/v1/recommend", body, {"content-type": "application/json"})
            response = connection.getresponse()
            answer = json.loads(response.read())
            if response.status != http.client.OK:
                raise RuntimeError(f"the server answers {response.status}: {answer}")
            answered.append(answer["purchase_intent"])
    return np.array(answered, np.float64)


def figures(log: str, system: str, intent_M: Floats, moments: Moments, behaviours: Sequence[str]) -> list[Row]:
    """Rows of one system: over all moments, by prefix, by latest behaviour, and where no item is known."""
    everywhere = {"": np.ones(len(moments), np.bool_)}
    parts = slices(moments, behaviours)
    masks = everywhere | {f"prefix {part}/": here for part, here in parts["by_prefix"].items()}
    masks |= {f"after {part}/": here for part, here in parts["by_last"].items()}
    masks |= {f"{part}/": here for part, here in parts.get("by_items", {}).items()}
    rows: list[Row] = []
    for prefix, here_M in masks.items():
        own, probability_M = moments.only(here_M), intent_M[here_M]
        labels_M = own.goal_later_M
        share, auc = observed(own, seed=0), auc_interval(probability_M, labels_M, own.sessions_M, seed=0)
        found: dict[str, dict[str, float]] = {
            "auc": {"value": auc.value, "low": auc.low, "high": auc.high},
            "calibration_error": {"value": calibration_error(reliability(probability_M, labels_M))},
            "mean_predicted": {"value": float(probability_M.mean())},
            "mean_observed": {"value": share.value, "low": share.low, "high": share.high},
        }
        about = {"log": log, "system": system, "cases": len(own), "seeds": 1}
        rows += [
            about | {"metric": f"{prefix}{metric}"} | values
            for metric, values in found.items()
            if np.isfinite(values["value"])
        ]
    return rows


def show(rows: Sequence[Row]) -> None:
    """Print one line a log, system and slice."""
    cells = {(row["log"], row["system"], row["metric"]): row for row in rows}
    lines = []
    for log, system, metric in cells:
        prefix, _, last = metric.rpartition("/")
        if last == "mean_predicted":
            own = [cells.get((log, system, f"{prefix}/{name}" if prefix else name)) for name in SHOWN]
            share = own[-1] or {}
            inside = share and share["low"] <= own[2]["value"] <= share["high"]  # type: ignore[index]
            texts = ["" if row is None else f"{row['value']:.4f}" for row in own]
            interval = f"{share['low']:.4f} to {share['high']:.4f}"
            lines.append(
                [log, system, prefix or "all", f"{share['cases']:,}", *texts, interval, "yes" if inside else "NO"]
            )
    columns = ["log", "system", "moments of", "moments", *SHOWN, "observed, 95 %", "within"]
    print_table("purchase intent as served", columns, lines, numbers=columns[3:])


if __name__ == "__main__":
    main()
