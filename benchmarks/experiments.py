"""Experiments against truth: on virtual shoppers whose every effect is known, do the statistics say what is so?

python -m benchmarks.experiments [--parts aa coverage srm ope ope-coverage] [--runs 100] [--splits 1000]
    [--shoppers 20000]

- ``aa``: the same policy for all, split in two by the assignment's own hash, again and again: share of splits in which
  a metric seems to differ at 5 %, by metric, and over all of them.
- ``coverage``: a holdout against everybody else, in shops of their own: share of runs whose interval holds the true
  lift, which is known because each visit is lived through with and without recommendations.
- ``srm``: arms of 48 and 52 % where halves were asked for: day on which the sequential test finds it, in the median,
  and share of runs with true halves in which it finds something too.
- ``ope``: five policies judged by the log of a sixth that explores, from as many answers as make an effective sample of
  5,000: largest error relative to the true click rate, and rank correlation with the truth.
- ``ope-coverage``: the same by whole small logs: share of the intervals that hold the true click rate.

No model is trained: what visitors like stands in place of one. Result file: experiments.
"""

import argparse
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from scipy.stats import spearmanr

from benchmarks.results import read_rows, write_results
from tillside.experiments.assignment import arm_of, drawn
from tillside.experiments.terms import Arm, Experiment, Reading
from tillside.policy.file.values import DAY_MS
from training.cli.progress import progress
from training.experiments.metrics import METRICS
from training.experiments.off_policy import ESTIMATORS, Estimator, Logged, effective_size, estimate
from training.experiments.reading import findings
from training.experiments.sample_ratio import log_odds
from training.experiments.subjects import Subjects
from training.simulator import visitors
from training.simulator.visitors import Floats, Visitors, best, chances_of

Row = dict[str, Any]
LOG: Final = "simulated"
ALL: Final = tuple(METRICS)
OF_ALL: Final = tuple(name for name in METRICS if METRICS[name].of_all)
READ: Final = Reading(goal="revenue", also=ALL[1:], guardrails={}, correction="none")
HELD: Final = 0.1
EFFECTIVE: Final = 5000
MISMATCHED: Final = 0.48
LEVEL_OF_SRM: Final = 0.001
NULL_RUNS: Final = 20_000
OPE_RUNS: Final = 5
SMALL: Final = 300
"""Shoppers of a small log: some 3,000 answers."""
DRAWN: Final = 4
"""Lists that the truth of a small log is the mean of, for each visit."""
LOGGING: Final = 3.0
"""Temperature of the policy that logs."""


def subjects_of(
    crowd: Visitors, sums: dict[str, Floats], arm_S: npt.NDArray[np.int64], arms: tuple[str, ...]
) -> Subjects:
    """The crowd's shoppers as an experiment's subjects."""
    nobody_S = np.zeros(crowd.shoppers, bool)
    return Subjects(arms, arm_S, nobody_S, crowd.first_S, sums | crowd.before)


def false_alarms(*, splits: int, shoppers: int, seed: int) -> Iterator[Row]:
    """A/A splits of one crowd."""
    crowd = Visitors(shoppers, seed=seed)
    sums = crowd.by_shopper(crowd.lived(best(crowd.liking_VM, crowd.slots)))
    experiment = Experiment(arms={"a": Arm(share=0.5), "b": Arm(share=0.5)}, read=READ)
    keys, alarms = [f"shopper-{number}" for number in range(shoppers)], np.zeros(len(ALL))
    for split in progress(range(splits), "A/A splits", unit="splits"):
        arm_S = np.array([arm_of(f"aa-{split}", experiment, key) == "b" for key in keys], np.int64)
        found = findings(subjects_of(crowd, sums, arm_S, ("a", "b")), READ, progress=1, ended=True)
        alarms += [each.effect.pvalue < READ.alpha for each in found]
    yield row("aa", "false_alarm_share", alarms.sum() / splits / len(ALL), runs=splits)
    for name, count in zip(ALL, alarms, strict=True):
        yield row(f"aa {name}", "false_alarm_share", count / splits, runs=splits)


def coverage(*, runs: int, shoppers: int, seed: int) -> Iterator[Row]:
    """True lifts of shops of their own, and whether the intervals hold them."""
    read = Reading(goal="revenue", also=OF_ALL[1:], guardrails={}, correction="none", cap=1.0)
    capped = Reading(goal="revenue", also=(), guardrails={}, correction="none")
    within = dict.fromkeys((*OF_ALL, "revenue capped"), 0)
    for run in progress(range(runs), "shops", unit="shops"):
        crowd = Visitors(shoppers, seed=seed + 1 + run)
        lists = best(crowd.liking_VM, crowd.slots)
        shown, without = (crowd.by_shopper(crowd.lived(each)) for each in (lists, None))
        arm_S = np.array([drawn("holdout", f"{run}-{number}") >= HELD for number in range(shoppers)], np.int64)
        sums = {name: np.where(arm_S == 1, shown[name], without[name]) for name in shown}
        subjects = subjects_of(crowd, sums, arm_S, ("holdout", "shown"))
        for name, each in zip(OF_ALL, findings(subjects, read, progress=1, ended=True), strict=True):
            within[name] += each.effect.relative_low <= lift(name, shown, without) <= each.effect.relative_high
        [each] = findings(subjects, capped, progress=1, ended=True)
        truth = lift("revenue", shown, without)
        within["revenue capped"] += each.effect.relative_low <= truth <= each.effect.relative_high
    yield row("coverage", "share", within["revenue"] / runs, runs=runs)
    for name, count in list(within.items())[1:]:
        yield row(f"coverage {name}", "share", count / runs, runs=runs)


def lift(name: str, shown: dict[str, Floats], without: dict[str, Floats]) -> float:
    """True relative effect on a metric, over all shoppers."""
    metric = METRICS[name]  # type: ignore[index]

    def value(sums: dict[str, Floats]) -> float:
        return float(sums[metric.numerator].sum() / (sums[metric.denominator].sum() if metric.denominator else 1.0))

    return value(shown) / value(without) - 1


def size_alarms(*, runs: int, shoppers: int, seed: int) -> Iterator[Row]:
    """Arms of the wrong size, and of the right one, by the crowd's own arrivals."""
    crowd, rng = Visitors(shoppers, seed=seed), np.random.default_rng(seed)
    came_T = np.bincount(crowd.first_S[crowd.first_S < crowd.habits.days * DAY_MS] // DAY_MS)
    halves = np.array([0.5, 0.5])

    def days(share: float, runs: int) -> npt.NDArray[np.float64]:
        """Day of each run on which a mismatch is found, inf for never."""
        first_RT = rng.binomial(came_T, share, (runs, len(came_T))).cumsum(1)
        counts_RTA = np.stack([first_RT, came_T.cumsum() - first_RT], -1)
        found_RT = log_odds(counts_RTA, halves) >= -np.log(LEVEL_OF_SRM)
        return np.where(found_RT.any(1), found_RT.argmax(1) + 1.0, np.inf)

    broken = days(MISMATCHED, max(runs, 1000))
    yield row("srm", "median_day", float(np.median(broken)), runs=len(broken))
    yield row("srm", "found_share", float(np.isfinite(broken).mean()), runs=len(broken))
    yield row("srm", "false_alarm_share", float(np.isfinite(days(0.5, NULL_RUNS)).mean()), runs=NULL_RUNS)


def policies(crowd: Visitors) -> dict[str, tuple[Floats, float]]:
    """Five policies to judge: scores of the candidates and the temperature that lists are drawn with."""
    liked = crowd.liking_VM
    dear = crowd.prices_I[crowd.candidates_VM]
    return {
        "sharp": (liked, 0.3),
        "middling": (liked, 0.8),
        "blunt": (liked, 2.0),
        "dear": (dear / dear.max(), 2.0),
        "against": (1.05 - liked, 2.0),
    }


def off_policy(*, shoppers: int, seed: int) -> Iterator[Row]:
    """Judged against true click rates, from an effective sample of EFFECTIVE answers each."""
    errors: dict[Estimator, list[float]] = {each: [] for each in ESTIMATORS}
    ranks: dict[Estimator, list[float]] = {each: [] for each in ESTIMATORS}
    sizes = []
    for run in progress(range(OPE_RUNS), "logs", unit="logs"):
        crowd, rng = Visitors(shoppers, seed=seed + 1000 + run), np.random.default_rng(seed + run)
        picks_VL = visitors.drawn(crowd.liking_VM, crowd.slots, temperature=LOGGING, rng=rng)
        given_VL = chances_of(picks_VL, crowd.liking_VM, temperature=LOGGING)
        clicks_VL = crowd.clicks_VL(picks_VL).astype(float)
        guess = 0.5 * crowd.habits.click * crowd.looks_L  # a model of the reward that knows the positions alone
        truths: list[float] = []
        told: dict[Estimator, list[float]] = {each: [] for each in ESTIMATORS}
        for scores_VM, temperature in policies(crowd).values():
            lists_VL = visitors.drawn(scores_VM, crowd.slots, temperature=temperature, rng=rng)
            truths.append(float(crowd.expected_clicks_VL(lists_VL).sum(1).mean()))
            chances_VL = chances_of(picks_VL, scores_VM, temperature=temperature)
            expected_VL = np.broadcast_to(guess, clicks_VL.shape)
            count = answers_for(EFFECTIVE, np.prod(chances_VL / given_VL, axis=1))
            logged = Logged(
                clicks_VL[:count], given_VL[:count], chances_VL[:count], np.ones((count, crowd.slots), bool),
                crowd.shopper_V[:count], expected_VL[:count], expected_VL[:count],
            )  # fmt: skip
            sizes.append(effective_size(logged.weights_AL("prefix"), logged.shown_AL))
            for estimator in ESTIMATORS:
                told[estimator].append(estimate(logged, estimator).value)
        for estimator, values in told.items():
            errors[estimator] += [abs(value / truth - 1) for value, truth in zip(values, truths, strict=True)]
            ranks[estimator].append(float(spearmanr(values, truths).statistic))
    for estimator in ESTIMATORS:
        system = "ope" if estimator == "snips" else f"ope {estimator}"
        yield row(system, "relative_error", max(errors[estimator]), runs=OPE_RUNS)
        yield row(system, "mean_relative_error", float(np.mean(errors[estimator])), runs=OPE_RUNS)
        yield row(system, "rank_correlation", min(ranks[estimator]), runs=OPE_RUNS)
        yield row(system, "effective", float(np.mean(sizes)), runs=OPE_RUNS)


def off_policy_coverage(*, runs: int, seed: int) -> Iterator[Row]:
    """Intervals of five policies by small logs, against the true click rate of the same visits."""
    inside: dict[Estimator, list[bool]] = {each: [] for each in ESTIMATORS}
    for run in progress(range(runs), "small logs", unit="logs"):
        crowd, rng = Visitors(SMALL, seed=seed + 2000 + run), np.random.default_rng(seed + run)
        picks_VL = visitors.drawn(crowd.liking_VM, crowd.slots, temperature=LOGGING, rng=rng)
        given_VL = chances_of(picks_VL, crowd.liking_VM, temperature=LOGGING)
        clicks_VL = crowd.clicks_VL(picks_VL).astype(float)
        shown_VL = np.ones(clicks_VL.shape, bool)
        guess_VL = np.broadcast_to(0.5 * crowd.habits.click * crowd.looks_L, clicks_VL.shape)
        for scores_VM, temperature in policies(crowd).values():
            lists = [visitors.drawn(scores_VM, crowd.slots, temperature=temperature, rng=rng) for _ in range(DRAWN)]
            truth = float(np.mean([crowd.expected_clicks_VL(each).sum(1).mean() for each in lists]))
            chances_VL = chances_of(picks_VL, scores_VM, temperature=temperature)
            logged = Logged(clicks_VL, given_VL, chances_VL, shown_VL, crowd.shopper_V, guess_VL, guess_VL)
            for estimator in ESTIMATORS:
                found = estimate(logged, estimator, least_effective=1)
                inside[estimator].append(found.low <= truth <= found.high)
    for estimator, held in inside.items():
        system = "ope-coverage" if estimator == "snips" else f"ope-coverage {estimator}"
        yield row(system, "share", float(np.mean(held)), runs=runs)


def answers_for(effective: float, weights_A: Floats) -> int:
    """The fewest answers whose effective size reaches ``effective``; all if they do not."""
    sizes_A = np.cumsum(weights_A) ** 2 / np.cumsum(weights_A**2)
    reached = sizes_A >= effective
    return int(reached.argmax()) + 1 if reached.any() else len(weights_A)


def row(system: str, metric: str, value: float, *, runs: int) -> Row:
    """One figure."""
    return {"log": LOG, "system": system, "metric": metric, "value": value, "runs": runs}


TITLE: Final = "Experiments against truth"
NOTES: Final = (
    "Virtual shoppers (training/simulator/visitors.py), about ten visits each in two weeks; no model is trained. aa: "
    "share of A/A splits that seem to differ at 5 %, over all metrics and by metric. coverage: share of shops whose "
    f"interval holds the true lift over a holdout of {HELD:.0%}; revenue capped: the interval of capped money, held "
    f"against the lift of all money. srm: {MISMATCHED:.0%} where half was asked for. ope: largest error over five "
    f"policies and {OPE_RUNS} logs, each cut to an effective sample of {EFFECTIVE:,}, and the lowest rank correlation; "
    "ope itself is self-normalised, by prefix, and so is ope-coverage: 95 % intervals of the five policies by logs of "
    f"{SMALL} shoppers each. ope command: ope by training.evaluate policy= feedback=, at the "
    "simulated shop's checkout with a trained model, by the effective sample that is told (benchmarks.judged)."
)


def main() -> None:
    """Entry point."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parts: dict[str, Callable[[argparse.Namespace], Iterator[Row]]] = {
        "aa": lambda given: false_alarms(splits=given.splits, shoppers=given.shoppers, seed=given.seed),
        "coverage": lambda given: coverage(runs=given.runs, shoppers=given.shoppers, seed=given.seed),
        "srm": lambda given: size_alarms(runs=given.runs, shoppers=given.shoppers, seed=given.seed),
        "ope": lambda given: off_policy(shoppers=given.shoppers, seed=given.seed),
        "ope-coverage": lambda given: off_policy_coverage(runs=given.runs, seed=given.seed),
    }
    parser.add_argument("--parts", nargs="+", choices=list(parts), default=list(parts), help="what to measure")
    parser.add_argument("--splits", type=int, default=1000, help="A/A splits")
    parser.add_argument("--runs", type=int, default=100, help="shops, for coverage and ope-coverage")
    parser.add_argument("--shoppers", type=int, default=20_000, help="shoppers of a shop")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--results", type=Path, help="folder of the result files; default benchmarks/results")
    given = parser.parse_args()
    rows = [each for part in given.parts for each in parts[part](given)]
    for each in rows:
        print(f"{each['system']:<28} {each['metric']:<20} {each['value']:.4f}")
    folder = given.results or Path(__file__).parent / "results"
    measured = {each["system"].partition(" ")[0] for each in rows}
    kept = [each for each in read_rows(folder / "experiments.json") if each["system"].partition(" ")[0] not in measured]
    write_results("experiments", [*kept, *rows], title=TITLE, notes=NOTES, folder=given.results)


if __name__ == "__main__":
    main()
