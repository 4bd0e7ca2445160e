"""Evaluate a trained run on its test part, beside baselines; or the baselines of a data set alone.

python -m training.evaluate run=RUN_ID [out=DIR]
python -m training.evaluate dataset=DIR baselines=[sequential_rules,item_knn]
python -m training.evaluate run=RUN_ID policy=FILE

With a policy whole placements are judged instead, and policy.json lies beside metrics.json.
"""

import json
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from tillside.atomic import write_text_atomically
from tillside.bundle import Bundle, open_bundle
from tillside.dataset import Dataset, load_dataset
from tillside.encoding import EncodingSpec
from tillside.policy import read_feed, read_policy
from tillside.recommenders import Popularity, popularity
from training.asked import asked_matrix
from training.baselines import Baseline, fit_baseline
from training.boosting import boosted_intent
from training.bundled import BundleGraphs, rank_bundle
from training.calibration import judge_intent
from training.cli.command import command
from training.cli.console import metrics_table, say
from training.data.preparation.sessionising import Repeats
from training.evaluation import ModelScorer, Ranked, Scorer, by_behaviour, over_all, rank, report
from training.examples import examples_title, show_examples, write_examples
from training.inputs.cases import Cases, cases_of, look_ahead_cases, opening_cases
from training.memory import NeighbourScorer
from training.mining.stored import relations_of
from training.model.checkpoint import MODEL_FILE, TrainedModel, dataset_path, load_model
from training.placements.report import (
    evaluate_policy,
    policy_headline,
    policy_tables,
    policy_version,
    write_policy_report,
)
from training.ranks import RANKS_FILE, cases_digest, keep_ranks
from training.tracking.store import TrackingConfig, fetch_artifact
from training.tracking.tracker import Tracker

BESIDE_A_RUN = (Baseline.covisitation, Baseline.popularity)
METRICS_FILE = "metrics.json"
MODEL = "tillside"
TRANSFORMER = "transformer"
"""The model without its memory of past sessions."""
NEIGHBOURS = "vmis-knn"


@dataclass
class EvaluateConfig:
    """Which run to judge, and on what."""

    run: str | None = None
    """A run's id; without one the baselines are judged alone, on ``dataset``."""
    dataset: str | None = None
    """Default: the data set the run was trained on, where it lay then."""
    baselines: list[Baseline] = field(default_factory=lambda: list(BESIDE_A_RUN))
    bundle: str | None = None
    """An exported bundle of the run: judge it too, one session at a time, as the server runs it."""
    policy: str | None = None
    """A policy file: judge the placements of the run's model under it, and nothing else."""
    relations: str | None = None
    """Of the policy: a folder that training.relate wrote. Default: the data set's own, if it has any."""
    items_feed: str | None = None
    """Of the policy: what the shop knows of its items. Default: what the catalogue says, stock unknown."""
    k: int = 5
    """Of the policy: items shown at every placement."""
    out: str | None = None
    """Folder for metrics.json; default: print only. For policy.json the run's own, if it is there."""
    seed: int = 0
    """Of the bootstrap."""
    tracking: TrackingConfig = field(default_factory=TrackingConfig)

    def __post_init__(self) -> None:
        if self.seed < 0:
            raise ValueError(f"seed must not be negative, got {self.seed}")
        if len(set(self.baselines)) < len(self.baselines):
            raise ValueError(f"baselines names one twice: {', '.join(each.name for each in self.baselines)}")
        if self.run is None and (self.dataset is None or not self.baselines or self.bundle is not None):
            raise ValueError("run must be given, as run=RUN_ID; without one dataset and baselines, and no bundle")
        if self.policy is not None and (self.run is None or self.bundle is not None):
            raise ValueError("policy is judged with the model of a run: run must be given, and no bundle")
        if self.policy is None and (self.relations is not None or self.items_feed is not None):
            raise ValueError("relations and items_feed are for a policy: policy must be given, as policy=FILE")
        if not 1 <= self.k <= 100:
            raise ValueError(f"k must be from 1 to 100, got {self.k}")


def cases_to_judge(dataset: Dataset, spec: EncodingSpec) -> Cases:
    """The cases of the test part.

    Raises:
        ValueError: there are none.
    """
    cases = cases_of(dataset, "test", spec=spec)
    if not len(cases):
        raise ValueError(f"{dataset.path}: the test part has no cases; prepare with a larger share for it")
    return cases


def evaluate_run(
    trained: TrainedModel,
    dataset: Dataset,
    *,
    folder: Path | None,
    seed: int,
    tracker: Tracker | None = None,
    bundle: Bundle | None = None,
    baselines: Sequence[Baseline] = BESIDE_A_RUN,
) -> dict[str, Any]:
    """Rank all test cases with the model, the baselines and perhaps a bundle; write metrics.json and log it.

    Beside it lie real sessions with what each system would have shown.
    """
    cases, items = cases_to_judge(dataset, trained.spec), dataset.catalogue.rankable
    by_popularity = Popularity(popularity(dataset.catalogue.popular_NB[:items]))
    model = ModelScorer.of(trained.model, by_popularity, trained.memory)
    systems: dict[str, Scorer] = {MODEL: model}
    if trained.memory is not None:
        systems[TRANSFORMER] = replace(model, memory=None)
        systems[NEIGHBOURS] = NeighbourScorer(trained.memory.neighbours, by_popularity)
    systems |= {baseline.value: fit_baseline(baseline, dataset) for baseline in baselines}
    names, goal = dataset.behaviours.names, len(dataset.behaviours) - 1
    served = {}
    if bundle is not None:
        graphs = BundleGraphs(bundle.path, bundle.memory, bundle.search)
        served["bundle"] = rank_bundle(graphs, by_popularity, cases)
    ahead = look_ahead_cases(dataset.part("test"), cases, goal=goal)
    metrics, ranked = judge(systems, dataset, cases, ahead, served=served, seed=seed)
    intent_C = ranked[MODEL].intent_C if trained.intent else None
    if goal:
        metrics["asked"] = {
            kind: asked_matrix(model, asked, items=items, behaviours=names, seed=seed)
            for kind, asked in {"next": cases, "look_ahead": ahead}.items()
        }
    if intent_C is not None:
        metrics |= judge_intent(intent_C, cases, boosted_intent(dataset, cases, seed=seed))
    metrics["dataset"] = told = about_data(dataset, cases)
    if folder is not None:
        write_text_atomically(folder / METRICS_FILE, json.dumps(metrics, indent=2) + "\n")
        write_examples(show_examples(systems, dataset, cases), folder, title=examples_title(dataset))
        keep_ranks(ranked, cases, own=MODEL, digest=told["test_digest"], behaviours=names, folder=folder)
        if tracker is not None:
            tracker.artifact(folder / METRICS_FILE)
            tracker.artifact(folder / RANKS_FILE)
    if tracker is not None:
        tracker.metrics(headline(metrics))
    return metrics


def about_data(dataset: Dataset, cases: Cases) -> dict[str, str]:
    """What was judged on: the data set, and the cases themselves, which other data sets may have too."""
    test_digest = cases_digest(dataset, cases)
    return {"name": dataset.about["name"], "digest": dataset.digest, "test_digest": test_digest}


def judge(
    systems: Mapping[str, Scorer],
    dataset: Dataset,
    cases: Cases,
    ahead: Cases,
    *,
    seed: int,
    served: Mapping[str, Ranked] | None = None,
) -> tuple[dict[str, Any], dict[str, Ranked]]:
    """Rank the next-event ``cases``, those that look ``ahead`` and the openings with every system, a run's or baselines
    alone.

    Args:
        served: ranks that were made elsewhere, for the same table.

    Returns:
        The metrics document, and the ranks of the next-event cases.
    """
    items, names = dataset.catalogue.rankable, dataset.behaviours.names
    ranked = {name: rank(scorer, cases, items=items) for name, scorer in systems.items()} | dict(served or {})
    counts_N = dataset.catalogue.counts_NB.sum(axis=1)
    metrics = report(ranked, cases, items=items, behaviours=names, seed=seed, counts_N=counts_N)
    openings = opening_cases(dataset.part("test"), cases)
    for name, scorer in systems.items():
        if len(ahead):
            later = rank(scorer, ahead, items=items, coverage=False)
            metrics["systems"][name]["look_ahead"] = by_behaviour(later, ahead, behaviours=names, seed=seed)
        if len(openings):
            found = rank(scorer, openings, items=items, coverage=False)
            metrics["systems"][name]["openings"] = over_all(found, openings, seed=seed)
    return metrics, ranked


def evaluate_baselines(
    dataset: Dataset, baselines: Sequence[Baseline], *, folder: Path | None, seed: int
) -> dict[str, Any]:
    """Rank all test cases with the baselines alone; the document also says how long each took to fit, in seconds."""
    collapse = dataset.about["config"]["repeats"] == Repeats.collapse.name
    cases = cases_to_judge(dataset, EncodingSpec(collapse_repeats=collapse))
    systems, fit_s = {}, {}
    for baseline in baselines:
        started = time.perf_counter()
        systems[baseline.value] = fit_baseline(baseline, dataset)
        fit_s[baseline.value] = time.perf_counter() - started
    names = dataset.behaviours.names
    ahead = look_ahead_cases(dataset.part("test"), cases, goal=len(names) - 1)
    metrics, ranked = judge(systems, dataset, cases, ahead, seed=seed)
    told = about_data(dataset, cases)
    metrics |= {"dataset": told, "fit_s": fit_s}
    if folder is not None:
        write_text_atomically(folder / METRICS_FILE, json.dumps(metrics, indent=2) + "\n")
        keep_ranks(ranked, cases, own=MODEL, digest=told["test_digest"], behaviours=names, folder=folder)
    return metrics


def headline(metrics: dict[str, Any]) -> dict[str, float]:
    """The figures of a metrics document that a run is compared by, under ``test/``."""
    flat: dict[str, float] = {}
    for name, system in metrics["systems"].items():
        prefix = "test/" if name == MODEL else f"test/{name}/"
        flat |= {f"{prefix}{metric}": value["value"] for metric, value in system["all"].items() if metric != "cases"}
        flat[f"{prefix}coverage@20"] = system["coverage@20"]
        for behaviour, values in system["by_behaviour"].items():
            flat |= {f"{prefix}{behaviour}/{m}": values[m]["value"] for m in ("recall@20", "mrr@20")}
        for part in ("new_items", "openings"):
            if part in system:
                flat |= {f"{prefix}{part}/{m}": system[part][m]["value"] for m in ("recall@20", "mrr@20")}
        for behaviour, values in system.get("look_ahead", {}).items():
            flat |= {f"{prefix}look_ahead/{behaviour}/{m}": values[m]["value"] for m in ("recall@20", "mrr@20")}
    for behaviour, row in metrics.get("asked", {}).get("next", {}).items():
        asked = {name: values for name, values in row.items() if name != "cases"}
        flat |= {f"test/{behaviour}/asked_{name}/mrr@20": values["mrr@20"]["value"] for name, values in asked.items()}
    flat["test/unseen_target_share"] = metrics["unseen_target_share"]
    if "intent" in metrics:
        flat |= {f"test/intent_{name}": metrics["intent"][name] for name in ("auc", "calibration_error", "base_rate")}
        flat |= {f"test/boosting/intent_{name}": value for name, value in metrics["intent"].get("boosting", {}).items()}
    return flat


def open_run(run: str, tracking: TrackingConfig, dataset_override: str | None) -> tuple[TrainedModel, Dataset]:
    """Fetch a run's model from MLflow and open the data set it was trained on."""
    with tempfile.TemporaryDirectory() as folder:
        path = fetch_artifact(tracking, run, MODEL_FILE, into=Path(folder))
        dataset = load_dataset(Path(dataset_override or dataset_path(path)))
        return load_model(path, dataset), dataset


def evaluate_placements(config: EvaluateConfig, folder: Path | None) -> None:
    """Judge a policy with the model of a run; write policy.json, keep it with the run and log its figures there."""
    assert config.run is not None
    assert config.policy is not None
    policy = read_policy(Path(config.policy))
    feed = read_feed(Path(config.items_feed)) if config.items_feed else None
    trained, dataset = open_run(config.run, config.tracking, config.dataset)
    relations = relations_of(dataset, Path(config.relations) if config.relations else None)
    document = {"run": config.run, "policy": {"file": config.policy, "version": policy_version(Path(config.policy))}}
    document |= evaluate_policy(trained, dataset, policy, relations=relations, feed=feed, k=config.k, seed=config.seed)
    policy_tables(document, title=f"{dataset.about['name']}: test part")
    own = Path(config.tracking.runs) / config.run
    folder = folder or (own if own.is_dir() else None)
    if folder is not None:
        path = write_policy_report(document, folder)
        tracker = Tracker.start(config.tracking, run_id=config.run, digest=dataset.digest)
        tracker.metrics(policy_headline(document))
        tracker.artifact(path)
        tracker.end()
        say(f"wrote {path}")
        if tracker.unsent:
            say(tracker.unsent)


@command("evaluate", EvaluateConfig)
def main(config: EvaluateConfig) -> None:
    """Entry point."""
    folder = Path(config.out) if config.out else None
    if folder is not None and folder.exists() and not folder.is_dir():
        raise ValueError(f"out={config.out} exists and is not a directory")
    if config.policy is not None:
        evaluate_placements(config, folder)
        return
    bundle = open_bundle(Path(config.bundle)) if config.bundle else None
    if bundle is not None and bundle.manifest.get("run") != config.run:
        raise ValueError(f"bundle={config.bundle} was exported from run {bundle.manifest.get('run')}, not {config.run}")
    if config.run is None:
        assert config.dataset is not None
        dataset = load_dataset(Path(config.dataset))
        metrics = evaluate_baselines(dataset, config.baselines, folder=folder, seed=config.seed)
    else:
        trained, dataset = open_run(config.run, config.tracking, config.dataset)
        metrics = evaluate_run(
            trained, dataset, folder=folder, seed=config.seed, bundle=bundle, baselines=config.baselines
        )
    metrics_table(metrics, title=f"{dataset.about['name']}: test part")
    if folder is not None:
        say(f"wrote {folder / METRICS_FILE}")


if __name__ == "__main__":
    main()
