"""Parity gate between torch and onnxruntime.

Both score real sessions at lengths 1, 2, full and over-long, in batches of 1 and 3; then the graphs' top 20 is compared
with the offline evaluator's. Items may swap ranks only within TOLERANCE. An approximate index is left out of the
comparison: its recall is measured when the search tier is chosen.

Shapes: B sessions in a batch, N items (V of them scored by torch: the same), D columns of an item row, K items of a
list, L events of the session.
"""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from tillside.bundle import load_items
from tillside.dataset import Dataset
from tillside.encoding.batch import Batch
from tillside.encoding.sessions import encode_sessions, rows_of
from tillside.engine import Engine
from tillside.ranking import top_k
from tillside.search import SearchPlan
from training.bundle.prefixes import PREFIXES, encode_prefix, spread_prefixes
from training.cli.progress import progress
from training.evaluation.scorers import ModelScorer, popularity_of
from training.evaluation.served import answer_session
from training.model.checkpoint import TrainedModel

TOLERANCE = 1e-4
"""Maximum difference of a score; scores lie within the temperature, about 16, where fp32 resolves about 2e-6."""
TOP = 20


def check_parity(trained: TrainedModel, dataset: Dataset, folder: Path, plan: SearchPlan) -> dict[str, Any]:
    """Compare torch with the graphs in ``folder``.

    Returns:
        ``max_difference`` of scores and intents, number of ``prefixes`` compared, and how many had swapped ties.

    Raises:
        ValueError: they differ, or a graph's signature is not the one that the engine expects.
        EngineError: a graph failed or returned non-finite numbers.
    """
    engine = Engine(folder, load_items(folder), plan.exactly)
    items = len(engine.items_ND)
    model_alone = ModelScorer.of(trained.model, popularity_of(dataset, refit=trained.refitted))
    scorer = replace(model_alone, memory=trained.memory)
    worst = 0.0
    for length in (1, 2, trained.spec.max_length, 2 * trained.spec.max_length + 1):
        for rows in (1, 3):
            batch, ask_B = _rows_of_length(trained, dataset, length=length, rows=rows)
            expected_BV, expected_intent_B = model_alone.score_and_intent(batch, ask_B)
            query_BD, intent_B = engine.encode(batch, ask_B)
            difference = float(np.abs(query_BD @ engine.items_ND.T - expected_BV).max())
            difference = max(difference, float(np.abs(intent_B - expected_intent_B).max()))
            if not difference < TOLERANCE:
                raise ValueError(
                    f"export refused: onnxruntime and torch differ by {difference:.2e} (allowed {TOLERANCE:.0e}) "
                    f"for {rows} session(s) of {length} events"
                )
            worst = max(worst, difference)
    compared, moved = 0, 0
    for prefix in progress(spread_prefixes(trained, dataset, PREFIXES), "comparing torch and onnxruntime"):
        batch, ask_B = encode_prefix(trained, dataset, prefix, items), prefix.ask_B
        if not batch.lengths_B[0]:
            continue
        expected_BV = scorer.score(batch, ask_B)
        offline_K = top_k(expected_BV, TOP)[0]
        _, served_K, _ = answer_session(engine, trained.memory, batch, ask_B, k=min(TOP, items))
        differs = served_K != offline_K
        gaps = np.abs(expected_BV[0, served_K] - expected_BV[0, offline_K])[differs]
        if gaps.max(initial=0) > TOLERANCE:
            raise ValueError(
                f"export refused: the top {TOP} differ for test session {prefix.session} "
                f"after {len(prefix.own_L)} of its events"
            )
        compared, moved = compared + 1, moved + int(differs.any())
    return {"max_difference": worst, "prefixes": compared, "prefixes_with_swapped_ties": moved}


def _rows_of_length(
    trained: TrainedModel, dataset: Dataset, *, length: int, rows: int
) -> tuple[Batch, npt.NDArray[np.int64]]:
    """Rows of exactly ``length`` real test events before truncation, joined across sessions, and behaviours to ask for.

    Repeats are kept, whatever the data set's rule: joining creates some that no session had.

    Raises:
        ValueError: no event of the test part is on an item that can be ranked.
    """
    sessions = dataset.part("test")
    items = dataset.catalogue.rankable
    known = np.flatnonzero(np.asarray(sessions.items) < items)
    if not len(known):
        raise ValueError("export refused: the test part has no item that can be ranked, so nothing can be compared")
    places = known[np.arange(length * rows) % len(known)]
    arrays = [np.asarray(array)[places] for array in (sessions.items, sessions.behaviours, sessions.times)]
    offsets = np.arange(rows + 1) * length
    spec = replace(trained.spec, collapse_repeats=False)
    encoded = encode_sessions(*arrays, offsets, spec=spec, known_items=items)
    starts, ends = np.maximum(offsets[:-1], offsets[1:] - trained.spec.max_length), offsets[1:]
    return rows_of(encoded, starts, ends, starts, spec=spec), np.arange(rows, dtype=np.int64) % len(dataset.behaviours)
