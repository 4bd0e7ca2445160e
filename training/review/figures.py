"""Figures of a run: learning curves, recall by breakdown, coverage and popularity bias, intent reliability, latency.

Every figure draws entries of the metrics documents and nothing else, so a figure and ``metrics.json`` cannot differ. A
system that lacks an entry (one evaluated by an older version) is left out of the figure that needs it.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from training.bundle.latency import Latency
from training.evaluation.metrics import CURVES

mpl.use("agg")

COLOURS = ("#1f6feb", "#8fbcf7", "#e08a2e", "#3a9d5d", "#8a94a0", "#b65fcf", "#c9463d", "#6b4f3a")
"""By system, the run's own model first."""
GRID = {"color": "#e3e7eb", "linewidth": 0.8}
K_TICKS = (1, 2, 5, 10, 20, 50, 100)
LATENCY_FIGURE = "serving-latency"
Systems = Mapping[str, Mapping[str, Any]]
"""Entries of a metrics document's ``systems``, by name."""


def run_figures(
    metrics: Mapping[str, Any],
    systems: Systems,
    history: Sequence[Mapping[str, float]],
    folder: Path,
    *,
    latency: Latency | None = None,
) -> None:
    """Draw all figures into ``folder``.

    Args:
        systems: those of ``metrics``, plus a champion's if there is one.
    """
    drawn = {
        "learning-curves": learning_curves(history) if history else None,
        "quality-at-k": quality_at_k(systems),
        "recall-by-behaviour": grouped_recall(systems, "by_behaviour", "behaviour asked for"),
        "recall-by-prefix-length": grouped_recall(systems, "by_prefix_length", "events before the target"),
        "recall-by-popularity": recall_by_popularity(metrics, systems),
        "coverage-and-popularity": coverage_and_popularity(metrics, systems),
        "intent-reliability": intent_reliability(metrics["intent"]) if "intent" in metrics else None,
        LATENCY_FIGURE: serving_latency(latency) if latency else None,
    }
    save_figures({name: figure for name, figure in drawn.items() if figure is not None}, folder)


def save_figures(figures: Mapping[str, Figure], folder: Path) -> None:
    """Write figures into ``folder`` as NAME.png."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, figure in figures.items():
        figure.savefig(folder / f"{name}.png", dpi=120)


def learning_curves(history: Sequence[Mapping[str, float]]) -> Figure:
    """Training loss, validation recall@20 and MRR@20 by epoch, on separate scales, with the kept epoch marked."""
    figure = Figure(figsize=(11, 3.6), layout="constrained")
    epochs = [int(epoch["epoch"]) + 1 for epoch in history]
    kept = int(max(history, key=lambda epoch: epoch["val/mrr@20"])["epoch"]) + 1
    panels = {"train/loss": "training loss", "val/recall@20": "validation recall@20", "val/mrr@20": "validation mrr@20"}
    for colour, axes, (name, title) in zip(COLOURS[0::2], figure.subplots(1, 3), panels.items(), strict=False):
        axes.plot(epochs, [epoch[name] for epoch in history], marker="o", ms=4, color=colour)
        axes.axvline(kept, linestyle=":", color="#55606b", label=f"epoch {kept}, kept")
        _label(axes, title, "epoch", "cross entropy" if name == "train/loss" else "")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.legend(frameon=False)
    return figure


def grouped_recall(systems: Systems, entry: str, title: str) -> Figure | None:
    """Recall@20 of every system in each group of a breakdown, with intervals; None where no system has it.

    Args:
        entry: key of the breakdown in a system's entries.
        title: label of the groups' axis, which also gives their numbers of cases.
    """
    shown = {name: system[entry] for name, system in systems.items() if system.get(entry)}
    if not shown:
        return None
    cases = {group: values["cases"] for groups in reversed(shown.values()) for group, values in groups.items()}
    groups = list(dict.fromkeys(group for each in shown.values() for group in each))
    figure = Figure(figsize=(max(7.0, 1.3 * len(groups) + 2), 4), layout="constrained")
    axes = figure.subplots()
    width = 0.82 / len(shown)
    for number, (name, values) in enumerate(shown.items()):
        there = [place for place, group in enumerate(groups) if group in values]
        bars = [values[groups[place]]["recall@20"] for place in there]
        errors = [[bar["value"] - bar["low"] for bar in bars], [bar["high"] - bar["value"] for bar in bars]]
        places = [place + (number - (len(shown) - 1) / 2) * width for place in there]
        colour, heights = COLOURS[number % len(COLOURS)], [bar["value"] for bar in bars]
        style = {"ecolor": "#55606b", "elinewidth": 0.8}
        axes.bar(places, heights, width, yerr=errors, label=name, capsize=2, color=colour, error_kw=style)
    axes.set_xticks(range(len(groups)), [f"{group}\n({cases[group]:,})" for group in groups])
    _label(axes, "", f"{title} (cases)", "recall@20")
    axes.grid(visible=False, axis="x")
    _legend(figure, len(shown))
    return figure


def recall_by_popularity(metrics: Mapping[str, Any], systems: Systems) -> Figure | None:
    """Recall@20 by popularity decile of the target, above the share of targets in each decile."""
    shown = {name: system["by_popularity"] for name, system in systems.items() if system.get("by_popularity")}
    if not shown:
        return None
    figure = Figure(figsize=(8, 5), layout="constrained")
    recall, share = figure.subplots(2, 1, sharex=True, height_ratios=[3, 1])
    for number, (name, values) in enumerate(shown.items()):
        bands, colour = [int(band) for band in values], COLOURS[number % len(COLOURS)]
        means = [band["recall@20"]["value"] for band in values.values()]
        recall.plot(
            bands, means, marker="o", markersize=4, color=colour, label=name, linewidth=2.4 if not number else 1.4
        )
        low, high = ([band["recall@20"][end] for band in values.values()] for end in ("low", "high"))
        recall.fill_between(bands, low, high, color=colour, alpha=0.12, linewidth=0)
    targets = metrics["targets_by_popularity"]
    share.bar([int(band) for band in targets], [100 * part for part in targets.values()], color="#b9c2cb")
    _label(recall, "", "", "recall@20")
    _label(
        share,
        "",
        "popularity decile of the target: 1 is the most popular tenth of the items that can be ranked",
        "% of targets",
    )
    share.set_xticks(range(1, len(targets) + 1))
    recall.set_ylim(bottom=0)
    _legend(figure, len(shown))
    return figure


def coverage_and_popularity(metrics: Mapping[str, Any], systems: Systems) -> Figure | None:
    """Catalogue coverage of each system's top 20, and their popularity bias."""
    shown = {name: system for name, system in systems.items() if system.get("shown_by_popularity")}
    if not shown:
        return None
    figure = Figure(figsize=(10, 4.2), layout="constrained")
    coverage, bias = figure.subplots(1, 2)
    colours = [COLOURS[number % len(COLOURS)] for number in range(len(shown))]
    parts = [100 * system["coverage@20"] for system in shown.values()]
    bars = coverage.barh(list(shown), parts, color=colours)
    coverage.bar_label(bars, [f"{part:.1f} %" for part in parts], padding=3)
    coverage.invert_yaxis()
    coverage.set_xlim(0, 1.2 * max(parts))  # room for the labels
    coverage.set_xticks([tick for tick in coverage.get_xticks() if tick <= 100])
    _label(coverage, "coverage@20", "% of the items that can be ranked", "")
    coverage.grid(visible=False, axis="y")
    for colour, (name, system) in zip(colours, shown.items(), strict=True):
        shares = system["shown_by_popularity"]
        bias.plot(
            [int(b) for b in shares], [100 * s for s in shares.values()], marker="o", ms=4, color=colour, label=name
        )
    targets = metrics["targets_by_popularity"]
    percent = [100 * part for part in targets.values()]
    bias.plot([int(b) for b in targets], percent, linestyle="--", color="#1c2733", label="what came")
    bias.set_xticks(range(1, len(targets) + 1))
    _label(bias, "what is shown", "popularity decile: 1 is the most popular tenth of those", "% of the places")
    bias.legend(frameon=False)
    return figure


def quality_at_k(systems: Systems) -> Figure | None:
    """Recall@k, MRR@k and NDCG@k by k, side by side; a metric that no system has by k is left out."""
    shown = [metric for metric in CURVES if any(system.get(f"{metric}_curve") for system in systems.values())]
    if not shown:
        return None
    figure = Figure(figsize=(4.2 * len(shown) + 0.8, 4.4), layout="constrained")
    drawn: dict[str, Artist] = {}
    for axes, metric in zip(figure.subplots(1, len(shown), squeeze=False)[0], shown, strict=True):
        for number, (name, system) in enumerate(systems.items()):
            if not (curve := system.get(f"{metric}_curve")):
                continue
            style = {"color": COLOURS[number % len(COLOURS)], "marker": "o", "ms": 3, "lw": 1.4 if number else 2.4}
            drawn[name] = axes.plot([int(k) for k in curve], list(curve.values()), label=name, **style)[0]
        axes.set_xscale("log")
        axes.set_xticks(K_TICKS, [str(tick) for tick in K_TICKS])
        axes.minorticks_off()
        axes.set_ylim(bottom=0)
        _label(axes, f"{metric}@k", "k, the length of the list", "")
    figure.legend(handles=list(drawn.values()), loc="outside upper center", ncols=min(len(drawn), 4), frameon=False)
    return figure


def intent_reliability(intent: Mapping[str, Any]) -> Figure:
    """Reliability diagram of the purchase intent: predicted against observed share in equal-count bins."""
    figure = Figure(figsize=(5, 4.6), layout="constrained")
    axes = figure.subplots()
    bins = intent["reliability"]
    top = max([value for pair in bins for value in pair[:2]] + [1e-3])
    axes.plot([0, top], [0, top], linestyle=":", color="#8a94a0")
    axes.plot([pair[0] for pair in bins], [pair[1] for pair in bins], marker="o", color=COLOURS[0])
    title = f"purchase intent: AUC {intent['auc']:.3f}, calibration error {intent['calibration_error']:.4f}"
    _label(axes, title, "predicted", "observed")
    axes.title.set_fontsize(9)
    return figure


def serving_latency(latency: Latency) -> Figure:
    """Latency of one answer (p50, p90), milliseconds, by events of the session."""
    figure = Figure(figsize=(6.5, 3.8), layout="constrained")
    axes = figure.subplots()
    for number, (colour, quantile) in enumerate(zip(COLOURS, ("p50_ms", "p90_ms"), strict=False)):
        places = [place + (number - 0.5) * 0.38 for place in range(len(latency))]
        bars = axes.bar(places, [entry[quantile] for entry in latency.values()], 0.38, color=colour, label=quantile[:3])
        axes.bar_label(bars, fmt="%.2f", padding=2, fontsize=8)
    axes.set_xticks(range(len(latency)), list(latency))
    axes.margins(y=0.15)
    _label(axes, "the bundle, one session at a time, one thread", "events of the session", "milliseconds")
    axes.grid(visible=False, axis="x")
    _legend(figure, 2)
    return figure


def _legend(figure: Figure, entries: int) -> None:
    figure.legend(loc="outside upper center", ncols=min(entries, 3), frameon=False)


def _label(axes: Axes, title: str, x: str, y: str) -> None:
    axes.set_title(title)
    axes.set_xlabel(x)
    axes.set_ylabel(y)
    axes.set_axisbelow(True)
    axes.grid(visible=True, **GRID)
    axes.spines[["top", "right"]].set_visible(False)
