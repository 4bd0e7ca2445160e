"""A sweep's page in MLflow: a summary sentence, a table of the trials, and two figures.

A pruned trial is listed with its best value so far and drawn as a thin dashed grey line: it did not complete, so its
value is no result.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from optuna.distributions import CategoricalDistribution
from optuna.trial import FrozenTrial, TrialState

from training.cli.console import print_table
from training.review.figures import save_figures
from training.review.markdown import LIMIT, Markup, bold, escape, markdown_row
from training.sweeps.trial import OBJECTIVE

CURVE: Final = "sweep/val_mrr_at_20"
"""Parent run's metric: each completed trial's value; step = trial number."""
COMPARED: Final = 20
"""Maximum runs in the page's compare link, best first; more would use up the description's length."""
GREY: Final = "#9aa4ae"
BEHIND: Final = {"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 0.8}
"""Box behind labels that lines may cross."""
Trials = Sequence[FrozenTrial]


def settings(trial: Any) -> str:
    """A trial's searched settings, as overrides; numbers are rounded."""
    return " ".join(f"{key}={short(value)}" for key, value in trial.params.items())


def short(value: Any) -> str:
    """A value as text, floats to four significant digits."""
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def reached(trial: FrozenTrial) -> float | None:
    """The trial's value, or the best intermediate one if it did not complete; None before the first epoch."""
    if trial.state == TrialState.COMPLETE:
        return trial.value
    return max(trial.intermediate_values.values(), default=None)


def status(trial: FrozenTrial) -> str:
    """The trial's state, in words."""
    epochs = len(trial.intermediate_values)
    if trial.state == TrialState.PRUNED:
        return f"pruned after {epochs} epoch{'' if epochs == 1 else 's'}"
    if trial.state == TrialState.FAIL:
        return f"failed: {trial.user_attrs.get('error', 'no reason is known')}"
    if trial.state != TrialState.COMPLETE:
        return "running" if trial.state == TrialState.RUNNING else "waiting"
    same = trial.user_attrs["trial"]
    return "finished" if same == str(trial.number) else f"same as trial {same}"


def describe_sweep(
    trials: Trials,
    searched: Sequence[str],
    best: FrozenTrial | None,
    *,
    dataset: str,
    total: int,
    runs: Mapping[str, str],
    experiment: str,
) -> str:
    """The parent run's description in Markdown, at most LIMIT characters.

    Args:
        total: number of trials planned.
        runs: run ids by trial number.
    """
    rows = [trial for trial in trials if trial.state != TrialState.WAITING]
    lines = [_first_sentence(rows, best, dataset=dataset, total=total), ""]
    order = sorted(rows, key=lambda trial: (trial.state != TrialState.COMPLETE, -(reached(trial) or 0.0)))
    if best is not None:
        known = [runs[number] for trial in order if (number := str(trial.number)) in runs][:COMPARED]
        lines += [f"The best child's metrics and settings are copied here; its run is {_link(best, runs, experiment)}."]
        lines += [f"[Compare the runs]({compare_link('', experiment, known)}) side by side.", ""]
    lines += [markdown_row(["trial", *searched, OBJECTIVE, "status", "run"])]
    lines += ["| ---: " + "| ---: " * (len(searched) + 1) + "| --- | --- |"]
    for place, trial in enumerate(order):
        number = str(trial.number)
        name = bold(number) if best is not None and trial.number == best.number else number
        values = [short(trial.params.get(key, "")) for key in searched]
        line = markdown_row([name, *values, _figure(trial), status(trial), _link(trial, runs, experiment)])
        if sum(map(len, lines)) + len(lines) + len(line) > LIMIT - 60:
            lines += ["", f"{len(order) - place} more trials are in the list of runs."]
            break
        lines.append(line)
    return "\n".join(lines)


def _first_sentence(rows: Trials, best: FrozenTrial | None, *, dataset: str, total: int) -> str:
    done = [trial for trial in rows if trial.state.is_finished()]
    pruned, failed = (sum(trial.state == state for trial in done) for state in (TrialState.PRUNED, TrialState.FAIL))
    others = "".join(f", {count} {word}" for count, word in ((pruned, "pruned"), (failed, "failed")) if count)
    head = f"Sweep of {total} trials on {escape(dataset)}, {len(done)} done{others}"
    if best is None:
        return f"{head}; none has come to its end yet."
    told = f"trial {best.number} is the best, {OBJECTIVE} {best.value:.4f} with {settings(best)}"
    return f"{head}: {told}; chosen on the validation part alone."


def _figure(trial: FrozenTrial) -> str:
    value = reached(trial)
    return "" if value is None else f"{value:.4f}"


def _link(trial: FrozenTrial, runs: Mapping[str, str], experiment: str) -> Markup:
    run = runs.get(str(trial.user_attrs.get("trial", trial.number)))
    if run is None:
        return Markup()
    return Markup(f"[{run[:8]}](#/experiments/{experiment}/runs/{run}?workflowType=machine_learning)")


def compare_link(server: str, experiment: str, runs: Sequence[str]) -> str:
    """URL of MLflow's compare-runs page, which has its own parallel-coordinates plot; relative without ``server``."""
    chosen, there = (quote(json.dumps(each, separators=(",", ":"))) for each in (list(runs), [str(experiment)]))
    prefix = f"{server}/" if server else ""
    return f"{prefix}#/compare-runs?runs={chosen}&experiments={there}"


def sweep_table(trials: Trials, searched: Sequence[str], best: int) -> None:
    """Print the table of trials, the best one starred."""
    rows = [
        [
            f"{trial.number}{' *' if trial.number == best else ''}",
            *(short(trial.params.get(key, "")) for key in searched),
            _figure(trial),
            status(trial),
        ]
        for trial in trials
    ]
    print_table("The sweep (* the best)", ["trial", *searched, OBJECTIVE, "status"], rows, numbers=(OBJECTIVE,))


def sweep_figures(trials: Trials, searched: Sequence[str], folder: Path) -> None:
    """Draw and save both figures into ``folder``; trials without a value or a searched setting are left out."""
    shown = [trial for trial in trials if reached(trial) is not None and set(searched) <= trial.params.keys()]
    drawn = {"parallel-coordinates": parallel_coordinates(shown, searched), "trials-by-epoch": trials_by_epoch(shown)}
    save_figures(drawn, folder)


def parallel_coordinates(trials: Trials, searched: Sequence[str]) -> Figure:
    """One line per trial across one axis per searched setting, the value it reached on the rightmost axis."""
    figure = Figure(figsize=(max(7.0, 2.1 * (len(searched) + 1)), 4.6), layout="constrained")
    axes = figure.subplots()
    results = np.array([reached(trial) for trial in trials], float)
    columns = [
        (key, *_placed([trial.params[key] for trial in trials], trials[0].distributions[key])) for key in searched
    ]
    low, high = _spread(results)
    columns.append((OBJECTIVE, (results - low) / (high - low), _ticks(low, high)))
    scale = Normalize(low, high)
    for number in np.argsort(results):
        done = trials[number].state == TrialState.COMPLETE
        colour = colormaps["viridis_r"](scale(results[number])) if done else GREY
        heights = [column[1][number] for column in columns]
        axes.plot(
            heights, color=colour, linewidth=2 if done else 0.9, linestyle="-" if done else "--", marker="o", ms=3
        )
    for place, (_, _, ticks) in enumerate(columns):
        axes.axvline(place, color="#55606b", linewidth=0.8, zorder=0)
        for height, text in ticks:
            axes.annotate(
                text, (place, height), (5, 0), textcoords="offset points", fontsize=8, va="center", bbox=BEHIND
            )
    axes.set_xticks(range(len(columns)), [_folded(column[0]) for column in columns])
    axes.set_xlim(-0.1, len(columns) - 0.6)
    axes.set_yticks([])
    axes.spines[:].set_visible(False)
    axes.set_title("each line a trial; dashed: pruned", fontsize=9)
    figure.colorbar(ScalarMappable(scale, "viridis_r"), ax=axes, label=OBJECTIVE, pad=0.02)
    return figure


def trials_by_epoch(trials: Trials) -> Figure:
    """Validation metric of each trial by epoch; pruned trials are dashed and end early."""
    figure = Figure(figsize=(8, 4.4), layout="constrained")
    axes = figure.subplots()
    colours = colormaps["viridis"](np.linspace(0, 0.9, max(1, len(trials))))
    for trial, colour in zip(trials, colours, strict=True):
        epochs = [epoch + 1 for epoch in sorted(trial.intermediate_values)]
        values = [trial.intermediate_values[epoch - 1] for epoch in epochs]
        pruned = trial.state == TrialState.PRUNED
        style: dict[str, Any] = {"linestyle": "--", "color": GREY} if pruned else {"color": colour}
        label = f"{trial.number}{' pruned' if pruned else ''}"
        axes.plot(epochs, values, marker="x" if pruned else "o", ms=4, label=label, **style)
    axes.set_xlabel("epoch")
    axes.set_ylabel(OBJECTIVE)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    _bare(axes)
    if len(trials) <= 20:
        figure.legend(loc="outside right upper", title="trial", frameon=False, fontsize=8)
    return figure


def _placed(values: Sequence[Any], distribution: Any) -> tuple[np.ndarray, list[tuple[float, str]]]:
    """Positions in [0, 1] of the values on an axis, and its ticks as (position, label)."""
    if isinstance(distribution, CategoricalDistribution):
        choices = list(distribution.choices)
        step = 1 / max(1, len(choices) - 1)
        heights = np.array([choices.index(value) * step for value in values])
        return heights, [(place * step, str(choice)) for place, choice in enumerate(choices)]
    scaled = np.log(np.array(values, float)) if distribution.log else np.array(values, float)
    low, high = (
        (np.log(distribution.low), np.log(distribution.high))
        if distribution.log
        else (
            distribution.low,
            distribution.high,
        )
    )
    return (scaled - low) / (high - low), _ticks(low, high, logarithmic=distribution.log)


def _ticks(low: float, high: float, *, logarithmic: bool = False) -> list[tuple[float, str]]:
    shares = (0, 0.25, 0.5, 0.75, 1)
    values = [low + share * (high - low) for share in shares]
    return [
        (share, f"{np.exp(value) if logarithmic else value:.3g}") for share, value in zip(shares, values, strict=True)
    ]


def _spread(values: np.ndarray) -> tuple[float, float]:
    low, high = float(values.min()), float(values.max())
    return (low, high) if high > low else (low - 0.01, high + 0.01)


def _folded(name: str) -> str:
    """A long key broken into two lines after its first dot."""
    return name.replace(".", ".\n", 1) if len(name) > 14 else name


def _bare(axes: Axes) -> None:
    axes.grid(visible=True, color="#e3e7eb", linewidth=0.8)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
