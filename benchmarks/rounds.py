"""Rounds of serve, listen, retrain and promote on the simulated shop: quality and lift by round.

    python -m benchmarks.rounds --work DIR [--rounds 3] [--visitors 3]

The shop's first half is its history: it is learned from, and stands in the feedback folder as the shop's own events.
The sessions of the second half come round by round, and the collector is told of them all (``--told carts``: only of
those that the visitors live through). Each that puts something into the cart is lived through by a few visitors, who
ask the running server what goes with the cart, see it, click, take, order, and tell the collector; two in ten are held
out. Then the effects are measured, and the champion is retrained on the whole folder and promoted if the gate lets it.
The last part of the sessions is never told to anybody: each model is judged by it, by the next item of a session and by
what it offers beside a cart, of which the shop knows the truth. What lies in ``--work`` already (shop, dataset, runs)
is taken as it is. Result file: feedback.
"""

import argparse
import itertools
import json
import shutil
import subprocess
import time
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from benchmarks.feedback import NAME, NOTES, TITLE
from benchmarks.judged import Shop, carts_of_log, expected_clicks, write_policy
from benchmarks.results import RESULTS, read_rows, write_results
from benchmarks.servers import collector, tillside
from benchmarks.stages import run_stage
from serving.bundles.loading import load_recommender
from serving.protocol.limits import Limits
from serving.protocol.messages import CartLine, Event, RecommendRequest
from tillside.feedback import events as kinds
from tillside.feedback.segments import EVENTS, SegmentWriter
from training.cli.console import say
from training.simulator.storefront import PLACEMENT, Cart, Storefront

LOG: Final = "simulated-shop"
MODEL: Final = f"models:/{LOG}@champion"
TERMS: Final = ("{model: 1, complement: 1}", "{share: 0.2}")
HOLDOUT: Final = "holdout: {share: 0.2, salt: rounds}\n"
EPOCHS: Final = ("trainer.max_epochs=4", "trainer.progress_bar=false")
AGAIN: Final = ("trainer.max_epochs=2", "trainer.progress_bar=false")
PATIENT: Final = "latency_ms=500"
"""Beside other work an answer takes what it takes; the gate's other lines stand."""
IN_ORDER: Final = [("session_id", "ascending"), ("timestamp", "ascending")]
ASKED: Final = 2000
"""Sessions of the last part whose next item is asked for."""
Figures = dict[str, float]


def begin(work: Path, *, sessions: int, items: int) -> None:
    """The shop, its history as a data set and as feedback, and the first champion."""
    shop, dataset, runs = work / "shop", work / "dataset", work / "runs"
    if not shop.is_dir():
        size = (f"sessions={sessions}", f"items={items}", f"shoppers={sessions // 3}")
        run_stage("training.simulate", *size, f"out={shop}")
    log = pq.read_table(shop / "events.parquet").sort_by([("timestamp", "ascending")])
    middle = pc.quantile(log["timestamp"], 0.5)[0].as_py()
    ends = log.group_by("session_id").aggregate([("timestamp", "max")])
    before = ends.filter(pc.less_equal(ends["timestamp_max"], middle))["session_id"]
    history = log.filter(pc.is_in(log["session_id"], before))
    pq.write_table(history, work / "base.parquet")
    pq.write_table(log.filter(pc.invert(pc.is_in(log["session_id"], before))), work / "later.parquet")
    if not dataset.is_dir():
        given = (f"data.path={work}/base.parquet", f"data.items={shop}/items.parquet")
        run_stage("training.prepare", "data=events", f"name={LOG}", *given, f"out={dataset}")
        run_stage("training.relate", f"dataset={dataset}", "rules=electronics")
    if not (runs / "latest").exists():
        run_stage("training.train", f"dataset={dataset}", *EPOCHS, f"tracking.runs={runs}")
    run_stage("training.promote", "run=latest", PATIENT, f"tracking.runs={runs}")
    feedback = work / "feedback"
    for folder in (feedback, work / "measured"):
        shutil.rmtree(folder, ignore_errors=True)
    writer = SegmentWriter(feedback / EVENTS)
    writer.append([kinds.encode_event(each) for each in told_history(history)])
    writer.close()


def told_history(history: pa.Table, *, name: str = "h") -> list[kinds.Event]:
    """Sessions of a log as the shop's pages would have told them; ``name`` begins the ids of events and orders."""
    found = []
    for number, row in enumerate(history.to_pylist()):
        known: dict[str, Any] = {
            "event_id": f"{name}{number}", "kind": row["behaviour"], "time": row["timestamp"],
            "received": row["timestamp"], "session": row["session_id"], "shopper": row["user_id"],
        }  # fmt: skip
        if row["behaviour"] == kinds.PURCHASE:
            line = kinds.Line(item=row["item_id"], quantity=row["quantity"], price=row["price"])
            known |= {"order_id": f"{name}o{number}", "lines": [line]}
        else:
            known["item"] = row["item_id"]
        found.append(kinds.Event(**known))
    return found


def as_told(event: kinds.Event, *, time_ms: int) -> dict[str, Any]:
    """An event of the log as a page tells it at another time."""
    known: dict[str, Any] = json.loads(kinds.encode_event(msgspec.structs.replace(event, time=time_ms)))
    return {name: value for name, value in known.items() if name != "received"}


def visited(
    bundle: Path,
    policy: Path,
    work: Path,
    shop: Shop,
    carts: Sequence[Cart],
    whole: pa.Table | None,
    *,
    number: int,
    visitors: int,
) -> None:
    """Each cart's session is lived through by some visitors, at the running server and collector.

    Args:
        whole: the round's sessions, of which the collector is told; None: of what the visitors do alone.
    """
    (work / "holdout.yaml").write_text(HOLDOUT, encoding="utf-8")
    flags = ["--workers", "1", "--deadline-ms", "2000", "--policy", str(policy), "--experiments"]
    flags += [str(work / "holdout.yaml"), "--feedback", str(work / "feedback"), "--feedback-requests", "1"]
    with (
        tillside(bundle, log=work / "server.log", flags=flags) as server,
        collector(work / "feedback", log=work / "collector.log") as listening,
    ):
        told: list[Mapping[str, Any]] = []
        front = Storefront(
            lambda body: post(f"{server.url}/v1/recommend", body), told.extend, shop.goes_with, shop.prices,
            now_ms=lambda: int(time.time() * 1000),
        )  # fmt: skip
        rng, visit = np.random.default_rng(number), number * 1_000_000
        others = [] if whole is None else told_history(whole.sort_by(IN_ORDER), name=f"r{number}-")
        ends = np.linspace(0, len(others), len(carts) + 1).astype(int)
        for cart, (start, end) in zip(carts, itertools.pairwise(ends), strict=True):
            told += [as_told(each, time_ms=front.now_ms() + place) for place, each in enumerate(others[start:end])]
            for _ in range(visitors):
                keys = {"shopper": f"visitor-{visit // 2}", "session": f"visit-{visit}", "time": front.now_ms()}
                told += [
                    {"event_id": f"{visit}-s{place}", "kind": each["behaviour"], "item": each["item_id"], **keys}
                    for place, each in enumerate(cart.session)
                    if each["behaviour"] != kinds.PURCHASE and whole is None
                ]
                told += front.visit(cart, visit, rng)
                visit += 1
            if len(told) >= 500:
                send(listening.url, told)
        send(listening.url, told)


def send(url: str, told: list[Mapping[str, Any]]) -> None:
    """Tell the collector, a thousand events at most at once."""
    while told:
        problems = post(f"{url}/v1/events", told[:1000]).get("problems")
        if problems:
            raise RuntimeError(f"the collector refused {problems[:3]}")
        del told[:1000]


def post(url: str, body: Any) -> dict[str, Any]:
    """The answer to a JSON body."""
    request = urllib.request.Request(url, json.dumps(body).encode(), {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=30) as response:
        answer: dict[str, Any] = json.load(response)
    return answer


def quality(bundle: Path, policy: Path, shop: Shop, carts: Sequence[Cart], sessions: Sequence[list[str]]) -> Figures:
    """Of what was never told: the next item of a session, and the true worth of what is offered beside a cart."""
    recommender = load_recommender(bundle, Limits(), policy=policy)
    requests = [RecommendRequest([Event(item) for item in items[:-1]], k=20) for items in sessions]
    ranks = []
    for answer, items in zip(recommender.answer_many(requests), sessions, strict=True):
        shown = [item.item_id for item in answer.answer.items]
        ranks.append(shown.index(items[-1]) + 1 if items[-1] in shown else np.inf)
    asked = [
        RecommendRequest(
            [Event(each["item_id"], each["behaviour"]) for each in cart.session], placement=PLACEMENT,
            cart=[CartLine(cart.anchor)],
        )
        for cart in carts
    ]  # fmt: skip
    offered = [[item.item_id for item in each.answer.items] for each in recommender.answer_many(asked)]
    liked = [shop.goes_with.get(cart.anchor, ()) for cart in carts]
    pairs = list(zip(offered, liked, strict=True))
    return {
        "recall@20": float(np.mean(np.isfinite(ranks))),
        "mrr@20": float(np.mean(1 / np.array(ranks))),
        "offered_that_fits": float(np.mean([item in fits for items, fits in pairs for item in items])),
        "expected_clicks": float(np.mean([expected_clicks(*pair) for pair in pairs])),
    }


def effects(work: Path) -> Figures:
    """What training.measure says of the folder so far, all rounds together."""
    out = work / "measured"
    run_stage("training.measure", f"feedback={work / 'feedback'}", f"out={out}", "record=false")
    found = {}
    for row in pq.read_table(out / "effects" / "effects.parquet").to_pylist():
        if row["dimension"] == "all" and row["metric"] == "click_rate":
            found["click_rate"] = row["estimate"]
    for row in pq.read_table(out / "effects" / "lift.parquet").to_pylist():
        if row["who"] == "shoppers" and row["metric"] in ("lines_per_order", "order_value"):
            found |= {f"{row['metric']}_{name}": row[name] for name in ("relative", "relative_low", "relative_high")}
    return found


def retrained(work: Path) -> tuple[Path, bool]:
    """The bundle of the champion's successor, and whether the gate let it."""
    runs, items = work / "runs", work / "shop" / "items.parquet"
    given = ("data=feedback", f"feedback={work / 'feedback'}", f"data.items={items}", "data.late_days=400")
    run_stage("training.retrain", f"from={MODEL}", *given, *AGAIN, f"tracking.runs={runs}")
    run = (runs / "latest").resolve()
    try:
        run_stage("training.promote", f"run={run.name}", PATIENT, f"tracking.runs={runs}")
    except subprocess.CalledProcessError:  # the gate's reasons are printed
        return run / "bundle", False
    return run / "bundle", True


def last_items(log: pa.Table, sessions: Sequence[str]) -> list[list[str]]:
    """Items of the sessions of at least two events, oldest first, ten at most."""
    found: dict[str, list[str]] = {name: [] for name in sessions}
    for name, item in zip(log["session_id"].to_pylist(), log["item_id"].to_pylist(), strict=True):
        if name in found:
            found[name].append(item)
    return [items[-10:] for items in found.values() if len(items) > 1]


def parts(work: Path, count: int) -> tuple[list[tuple[list[Cart], pa.Table]], list[Cart], list[list[str]]]:
    """Carts and sessions of each round, and of the part that is never told."""
    later = pq.read_table(work / "later.parquet")
    carts = carts_of_log(work / "later.parquet")
    cut = np.linspace(0, len(carts), count + 2).astype(int)
    *rounds, held_carts = [carts[start:end] for start, end in itertools.pairwise(cut)]
    names = list(dict.fromkeys(later["session_id"].to_pylist()))
    ends = np.linspace(0, len(names), count + 2).astype(int)
    *told, held = [names[start:end] for start, end in itertools.pairwise(ends)]
    tables = [later.filter(pc.is_in(later["session_id"], pa.array(each))) for each in told]
    return list(zip(rounds, tables, strict=True)), held_carts, last_items(later, held)[:ASKED]


def main() -> None:
    """Entry point."""
    parser = argparse.ArgumentParser("python -m benchmarks.rounds", description=__doc__)
    parser.add_argument("--work", type=Path, required=True, help="folder for all of it")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--sessions", type=int, default=24_000, help="of the simulated shop")
    parser.add_argument("--items", type=int, default=800, help="of it")
    parser.add_argument("--visitors", type=int, default=3, help="of each cart")
    parser.add_argument(
        "--told", choices=["all", "carts"], default="all", help="sessions that the collector is told of"
    )
    parser.add_argument("--results", type=Path, help="folder of the result files; default benchmarks/results")
    given = parser.parse_args()
    work = given.work
    work.mkdir(exist_ok=True)
    begin(work, sessions=given.sessions, items=given.items)
    shop = Shop(work / "shop")
    rounds, held, sessions = parts(work, given.rounds)
    policy = write_policy(work, "policy", *TERMS)
    plain = write_policy(work, "plain", TERMS[0], "null")
    bundle = (work / "runs" / "latest").resolve() / "bundle"
    judge: Callable[[Path], Figures] = lambda each: quality(each, plain, shop, held, sessions)  # noqa: E731
    name = "round" if given.told == "all" else "carts-round"
    rows = figures_of(f"{name} 0", judge(bundle))
    for number, (carts, whole) in enumerate(rounds, 1):
        table = whole if given.told == "all" else None
        visited(bundle, policy, work, shop, carts, table, number=number, visitors=given.visitors)
        measured = effects(work)
        started = time.perf_counter()
        successor, promoted = retrained(work)
        told = {"visits": float(len(carts) * given.visitors), **measured, "promoted": float(promoted)}
        told |= judge(successor) | {"learning_s": time.perf_counter() - started}
        rows += figures_of(f"{name} {number}", told)
        say(f"round {number}: {told}")
        bundle = successor if promoted else bundle
    for row in rows:
        print(f"{row['system']:<10} {row['metric']:<28} {row['value']:.4f}")
    folder = given.results or RESULTS
    kept = [each for each in read_rows(folder / f"{NAME}.json") if not each["system"].startswith(f"{name} ")]
    write_results(NAME, [*kept, *rows], title=TITLE, notes=NOTES, folder=given.results)


def figures_of(system: str, figures: Figures) -> list[dict[str, Any]]:
    """Rows of one round."""
    return [{"log": LOG, "system": system, "metric": name, "value": value} for name, value in figures.items()]


if __name__ == "__main__":
    main()
