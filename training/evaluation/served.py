"""A bundle's answers as the server gives them: one session at a time, from the server's own engine.

The encoder's matrix products sum in another order for one row than for many, so a query from a batch can differ in its
last digits. What is measured here is, item for item, what the server answers.

Shapes: B sessions of a batch, N or V items, D columns of an item row, K items of a list, C cases, L events of
the session, H events of the shopper's earlier sessions.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from tillside.encoding.batch import Batch
from tillside.engine import Engine
from tillside.ranking import MISSED, top_k
from tillside.recommenders.blend import SessionMemory, best_items
from training.cli.progress import progress
from training.evaluation.ranking import COVERAGE_AT, Ranked
from training.evaluation.scorers import Scorer
from training.inputs.cases import Cases


def answer_session(
    engine: Engine, memory: SessionMemory | None, batch: Batch, ask_B: npt.NDArray[np.int64], *, k: int
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int64], float]:
    """Scores and items [k], best first, and purchase intent of a batch of one session with at least one known item.

    Args:
        memory: blend of past sessions (session kNN); None for the model alone.

    Raises:
        EngineError: a graph failed or returned non-finite numbers.
    """
    query_BD, intent_B = engine.encode(batch, ask_B)

    def search(wanted: int) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int64]]:
        scores_BK, items_BK = engine.search(query_BD, wanted)
        return scores_BK[0], items_BK[0]

    scores_K, items_K = best_items(
        search,
        memory,
        session_L=batch.session(0),
        past_H=batch.before(0),
        ask=int(ask_B[0]),
        query_D=query_BD[0],
        items_ND=engine.items_ND,
        k=k,
    )
    return scores_K, items_K, float(intent_B[0])


def served_lists(
    engine: Engine,
    memory: SessionMemory | None,
    fallback: Scorer,
    cases: Cases,
    chosen: npt.NDArray[np.integer[Any]],
    *,
    k: int,
) -> Iterator[tuple[npt.NDArray[np.float32], npt.NDArray[np.int64], float]]:
    """Each chosen case's answer: scores and items, best first, and purchase intent.

    Args:
        fallback: answers sessions without any known item; their intent is NaN.
    """
    k = min(k, len(engine.items_ND))
    for case in chosen:
        one = np.array([case])
        batch, ask_B = cases.batch(one), cases.asked_C[one]
        if batch.lengths_B[0]:
            yield answer_session(engine, memory, batch, ask_B, k=k)
        else:
            scores_BV = fallback.score(batch, ask_B)
            best = top_k(scores_BV, k)[0]
            yield scores_BV[0, best], best, float("nan")


def rank_bundle(engine: Engine, memory: SessionMemory | None, fallback: Scorer, cases: Cases) -> Ranked:
    """Rank of each case's target within the server's top 20; a target outside it is MISSED."""
    shown_V = np.zeros(len(engine.items_ND), np.int64)
    ranked = Ranked(np.full(len(cases), MISSED), np.full(len(cases), np.nan, np.float32), shown_V, depth=COVERAGE_AT)
    assert ranked.intent_C is not None
    lists = served_lists(engine, memory, fallback, cases, np.arange(len(cases)), k=COVERAGE_AT)
    served = progress(lists, "asking the bundle", len(cases), unit="sessions")
    for case, (scores_K, items_K, intent) in enumerate(served):
        ranked.intent_C[case] = intent
        shown_V[items_K] += 1
        place = np.flatnonzero(items_K == cases.targets_C[case])
        if len(place):
            ranked.ranks_C[case] = np.count_nonzero(scores_K >= scores_K[place[0]])
    return ranked
