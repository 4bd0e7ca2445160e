"""How a run, a bundle, baselines or a policy are judged on the test part, and a policy by a log of live answers."""

import json
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from tillside.atomic import write_text_atomically
from tillside.bundle import open_bundle
from tillside.dataset import load_dataset
from tillside.policy import policy_version, read_feed, read_policy
from training.cli.console import print_table, say
from training.cli.progress import progress, step
from training.data.engine import open_engine
from training.evaluation.placements.metrics import (
    evaluate_policy,
    policy_headline,
    policy_tables,
    write_policy_report,
)
from training.evaluation.run import evaluate_baselines, evaluate_run, open_run
from training.evaluation.tables import METRICS_FILE, metrics_table
from training.experiments.judging import judged, logs_of
from training.experiments.retraced import Retracing
from training.feedback.joining import join
from training.mining.observed import observations_of
from training.mining.stored import relations_of
from training.settings.evaluate import EvaluateConfig
from training.settings.measure import MeasureConfig
from training.tracking.tracker import Tracker

OFF_POLICY_FILE: Final = "off_policy.json"
AGREES: Final = 0.99
"""Share of a policy's own answers that must have the same probabilities when they are asked again."""
JUDGED: Final = ["outcome", "form", "estimator", "earned", "from", "to", "change", "from ", "to ", "effective"]


def evaluate_placements(config: EvaluateConfig, folder: Path | None) -> None:
    """Evaluate a policy with a run's model; write policy.json, and add it and its metrics to the run in MLflow."""
    assert config.run is not None
    assert config.policy is not None
    policy = read_policy(Path(config.policy))
    feed = read_feed(Path(config.items_feed)) if config.items_feed else None
    trained, dataset = open_run(config.run, config.tracking, config.dataset)
    folder_of_relations = Path(config.relations) if config.relations else None
    relations = relations_of(dataset, folder_of_relations)
    asked = {
        "relations": relations,
        "observations": observations_of(dataset, folder_of_relations),
        "feed": feed,
    }
    document = {"run": config.run, "policy": {"file": config.policy, "version": policy_version(Path(config.policy))}}
    document |= evaluate_policy(trained, dataset, policy, **asked, k=config.k, seed=config.seed)
    policy_tables(document, title=f"{dataset.name}: test part")
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


def evaluate_by_feedback(config: EvaluateConfig, folder: Path | None) -> None:
    """Judge a policy by the answers of a feedback log that were left to chance; write off_policy.json.

    Raises:
        ValueError: nothing can be told of any placement; each has its sentence.
    """
    assert config.feedback is not None
    assert config.bundle is not None
    assert config.policy is not None
    feed = Path(config.items_feed) if config.items_feed else None
    retracing = Retracing(Path(config.feedback), Path(config.bundle), config.policy, feed)
    with tempfile.TemporaryDirectory() as scratch, open_engine(Path(scratch)) as engine:
        measured = config.measured
        if measured is None:
            measured = str(Path(scratch) / "measured")
            with step("joining answers and events"):
                join(MeasureConfig(feedback=config.feedback, out=measured, scratch=scratch))
        logs = logs_of(engine, Path(measured))
    for line in progress(retracing.lines(), "asking the policy about the log's answers", unit="answers"):
        if line["placement"] in logs:
            logs[line["placement"]].take(line)
    placements = {name: judged(log, least_effective=config.least_effective) for name, log in logs.items()}
    document = {**retracing.versions, "left": dict(retracing.left), "placements": placements}
    for name, told in placements.items():
        tell_judged(name, told)
    for reason, count in sorted(retracing.left.items()):
        say(f"left out: {count:,} answers {reason}")
    if folder is not None:
        write_text_atomically(folder / OFF_POLICY_FILE, json.dumps(document, indent=2) + "\n")
        say(f"wrote {folder / OFF_POLICY_FILE}")
    if all("refused" in told for told in placements.values()):
        raise ValueError("; ".join(f"{name}: {told['refused']}" for name, told in placements.items()))


def tell_judged(name: str, told: Mapping[str, Any]) -> None:
    """Print what a policy would have earned at a placement, per answer, beside what was earned."""
    if "refused" in told:
        say(f"{name}: {told['refused']}")
        return
    rows = []
    for outcome, found in told["outcomes"].items():
        earned = found["logged"]
        rows.append(
            [outcome, "", "as logged", *(f"{earned[each]:.5f}" for each in ("value", "low", "high"))] + [""] * 4
        )
        for each in found["estimates"]:
            if "refused" in each:
                rows.append([outcome, each["form"], each["estimator"], "refused", *[""] * 6])
                continue
            figures = ("value", "low", "high", "change", "change_low", "change_high")
            row = [outcome, each["form"], each["estimator"], *(f"{each[figure]:.5f}" for figure in figures)]
            rows.append([*row, f"{each['effective']:,.0f}"])
    title = f"{name}: per answer, of {told['answers']:,}; {told['covered']:.1%} of what it would show is covered"
    print_table(title, JUDGED, rows, numbers=JUDGED[3:])
    if told.get("own_agreeing", 1.0) < AGREES:
        say(
            f"{name}: of the answers that this policy and bundle gave themselves only {told['own_agreeing']:.1%} have "
            "the same probabilities now: the items feed, or what was set by hand, was another one"
        )
    if told["without_request"]:
        say(f"{name}: {told['without_request']:,} answers were not asked again, most for want of their request")


def run(config: EvaluateConfig) -> None:
    """Entry point."""
    folder = Path(config.out) if config.out else None
    if config.feedback is not None:
        evaluate_by_feedback(config, folder)
        return
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
    metrics_table(metrics, title=f"{dataset.name}: test part")
    if folder is not None:
        say(f"wrote {folder / METRICS_FILE}")
