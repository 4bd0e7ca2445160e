"""A request becomes an answer: which items, from which tier, and because of what. No HTTP here.

Exclusions cost no second pass: the best ``k + number of excluded`` items without the excluded ones are exactly the
best k of the rest. What past sessions say is blended in after the search (tillside.blending). A session with nothing
the model knows, or a model that fails, is answered by popularity.

Shapes: N items that can be recommended, A behaviours, K answered items, L session items, D dimensions.
"""

import time
import uuid
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import numpy.typing as npt
from msgspec import UNSET, UnsetType

from serving.engine import Engine, EngineError
from serving.messages import DEFAULT_K, Answer, FieldError, RecommendedItem, RecommendRequest
from tillside.blending import best_items
from tillside.bundle import Bundle
from tillside.encoding import Batch, encode_session
from tillside.events import TIME_UNKNOWN
from tillside.ranking import top_k
from tillside.recommenders import popularity

Tier = Literal["model", "popularity"]
UNKNOWN: Final = -1


@dataclass(frozen=True, slots=True)
class Outcome:
    """An answer and what the metrics want to know about it; times are None for what was not run.

    Attributes:
        failure: why the model gave nothing although it was asked, or None.
    """

    answer: Answer
    encode_seconds: float | None = None
    search_seconds: float | None = None
    failure: str | None = None


@dataclass(frozen=True, slots=True)
class _Question:
    """A request in catalogue indices."""

    batch: Batch
    ask: int
    k: int
    excluded: frozenset[int]


class Recommender:
    """Answers requests from one bundle.

    Raises:
        ValueError: the bundle's graphs or catalogue do not fit together.
    """

    def __init__(self, bundle: Bundle) -> None:
        self.bundle = bundle
        self.engine = Engine(bundle)
        self._items_ND = self.engine.items_ND
        self._memory = bundle.memory
        self._item_ids = bundle.catalogue.item_ids[: len(self._items_ND)]
        self._index_of = {item_id: index for index, item_id in enumerate(self._item_ids)}
        if len(self._index_of) != len(self._item_ids):
            raise ValueError(f"bundle {bundle.path}: the catalogue holds an item id twice")
        self._behaviours = bundle.behaviours.names
        self._behaviour_index = {name: index for index, name in enumerate(self._behaviours)}
        counts_NA = bundle.catalogue.counts_NB[: len(self._items_ND)]
        if counts_NA.shape[1:] != (len(self._behaviours),):
            raise ValueError(
                f"bundle {bundle.path}: the catalogue counts {list(counts_NA.shape[1:])} behaviours, "
                f"the manifest names {len(self._behaviours)}"
            )
        self._popularity_AN = popularity(bundle.catalogue.popular_NB[: len(self._items_ND)])
        self._popular_AN = top_k(self._popularity_AN, len(self._items_ND)).astype(np.int32)
        self._alike_ND = self._items_ND[:, :-1]  # without the trends
        norms_N = np.linalg.norm(self._alike_ND, axis=1)
        self._inverse_norms_N = 1.0 / np.maximum(norms_N, np.finfo(np.float32).tiny)

    def answer(self, request: RecommendRequest) -> Outcome:
        """Answer one request.

        Raises:
            FieldError: a behaviour that the bundle does not have.
        """
        unknown: dict[str, None] = {}
        question = self._read(request, unknown)
        encode_seconds = search_seconds = intent = failure = None
        items: list[RecommendedItem] = []
        tier: Tier = "model" if question.batch.lengths_B[0] else "popularity"
        if tier == "model":
            ask_B = np.array([question.ask])
            start = time.perf_counter()
            try:
                query_BD, intent_B = self.engine.encode(question.batch, ask_B)
                encoded = time.perf_counter()
                encode_seconds = encoded - start
                items = self._from_model(question, query_BD)
                search_seconds = time.perf_counter() - encoded
                intent = float(intent_B[0]) if self.bundle.has_intent else None
            except EngineError as error:
                tier, failure = "popularity", str(error)
        if tier == "popularity":
            items = self._from_popularity(question)
        answer = Answer(
            recommendation_id=uuid.uuid4().hex,
            items=items,
            tier=tier,
            behaviour=self._behaviours[question.ask],
            purchase_intent=intent,
            unknown_items=list(unknown),
            bundle=self.bundle.version,
        )
        return Outcome(answer, encode_seconds, search_seconds, failure)

    def _read(self, request: RecommendRequest, unknown: dict[str, None]) -> _Question:
        """The request in indices; ids that the bundle does not know go into ``unknown``."""
        items, behaviours, times = [], [], []
        for number, event in enumerate(request.session):
            index = self._index_of.get(event.item_id, UNKNOWN)
            if index == UNKNOWN:
                unknown[event.item_id] = None
            items.append(index)
            behaviours.append(self._behaviour(event.behaviour, event=number))
            times.append(event.timestamp if isinstance(event.timestamp, int) else TIME_UNKNOWN)
        excluded = set()
        for item_id in request.exclude or ():
            index = self._index_of.get(item_id, UNKNOWN)
            if index == UNKNOWN:
                unknown[item_id] = None
            else:
                excluded.add(index)
        batch = encode_session(
            np.array(items, np.int64),
            np.array(behaviours, np.int64),
            np.array(times, np.int64),
            spec=self.bundle.encoding,
            known_items=len(self._items_ND),
        )
        k = DEFAULT_K if request.k is UNSET else request.k
        return _Question(
            batch=batch,
            ask=self._behaviour(request.behaviour),
            k=min(k, len(self._items_ND) - len(excluded)),
            excluded=frozenset(excluded),
        )

    def _behaviour(self, name: str | UnsetType, event: int | None = None) -> int:
        if name is UNSET:
            return 0
        try:
            return self._behaviour_index[name]
        except KeyError:
            field = "behaviour" if event is None else f"session[{event}].behaviour"
            raise FieldError.of_value(field, name, allowed=f"one of {', '.join(self._behaviours)}") from None

    def _from_model(self, question: _Question, query_BD: npt.NDArray[np.float32]) -> list[RecommendedItem]:
        if question.k == 0:
            return []
        seen_L = question.batch.items_BL[0, : question.batch.lengths_B[0]]

        def search(wanted: int) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int64]]:
            scores_BK, items_BK = self.engine.search(query_BD, wanted)
            return scores_BK[0], items_BK[0]

        scores_K, items_K = best_items(
            search,
            self._memory,
            session_L=seen_L,
            ask=question.ask,
            query_D=query_BD[0],
            items_ND=self._items_ND,
            k=question.k + len(question.excluded),
        )
        if question.excluded:
            kept = [rank for rank, item in enumerate(items_K.tolist()) if item not in question.excluded][: question.k]
            items_K, scores_K = items_K[kept], scores_K[kept]
        nearest_K = self._nearest(items_K, seen_L)
        return [
            RecommendedItem(self._item_ids[item], score, "model", self._item_ids[because])
            for item, score, because in zip(items_K.tolist(), scores_K.tolist(), nearest_K.tolist(), strict=True)
        ]

    def _nearest(self, items_K: npt.NDArray[np.int64], seen_L: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """For each item the session item with the greatest cosine; the latest of those that are level."""
        latest_L = seen_L[::-1]
        unit_LD = self._alike_ND[latest_L] * self._inverse_norms_N[latest_L, None]
        nearest: npt.NDArray[np.int64] = latest_L[(self._alike_ND[items_K] @ unit_LD.T).argmax(axis=1)]
        return nearest

    def _from_popularity(self, question: _Question) -> list[RecommendedItem]:
        candidates = self._popular_AN[question.ask, : question.k + len(question.excluded)].tolist()
        kept = [item for item in candidates if item not in question.excluded][: question.k]
        scores_N = self._popularity_AN[question.ask]
        return [RecommendedItem(self._item_ids[item], float(scores_N[item]), "popularity", None) for item in kept]
