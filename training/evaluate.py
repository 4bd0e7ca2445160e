"""Evaluate a trained run on its test part, beside baselines; or the baselines of a data set alone.

python -m training.evaluate run=RUN_ID [out=DIR]
python -m training.evaluate dataset=DIR baselines=[sequential_rules,item_knn]
python -m training.evaluate run=RUN_ID policy=FILE

With a policy, placements are evaluated instead, and policy.json is written beside metrics.json.
"""

from dataclasses import dataclass, field
from pathlib import Path

from tillside.bundle import open_bundle
from tillside.dataset import load_dataset
from tillside.policy import policy_version, read_feed, read_policy
from training.cli.command import command
from training.cli.console import say
from training.evaluation.baselines import Baseline
from training.evaluation.placements.metrics import (
    evaluate_policy,
    policy_headline,
    policy_tables,
    write_policy_report,
)
from training.evaluation.run import BESIDE_A_RUN, METRICS_FILE, evaluate_baselines, evaluate_run, open_run
from training.evaluation.tables import metrics_table
from training.mining.stored import relations_of
from training.tracking.store import TrackingConfig
from training.tracking.tracker import Tracker


@dataclass
class EvaluateConfig:
    """What to evaluate, and on which data set."""

    run: str | None = None
    """A run's id; without one only the baselines are evaluated, on ``dataset``."""
    dataset: str | None = None
    """Default: the data set the run was trained on, where it lay then."""
    baselines: list[Baseline] = field(default_factory=lambda: list(BESIDE_A_RUN))
    bundle: str | None = None
    """An exported bundle of the run, evaluated too, one session at a time as the server answers."""
    policy: str | None = None
    """A policy file: evaluate the placements of the run's model under it, and nothing else."""
    relations: str | None = None
    """With ``policy``: a folder that training.relate wrote. Default: the data set's own, if it has any."""
    items_feed: str | None = None
    """With ``policy``: an items feed of the shop. Default: the catalogue's attributes, stock unknown."""
    k: int = 5
    """With ``policy``: items shown at every placement."""
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


def evaluate_placements(config: EvaluateConfig, folder: Path | None) -> None:
    """Evaluate a policy with a run's model; write policy.json, and add it and its metrics to the run in MLflow."""
    assert config.run is not None
    assert config.policy is not None
    policy = read_policy(Path(config.policy))
    feed = read_feed(Path(config.items_feed)) if config.items_feed else None
    trained, dataset = open_run(config.run, config.tracking, config.dataset)
    relations = relations_of(dataset, Path(config.relations) if config.relations else None)
    document = {"run": config.run, "policy": {"file": config.policy, "version": policy_version(Path(config.policy))}}
    document |= evaluate_policy(trained, dataset, policy, relations=relations, feed=feed, k=config.k, seed=config.seed)
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
    metrics_table(metrics, title=f"{dataset.name}: test part")
    if folder is not None:
        say(f"wrote {folder / METRICS_FILE}")


if __name__ == "__main__":
    main()
