"""Evaluation of a run's model beside baselines, or of baselines alone, on every case of the test part.

Shapes: C cases, M moments, N items of the catalogue, B behaviours, D columns of an item row.
"""

import json
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from tillside.atomic import write_text_atomically
from tillside.bundle import Bundle
from tillside.dataset import Dataset, Sessions, load_dataset
from tillside.encoding.spec import EncodingSpec
from tillside.engine import Engine
from tillside.recommenders import SessionNeighbours
from tillside.recommenders.blend import SessionMemory
from training.cli.progress import progress, step
from training.evaluation.baselines import at_its_best, fit_baseline
from training.evaluation.case_ranks import RANKS_FILE, cases_digest, keep_ranks
from training.evaluation.intent import judge_intent
from training.evaluation.intent_answers import told_intent
from training.evaluation.intent_baseline import boosted_intent
from training.evaluation.metrics import by_behaviour, over_all, report
from training.evaluation.question_matrix import asked_matrix
from training.evaluation.ranking import Ranked, rank
from training.evaluation.remembered import RememberedNeighbours, remembered
from training.evaluation.sample_sessions import examples_title, show_examples, write_examples
from training.evaluation.scorers import ModelScorer, NeighbourScorer, Scorer, WithoutTaken, popularity_of
from training.evaluation.served import rank_bundle
from training.evaluation.tables import METRICS_FILE
from training.inputs.cases import Cases, cases_of, look_ahead_cases, opening_cases
from training.inputs.moments import moments_of
from training.model.checkpoint import MODEL_FILE, TrainedModel, dataset_path, load_model
from training.settings.evaluate import BESIDE_A_RUN, Baseline
from training.settings.model import Network
from training.settings.tracking import TrackingConfig
from training.tracking.store import fetch_artifact
from training.tracking.tracker import Tracker

MODEL = "tillside"
NETWORKS = tuple(network.value for network in Network)
"""The model without the blend of past sessions (session kNN), by its network."""
TRANSFORMER = Network.transformer.value
NEIGHBOURS = "vmis-knn"
INTENT_UNKNOWN = "intent_unknown"
"""Entry of a metrics document that says why purchase intent is not told."""
INTENT_FIGURES = ("auc", "calibration_error", "mean_predicted")


def cases_to_judge(dataset: Dataset, spec: EncodingSpec) -> Cases:
    """Next-event cases of the test part.

    Raises:
        ValueError: the test part has none.
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
    """Rank all test cases with the model and the baselines; returns the metrics document.

    Args:
        folder: where metrics.json, the ranks and the sample sessions are written; None writes nothing.
        seed: of the bootstrap and of gradient boosting.
        tracker: logs metrics, and uploads the files if there is a folder.
        bundle: ranked too, one session at a time, as the server answers.

    Raises:
        ValueError: the test part has no cases.
    """
    cases, items = cases_to_judge(dataset, trained.spec), dataset.catalogue.rankable
    by_popularity = popularity_of(dataset, refit=trained.refitted)
    memory = None if trained.memory is None else remembered(trained.memory)
    model = ModelScorer.of(trained.model, by_popularity, memory)
    systems: dict[str, Scorer] = {MODEL: model}
    if memory is not None:
        systems[trained.config.network.value] = replace(model, memory=None)
        systems[NEIGHBOURS] = at_its_best(
            NeighbourScorer(neighbours_alone(trained, memory), by_popularity),
            dataset,
            lambda known: earlier_neighbours(trained, known, dataset),
        )
    fitted = progress(baselines, "fitting the baselines")
    systems |= {baseline.value: fit_baseline(baseline, dataset, refit=trained.refitted) for baseline in fitted}
    names, goal = dataset.behaviours.names, dataset.goal
    served = {}
    if bundle is not None:
        engine = Engine(bundle.path, bundle.items_ND, bundle.search)
        served["bundle"] = rank_bundle(engine, bundle.memory, by_popularity, cases)
    ahead = look_ahead_cases(dataset.part("test"), cases, goal=goal)
    metrics, ranked = judge(systems, dataset, cases, ahead, served=served, seed=seed)
    if goal:
        metrics["asked"] = {
            "next": asked_matrix(model, cases, items=items, behaviours=names, seed=seed),
            "look_ahead": asked_matrix(
                WithoutTaken(model, len(names)), ahead, items=items, behaviours=names, seed=seed
            ),
        }
    if trained.intent:
        with step("judging the purchase intent, beside gradient boosting"):
            known = True if trained.counted_intent is None else None
            moments = moments_of(dataset, "test", spec=trained.spec, known=known)
            boosted_M = boosted_intent(dataset, moments, refitted=trained.refitted, seed=seed)
            metrics |= judge_intent(told_intent(trained, moments), moments, boosted_M, behaviours=names, seed=seed)
    elif trained.intent_unknown and goal:
        metrics[INTENT_UNKNOWN] = trained.intent_unknown
    metrics["dataset"] = told = about_data(dataset, cases)
    if folder is not None:
        write_text_atomically(folder / METRICS_FILE, json.dumps(metrics, indent=2) + "\n")
        with step("writing sample sessions"):
            write_examples(show_examples(systems, dataset, cases), folder, title=examples_title(dataset))
        keep_ranks(ranked, cases, own=MODEL, digest=told["test_digest"], behaviours=names, folder=folder)
        if tracker is not None:
            tracker.artifact(folder / METRICS_FILE)
            tracker.artifact(folder / RANKS_FILE)
    if tracker is not None:
        tracker.metrics(headline(metrics))
    return metrics


def neighbours_alone(trained: TrainedModel, memory: SessionMemory) -> SessionNeighbours:
    """Past sessions under the settings that rank best without the model; answers are kept.

    Args:
        memory: the model's, whose answers are kept too; its own settings where no others are known.
    """
    assert trained.memory is not None
    index = trained.memory.neighbours
    if trained.alone is None or trained.alone == index.settings:
        return memory.neighbours
    return RememberedNeighbours(index.under(trained.alone))


def earlier_neighbours(trained: TrainedModel, sessions: Sessions, dataset: Dataset) -> NeighbourScorer:
    """Past sessions alone, of those given, under the settings of :func:`neighbours_alone`."""
    assert trained.memory is not None
    settings = trained.alone or trained.memory.neighbours.settings
    index = SessionNeighbours.fit(sessions, items=dataset.catalogue.rankable, settings=settings)
    return NeighbourScorer(index, popularity_of(dataset, refit=False))


def about_data(dataset: Dataset, cases: Cases) -> dict[str, str]:
    """Name and digest of the data set, and the digest of its test cases, which other data sets may share."""
    test_digest = cases_digest(dataset, cases)
    return {"name": dataset.name, "digest": dataset.digest, "test_digest": test_digest}


def judge(
    systems: Mapping[str, Scorer],
    dataset: Dataset,
    cases: Cases,
    ahead: Cases,
    *,
    seed: int,
    served: Mapping[str, Ranked] | None = None,
) -> tuple[dict[str, Any], dict[str, Ranked]]:
    """Rank next-event cases, look-ahead cases (without what the cart holds) and session openings with every system.

    Args:
        cases: next-event cases.
        ahead: look-ahead cases.
        served: next-event ranks of systems that were ranked elsewhere.

    Returns:
        The metrics document, and the ranks of the next-event cases by system.
    """
    items, names = dataset.catalogue.rankable, dataset.behaviours.names
    openings = opening_cases(dataset.part("test"), cases)
    ranked, later, first = {}, {}, {}
    with step("ranking the test part", len(systems) * (len(cases) + len(ahead) + len(openings))) as ranking:
        for name, scorer in systems.items():
            for asked, found, coverage in ((cases, ranked, True), (ahead, later, False), (openings, first, False)):
                ranking.part, ranking.weight = name, len(asked)
                if len(asked) or asked is cases:
                    judged = WithoutTaken(scorer, len(names)) if asked is ahead else scorer
                    found[name] = rank(judged, asked, items=items, coverage=coverage)
                ranking.advance(len(asked))
    ranked |= dict(served or {})
    counts_N = dataset.events_before_test()
    metrics = report(ranked, cases, items=items, behaviours=names, seed=seed, counts_N=counts_N)
    for name, found in progress(later.items(), "drawing intervals of look-ahead cases"):
        metrics["systems"][name]["look_ahead"] = by_behaviour(found, ahead, behaviours=names, seed=seed)
    for name, found in progress(first.items(), "drawing intervals of openings"):
        metrics["systems"][name]["openings"] = over_all(found, openings, seed=seed)
    return metrics, ranked


def evaluate_baselines(
    dataset: Dataset, baselines: Sequence[Baseline], *, folder: Path | None, seed: int
) -> dict[str, Any]:
    """Rank all test cases with the baselines alone; the metrics document also holds each one's fit time in seconds.

    Raises:
        ValueError: the test part has no cases.
    """
    cases = cases_to_judge(dataset, EncodingSpec(collapse_repeats=dataset.collapse_repeats))
    systems, fit_s = {}, {}
    for baseline in progress(baselines, "fitting the baselines"):
        started = time.perf_counter()
        systems[baseline.value] = fit_baseline(baseline, dataset)
        fit_s[baseline.value] = time.perf_counter() - started
    ahead = look_ahead_cases(dataset.part("test"), cases, goal=dataset.goal)
    metrics, ranked = judge(systems, dataset, cases, ahead, seed=seed)
    told = about_data(dataset, cases)
    metrics |= {"dataset": told, "fit_s": fit_s}
    if folder is not None:
        write_text_atomically(folder / METRICS_FILE, json.dumps(metrics, indent=2) + "\n")
        keep_ranks(
            ranked, cases, own=MODEL, digest=told["test_digest"], behaviours=dataset.behaviours.names, folder=folder
        )
    return metrics


def headline(metrics: dict[str, Any]) -> dict[str, float]:
    """Scalar metrics that runs are compared by, named ``test/...``: the model's own, then each other system's."""
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
        intent = metrics["intent"]
        flat |= {f"test/intent_{name}": intent[name] for name in (*INTENT_FIGURES, "base_rate") if name in intent}
        boosting = intent.get("boosting", {})
        flat |= {f"test/boosting/intent_{name}": boosting[name] for name in INTENT_FIGURES if name in boosting}
    return flat


def open_run(run: str, tracking: TrackingConfig, dataset_override: str | None) -> tuple[TrainedModel, Dataset]:
    """Fetch a run's model from MLflow and open the data set it was trained on.

    Args:
        dataset_override: path of the data set; None takes the one that the model file records.
    """
    with step("fetching the run's model"), tempfile.TemporaryDirectory() as folder:
        path = fetch_artifact(tracking, run, MODEL_FILE, into=Path(folder))
        dataset = load_dataset(Path(dataset_override or dataset_path(path)))
        return load_model(path, dataset), dataset
