"""Writes a bundle atomically: graphs, items, catalogue, recommenders, relations, policy, goldens, then the manifest.

Nothing is written unless onnxruntime and torch agree on real sessions: at lengths 1, 2, full and over-long, in batches
of 1 and 3, and on the offline evaluator's top 20.

Shapes: N items, B behaviours, D width.
"""

import json
import shutil
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from tillside import bundle
from tillside.atomic import atomic_directory
from tillside.catalogue import Catalogue
from tillside.dataset import Dataset
from tillside.engine import EngineError
from tillside.policy import read_policy
from tillside.recommenders import CoVisitation, recent_events
from training.bundle.goldens import make_goldens
from training.bundle.graphs import write_encoder, write_scorer
from training.bundle.parity import check_parity
from training.bundle.prefixes import real_queries
from training.bundle.search_tier import choose_search
from training.cli.progress import step
from training.evaluation.placements.chances import with_model
from training.evaluation.run import MODEL
from training.mining.observed import observations_of
from training.mining.stored import relations_of
from training.model.checkpoint import TrainedModel
from training.tracking.git import git_state

PARTS = 6
"""Of an export, as progress counts them."""
PARTNERS = 50
"""Partners per item in the co-occurrence table, the fallback tier below the model: 400 bytes an item."""


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
    """Write the bundle to ``out``; returns the parity gate's measurements.

    Args:
        metrics: the run's metrics document.
        relations: folder that training.relate wrote; default DATASET/relations, if it exists.
        policy: policy file to include.

    Raises:
        ValueError: torch and onnxruntime differ, a graph fails, ``out`` is not a bundle's folder, the relations are
            of another data set, or the policy is invalid; nothing is written.
    """
    if policy is not None:
        read_policy(policy, behaviours=dataset.behaviours.names)
    related = with_model(relations_of(dataset, relations), trained, observations_of(dataset, relations))
    with (
        step("exporting", PARTS) as exporting,
        atomic_directory(out, marks=[bundle.MANIFEST, bundle.ENCODER]) as folder,
    ):
        exporting.begin("the encoder's graph")
        trained.model.eval()
        vectors_ND = trained.model.items().detach().cpu().numpy().astype(np.float32)
        np.save(folder / bundle.ITEMS, vectors_ND)
        tokens = trained.model.items.learned_tokens()
        if tokens is not None:
            np.save(folder / bundle.TOKENS, tokens.detach().cpu().numpy().astype(np.float32))
        write_encoder(trained, folder / bundle.ENCODER)
        exporting.begin("catalogue and past sessions")
        write_scorer(folder / bundle.ITEMS, folder / bundle.SCORER)
        served_catalogue(trained, dataset).save(folder / bundle.CATALOGUE)
        if trained.memory is not None:
            (folder / bundle.NEIGHBOURS).mkdir()
            trained.memory.neighbours.save(folder / bundle.NEIGHBOURS)
        (folder / bundle.COVISITATION).mkdir()
        met = CoVisitation.fit(trained.sessions(dataset), items=len(vectors_ND)).pairs
        met.strongest(PARTNERS).save(folder / bundle.COVISITATION)
        if related is not None:
            (folder / bundle.RELATIONS).mkdir()
            related.save(folder / bundle.RELATIONS)
        if policy is not None:
            shutil.copyfile(policy, folder / bundle.POLICY)
        try:
            exporting.begin("the search tier")
            plan = choose_search(folder, real_queries(trained, dataset, folder))
            exporting.begin("parity with torch")
            parity = check_parity(trained, dataset, folder, plan)
            exporting.begin("golden requests")
            goldens = make_goldens(trained, dataset, folder, plan)
        except EngineError as error:
            raise ValueError(f"export refused: a graph fails on real sessions: {error}") from None
        text = json.dumps({"goldens": goldens}, indent=1, ensure_ascii=False)
        (folder / bundle.GOLDENS).write_text(text + "\n", encoding="utf-8")
        about = {
            "created_at": datetime.now(UTC).isoformat(timespec="seconds"),
            "behaviours": list(dataset.behaviours.names),
            "encoding": trained.spec.document(),
            "intent": trained.intent,
            **({"intent_unknown": trained.intent_unknown} if trained.intent_unknown else {}),
            **({bundle.COUNTED_INTENT: trained.counted_intent.document()} if trained.counted_intent else {}),
            "memory": trained.memory.document() if trained.memory else None,
            "search": plan.document(),
            "dataset": {"name": dataset.name, "digest": dataset.digest},
            "git": git_state(),
            "run": run_id,
            "metrics": {
                name: value["value"] for name, value in metrics["systems"][MODEL]["all"].items() if name != "cases"
            },
            "parity": parity,
        }
        exporting.begin("the manifest")
        bundle.seal(folder, about)
        bundle.open_bundle(folder)
    return parity


def served_catalogue(trained: TrainedModel, dataset: Dataset) -> Catalogue:
    """The catalogue with the counts of all sessions that the model learned from, of which served popularity is made."""
    sessions, items, behaviours = trained.sessions(dataset), len(dataset.catalogue), len(dataset.behaviours)
    cells = np.asarray(sessions.items, np.int64) * behaviours + np.asarray(sessions.behaviours)
    counts_NB = np.bincount(cells, minlength=items * behaviours).reshape(items, behaviours)
    recent_NB = recent_events(sessions, items=items, behaviours=behaviours)
    return replace(dataset.catalogue, counts_NB=counts_NB.astype(np.int64), recent_NB=recent_NB)
