"""Fallback tiers below the model: co-visitation over the session, popularity, what the request itself gave as
candidates, the shop's static list, empty.

They answer whenever the model does not, in a fraction of a millisecond and without ONNX Runtime: under overload, past
a deadline, after a model failure, for a session without known items, and before any bundle is loaded. A tier that
yields fewer than k items is filled up from the tiers below it, down to popularity; the answer's tier is the best one
that yielded an item, and each item names its own. Exclusions hold in every tier.

Shapes: N items that can be recommended, B behaviours, L session items, C co-visited candidates, T tokens of the
vocabulary, G category boundaries, D vector dimensions, V items that alone are eligible, A of them that pass a filter.
"""

import uuid
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Final, Literal

import numpy as np
import numpy.typing as npt
from msgspec import UNSET

from serving.answering.scope import Scope
from serving.protocol.messages import DEFAULT_K, Answer, RecommendedItem, RecommendRequest
from tillside.bundle import Bundle
from tillside.catalogue import Catalogue
from tillside.events import CATEGORY
from tillside.policy import ModelCandidates
from tillside.policy.items.filters import Among
from tillside.policy.proposals import MOST_LISTED, listed
from tillside.policy.requests import NOTHING
from tillside.ranking import top_k
from tillside.recommenders import popularity

Tier = Literal["model", "covisitation", "popularity", "given", "static", "empty"]
Reason = Literal[
    "overload",
    "queue_full",
    "deadline",
    "model_failed",
    "empty_session",
    "unknown_items",
    "unknown_shopper",
    "not_ready",
]
SESSION_ITEMS: Final = 10
"""Number of latest session items whose co-visited items are looked up."""
DECAY: Final = 0.7
"""Weight of a session item's evidence relative to that of the item after it."""

Ranked = tuple[int, float, str]
"""Catalogue index, score and tier of an item."""


class Ladder:
    """Fallback tiers of one bundle, above the shop's static list.

    Args:
        static: item ids, best first; they need not be in the catalogue.
    """

    def __init__(self, bundle: Bundle, *, static: Sequence[str] = ()) -> None:
        items = len(bundle.items_ND)
        catalogue = bundle.catalogue
        self._item_ids = catalogue.item_ids
        self._static = tuple(static)
        self._covisitation = bundle.covisitation
        self._popularity_BN = popularity(catalogue.popular_NB[:items])
        self._popular_BN = top_k(self._popularity_BN, items).astype(np.int32)
        self._category_N = finest_categories(catalogue, items)
        self._shelves: list[tuple[npt.NDArray[np.int32], npt.NDArray[np.int64]]] = []
        if (self._category_N >= 0).any():
            self._shelves = [_shelves(popular_N, self._category_N) for popular_N in self._popular_BN]

    def items(
        self,
        session_L: npt.NDArray[np.int64],
        *,
        ask: int,
        k: int,
        excluded: frozenset[int],
        excluded_ids: Iterable[str],
        seen_ids: frozenset[str] = frozenset(),
        scope: Scope | None = None,
    ) -> tuple[list[RecommendedItem], Tier]:
        """At most ``k`` items for the session, and the tier that answered.

        Args:
            session_L: the session's items that can be recommended, oldest first; may be empty.
            excluded: catalogue indices; at least ``k`` of the catalogue's items are not among them.
            excluded_ids: excluded item ids, unknown ones included, for the static list.
            seen_ids: item ids of the session, which the answer marks as seen.
            scope: the only items that may answer; None for all.
        """
        taken = set(excluded)
        found: list[RecommendedItem] = []
        eligible_V = None if scope is None else scope.eligible_V
        if eligible_V is None:
            ranked = self._ranked(session_L, ask)
        else:
            ranked = self._ranked_among(eligible_V, session_L, ask, wanted=k + len(excluded))
        for item, score, rung in ranked:
            if len(found) == k:
                break
            if item not in taken:
                taken.add(item)
                item_id = self._item_ids[item]
                found.append(RecommendedItem(item_id, score, rung, None, item_id in seen_ids))
        if scope is not None:
            found += given_items(scope.given, k=k - len(found), excluded=excluded_ids, seen_ids=seen_ids)
        if found or not self._static or (scope is not None and scope.narrow):
            return found, _tier(found)
        static = self._static if scope is None else [item_id for item_id in self._static if scope.in_stock(item_id)]
        return static_items(static, k=k, excluded=excluded_ids, seen_ids=seen_ids)

    def rungs(
        self, session_L: npt.NDArray[np.int64], *, ask: int, eligible_V: npt.NDArray[np.int64] | None = None
    ) -> Iterator[ModelCandidates]:
        """Candidates of each tier for a policy, in place of the model's, best tier first; empty tiers are skipped.

        Args:
            eligible_V: the only items that are listed, ascending; None for all.
        """
        among = None if eligible_V is None else Among(eligible_V)
        if self._covisitation is not None and len(session_L):
            items_C, sums_C = self._covisitation.evidence(session_L[-SESSION_ITEMS:], decay=DECAY)
            if among is not None:
                kept_C = among.holding(items_C)
                items_C, sums_C = items_C[kept_C], sums_C[kept_C]
            if len(items_C):
                best = np.lexsort((items_C, -sums_C))[:MOST_LISTED]
                yield ModelCandidates(items_C[best], sums_C[best].astype(np.float32), "covisitation")
        if among is not None:
            scores_V = self._popularity_BN[ask].take(among.items_A)
            best = top_k(scores_V[None], min(MOST_LISTED, len(scores_V)))[0] if len(scores_V) else NOTHING
            yield listed(among.items_A[best], "popularity")
            return
        rows = (self._shelf(session_L, ask)[:MOST_LISTED], self._popular_BN[ask][:MOST_LISTED])
        items = list(dict.fromkeys(np.concatenate(rows).tolist()))
        yield listed(np.array(items, np.int64), "popularity")

    def _ranked_among(
        self, eligible_V: npt.NDArray[np.int64], session_L: npt.NDArray[np.int64], ask: int, *, wanted: int
    ) -> Iterator[Ranked]:
        """As :meth:`_ranked`, of eligible items alone; popularity ends after ``wanted`` of them."""
        among = Among(eligible_V)
        if self._covisitation is not None and len(session_L):
            items_C, sums_C = self._covisitation.evidence(session_L[-SESSION_ITEMS:], decay=DECAY)
            best = np.lexsort((items_C, -sums_C))
            best = best[among.holding(items_C[best])]
            yield from zip(items_C[best].tolist(), sums_C[best].tolist(), ["covisitation"] * len(best), strict=True)
        scores_N = self._popularity_BN[ask]
        shelf = self._shelf(session_L, ask)
        for item in shelf[among.holding(shelf.astype(np.int64))]:
            yield int(item), float(scores_N[item]), "popularity"
        scores_V = scores_N.take(eligible_V)
        if len(scores_V):
            for item in eligible_V[top_k(scores_V[None], min(wanted, len(scores_V)))[0]].tolist():
                yield item, float(scores_N[item]), "popularity"

    def _ranked(self, session_L: npt.NDArray[np.int64], ask: int) -> Iterator[Ranked]:
        """Items tier by tier, best first; an item may repeat in a lower tier."""
        if self._covisitation is not None and len(session_L):
            items_C, sums_C = self._covisitation.evidence(session_L[-SESSION_ITEMS:], decay=DECAY)
            best = np.lexsort((items_C, -sums_C))
            yield from zip(items_C[best].tolist(), sums_C[best].tolist(), ["covisitation"] * len(best), strict=True)
        scores_N = self._popularity_BN[ask]
        for item in self._shelf(session_L, ask):
            yield int(item), float(scores_N[item]), "popularity"
        for item in self._popular_BN[ask]:
            yield int(item), float(scores_N[item]), "popularity"

    def _shelf(self, session_L: npt.NDArray[np.int64], ask: int) -> npt.NDArray[np.int32]:
        """Items of the category of the latest session item that has one, most popular first."""
        categories = self._category_N[session_L[::-1]]
        known = categories[categories >= 0]
        if not len(known):
            return np.zeros(0, np.int32)
        order_N, starts_G = self._shelves[ask]
        return order_N[starts_G[known[0]] : starts_G[known[0] + 1]]


def finest_categories(catalogue: Catalogue, items: int) -> npt.NDArray[np.int64]:
    """Token of the longest category path of each of the first ``items``, or -1, int64 [N]."""
    prefix = f"{CATEGORY}="
    depths_T = np.array([len(token) if token.startswith(prefix) else 0 for token in catalogue.vocabulary], np.int64)
    assert catalogue.token_offsets is not None
    offsets_N = catalogue.token_offsets[: items + 1]
    tokens = np.asarray(catalogue.token_ids[: offsets_N[-1]], np.int64)
    item_of = np.repeat(np.arange(items), np.diff(offsets_N))
    named = depths_T[tokens] > 0 if len(tokens) else np.zeros(0, bool)
    tokens, item_of = tokens[named], item_of[named]
    order = np.lexsort((tokens, depths_T[tokens], item_of))
    finest_N = np.full(items, -1, np.int64)
    finest_N[item_of[order]] = tokens[order]  # the last assignment wins: an item's longest path
    return finest_N


def _shelves(
    popular_N: npt.NDArray[np.int32], category_N: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int64]]:
    """Items grouped by category, most popular first within each, and the start offset of each category [G]."""
    categories = category_N[popular_N]
    order_N = popular_N[np.argsort(categories, kind="stable")]
    starts_G = np.searchsorted(category_N[order_N], np.arange(int(category_N.max()) + 2))
    return order_N, starts_G


def static_items(
    static: Sequence[str], *, k: int, excluded: Iterable[str], seen_ids: frozenset[str]
) -> tuple[list[RecommendedItem], Tier]:
    """Top k of the shop's static list after exclusions, those of the session marked as seen, and the tier."""
    left_out = set(excluded)
    kept = islice((item_id for item_id in static if item_id not in left_out), k)
    found = [RecommendedItem(item_id, 0.0, "static", None, item_id in seen_ids) for item_id in kept]
    return found, _tier(found)


def given_items(
    given: Sequence[str], *, k: int, excluded: Iterable[str], seen_ids: frozenset[str]
) -> list[RecommendedItem]:
    """The first ``k`` of the request's own candidates that nothing ranks, in the order sent, without the excluded."""
    left_out = set(excluded)
    kept = islice((item_id for item_id in given if item_id not in left_out), max(k, 0))
    return [RecommendedItem(item_id, 0.0, "given", None, item_id in seen_ids) for item_id in kept]


def _tier(found: Sequence[RecommendedItem]) -> Tier:
    tier: Tier = found[0].source if found else "empty"  # type: ignore[assignment]
    return tier


def answer_without_bundle(request: RecommendRequest, static: Sequence[str], reason: Reason) -> Answer:
    """Answer from the static list, or an empty one; behaviours and ids cannot be checked, so no item is unknown.

    A placement or a filter gets an empty answer: without a bundle neither can be checked. Candidates come as they were
    sent.
    """
    k = DEFAULT_K if request.k is UNSET else request.k
    shown = static if request.placement is UNSET and request.filter is UNSET else ()
    seen_ids = frozenset([event.item_id for event in request.session])
    excluded = {
        *(request.exclude or ()),
        *(seen_ids if request.hide_seen is True else ()),
        *(line.item_id for line in request.cart or ()),
    }
    if request.candidates is not UNSET and request.placement is UNSET and request.filter is UNSET:
        given = list(dict.fromkeys(request.candidates))
        k = len(given) if request.k is UNSET else k
        found = given_items(given, k=k, excluded=excluded, seen_ids=seen_ids)
        return bare_answer(found, _tier(found), reason, behaviour=request.behaviour or "")
    items, tier = static_items(shown, k=k, excluded=excluded, seen_ids=seen_ids)
    return bare_answer(items, tier, reason, behaviour=request.behaviour or "")


def bare_answer(items: list[RecommendedItem], tier: Tier, reason: Reason, *, behaviour: str = "") -> Answer:
    """Answer without a bundle: no version, no intent, no unknown items."""
    return Answer(
        recommendation_id=uuid.uuid4().hex,
        items=items,
        tier=tier,
        degraded_reason=reason,
        behaviour=behaviour,
        purchase_intent=None,
        unknown_items=[],
        model_version=None,
        bundle=None,
        hint="no bundle is loaded; GET /health/ready says why" if reason == "not_ready" else UNSET,
    )
