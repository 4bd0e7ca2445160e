"""A bundle's graphs run as the server runs them: one session at a time, with the server's onnxruntime options.

The encoder's matrix products sum in another order for one row than for many, so a query from a batch can differ in its
last digits. What is measured here is, item for item, what the server answers.

Shapes: B sessions of a batch, N or V items, D columns of an item row, K items of a list, C cases (in ``propose``
candidates), L events of the session, H events of the shopper's earlier sessions.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnxruntime as ort

from tillside import bundle
from tillside.encoding import Batch
from tillside.ranking import MISSED, top_k
from tillside.recommenders.blend import SessionMemory, best_items
from tillside.search import ItemSearch, Propose, SearchPlan, index_scan
from training.evaluation.ranking import COVERAGE_AT, Ranked
from training.evaluation.scorers import Scorer
from training.inputs.cases import Cases


class BundleGraphs:
    """A bundle's encoder and scorers in onnxruntime, one thread each, and its blend of past sessions (session kNN)."""

    def __init__(self, folder: Path, memory: SessionMemory | None, plan: SearchPlan) -> None:
        self.memory = memory
        self.items_ND = np.asarray(np.load(folder / bundle.ITEMS, mmap_mode="r"))
        self.encoder = _session(folder / bundle.ENCODER, bundle.ENCODER_OPTIONS)
        self.search = open_search(folder, self.items_ND, plan)

    def encode(self, batch: Batch, ask_B: npt.NDArray[np.int64]) -> tuple[npt.NDArray[np.float32], ...]:
        """Query vectors [B, D] and purchase intents [B], probabilities."""
        query_BD, intent_B = self.encoder.run(["query", "intent"], bundle.encoder_feeds(self.items_ND, batch, ask_B))
        return query_BD, intent_B

    def top(self, query_BD: npt.NDArray[np.float32], k: int) -> tuple[npt.NDArray[Any], ...]:
        """Scores and items [B, k], best first."""
        return self.search.search(query_BD, k)

    def answer(
        self, batch: Batch, ask_B: npt.NDArray[np.int64], k: int
    ) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int64], float]:
        """Scores and items [k], and purchase intent, for a batch of one session with at least one known item."""
        query_BD, intent_B = self.encode(batch, ask_B)

        def search(wanted: int) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int64]]:
            scores_BK, items_BK = self.top(query_BD, wanted)
            return scores_BK[0], items_BK[0]

        scores_K, items_K = best_items(
            search,
            self.memory,
            session_L=batch.session(0),
            past_H=batch.before(0),
            ask=int(ask_B[0]),
            query_D=query_BD[0],
            items_ND=self.items_ND,
            k=k,
        )
        return scores_K, items_K, float(intent_B[0])


def served_lists(
    graphs: BundleGraphs, fallback: Scorer, cases: Cases, chosen: npt.NDArray[np.integer[Any]], *, k: int
) -> Iterator[tuple[npt.NDArray[np.float32], npt.NDArray[np.int64], float]]:
    """Each chosen case's answer: scores and items, best first, and purchase intent.

    Args:
        fallback: answers sessions without any known item; their intent is NaN.
    """
    k = min(k, len(graphs.items_ND))
    for case in chosen:
        one = np.array([case])
        batch, ask_B = cases.batch(one), cases.asked_C[one]
        if batch.lengths_B[0]:
            yield graphs.answer(batch, ask_B, k)
        else:
            scores_BV = fallback.score(batch, ask_B)
            best = top_k(scores_BV, k)[0]
            yield scores_BV[0, best], best, float("nan")


def rank_bundle(graphs: BundleGraphs, fallback: Scorer, cases: Cases) -> Ranked:
    """Rank of each case's target within the server's top 20; a target outside it is MISSED."""
    shown_V = np.zeros(len(graphs.items_ND), np.int64)
    ranked = Ranked(np.full(len(cases), MISSED), np.full(len(cases), np.nan, np.float32), shown_V, depth=COVERAGE_AT)
    assert ranked.intent_C is not None
    lists = served_lists(graphs, fallback, cases, np.arange(len(cases)), k=COVERAGE_AT)
    for case, (scores_K, items_K, intent) in enumerate(lists):
        ranked.intent_C[case] = intent
        shown_V[items_K] += 1
        place = np.flatnonzero(items_K == cases.targets_C[case])
        if len(place):
            ranked.ranks_C[case] = np.count_nonzero(scores_K >= scores_K[place[0]])
    return ranked


def open_search(folder: Path, items_ND: npt.NDArray[np.float32], plan: SearchPlan) -> ItemSearch:
    """Item search over a bundle's scorers; ``folder`` must hold those that the plan needs."""

    def scan(name: str, options: Mapping[str, str]) -> Propose:
        session = _session(folder / name, options)

        def propose(query_BD: npt.NDArray[np.float32], wanted: int) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
            scores_BC, items_BC = session.run(["scores", "items"], {"query": query_BD, "k": np.array([wanted])})
            return scores_BC, items_BC

        return propose

    int8 = scan(bundle.INT8_SCORER, bundle.INT8_OPTIONS) if plan.tier != "exact" else None
    index = None
    if plan.tier == "approximate":
        import faiss  # needed for large catalogues only

        index = index_scan(faiss.read_index(str(folder / bundle.INDEX)))
    return ItemSearch(plan, items_ND, floats=scan(bundle.SCORER, bundle.SCORER_OPTIONS), int8=int8, index=index)


def _session(path: Path, entries: Mapping[str, str]) -> ort.InferenceSession:
    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    for key, value in entries.items():
        options.add_session_config_entry(key, value)
    return ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
