"""The gate between torch and onnxruntime, and the goldens that every server replays.

Real sessions go through both at lengths 1, 2, full and over-long, alone and in threes; then the graphs' top 20 are held
against the offline evaluator's. Items may change places only where their scores differ by less than the arithmetic
can resolve. Where an index is to be searched, lists without it are compared: what it misses was measured as recall.
"""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from tillside.dataset import Dataset, Sessions
from tillside.encoding import Batch, cut, encode_session, encode_sessions
from tillside.events import TIME_UNKNOWN
from tillside.ranking import top_k
from tillside.recommenders import Popularity, popularity
from tillside.search import SearchPlan
from training.bundled import BundleGraphs
from training.checkpoint import TrainedModel
from training.evaluation import ModelScorer

TOLERANCE = 1e-4
"""Largest difference of a score, which lies within the temperature of about 16; fp32 resolves about 2e-6 there."""
TOP = 20
PREFIXES = 256
GOLDENS = 12


def check_parity(trained: TrainedModel, dataset: Dataset, folder: Path, plan: SearchPlan) -> dict[str, Any]:
    """Compare torch and the graphs in ``folder``; returns what was measured.

    Raises:
        ValueError: they differ; the sentence says where and by how much.
    """
    graphs = BundleGraphs(folder, trained.memory, plan.exactly)
    items = len(graphs.items_ND)
    fallback = Popularity(popularity(dataset.catalogue.popular_NB[:items]))
    model_alone = ModelScorer.of(trained.model, fallback)
    scorer = replace(model_alone, memory=trained.memory)
    worst = 0.0
    for length in (1, 2, trained.spec.max_length, 2 * trained.spec.max_length + 1):
        for rows in (1, 3):
            batch, ask_B = _rows_of_length(trained, dataset, length=length, rows=rows)
            expected_BV, expected_intent_B = model_alone.score_and_intent(batch, ask_B)
            query_BD, intent_B = graphs.encode(batch, ask_B)
            difference = float(np.abs(query_BD @ graphs.items_ND.T - expected_BV).max())
            difference = max(difference, float(np.abs(intent_B - expected_intent_B).max()))
            if not difference < TOLERANCE:
                raise ValueError(
                    f"export refused: onnxruntime and torch differ by {difference:.2e} (allowed {TOLERANCE:.0e}) "
                    f"for {rows} session(s) of {length} events"
                )
            worst = max(worst, difference)
    compared, moved = 0, 0
    for session, end in _prefixes(dataset, PREFIXES):
        start = int(dataset.part("test").offsets[session])
        batch = _encode(trained, dataset.part("test"), slice(start, end), items)
        if not batch.lengths_B[0]:
            continue
        ask_B = _asked(dataset.part("test"), session, end)
        expected_BV = scorer.score(batch, ask_B)
        offline_K = top_k(expected_BV, TOP)[0]
        _, served_K, _ = graphs.answer(batch, ask_B, min(TOP, items))
        differs = served_K != offline_K
        gaps = np.abs(expected_BV[0, served_K] - expected_BV[0, offline_K])[differs]
        if gaps.max(initial=0) > TOLERANCE:
            raise ValueError(f"export refused: the top {TOP} differ for test session {session} before event {end}")
        compared, moved = compared + 1, moved + int(differs.any())
    return {"max_difference": worst, "prefixes": compared, "prefixes_with_swapped_ties": moved}


def make_goldens(trained: TrainedModel, dataset: Dataset, folder: Path, plan: SearchPlan) -> list[dict[str, Any]]:
    """Requests made of real test prefixes, with the graphs' own answers; the last one is an empty session.

    Where the catalogue has cold items, the one before it holds such an item alone. Half of the others are the prefixes
    that show the most behaviours, half are spread evenly over the test part.
    """
    graphs = BundleGraphs(folder, trained.memory, plan)
    sessions, names = dataset.part("test"), dataset.behaviours.names
    items = len(graphs.items_ND)
    prefixes = _prefixes(dataset, PREFIXES)
    starts = [int(sessions.offsets[session]) for session, _ in prefixes]
    varied = [-len(np.unique(sessions.behaviours[s:end])) for s, (_, end) in zip(starts, prefixes, strict=True)]
    chosen = [prefixes[place] for place in np.argsort(varied, kind="stable")[: GOLDENS // 2]]
    chosen += _prefixes(dataset, GOLDENS - len(chosen))
    goldens = []
    for number, (session, end) in enumerate(dict.fromkeys(chosen)):
        start = max(int(sessions.offsets[session]), end - 2 * trained.spec.max_length)
        batch = _encode(trained, sessions, slice(start, end), items)
        if not batch.lengths_B[0]:
            continue
        ask = number % len(names)
        scores_K, items_K, intent = graphs.answer(batch, np.array([ask], np.int64), min(TOP, items))
        request = {"session": _events(dataset, slice(start, end)), "behaviour": names[ask]}
        goldens.append(_golden(dataset, request, items_K, scores_K, intent if trained.intent else None))
    if items > dataset.catalogue.trained:
        goldens.append(_newcomer(trained, dataset, graphs))
    popular = popularity(dataset.catalogue.popular_NB[:items])[0]
    best = top_k(popular[None], TOP)[0]
    goldens.append(_golden(dataset, {"session": [], "behaviour": names[0]}, best, popular[best], None))
    return goldens


def real_queries(trained: TrainedModel, dataset: Dataset, folder: Path) -> npt.NDArray[np.float32]:
    """Queries [Q, D] that the exported encoder makes of test prefixes, each asked for what came next."""
    encoder, sessions = BundleGraphs(folder, None, SearchPlan()), dataset.part("test")
    queries = []
    for session, end in _prefixes(dataset, PREFIXES):
        batch = _encode(trained, sessions, slice(int(sessions.offsets[session]), end), len(encoder.items_ND))
        if batch.lengths_B[0]:
            queries.append(encoder.encode(batch, _asked(sessions, session, end))[0])
    return np.concatenate(queries) if queries else np.zeros((0, encoder.items_ND.shape[1]), np.float32)


def _newcomer(trained: TrainedModel, dataset: Dataset, graphs: BundleGraphs) -> dict[str, Any]:
    """A session that holds the first cold item alone, which training has never seen."""
    cold, names = dataset.catalogue.trained, dataset.behaviours.names
    events = np.array([cold]), np.zeros(1, np.int64), np.array([TIME_UNKNOWN])
    batch = encode_session(*events, spec=trained.spec, known_items=len(graphs.items_ND))
    scores_K, items_K, intent = graphs.answer(batch, np.zeros(1, np.int64), min(TOP, len(graphs.items_ND)))
    session = [{"item_id": dataset.catalogue.item_ids[cold], "behaviour": names[0]}]
    request = {"session": session, "behaviour": names[0]}
    return _golden(dataset, request, items_K, scores_K, intent if trained.intent else None)


def _golden(
    dataset: Dataset,
    request: dict[str, Any],
    items_K: npt.NDArray[np.int64],
    scores_K: npt.NDArray[np.float32],
    intent: float | None,
) -> dict[str, Any]:
    return {
        "request": {**request, "k": len(items_K)},
        "items": [dataset.catalogue.item_ids[int(item)] for item in items_K],
        "scores": [float(score) for score in scores_K],
        "purchase_intent": intent,
    }


def _events(dataset: Dataset, events: slice) -> list[dict[str, Any]]:
    """Test events as the shop's backend would send them."""
    sessions, names = dataset.part("test"), dataset.behaviours.names
    columns = (sessions.items[events], sessions.behaviours[events], sessions.times[events])
    rows = []
    for item, behaviour, time in zip(*(column.tolist() for column in columns), strict=True):
        row = {"item_id": dataset.catalogue.item_ids[item], "behaviour": names[behaviour]}
        rows.append(row if time == TIME_UNKNOWN else {**row, "timestamp": time})
    return rows


def _prefixes(dataset: Dataset, count: int) -> list[tuple[int, int]]:
    """Up to ``count`` (session, end) pairs spread evenly over the test part, at varying depth."""
    sessions = dataset.part("test")
    chosen = np.unique(np.linspace(0, len(sessions) - 1, min(count, len(sessions))).astype(int))
    pairs = []
    for number, session in enumerate(chosen):
        start, stop = int(sessions.offsets[session]), int(sessions.offsets[session + 1])
        if stop - start >= 2:
            pairs.append((int(session), start + 1 + number % (stop - start - 1)))
    return pairs


def _asked(sessions: Sessions, session: int, end: int) -> npt.NDArray[np.int64]:
    return np.array([sessions.behaviours[end]], np.int64)


def _encode(trained: TrainedModel, sessions: Sessions, events: slice, items: int) -> Batch:
    arrays = (sessions.items[events], sessions.behaviours[events], sessions.times[events])
    return encode_session(*(np.asarray(array) for array in arrays), spec=trained.spec, known_items=items)


def _rows_of_length(
    trained: TrainedModel, dataset: Dataset, *, length: int, rows: int
) -> tuple[Batch, npt.NDArray[np.int64]]:
    """Rows of exactly ``length`` real test events before truncation, sessions joined where one is too short.

    Repeats are kept, whatever the data set's rule: joining makes some that no session had.
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
    return cut(encoded, starts, ends), np.arange(rows, dtype=np.int64) % len(dataset.behaviours)
