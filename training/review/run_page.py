"""A run's page in MLflow: its description, search tags, charts, figures and tables.

All metrics and tags of a finished run go out in one call, because each call costs tens of milliseconds; files are sent
from where they lie in the run's folder, because the journal stores paths, not contents.

Shapes: C cases.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tillside import bundle
from tillside.atomic import write_text_atomically
from tillside.dataset import Dataset
from tillside.ranking import Interval
from training.bundle.latency import LATENCY_FILE, Latency
from training.evaluation.case_ranks import OTHERS_RANKS, RANKS_FILE, Ranks
from training.evaluation.metrics import CURVES
from training.evaluation.sample_sessions import (
    HTML_FILE,
    TABLE_FILE,
    examples_title,
    read_examples,
    with_system,
    write_examples,
)
from training.learning.newest import NotLearned
from training.model.checkpoint import TrainedModel
from training.review.champion import Champion
from training.review.comparison import Beside
from training.review.description import Made, champion_table, describe, rival_of, with_bundle, with_champion
from training.review.figures import LATENCY_FIGURE, run_figures, save_figures, serving_latency
from training.review.markdown import NOTE
from training.settings.model import ModelConfig, Network
from training.tracking.git import git_state
from training.tracking.registry import BUNDLE
from training.tracking.tracker import Tracker, counts
from training.tracking.views import curves_link

TABLES = "mlflow.loggedArtifacts"
"""Tag that tells MLflow's UI which artifacts to show as tables."""
FIGURES = "figures"
NAMES = {Network.transformer: "Transformer", Network.gru: "GRU"}


def search_tags(dataset: Dataset, *, softmax: str, model: ModelConfig, seed: int) -> dict[str, str]:
    """Tags to search runs by, as in ``tags.softmax = 'full'``; all known when the run starts."""
    return {
        "behaviours": ", ".join(dataset.behaviours.names),
        "softmax": softmax,
        "model.network": model.network.value,
        "model.size": f"dim {model.dim}, layers {model.layers}",
        "history": str(model.history),
        "seed": str(seed),
    }


def describe_model(trained: TrainedModel, *, softmax: str, seed: int, dataset: Dataset | None = None) -> str:
    """The model in a sentence.

    Args:
        dataset: tells what a refit could not learn of it.
    """
    parameters = sum(parameter.numel() for parameter in trained.model.parameters())
    memory = "with a memory of past sessions" if trained.memory else "without a memory of past sessions"
    size = f"{trained.config.layers} layers of {trained.config.dim}, {parameters:,} parameters"
    learned = "training and validation part" if trained.refitted else "training part"
    if trained.spec.history:
        memory += f", behind up to {trained.spec.history} events of a shopper's earlier sessions"
    left_out = NotLearned.of(dataset).sentence() if dataset is not None and trained.refitted else ""
    learned += f"; {left_out}" if left_out else ""
    network = NAMES[trained.config.network]
    return f"{network} of {size}, {memory}; {softmax} softmax, seed {seed}; learned from the {learned}"


@dataclass(frozen=True)
class Page:
    """What a run's page is made of.

    Attributes:
        model: the model in a sentence, from :func:`describe_model`.
        history: each epoch's metrics.
        latency: of the exported bundle; None without one.
        folder: the run's, with its ranks, its sessions and perhaps its bundle.
    """

    dataset: Dataset
    model: str
    metrics: Mapping[str, Any]
    history: Sequence[Mapping[str, float]]
    latency: Latency | None
    folder: Path

    def made(self) -> Made:
        """Provenance."""
        return Made(
            dataset=self.dataset.name,
            digest=self.dataset.digest,
            items=self.dataset.catalogue.rankable,
            parts=counts(self.dataset),
            model=self.model,
            git=git_state(),
            bundle={} if self.latency is None else bundle_seal(self.folder / BUNDLE),
            latency=self.latency or {},
        )


def publish_page(tracker: Tracker, page: Page, beside: Beside) -> None:
    """Publish the page of a run that was evaluated, and perhaps exported, beside another model."""
    metrics, latency, folder, champion = page.metrics, page.latency, page.folder, beside.champion
    made, systems = page.made(), with_champion(metrics, champion)
    links = curve_links(tracker, systems)
    tags = {NOTE: describe(metrics, made, champion, beside.lines, gain=beside.gain, curves=links)} | _tags(made.bundle)
    tags[TABLES] = json.dumps([{"path": TABLE_FILE, "type": "table"}])
    tracker.publish(tags=tags, curves=charts(systems, latency or {}))
    run_figures(metrics, systems, page.history, folder / FIGURES, latency=latency)
    if latency is not None:
        _keep_latency(tracker, latency, folder)
    tracker.artifact(folder / FIGURES, FIGURES)
    if champion is not None and champion.label in systems:
        examples = with_system(read_examples(folder / TABLE_FILE), champion.label, champion.shown)
        write_examples(examples, folder, title=examples_title(page.dataset))
    for file in (HTML_FILE, TABLE_FILE):
        tracker.artifact(folder / file)


def publish_bundle(tracker: Tracker, folder: Path, latency: Latency, *, scratch: Path) -> None:
    """Add a bundle that was exported after the run, and its latency, to the run's page.

    Args:
        scratch: folder for the files that are sent.
    """
    sealed = bundle_seal(folder)
    note = with_bundle(tracker.run.data.tags.get(NOTE, ""), sealed, latency)
    tracker.publish(tags={NOTE: note} | _tags(sealed), curves=charts({}, latency))
    _keep_latency(tracker, latency, scratch)
    save_figures({LATENCY_FIGURE: serving_latency(latency)}, scratch / FIGURES)
    tracker.artifact(scratch / FIGURES, FIGURES)


def _tags(sealed: Mapping[str, str]) -> dict[str, str]:
    return {f"bundle.{key}": value for key, value in sealed.items()}


def _keep_latency(tracker: Tracker, latency: Latency, folder: Path) -> None:
    write_text_atomically(folder / LATENCY_FILE, json.dumps(latency, indent=1) + "\n")
    tracker.artifact(folder / LATENCY_FILE)


def case_by_case(page: Page, champion: Champion | None, *, seed: int) -> Beside:
    """Compare the run's ranks, case by case, with those of the system that :func:`rival_of` names.

    Args:
        seed: of the bootstrap.

    Returns:
        The champion; the gain in recall@20, None where there is nothing to compare with; Markdown lines on the
        champion, if it is the rival.
    """
    rival, own = rival_of(page.metrics, champion), Ranks.load(page.folder / RANKS_FILE)
    if rival is None:
        return Beside(champion)
    if champion is None or rival != champion.label:
        theirs = Ranks.load(page.folder / OTHERS_RANKS / f"{rival}.npz")
        return Beside(champion, own.ahead_of(theirs, np.ones(len(own.ranks_C), bool), seed=seed)["recall@20"])
    if champion.ranks is None or champion.ranks.digest != own.digest:
        return Beside(champion)
    slices = own.beside_champion(champion.ranks, seed=seed)
    lines = [f"### Against the {champion.role}", "", *champion_table(slices, champion.role)]
    return Beside(champion, Interval(**slices["all"]["recall@20"]["gain"]), lines)


def charts(systems: Mapping[str, Any], latency: Mapping[str, Mapping[str, float]]) -> dict[str, dict[int, float]]:
    """Curves for MLflow's own charts, by step: recall@k, MRR@k and NDCG@k over k, latency over session length."""
    curves = {
        f"{metric}_at_k/{metric_name(name)}": {int(k): value for k, value in system[f"{metric}_curve"].items()}
        for metric in CURVES
        for name, system in systems.items()
        if f"{metric}_curve" in system
    }
    for quantile in ("p50_ms", "p90_ms"):
        curves[f"serving/{quantile}"] = {int(length): entry[quantile] for length, entry in latency.items()}
    return curves


def curve_links(tracker: Tracker, systems: Mapping[str, Any]) -> list[str]:
    """Markdown links to MLflow's page of one chart for each metric by k, with a line for each system."""
    run, names, links = tracker.run.info, charts(systems, {}), []
    for metric in CURVES:
        drawn = [name for name in names if name.startswith(f"{metric}_at_k/")]
        if drawn:
            links.append(f"[{metric}@k]({curves_link('', str(run.experiment_id), run.run_id, drawn)})")
    return links


def metric_name(system: str) -> str:
    """A system's name as part of a metric's; a champion's version is dropped, so that runs can be compared."""
    return system.partition(" (version ")[0]


def bundle_seal(folder: Path) -> dict[str, str]:
    """Path and version of a bundle, and the SHA-256 of its manifest, which in turn holds those of all other files."""
    version = json.loads((folder / bundle.MANIFEST).read_text(encoding="utf-8"))["version"]
    return {"path": str(folder.absolute()), "version": version, "sha256": bundle.manifest_sha256(folder)}
