"""How a run, a bundle, baselines or a policy are judged on the test part."""

from pathlib import Path

from tillside.bundle import open_bundle
from tillside.dataset import load_dataset
from tillside.policy import policy_version, read_feed, read_policy
from training.cli.console import say
from training.evaluation.placements.metrics import (
    evaluate_policy,
    policy_headline,
    policy_tables,
    write_policy_report,
)
from training.evaluation.run import evaluate_baselines, evaluate_run, open_run
from training.evaluation.tables import METRICS_FILE, metrics_table
from training.mining.stored import observations_of, relations_of
from training.settings.evaluate import EvaluateConfig
from training.tracking.tracker import Tracker


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


def run(config: EvaluateConfig) -> None:
    """Entry point."""
    folder = Path(config.out) if config.out else None
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
