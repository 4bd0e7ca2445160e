"""Recommender: requests to answers, with each item's tier and explaining item. No HTTP here.

Requests are answered in batches, with the same result as one by one (serving.answering.retrieval). What the model does
not answer, the fallback tiers do (serving.answering.fallbacks).

Shapes: N items of the bundle, L session items, D dimensions.
"""

import contextlib
import math
import time
import uuid
from collections.abc import Iterable, Sequence

from msgspec import UNSET, structs

from serving.answering.fallbacks import Ladder, Reason, given_items
from serving.answering.indexed_request import IndexedRequest
from serving.answering.nearest_item import NearestItem
from serving.answering.outcome import Outcome
from serving.answering.placement_answer import answer_placement, fallback_candidates, retrace_placement
from serving.answering.request_indexer import RequestIndexer
from serving.answering.retrieval import Found, Retrieval
from serving.policy.assortment import Assortment
from serving.policy.placement_request import now_ms_of
from serving.policy.stockroom import Stockroom
from serving.protocol.errors import FieldError
from serving.protocol.messages import Answer, CommonFields, RecommendedItem, RecommendRequest
from serving.protocol.trimming import with_trimmed_ids
from tillside.bundle import Bundle
from tillside.engine import Engine, EngineError
from tillside.policy import ItemsFeed, ModelCandidates
from tillside.policy.placing import Retraced


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
        self._behaviours = bundle.behaviours.names
        self._indexer = RequestIndexer(bundle)
        self._ladder = Ladder(bundle, static=static)
        self._nearest = NearestItem(self.engine.items_ND)
        self._retrieval = Retrieval(bundle, self.engine, self._nearest)
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
            room: Stockroom | None = assortment.stockroom.on(assortment.loaded.policy.day(now_ms_of(request)))
        else:
            room = self.stockroom if limited else self._stockroom
        if room is not None and not (limited or room.limits):
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
        encoded = self._retrieval.encode(questions, failures)
        middle = time.perf_counter()
        found = self._retrieval.search(questions, encoded, failures)
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
        encoded = self._retrieval.encode(questions, failures)
        found = self._retrieval.search(questions, encoded, failures)
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


def _given(found: Found) -> list[ModelCandidates]:
    """The model's candidates for a placement; none where the placement does not ask it."""
    return [found] if isinstance(found, ModelCandidates) else []
