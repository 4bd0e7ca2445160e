"""Golden requests: real sessions with the graphs' answers, replayed by every server before it accepts a bundle.

Shapes: B sessions in a batch (here 1), K items of an answer, N items, D columns of an item row, L events
of the session, H of earlier sessions.
"""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from tillside.bundle import load_items
from tillside.dataset import Dataset
from tillside.encoding.live import encode_session
from tillside.engine import Engine
from tillside.events import TIME_UNKNOWN
from tillside.ranking import top_k
from tillside.search import SearchPlan
from training.bundle.parity import PREFIXES, TOP, encode_prefix, spread_prefixes
from training.evaluation.scorers import popularity_of
from training.evaluation.served import answer_session
from training.model.checkpoint import TrainedModel

GOLDENS = 12


def make_goldens(trained: TrainedModel, dataset: Dataset, folder: Path, plan: SearchPlan) -> list[dict[str, Any]]:
    """Requests from real test prefixes with the graphs' answers; the last one is an empty session.

    If the catalogue has cold items, the last but one is a session of one cold item. Half of the others are the prefixes
    with the most distinct behaviours, up to two of them with earlier sessions of the shopper; half are spread evenly
    over the test part.

    Raises:
        EngineError: a graph failed or returned non-finite numbers.
    """
    engine = Engine(folder, load_items(folder), plan)
    names, items = dataset.behaviours.names, len(engine.items_ND)
    prefixes = spread_prefixes(trained, dataset, PREFIXES)
    varied = [-len(np.unique(dataset.sessions.behaviours[prefix.own_L])) for prefix in prefixes]
    chosen = [prefix for prefix in prefixes if len(prefix.earlier_H)][:2]
    chosen += [prefixes[place] for place in np.argsort(varied, kind="stable")[: GOLDENS // 2 - len(chosen)]]
    chosen += spread_prefixes(trained, dataset, GOLDENS - len(chosen))
    goldens = []
    for number, whole in enumerate({(each.session, len(each.own_L)): each for each in chosen}.values()):
        prefix = whole.latest(2 * trained.spec.max_length)
        batch = encode_prefix(trained, dataset, prefix, items)
        if not batch.lengths_B[0]:
            continue
        ask = number % len(names)
        ask_B = np.array([ask], np.int64)
        scores_K, items_K, intent = answer_session(engine, trained.memory, batch, ask_B, k=min(TOP, items))
        request = {"session": _events(dataset, prefix.own_L), "behaviour": names[ask]}
        if len(prefix.earlier_H):
            request["history"] = _events(dataset, prefix.earlier_H)
        goldens.append(_golden(dataset, request, items_K, scores_K, intent if trained.intent else None))
    if items > dataset.catalogue.trained:
        goldens.append(_cold_golden(trained, dataset, engine))
    popular = popularity_of(dataset, refit=trained.refitted, items=items).scores_by_behaviour[0]
    best = top_k(popular[None], TOP)[0]
    goldens.append(_golden(dataset, {"session": [], "behaviour": names[0]}, best, popular[best], None))
    return goldens


def _cold_golden(trained: TrainedModel, dataset: Dataset, engine: Engine) -> dict[str, Any]:
    """Golden request of a session of one event, on the first cold item."""
    cold, names = dataset.catalogue.trained, dataset.behaviours.names
    events = np.array([cold]), np.zeros(1, np.int64), np.array([TIME_UNKNOWN])
    batch = encode_session(*events, spec=trained.spec, known_items=len(engine.items_ND))
    ask_B, k = np.zeros(1, np.int64), min(TOP, len(engine.items_ND))
    scores_K, items_K, intent = answer_session(engine, trained.memory, batch, ask_B, k=k)
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
    """Events of the data set as JSON objects of a request."""
    sessions, names = dataset.sessions, dataset.behaviours.names
    columns = (sessions.items[events], sessions.behaviours[events], sessions.times[events])
    rows = []
    for item, behaviour, time in zip(*(column.tolist() for column in columns), strict=True):
        row = {"item_id": dataset.catalogue.item_ids[item], "behaviour": names[behaviour]}
        rows.append(row if time == TIME_UNKNOWN else {**row, "timestamp": time})
    return rows
