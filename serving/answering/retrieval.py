"""What the model finds for a batch of questions: encoder and search, each row as if it had been asked alone.

Only rows of equal length are encoded together, since padding changes the last digits, and only rows with the same
eligible items are searched together; a failing row fails no other. Exclusions need no second search: the top ``k +
number of excluded`` items minus the excluded ones are exactly the top k of the rest. Scores of past sessions are
blended in after the search (tillside.recommenders.blend).

Shapes: N items that can be recommended, R questions of one batch (B in the fields of ``tillside.encoding.batch``), K
top items, V eligible items, L session items, H items of the shopper's earlier sessions, D dimensions.
"""

import functools
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from serving.answering.indexed_request import IndexedRequest
from serving.answering.nearest_item import NearestItem
from serving.protocol.messages import RecommendedItem
from tillside.bundle import Bundle
from tillside.encoding.batch import Batch
from tillside.engine import Engine, EngineError
from tillside.policy import ModelCandidates
from tillside.policy.items.filters import Among
from tillside.recommenders.blend import best_items
from tillside.search import searched

FloatArray = npt.NDArray[np.float32]
Row = TypeVar("Row")
Found = list[RecommendedItem] | ModelCandidates


@dataclass(slots=True)
class Encoded:
    """Encoder output of one question."""

    query_D: FloatArray
    intent: float


class Retrieval:
    """Encoder and search of one bundle.

    Args:
        engine: of the bundle.
        nearest: explains what the model finds.
    """

    def __init__(self, bundle: Bundle, engine: Engine, nearest: NearestItem) -> None:
        self._engine, self._nearest = engine, nearest
        self._items_ND = engine.items_ND
        self._memory = bundle.memory
        self._item_ids = bundle.catalogue.item_ids

    def encode(self, questions: Sequence[IndexedRequest], failures: dict[int, str]) -> dict[int, Encoded]:
        """Encoder outputs of all sessions that hold a known item, by question number."""
        groups: dict[int, list[int]] = defaultdict(list)
        for number, question in enumerate(questions):
            if question.known:
                groups[question.batch.items_BL.shape[1]].append(number)
        encoded: dict[int, Encoded] = {}

        def encode(rows: list[int]) -> list[Encoded]:
            batch = _stacked([questions[row].batch for row in rows])
            ask_R = np.array([questions[row].ask for row in rows])
            if any(questions[row].late is not None for row in rows):
                vectors_RLD = np.stack([questions[row].vectors_LD(self._items_ND) for row in rows])
                query_RD, intent_R = self._engine.encode(batch, ask_R, vectors_BLD=vectors_RLD)
            else:
                query_RD, intent_R = self._engine.encode(batch, ask_R)
            return [Encoded(query_D, float(intent)) for query_D, intent in zip(query_RD, intent_R, strict=True)]

        for group in groups.values():
            _together_then_alone(group, encode, encoded, failures)
        return encoded

    def search(
        self, questions: Sequence[IndexedRequest], encoded: dict[int, Encoded], failures: dict[int, str]
    ) -> dict[int, Found]:
        """Items of every encoded row, or candidates if it asks for a placement, by question number."""
        depths = {row: self._searched(questions[row]) for row in encoded}
        found: dict[int, Found] = {row: [] for row, depth in depths.items() if not depth}
        groups: dict[tuple[int, int], list[int]] = defaultdict(list)
        for row, depth in depths.items():
            if depth:
                groups[depth, id(_eligible(questions[row]))].append(row)

        def search(rows: list[int], wanted: int) -> list[Found]:
            query_RD = np.stack([encoded[row].query_D for row in rows])
            eligible_V = _eligible(questions[rows[0]])
            if eligible_V is None:
                scores_RK, items_RK = self._engine.search(query_RD, wanted)
            else:
                scores_RK, items_RK = self._engine.search_among(query_RD, eligible_V, wanted)
            lists = zip(query_RD, scores_RK, items_RK, strict=True)
            return [self._found(questions[row], *own) for row, own in zip(rows, lists, strict=True)]

        for (wanted, _), group in groups.items():
            _together_then_alone(group, functools.partial(search, wanted=wanted), found, failures)
        return found

    def _searched(self, question: IndexedRequest) -> int:
        """Number of top items to search for: an upper bound on what ``best_items`` needs for an exact answer."""
        if question.placement is not None:
            prepared, proposer = question.placement.prepared, question.placement.assortment.proposer
            if not prepared.asks_model:
                return 0
            return proposer.depth(prepared, session_L=question.session_L, past_H=question.past_H, ask=question.ask)
        if not question.k:
            return 0
        sinking = 0
        if self._memory is not None:
            sinking = self._memory.sinking(question.session_L, question.past_H, question.ask)
        needed = question.k + len(question.excluded) + sinking
        eligible_V = _eligible(question)
        return min(searched(needed), len(self._items_ND) if eligible_V is None else len(eligible_V))

    def _found(
        self, question: IndexedRequest, query_D: FloatArray, scores_K: FloatArray, items_K: npt.NDArray[np.int64]
    ) -> Found:
        """The answer's items, or a placement's candidates, from the question's search results."""
        indexed = question.placement
        if indexed is not None:
            return indexed.assortment.proposer.candidates(
                indexed.prepared,
                scores_K,
                items_K,
                query_D=query_D,
                session_L=question.session_L,
                past_H=question.past_H,
                ask=question.ask,
            )
        scope, wanted = question.scope, question.k + len(question.excluded)
        best_scores_K, best_K = best_items(
            lambda wanted: (scores_K[:wanted], items_K[:wanted]),
            self._memory,
            session_L=question.session_L,
            past_H=question.past_H,
            ask=question.ask,
            query_D=query_D,
            items_ND=self._items_ND,
            k=wanted if scope is None else len(self._items_ND),
        )
        if scope is not None:
            if scope.eligible_V is not None:  # past sessions may have added what may not answer
                held_K = Among(scope.eligible_V).holding(best_K)
                best_K, best_scores_K = best_K[held_K], best_scores_K[held_K]
            best_K, best_scores_K = best_K[:wanted], best_scores_K[:wanted]
        if question.excluded:
            kept = [rank for rank, item in enumerate(best_K.tolist()) if item not in question.excluded][: question.k]
            best_K, best_scores_K = best_K[kept], best_scores_K[kept]
        nearest_K = self._nearest.among(best_K, question.seen_L)
        ids, seen = self._item_ids, question.seen_ids
        return [
            RecommendedItem(item_id := ids[item], score, "model", ids[because], item_id in seen)
            for item, score, because in zip(best_K.tolist(), best_scores_K.tolist(), nearest_K.tolist(), strict=True)
        ]


def _eligible(question: IndexedRequest) -> npt.NDArray[np.int64] | None:
    if question.placement is not None:
        return question.placement.eligible_V
    return None if question.scope is None else question.scope.eligible_V


def _together_then_alone(
    group: list[int], work: Callable[[list[int]], list[Row]], done: dict[int, Row], failures: dict[int, str]
) -> None:
    """Process all rows as one batch; if that raises EngineError, retry them one by one."""
    for rows in [group, *([row] for row in group)] if len(group) > 1 else [group]:
        missing = [row for row in rows if row not in done]
        if not missing:
            continue
        try:
            done.update(zip(missing, work(missing), strict=True))
        except EngineError as error:
            failures.update(dict.fromkeys(missing, str(error)))
        else:
            for row in missing:
                failures.pop(row, None)


def _stacked(batches: Sequence[Batch]) -> Batch:
    """Concatenate batches of equal width."""
    if len(batches) == 1:
        return batches[0]
    return Batch(
        items_BL=np.concatenate([batch.items_BL for batch in batches]),
        behaviours_BL=np.concatenate([batch.behaviours_BL for batch in batches]),
        gaps_BL=np.concatenate([batch.gaps_BL for batch in batches]),
        lengths_B=np.concatenate([batch.lengths_B for batch in batches]),
        own_B=np.concatenate([batch.own_B for batch in batches]),
        met=[kinds for batch in batches for kinds in batch.met],
    )
