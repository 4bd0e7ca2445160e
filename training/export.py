"""Export a run as a bundle: ONNX encoder, items and how to search them, catalogue, goldens, and proof that all agree.

    python -m training.export run=RUN_ID out=DIR

Nothing is written unless onnxruntime and torch agree on real sessions: at lengths 1, 2, full and over-long, in batches
of 1 and 3, and on the offline evaluator's top 20.
"""

import json
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from tillside import bundle
from tillside.atomic import atomic_directory
from tillside.dataset import Dataset
from tillside.policy import read_policy
from tillside.recommenders import CoVisitation
from training.cli.command import command
from training.cli.console import say
from training.evaluation.run import METRICS_FILE, MODEL, open_run
from training.graphs import write_encoder, write_scorer
from training.latency import measure_latency
from training.mining.stored import relations_of
from training.model.checkpoint import TrainedModel
from training.page import publish_bundle
from training.parity import check_parity, make_goldens, real_queries
from training.tiers import choose_search
from training.tracking.git import git_state
from training.tracking.registry import keep_and_register
from training.tracking.store import TrackingConfig, fetch_artifact
from training.tracking.tracker import Tracker

PARTNERS = 50
"""Items kept for each item in the table that answers when the model cannot in time: 400 bytes an item."""


@dataclass
class ExportConfig:
    """Which run to export, and where to."""

    run: str = "???"
    out: str = "???"
    dataset: str | None = None
    """Default: the data set the run was trained on, where it lay then."""
    relations: str | None = None
    """A folder that training.relate wrote. Default: the data set's own, if it has any."""
    policy: str | None = None
    """A policy file that goes into the bundle; the server may be given another one."""
    tracking: TrackingConfig = field(default_factory=TrackingConfig)


def export_run(
    trained: TrainedModel,
    dataset: Dataset,
    out: Path,
    *,
    metrics: Mapping[str, Any],
    run_id: str,
    relations: Path | None = None,
    policy: Path | None = None,
) -> dict[str, Any]:
    """Write the bundle to ``out``; returns what the parity gate measured.

    Args:
        relations: what training.relate wrote; default DATASET/relations, which need not be there.
        policy: a policy file for the bundle.

    Raises:
        ValueError: torch and onnxruntime do not agree, ``out`` holds something else, the relations are those of
            another data set, or there is a mistake in the policy; nothing is written.
    """
    if policy is not None:
        read_policy(policy, behaviours=dataset.behaviours.names)
    related = relations_of(dataset, relations)
    with atomic_directory(out, marks=[bundle.MANIFEST, bundle.ENCODER]) as folder:
        trained.model.eval()
        vectors_ND = trained.model.items().detach().cpu().numpy().astype(np.float32)
        np.save(folder / bundle.ITEMS, vectors_ND)
        tokens = trained.model.items.learned_tokens()
        if tokens is not None:
            np.save(folder / bundle.TOKENS, tokens.detach().cpu().numpy().astype(np.float32))
        write_encoder(trained, folder / bundle.ENCODER)
        write_scorer(folder / bundle.ITEMS, folder / bundle.SCORER)
        dataset.catalogue.save(folder / bundle.CATALOGUE)
        if trained.memory is not None:
            (folder / bundle.NEIGHBOURS).mkdir()
            trained.memory.neighbours.save(folder / bundle.NEIGHBOURS)
        (folder / bundle.COVISITATION).mkdir()
        met = CoVisitation.fit(dataset.before_test(), items=len(vectors_ND)).pairs
        met.strongest(PARTNERS).save(folder / bundle.COVISITATION)
        if related is not None:
            (folder / bundle.RELATIONS).mkdir()
            related.save(folder / bundle.RELATIONS)
        if policy is not None:
            shutil.copyfile(policy, folder / bundle.POLICY)
        plan = choose_search(folder, real_queries(trained, dataset, folder))
        parity = check_parity(trained, dataset, folder, plan)
        goldens = make_goldens(trained, dataset, folder, plan)
        text = json.dumps({"goldens": goldens}, indent=1, ensure_ascii=False)
        (folder / bundle.GOLDENS).write_text(text + "\n", encoding="utf-8")
        about = {
            "created_at": datetime.now(UTC).isoformat(timespec="seconds"),
            "behaviours": list(dataset.behaviours.names),
            "encoding": trained.spec.document(),
            "intent": trained.intent,
            "memory": trained.memory.document() if trained.memory else None,
            "search": plan.document(),
            "dataset": {"name": dataset.about["name"], "digest": dataset.digest},
            "git": git_state(),
            "run": run_id,
            "metrics": {
                name: value["value"] for name, value in metrics["systems"][MODEL]["all"].items() if name != "cases"
            },
            "parity": parity,
        }
        bundle.seal(folder, about)
        bundle.open_bundle(folder)
    return parity


@command("export", ExportConfig)
def main(config: ExportConfig) -> None:
    """Entry point."""
    trained, dataset = open_run(config.run, config.tracking, config.dataset)
    with tempfile.TemporaryDirectory() as folder:
        file = fetch_artifact(config.tracking, config.run, METRICS_FILE, into=Path(folder))
        metrics = json.loads(file.read_text(encoding="utf-8"))
    place = Path(config.relations) if config.relations else None
    policy = Path(config.policy) if config.policy else None
    parity = export_run(
        trained, dataset, Path(config.out), metrics=metrics, run_id=config.run, relations=place, policy=policy
    )
    version = bundle.open_bundle(Path(config.out)).version
    say(f"bundle {version} is in {config.out}; torch and onnxruntime differ by at most {parity['max_difference']:.1e}")
    if config.tracking.register:
        tracker = Tracker.open(config.tracking, config.run)
        if keep_and_register(tracker, Path(config.out), config.tracking) is not None:
            with tempfile.TemporaryDirectory() as scratch:
                latency = measure_latency(Path(config.out), dataset)
                publish_bundle(tracker, Path(config.out), latency, scratch=Path(scratch))
    say(f"serve it:  python -m serving --bundle {config.out}")


if __name__ == "__main__":
    main()
