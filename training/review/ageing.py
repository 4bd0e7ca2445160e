"""Results of a rolling backtest: metrics of models of several ages on the same windows, as document, table and figure.

Windows differ in difficulty, so the cost of age is a paired difference: on one window, case by case, an older model
against the one trained up to that window.

Shapes: W windows, C cases of a window.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from tillside.ranking import bootstrap_means
from training.evaluation.case_ranks import METRICS, RESAMPLES, Ranks
from training.review.figures import COLOURS, GRID
from training.review.markdown import difference, escape, markdown_row

DAY_MS = 86_400_000


@dataclass(frozen=True)
class Window:
    """Half-open interval of session end times, UTC milliseconds; the last one ends just after the log's last event."""

    begins: int
    ends: int

    @property
    def middle(self) -> float:
        """Midpoint, UTC milliseconds."""
        return (self.begins + self.ends) / 2


def ageing(
    windows: Sequence[Window],
    learned_until: Sequence[int],
    ranks: Mapping[tuple[int, int], Ranks],
    *,
    seed: int,
) -> dict[str, Any]:
    """Metrics by (model, window) pair and by model age, as a JSON document.

    Args:
        windows: [W], oldest first.
        learned_until: time of each model's last training event, UTC milliseconds [W].
        ranks: by (model, window), for each model on its own window and all later ones.
    """
    tests = []
    for (model, window), found in sorted(ranks.items()):
        entry: dict[str, Any] = {"model": model + 1, "window": window + 1, "age": window - model}
        entry["age_days"] = (windows[window].middle - learned_until[model]) / DAY_MS
        entry["cases"] = len(found.ranks_C)
        entry |= {name: float(metric(found.ranks_C, 20).mean()) for name, metric in METRICS.items()}
        if window > model:
            every = np.ones(len(found.ranks_C), bool)
            fresh = found.ahead_of(ranks[window, window], every, seed=seed)
            entry["against_fresh"] = {name: asdict(interval) for name, interval in fresh.items()}
        tests.append(entry)
    return {
        "windows": [asdict(window) for window in windows],
        "learned_until": list(learned_until),
        "tests": tests,
        "by_age": {str(age): _at_age(age, tests, ranks, seed=seed) for age in range(len(windows))},
    }


def _at_age(
    age: int, tests: Sequence[Mapping[str, Any]], ranks: Mapping[tuple[int, int], Ranks], *, seed: int
) -> dict[str, Any]:
    """Means over all cases of models of this age, and paired differences from the fresh models on the same cases."""
    chosen = [test for test in tests if test["age"] == age]
    pairs = [(ranks[t["model"] - 1, t["window"] - 1], ranks[t["window"] - 1, t["window"] - 1]) for t in chosen]
    cases = [len(aged.ranks_C) for aged, _ in pairs]
    total: dict[str, Any] = {"models": len(chosen), "cases": sum(cases)}
    total["age_days"] = float(np.mean([test["age_days"] for test in chosen]))
    sessions_C = np.concatenate([aged.sessions_C + 2**32 * number for number, (aged, _) in enumerate(pairs)])
    gained = []
    for name, metric in METRICS.items():
        aged_C, fresh_C = (np.concatenate([metric(pair[who].ranks_C, 20) for pair in pairs]) for who in (0, 1))
        total[name] = float(aged_C.mean())
        gained.append(aged_C - fresh_C)
    rng = np.random.default_rng(seed)
    found = bootstrap_means(np.stack(gained), sessions_C, rng=rng, resamples=RESAMPLES)
    return total | {"against_fresh": {name: asdict(each) for name, each in zip(METRICS, found, strict=True)}}


def curves(document: Mapping[str, Any]) -> dict[str, dict[int, float]]:
    """Metric curves for MLflow's own charts, by age in windows."""
    drawn: dict[str, dict[int, float]] = {"by_age/days": {}}
    for age, total in document["by_age"].items():
        drawn["by_age/days"][int(age)] = total["age_days"]
        for name in METRICS:
            metric = name.replace("@", "_at_")
            drawn.setdefault(f"by_age/{metric}", {})[int(age)] = total[name]
            drawn.setdefault(f"by_age/{metric}_against_fresh", {})[int(age)] = total["against_fresh"][name]["value"]
    return drawn


def table(document: Mapping[str, Any]) -> list[list[str]]:
    """One row per age: windows, days, models, cases, then each metric and its difference from a fresh model's."""
    rows = []
    for age, total in document["by_age"].items():
        row = [age, f"{total['age_days']:.1f}", str(total["models"]), f"{total['cases']:,}"]
        for name in METRICS:
            apart = total["against_fresh"][name]
            told = "" if age == "0" else difference(**apart)
            row += [f"{total[name]:.4f}", told]
        rows.append(row)
    return rows


COLUMNS = ("age, windows", "age, days", "models", "cases", *(c for name in METRICS for c in (name, "against fresh")))


def description(document: Mapping[str, Any], *, name: str) -> str:
    """Markdown description of the parent run; the first line stands alone."""
    oldest = document["by_age"][str(len(document["windows"]) - 1)]
    head = (
        f"Backtest on {escape(name)} over {len(document['windows'])} windows: a model {oldest['age_days']:.1f} days "
        f"old has recall@20 {difference(**oldest['against_fresh']['recall@20'])} against a fresh one."
    )
    lines = [head, "", "### By age", "", "Against the model trained up to the same window, paired, 95 % intervals.", ""]
    lines += [markdown_row(COLUMNS), f"|{' ---: |' * len(COLUMNS)}", *map(markdown_row, table(document))]
    names = ["model", "window", "age, days", "cases", *METRICS]
    lines += ["", "### Each model on each window", "", markdown_row(names), f"|{' ---: |' * len(names)}"]
    for test in document["tests"]:
        told = [str(test["model"]), str(test["window"]), f"{test['age_days']:.1f}", f"{test['cases']:,}"]
        lines.append(markdown_row([*told, *(f"{test[name]:.4f}" for name in METRICS)]))
    return "\n".join(lines)


def decay(document: Mapping[str, Any]) -> Figure:
    """Left: recall@20 of every model by age in days. Right: paired difference from a fresh model by age in windows."""
    figure = Figure(figsize=(10, 4.2), layout="constrained")
    each, cost = figure.subplots(1, 2)
    for number in range(len(document["windows"])):
        own = [test for test in document["tests"] if test["model"] == number + 1]
        days, values = [test["age_days"] for test in own], [test["recall@20"] for test in own]
        each.plot(days, values, marker="o", ms=4, color=COLOURS[number % len(COLOURS)], label=f"model {number + 1}")
    each.set_title("each model on its own window and on later ones")
    each.set_xlabel("age of the model in days, at the window's middle")
    each.set_ylabel("recall@20")
    each.legend(frameon=False)
    for number, name in enumerate(METRICS):
        ages = [int(age) for age in document["by_age"]]
        parts = [total["against_fresh"][name] for total in document["by_age"].values()]
        values = [part["value"] for part in parts]
        errors = [[part["value"] - part["low"] for part in parts], [part["high"] - part["value"] for part in parts]]
        cost.errorbar(ages, values, errors, marker="o", ms=4, capsize=3, color=COLOURS[2 * number], label=name)
    cost.axhline(0, linestyle=":", color="#8a94a0")
    cost.set_title("against a fresh model on the same cases")
    cost.set_xlabel("age of the model in windows")
    cost.set_ylabel("difference, with 95 % interval")
    cost.xaxis.set_major_locator(MaxNLocator(integer=True))
    cost.legend(frameon=False)
    for axes in (each, cost):
        axes.grid(visible=True, **GRID)
        axes.set_axisbelow(True)
        axes.spines[["top", "right"]].set_visible(False)
    return figure
