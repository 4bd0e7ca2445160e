"""The gate between torch and onnxruntime, and the goldens that every server replays.

Real sessions go through both at lengths 1, 2, full and over-long, alone and in threes; then the graphs' top 20 are held
against the offline evaluator's. Items may change places only where their scores differ by less than the arithmetic
can resolve. Where an index is to be searched, lists without it are compared: what it misses was measured as recall.
"""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from tillside.dataset import Dataset
from tillside.encoding import Batch, cut, encode_session, encode_sessions
from tillside.events import TIME_UNKNOWN
from tillside.ranking import top_k
from tillside.recommenders import Popularity, popularity
from tillside.search import SearchPlan
from training.evaluation.scorers import ModelScorer
from training.evaluation.served import BundleGraphs
from training.inputs.visits import Visits
from training.model.checkpoint import TrainedModel

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
    for prefix in _prefixes(trained, dataset, PREFIXES):
        batch, ask_B = _encode(trained, dataset, prefix, items), prefix.ask_B
        if not batch.lengths_B[0]:
            continue
        expected_BV = scorer.score(batch, ask_B)
        offline_K = top_k(expected_BV, TOP)[0]
        _, served_K, _ = graphs.answer(batch, ask_B, min(TOP, items))
        differs = served_K != offline_K
        gaps = np.abs(expected_BV[0, served_K] - expected_BV[0, offline_K])[differs]
        if gaps.max(initial=0) > TOLERANCE:
            raise ValueError(
                f"export refused: the top {TOP} differ for test session {prefix.session} "
                f"after {len(prefix.own_L)} of its events"
            )
        compared, moved = compared + 1, moved + int(differs.any())
    return {"max_difference": worst, "prefixes": compared, "prefixes_with_swapped_ties": moved}


def make_goldens(trained: TrainedModel, dataset: Dataset, folder: Path, plan: SearchPlan) -> list[dict[str, Any]]:
    """Requests made of real test prefixes, with the graphs' own answers; the last one is an empty session.

    Where the catalogue has cold items, the one before it holds such an item alone. Half of the others are the prefixes
    that show the most behaviours, two shoppers who came back before them where there are any; half are spread evenly
    over the test part.
    """
    graphs = BundleGraphs(folder, trained.memory, plan)
    names, items = dataset.behaviours.names, len(graphs.items_ND)
    prefixes = _prefixes(trained, dataset, PREFIXES)
    varied = [-len(np.unique(dataset.sessions.behaviours[prefix.own_L])) for prefix in prefixes]
    chosen = [prefix for prefix in prefixes if len(prefix.earlier_H)][:2]
    chosen += [prefixes[place] for place in np.argsort(varied, kind="stable")[: GOLDENS // 2 - len(chosen)]]
    chosen += _prefixes(trained, dataset, GOLDENS - len(chosen))
    goldens = []
    for number, whole in enumerate({(each.session, len(each.own_L)): each for each in chosen}.values()):
        prefix = whole.latest(2 * trained.spec.max_length)
        batch = _encode(trained, dataset, prefix, items)
        if not batch.lengths_B[0]:
            continue
        ask = number % len(names)
        scores_K, items_K, intent = graphs.answer(batch, np.array([ask], np.int64), min(TOP, items))
        request = {"session": _events(dataset, prefix.own_L), "behaviour": names[ask]}
        if len(prefix.earlier_H):
            request["history"] = _events(dataset, prefix.earlier_H)
        goldens.append(_golden(dataset, request, items_K, scores_K, intent if trained.intent else None))
    if items > dataset.catalogue.trained:
        goldens.append(_newcomer(trained, dataset, graphs))
    popular = popularity(dataset.catalogue.popular_NB[:items])[0]
    best = top_k(popular[None], TOP)[0]
    goldens.append(_golden(dataset, {"session": [], "behaviour": names[0]}, best, popular[best], None))
    return goldens


def real_queries(trained: TrainedModel, dataset: Dataset, folder: Path) -> npt.NDArray[np.float32]:
    """Queries [Q, D] that the exported encoder makes of test prefixes, each asked for what came next."""
    encoder, queries = BundleGraphs(folder, None, SearchPlan()), []
    for prefix in _prefixes(trained, dataset, PREFIXES):
        batch = _encode(trained, dataset, prefix, len(encoder.items_ND))
        if batch.lengths_B[0]:
            queries.append(encoder.encode(batch, prefix.ask_B)[0])
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


def _events(dataset: Dataset, events: npt.NDArray[np.int64]) -> list[dict[str, Any]]:
    """Events of the data set as the shop's backend would send them."""
    sessions, names = dataset.sessions, dataset.behaviours.names
    columns = (sessions.items[events], sessions.behaviours[events], sessions.times[events])
    rows = []
    for item, behaviour, time in zip(*(column.tolist() for column in columns), strict=True):
        row = {"item_id": dataset.catalogue.item_ids[item], "behaviour": names[behaviour]}
        rows.append(row if time == TIME_UNKNOWN else {**row, "timestamp": time})
    return rows


@dataclass(frozen=True)
class _Prefix:
    """What is seen of a test session before one of its events.

    Attributes:
        earlier_H, own_L: places, in the data set, of the shopper's earlier events and of the session's own.
        ask_B: the behaviour of the event [1].
    """

    session: int
    earlier_H: npt.NDArray[np.int64]
    own_L: npt.NDArray[np.int64]
    ask_B: npt.NDArray[np.int64]

    def latest(self, events: int) -> "_Prefix":
        """The last so many of each."""
        return replace(self, earlier_H=self.earlier_H[-events:], own_L=self.own_L[-events:])


def _prefixes(trained: TrainedModel, dataset: Dataset, count: int) -> list[_Prefix]:
    """Up to ``count``, spread evenly over the test part, at varying depth."""
    sessions, (first, end) = dataset.sessions, dataset.parts["test"]
    visits = Visits.of(sessions) if trained.spec.history else None
    chosen = np.unique(np.linspace(first, end - 1, min(count, end - first)).astype(int))
    prefixes = []
    for number, session in enumerate(chosen.tolist()):
        start, stop = int(sessions.offsets[session]), int(sessions.offsets[session + 1])
        if stop - start >= 2:
            own_L = np.arange(start, start + 1 + number % (stop - start - 1))
            earlier_H = visits.before(session) if visits is not None else own_L[:0]
            ask_B = np.array([sessions.behaviours[own_L[-1] + 1]], np.int64)
            prefixes.append(_Prefix(session - first, earlier_H, own_L, ask_B))
    return prefixes


def _encode(trained: TrainedModel, dataset: Dataset, prefix: _Prefix, items: int) -> Batch:
    places, sessions = np.concatenate([prefix.earlier_H, prefix.own_L]), dataset.sessions
    columns = (np.asarray(column[places]) for column in (sessions.items, sessions.behaviours, sessions.times))
    return encode_session(*columns, spec=trained.spec, known_items=items, earlier=len(prefix.earlier_H))


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
    return cut(encoded, starts, ends, starts, spec=spec), np.arange(rows, dtype=np.int64) % len(dataset.behaviours)
