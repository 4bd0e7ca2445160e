"""Policies judged by the log of another one, through the command, against the truth of the simulated shop.

    python -m benchmarks.judged --shop DIR --bundle DIR [--runs 3]

Visitors of the simulated shop see what a policy that explores offers beside their cart; server and shop write their
logs, requests kept. ``training.evaluate policy= feedback=`` then judges five other policies by it, each from as many
answers as make an effective sample of 5,000. The truth is what the same carts are offered by each policy itself, drawn
anew, with the probability that the visitor clicks, which the simulated shop knows. The bundle is one that was trained
on that shop, as ``make demo`` leaves it (demo/shop, demo/bundle). Result file: experiments.
"""

import argparse
import json
import shutil
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow.parquet as pq
from scipy.stats import spearmanr

from benchmarks.experiments import EFFECTIVE, LOG, NOTES, TITLE
from benchmarks.results import RESULTS, read_rows, write_results
from benchmarks.stages import run_stage
from serving.bundles.loading import load_recommender
from serving.feedback.answered import Answered, exposure_of
from serving.protocol.decoding import decode_request
from serving.protocol.limits import Limits
from serving.protocol.messages import RecommendRequest
from tillside.feedback.events import CART, decode_event, encode_event
from tillside.feedback.exposures import encode_exposure
from tillside.feedback.segments import EVENTS, EXPOSURES, SegmentWriter, segments_of
from training.cli.console import say
from training.cli.progress import progress
from training.simulator.storefront import HABITS, LIKED, NOT_LIKED, PLACEMENT, Cart, Storefront

Row = dict[str, Any]
CHECKOUT: Final = """\
placements:
  {placement}:
    behaviour: purchase
    sources: {sources}
    anchors: [cart]
    slots: 2
    explore: {explore}
"""
LOGGING: Final = ("{model: 1, complement: 1, popular: 0.5}", "{share: 1, among: 18, temperature: 1.5}")
JUDGED: Final[Mapping[str, tuple[str, str]]] = {
    "sharp": ("{complement: 2, model: 1}", "{share: 1, among: 8, temperature: 0.8}"),
    "nearer": (LOGGING[0], "{share: 1, among: 8}"),
    "model": ("{model: 2, complement: 0.7, popular: 0.5}", "{share: 1, among: 8, temperature: 1.2}"),
    "blunt": (LOGGING[0], "{share: 1, among: 18, temperature: 6}"),
    "popular": ("{model: 1, complement: 0.7, popular: 1}", "{share: 1, among: 12, temperature: 2, of: slots}"),
}
"""Sources and exploration of each policy."""
PILOT: Final = 750
"""Answers by which it is found how many are needed."""
MORE: Final = 1.05
"""Multiple of the answers that would do if the later ones were as effective as the first."""
MOST: Final = 30_000
SEGMENT: Final = 250
SHOWN: Final = ("prefix", "ips"), ("prefix", "snips"), ("prefix", "dr")
"""Form and estimator."""


class Checkout:
    """The server's answers in this process, under one policy."""

    def __init__(self, bundle: Path, policy: Path) -> None:
        self._recommender = load_recommender(bundle, Limits(), policy=policy)
        self.answered: list[Answered] = []

    def ask(self, body: Mapping[str, Any]) -> Mapping[str, Any]:
        """The answer to a request's body, which is kept."""
        request = decode_request(json.dumps(body).encode(), Limits())
        self.answered.append(Answered(time.time(), request, PLACEMENT, self._recommender.answer(request)))
        answer = self.answered[-1].outcome.answer
        items = [{"item_id": item.item_id} for item in answer.items]
        return {"recommendation_id": answer.recommendation_id, "items": items}

    def offered(self, requests: Sequence[RecommendRequest]) -> list[list[str]]:
        """What each request is offered, drawn anew."""
        outcomes = self._recommender.answer_many(requests)
        return [[item.item_id for item in outcome.answer.items] for outcome in outcomes]


def expected_clicks(shown: Sequence[str], liked: Sequence[str]) -> float:
    """Clicks that a visitor makes in the mean on what is shown, as the storefront's visitors do."""
    return sum(
        HABITS.click * (LIKED if item in liked else NOT_LIKED) / (1 + HABITS.decay * place)
        for place, item in enumerate(shown)
    )


def write_policy(folder: Path, name: str, sources: str, explore: str) -> Path:
    """A policy file with one placement."""
    path = folder / f"{name}.yaml"
    path.write_text(CHECKOUT.format(placement=PLACEMENT, sources=sources, explore=explore), encoding="utf-8")
    return path


def carts_of_log(log: Path, *, longest: int = 10) -> list[Cart]:
    """The first moment of each session of a simulated log at which something went into the cart, oldest first."""
    table = pq.read_table(log, columns=["session_id", "item_id", "behaviour", "timestamp"])
    table = table.sort_by([("session_id", "ascending"), ("timestamp", "ascending")])
    carts, session, current, done = [], list[dict[str, str]](), None, False
    for name, item, behaviour, at in zip(*(column.to_pylist() for column in table.columns), strict=True):
        if name != current:
            session, current, done = [], name, False
        session = [*session, {"item_id": item, "behaviour": behaviour}][-longest:]
        if behaviour == CART and not done:
            carts.append((at, Cart(tuple(session), item)))
            done = True
    return [cart for _, cart in sorted(carts, key=lambda each: each[0])]


class Shop:
    """The simulated shop: its carts, its prices, and what goes with what in truth."""

    def __init__(self, folder: Path, carts: int = 5000) -> None:
        self.carts = carts_of_log(folder / "events.parquet")[-carts:]
        self.goes_with: dict[str, list[str]] = {}
        truth = pq.read_table(folder / "truth" / "complements.parquet", columns=["item_id", "other_id"])
        for item, other in zip(*(column.to_pylist() for column in truth.columns), strict=True):
            self.goes_with.setdefault(item, []).append(other)
        items = pq.read_table(folder / "items.parquet", columns=["item_id", "price"])
        self.prices = dict(zip(*(column.to_pylist() for column in items.columns), strict=True))

    def log(self, checkout: Checkout, feedback: Path, *, answers: int, seed: int) -> None:
        """Let visitors come, and write both logs in segments of SEGMENT answers."""
        told: list[Mapping[str, Any]] = []
        front = Storefront(
            checkout.ask, told.extend, self.goes_with, self.prices, now_ms=lambda: int(time.time() * 1000)
        )
        front.receive(self.carts, visitors=answers, seed=seed)
        events = [decode_event(json.dumps(each | {"received": each["time"]}).encode()) for each in told]
        exposures = [exposure_of(each, str, requests=1.0) for each in checkout.answered]
        for kind, payloads in ((EVENTS, [*map(encode_event, events)]), (EXPOSURES, [*map(encode_exposure, exposures)])):
            size = SEGMENT if kind == EXPOSURES else len(payloads)
            for start in range(0, len(payloads), size):
                writer = SegmentWriter(feedback / kind)
                writer.append(payloads[start : start + size])
                writer.close()


def part_of(feedback: Path, out: Path, *, answers: int) -> Path:
    """The log's first answers, with all events."""
    for kind, count in ((EXPOSURES, -(-answers // SEGMENT)), (EVENTS, None)):
        (out / kind).mkdir(parents=True)
        for path in segments_of(feedback / kind)[:count]:
            shutil.copy(path, out / kind)
    return out


def told(policy: Path, bundle: Path, feedback: Path, out: Path) -> dict[tuple[str, str], dict[str, float]]:
    """What the command says of clicks, by form and estimator."""
    arguments = [f"policy={policy}", f"bundle={bundle}", f"feedback={feedback}", f"out={out}", "least_effective=1"]
    run_stage("training.evaluate", *arguments)
    found = json.loads((out / "off_policy.json").read_text(encoding="utf-8"))["placements"][PLACEMENT]
    return {(each["form"], each["estimator"]): each for each in found["outcomes"]["clicks"]["estimates"]}


def judge(shop: Shop, bundle: Path, work: Path, *, most: int, seed: int) -> list[dict[str, float]]:
    """Truth, estimates and effective sizes of every policy, by one log of ``most`` answers.

    The truth is of the requests that the estimate is from: carts differ more than the estimates err.
    """
    feedback = work / "feedback"
    logging = Checkout(bundle, write_policy(work, "logging", *LOGGING))
    shop.log(logging, feedback, answers=most, seed=seed)
    found = []
    for name, terms in progress(JUDGED.items(), "policies", unit="policies"):
        policy, answers = write_policy(work, name, *terms), PILOT
        while True:
            part = part_of(feedback, work / f"{name}-{answers}", answers=answers)
            whole = told(policy, bundle, part, work / f"{name}-{answers}-told")
            effective = whole["prefix", "snips"]["effective"]
            if effective >= EFFECTIVE or answers >= most:
                break
            answers = min(most, -(-int(answers * EFFECTIVE / effective * MORE) // SEGMENT) * SEGMENT)
        checkout, shown = Checkout(bundle, policy), []
        requests = [each.request for each in logging.answered[:answers] if each.request is not None]
        for start in range(0, len(requests), 64):
            shown += checkout.offered(requests[start : start + 64])
        liked = [shop.goes_with.get(request.cart[0].item_id, ()) for request in requests]  # type: ignore[union-attr, index]
        truth = float(np.mean([expected_clicks(*pair) for pair in zip(shown, liked, strict=True)]))
        values = {estimator: whole[form, estimator]["value"] for form, estimator in SHOWN}
        found.append({"truth": truth, "effective": effective, "answers": float(answers), **values})
        inside = whole["prefix", "snips"]["low"] <= truth <= whole["prefix", "snips"]["high"]
        say(f"{name}: truth {truth:.4f}, told {values}, effective {effective:.0f} of {answers}, inside: {inside}")
    return found


def main() -> None:
    """Entry point."""
    parser = argparse.ArgumentParser("python -m benchmarks.judged", description=__doc__)
    parser.add_argument("--shop", type=Path, required=True, help="folder that training.simulate wrote")
    parser.add_argument("--bundle", type=Path, required=True, help="bundle trained on it")
    parser.add_argument("--runs", type=int, default=3, help="logs")
    parser.add_argument("--most", type=int, default=MOST, help="answers of a log (default %(default)s)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--results", type=Path, help="folder of the result files; default benchmarks/results")
    given = parser.parse_args()
    shop, runs = Shop(given.shop), []
    for run in range(given.runs):
        with tempfile.TemporaryDirectory() as work:
            runs.append(judge(shop, given.bundle, Path(work), most=given.most, seed=given.seed + run))
    rows = []
    for _, estimator in SHOWN:
        system = "ope command" if estimator == "snips" else f"ope command {estimator}"
        errors = [abs(each[estimator] / each["truth"] - 1) for found in runs for each in found]
        ranks = [spearmanr(*([each[name] for each in found] for name in (estimator, "truth"))) for found in runs]
        figures = {
            "relative_error": max(errors),
            "mean_relative_error": float(np.mean(errors)),
            "rank_correlation": min(float(each.statistic) for each in ranks),
            "effective": float(np.mean([each["effective"] for found in runs for each in found])),
            "least_effective": min(each["effective"] for found in runs for each in found),
        }
        rows += [
            {"log": LOG, "system": system, "metric": m, "value": v, "runs": given.runs} for m, v in figures.items()
        ]
    for row in rows:
        print(f"{row['system']:<20} {row['metric']:<20} {row['value']:.4f}")
    folder = given.results or RESULTS
    kept = [each for each in read_rows(folder / "experiments.json") if not each["system"].startswith("ope command")]
    write_results("experiments", [*kept, *rows], title=TITLE, notes=NOTES, folder=given.results)


if __name__ == "__main__":
    main()
