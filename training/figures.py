"""The pictures of a run: learning curves, recall by prefix length, and what the intent's probabilities are worth."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from training.tracking import Tracker

mpl.use("agg")


def run_figures(
    metrics: Mapping[str, Any], history: Sequence[Mapping[str, float]], folder: Path, *, tracker: Tracker | None
) -> None:
    """Draw all figures into ``folder`` and keep them with the run."""
    folder.mkdir(parents=True, exist_ok=True)
    learning_curves(history).savefig(folder / "learning-curves.png", dpi=120)
    recall_by_prefix_length(metrics).savefig(folder / "recall-by-prefix-length.png", dpi=120)
    if "intent" in metrics:
        intent_reliability(metrics["intent"]).savefig(folder / "intent-reliability.png", dpi=120)
    if tracker is not None:
        tracker.artifact(folder, "figures")


def learning_curves(history: Sequence[Mapping[str, float]]) -> Figure:
    """Training loss, and validation recall and MRR, by epoch."""
    figure = Figure(figsize=(9, 3.6), layout="constrained")
    loss, quality = figure.subplots(1, 2)
    epochs = [int(epoch["epoch"]) + 1 for epoch in history]
    loss.plot(epochs, [epoch["train/loss"] for epoch in history], marker="o")
    _label(loss, "training loss", "epoch", "cross entropy")
    for name in ("val/recall@20", "val/mrr@20"):
        quality.plot(epochs, [epoch[name] for epoch in history], marker="o", label=name.removeprefix("val/"))
    _label(quality, "validation", "epoch", "")
    quality.set_ylim(bottom=0)
    quality.legend()
    return figure


def recall_by_prefix_length(metrics: Mapping[str, Any]) -> Figure:
    """Recall@20 of every system by how many events came before, with intervals."""
    figure = Figure(figsize=(7, 3.8), layout="constrained")
    axes = figure.subplots()
    systems = metrics["systems"]
    for number, (name, system) in enumerate(systems.items()):
        bands = system["by_prefix_length"]
        values = [band["recall@20"] for band in bands.values()]
        places = [place + (number - (len(systems) - 1) / 2) * 0.8 / len(systems) for place in range(len(bands))]
        heights = [value["value"] for value in values]
        errors = [[v["value"] - v["low"] for v in values], [v["high"] - v["value"] for v in values]]
        axes.bar(places, heights, 0.8 / len(systems), yerr=errors, label=name, capsize=2)
        axes.set_xticks(range(len(bands)), [f"{band}\n({values['cases']:,})" for band, values in bands.items()])
    _label(axes, "", "events before the target (cases)", "recall@20")
    figure.legend(loc="outside upper center", ncols=len(systems))
    return figure


def intent_reliability(intent: Mapping[str, Any]) -> Figure:
    """Predicted against observed share of sessions that reach the goal, in equally filled bins."""
    figure = Figure(figsize=(4.2, 4), layout="constrained")
    axes = figure.subplots()
    bins = intent["reliability"]
    top = max([value for pair in bins for value in pair[:2]] + [1e-3])
    axes.plot([0, top], [0, top], linestyle=":", color="grey")
    axes.plot([pair[0] for pair in bins], [pair[1] for pair in bins], marker="o")
    title = f"purchase intent: AUC {intent['auc']:.3f}, calibration error {intent['calibration_error']:.4f}"
    _label(axes, title, "predicted", "observed")
    axes.title.set_fontsize(9)
    return figure


def _label(axes: Axes, title: str, x: str, y: str) -> None:
    axes.set_title(title)
    axes.set_xlabel(x)
    axes.set_ylabel(y)
    axes.grid(alpha=0.3)
    if x == "epoch":
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
