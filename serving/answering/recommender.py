"""Recommender: requests to answers, with each item's tier and explaining item. No HTTP here.

Requests are answered in batches, with the same result as one by one: only rows of equal length are encoded together,
since padding changes the last digits, and a failing row fails no other. Exclusions need no second search: the top ``k +
number of excluded`` items minus the excluded ones are exactly the top k of the rest. Scores of past sessions are
blended in after the search (tillside.recommenders.blend). What the model does not answer, the fallback tiers do
(serving.answering.fallbacks).

Shapes: N items that can be recommended, R requests of one batch (B in the fields of ``tillside.encoding.Batch``), K top
items, V eligible items, L session items, H items of the shopper's earlier sessions, D dimensions.
"""

import contextlib
import functools
import math
import time
import uuid
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt
from msgspec import UNSET, structs

from serving.answering.fallbacks import Ladder, Reason, given_items
from serving.answering.indexed_request import IndexedRequest
from serving.answering.nearest_item import NearestItem
from serving.answering.outcome import Outcome
from serving.answering.placement_answer import answer_placement, fallback_candidates, retrace_placement
from serving.answering.request_indexer import RequestIndexer
from serving.policy.assortment import Assortment
from serving.policy.stockroom import Stockroom
from serving.protocol.errors import FieldError
from serving.protocol.messages import Answer, CommonFields, RecommendedItem, RecommendRequest
from serving.protocol.trimming import with_trimmed_ids
from tillside.bundle import Bundle
from tillside.encoding import Batch
from tillside.engine import Engine, EngineError
from tillside.policy import ItemsFeed, ModelCandidates
from tillside.policy.items.filters import Among
from tillside.policy.placing import Retraced
from tillside.recommenders.blend import best_items
from tillside.search import searched

FloatArray = npt.NDArray[np.float32]
Row = TypeVar("Row")
Found = list[RecommendedItem] | ModelCandidates


@dataclass(slots=True)
class _Encoded:
    """Encoder output of one question."""

    query_D: FloatArray
    intent: float


class Recommender:
    """Answers requests from one bundle.

    Args:
        static: the shop's static list of item ids, the last fallback tier.
        assortment: what placements are answered from; None without a policy.

    Attributes:
        assortment: may be replaced by another of the same bundle at any time.
        others: recommenders of the bundles that arms name; their assortments are in this one's.
        usual_seconds: time of one answer on an idle machine; 0 until measured.

    Raises:
        ValueError: the bundle's graphs and catalogue are inconsistent.
    """

    usual_seconds = 0.0

    def __init__(
        self,
        bundle: Bundle,
        *,
        static: Sequence[str] = (),
        assortment: Assortment | None = None,
    ) -> None:
        self.bundle = bundle
        self.assortment = assortment
        self.others: dict[str, Recommender] = {}
        self._stockroom: Stockroom | None = None
        self.engine = Engine(bundle.path, bundle.items_ND, bundle.search)
        self._items_ND = self.engine.items_ND
        self._memory = bundle.memory
        self._item_ids = bundle.catalogue.item_ids
        self._behaviours = bundle.behaviours.names
        self._indexer = RequestIndexer(bundle)
        self._ladder = Ladder(bundle, static=static)
        self._nearest = NearestItem(self._items_ND)
        self._counted_intent = bundle.counted_intent

    def answer(self, request: RecommendRequest) -> Outcome:
        """Answer one request: :meth:`answer_many` of one.

        Raises:
            FieldError: the bundle lacks a behaviour, or the policy lacks the placement.
        """
        return self.answer_many([request])[0]

    def answer_many(self, requests: Iterable[RecommendRequest]) -> list[Outcome]:
        """Answer a batch of requests, with the same result as one by one.

        Raises:
            FieldError: the bundle lacks a behaviour, or the policy lacks the placement, of one of them.
        """
        return self.answer_questions([self.read(request) for request in requests])

    def read(self, request: RecommendRequest, assortment: Assortment | None = None) -> IndexedRequest:
        """Translate a request to the bundle's indices; ids are those of the log, without spaces around them.

        Args:
            assortment: overrides the recommender's own.

        Raises:
            FieldError: the bundle lacks a behaviour, or the policy lacks the placement.
        """
        assortment = assortment or self.assortment
        request = with_trimmed_ids(request)
        if request.placement is not UNSET:
            return self._indexer.index(request, assortment)
        limited = request.candidates is not UNSET or request.filter is not UNSET
        if assortment is not None:
            room: Stockroom | None = assortment.stockroom
        else:
            room = self.stockroom if limited else self._stockroom
        if room is not None and not (limited or room.fed):
            room = None
        return self._indexer.index(request, assortment, room)

    @property
    def stockroom(self) -> Stockroom:
        """What requests without a placement are limited by; made when it is first needed.

        Raises:
            FieldError: the bundle's items have age limits that are no numbers.
        """
        if self.assortment is not None:
            return self.assortment.stockroom
        if self._stockroom is None:
            try:
                self._stockroom = Stockroom.of(self.bundle)
            except ValueError as error:
                sentence = f"filter and candidates cannot be answered with this bundle: {error}"
                raise FieldError("filter", sentence, allowed="nothing with this bundle") from None
        return self._stockroom

    def equip(self, assortment: Assortment | None, feed: ItemsFeed | None) -> None:
        """Answer from another assortment, or without a policy, which then is limited by the feed alone."""
        self.assortment = assortment
        if assortment is None:
            with contextlib.suppress(FieldError):
                self._stockroom = self.stockroom.restocked(feed)

    def answer_questions(self, questions: Sequence[IndexedRequest]) -> list[Outcome]:
        """Answer questions made by :meth:`read`, in the same order."""
        failures: dict[int, str] = {}
        start = time.perf_counter()
        encoded = self._encode(questions, failures)
        middle = time.perf_counter()
        found = self._search(questions, encoded, failures)
        encode_seconds, search_seconds = middle - start, time.perf_counter() - middle
        outcomes = []
        for number, question in enumerate(questions):
            if number in found:
                intent = encoded[number].intent if self.bundle.has_intent else None
                candidates, common = found[number], self._common(question, None, intent)
                spent = (encode_seconds, search_seconds)
                if question.placement is not None:
                    outcomes.append(answer_placement(question, _given(candidates), common, self._nearest, spent=spent))
                    continue
                assert isinstance(candidates, list)
                items, tier = candidates, "model"
                if question.scope is not None and question.scope.given:
                    items = [*items, *self._given(question, question.scope.given, k=question.k - len(items))]
                    tier = items[0].source if items else "model"
                items = self._named(items) if question.names else items
                outcomes.append(Outcome(Answer(items=items, tier=tier, **common), *spent))
            elif number in failures:
                outcomes.append(self.degraded(question, "model_failed", failure=failures[number]))
            else:
                outcomes.append(self.unasked(question))
        return outcomes

    def retrace(self, questions: Sequence[IndexedRequest], shown: Sequence[Sequence[str]]) -> list[Retraced]:
        """How probable it is that questions to placements are answered with given items.

        Args:
            questions: made by :meth:`read`, all with a placement.
            shown: item ids of each answer, in slot order.

        Raises:
            EngineError: the model fails on one of them.
        """
        failures: dict[int, str] = {}
        encoded = self._encode(questions, failures)
        found = self._search(questions, encoded, failures)
        if failures:
            raise EngineError(next(iter(failures.values())))
        retraced = []
        for number, question in enumerate(questions):
            intent = encoded[number].intent if number in found and self.bundle.has_intent else None
            given = _given(found[number]) if number in found else fallback_candidates(self._ladder, question)
            retraced.append(retrace_placement(question, given, intent, shown[number]))
        return retraced

    def unasked(self, question: IndexedRequest) -> Outcome:
        """Fallback answer to a session without items that the model knows; what was done in it tells the intent."""
        if question.not_sent:
            return self.degraded(question, "unknown_shopper")
        intent = None
        if self._counted_intent is not None:
            told = float(self._counted_intent.at(*question.batch.counted(len(self._behaviours)))[0])
            intent = None if math.isnan(told) else told
        return self.degraded(question, "empty_session" if question.empty else "unknown_items", intent=intent)

    def withheld(self, question: IndexedRequest) -> Outcome:
        """Answer to a shopper who is held out of recommendations: none."""
        return Outcome(Answer(items=[], tier="empty", **self._common(question, None, None)))

    def degraded(
        self, question: IndexedRequest, reason: Reason, *, failure: str | None = None, intent: float | None = None
    ) -> Outcome:
        """Answer of the fallback tiers, with the reason why the model does not answer."""
        common = self._common(question, reason, intent)
        if question.placement is not None:
            given = fallback_candidates(self._ladder, question)
            return answer_placement(question, given, common, self._nearest, failure=failure)
        items, tier = self._ladder.items(
            question.session_L,
            ask=question.ask,
            k=question.k,
            excluded=question.excluded,
            excluded_ids=question.excluded_ids,
            seen_ids=question.seen_ids,
            scope=question.scope,
        )
        if question.names:
            items = self._named(items)
        return Outcome(Answer(items=items, tier=tier, **common), failure=failure)

    def _given(self, question: IndexedRequest, given: Sequence[str], *, k: int) -> list[RecommendedItem]:
        """The request's candidates that the model does not rank, to follow those that it ranks."""
        return given_items(given, k=k, excluded=question.excluded_ids, seen_ids=question.seen_ids)

    def _named(self, items: Sequence[RecommendedItem]) -> list[RecommendedItem]:
        """The items with their names in the catalogue."""
        return [structs.replace(item, name=self._indexer.name_of(item.item_id)) for item in items]

    def _common(self, question: IndexedRequest, reason: Reason | None, intent: float | None) -> CommonFields:
        return CommonFields(
            recommendation_id=uuid.uuid4().hex,
            degraded_reason=reason,
            behaviour=self._behaviours[question.ask],
            purchase_intent=intent,
            unknown_items=question.unknown,
            model_version=self.bundle.version,
            bundle=self.bundle.version,
            hint=question.hint,
        )

    def _encode(self, questions: Sequence[IndexedRequest], failures: dict[int, str]) -> dict[int, _Encoded]:
        """Encoder outputs of all sessions that hold a known item, by question number."""
        groups: dict[int, list[int]] = defaultdict(list)
        for number, question in enumerate(questions):
            if question.known:
                groups[question.batch.items_BL.shape[1]].append(number)
        encoded: dict[int, _Encoded] = {}

        def encode(rows: list[int]) -> list[_Encoded]:
            batch = _stacked([questions[row].batch for row in rows])
            ask_R = np.array([questions[row].ask for row in rows])
            if any(questions[row].late is not None for row in rows):
                vectors_RLD = np.stack([questions[row].vectors_LD(self._items_ND) for row in rows])
                query_RD, intent_R = self.engine.encode(batch, ask_R, vectors_BLD=vectors_RLD)
            else:
                query_RD, intent_R = self.engine.encode(batch, ask_R)
            return [_Encoded(query_D, float(intent)) for query_D, intent in zip(query_RD, intent_R, strict=True)]

        for group in groups.values():
            _together_then_alone(group, encode, encoded, failures)
        return encoded

    def _search(
        self, questions: Sequence[IndexedRequest], encoded: dict[int, _Encoded], failures: dict[int, str]
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
                scores_RK, items_RK = self.engine.search(query_RD, wanted)
            else:
                scores_RK, items_RK = self.engine.search_among(query_RD, eligible_V, wanted)
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


def _given(found: Found) -> list[ModelCandidates]:
    """The model's candidates for a placement; none where the placement does not ask it."""
    return [found] if isinstance(found, ModelCandidates) else []


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
