"""A placement's questions from past sessions, and what the model proposes for each, as in the server.

Shapes: Q questions, R of them encoded at once, B behaviours, N items with a row of D columns, V eligible items, K
items of a list, P popular items, H events of the shopper's earlier sessions, L events of the session.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from msgspec import structs

from tillside.dataset import Part, Sessions
from tillside.encoding.sessions import EncodedSessions, cut_before
from tillside.policy import ModelCandidates, PlacementRequest, Policy, PreparedPlacement, event_kinds, prepare
from tillside.policy.proposals import listed
from tillside.recommenders.blend import best_items
from tillside.search import searched
from training.cli.progress import progress
from training.evaluation.placements.questions import Ints, Questions, ask_sessions
from training.evaluation.placements.shop import OfflineShop
from training.inputs.lookahead import taking
from training.inputs.visits import encode_visits

FloatArray = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Proposals:
    """Model output per question: candidates for the policy, unfiltered top-k items, purchase intent."""

    candidates: list[ModelCandidates]
    best_QK: Ints
    intents: list[float | None]


@dataclass(frozen=True)
class PlacementCases:
    """Questions of one placement from the sessions of a part, with the model's proposals.

    Attributes:
        ask: index of the behaviour that the placement predicts.
        requests: one per question, with the model's purchase intent.
    """

    behaviour: str
    ask: int
    at_cart: bool
    questions: Questions
    requests: list[PlacementRequest]
    proposals: Proposals


def placement_cases(shop: OfflineShop, policy: Policy, name: str, *, part: Part, k: int) -> PlacementCases:
    """Build one placement's questions from a part, and the model's proposals for them."""
    dataset, placement = shop.dataset, policy.placement(name)
    sessions, behaviours = dataset.part(part), dataset.behaviours
    ask = behaviours.index(placement.behaviour or behaviours.goal)
    at_cart = "cart" in placement.anchors
    questions = ask_sessions(sessions, taken=taking(len(behaviours)), asked=ask, at_cart=at_cart)
    return proposed_cases(shop, policy, name, questions, sessions, first=dataset.parts[part][0], k=k)


def proposed_cases(
    shop: OfflineShop, policy: Policy, name: str, questions: Questions, sessions: Sessions, *, first: int, k: int
) -> PlacementCases:
    """The model's proposals for questions that were built already.

    Args:
        sessions: those that the questions are of.
        first: number of the first of them in the data set; of no matter to a shop whose spec has no history.
    """
    dataset, placement = shop.dataset, policy.placement(name)
    behaviours, items = dataset.behaviours, dataset.catalogue.rankable
    ask = behaviours.index(placement.behaviour or behaviours.goal)
    encoded = encode_visits(sessions, spec=shop.spec, known_items=items, whole=dataset.sessions, first=first)
    requests = questions.requests(sessions, placement=name, k=k, kinds_B=event_kinds(behaviours))
    proposals = propose(shop, policy, requests, encoded, questions.events_Q, ask=ask, k=k)
    requests = with_intents(requests, proposals)
    return PlacementCases(behaviours.names[ask], ask, "cart" in placement.anchors, questions, requests, proposals)


def with_intents(requests: Sequence[PlacementRequest], proposals: Proposals) -> list[PlacementRequest]:
    """The requests with the model's purchase intent."""
    pairs = zip(requests, proposals.intents, strict=True)
    return [structs.replace(request, intent=intent) for request, intent in pairs]


def propose(
    shop: OfflineShop,
    policy: Policy,
    requests: Sequence[PlacementRequest],
    encoded: EncodedSessions,
    events_Q: Ints,
    *,
    ask: int,
    k: int,
) -> Proposals:
    """Ask the model for each request's candidates, by the functions that serve.

    Args:
        encoded: sessions of the questions.
        events_Q: source event before which each question's session is cut.
        ask: index of the behaviour to predict.
        k: length of the unfiltered list.
    """
    popular_P = shop.popular_BP[ask]
    k = min(k, len(popular_P))
    candidates = [listed(popular_P, "popularity")] * len(requests)
    intents: list[float | None] = [None] * len(requests)
    best_QK = np.tile(popular_P[:k], (len(requests), 1))
    for start in progress(range(0, len(requests), shop.together), "asking the model for candidates"):
        rows_R = np.arange(start, min(start + shop.together, len(requests)))
        batch = cut_before(encoded, events_Q[rows_R], spec=shop.spec)
        known_R = batch.lengths_B > 0
        if shop.counted_intent is not None and not known_R.all():
            told_R = shop.counted_intent.at(*batch.counted(len(shop.dataset.behaviours)))
            for row in np.flatnonzero(~known_R & ~np.isnan(told_R)):
                intents[rows_R[row]] = float(told_R[row])
        if not known_R.any():
            continue
        if not known_R.all():
            rows_R = rows_R[known_R]
            batch = cut_before(encoded, events_Q[rows_R], spec=shop.spec)
        query_RD, intent_R = shop.engine.encode(batch, np.full(len(rows_R), ask))
        seen = [
            {"session_L": batch.session(row), "past_H": batch.before(row), "ask": ask} for row in range(len(rows_R))
        ]
        prepared = [prepare(policy, requests[row], shop.facts) for row in rows_R.tolist()]
        placed = _candidates(shop, prepared, query_RD, seen)
        for row, question in enumerate(rows_R.tolist()):
            candidates[question] = placed[row]
            intents[question] = float(intent_R[row]) if shop.intent else None
        best_QK[rows_R] = _best(shop, query_RD, seen, k)
    return Proposals(candidates, best_QK, intents)


def _candidates(
    shop: OfflineShop, prepared: Sequence[PreparedPlacement], query_RD: FloatArray, seen: Sequence[Mapping[str, Any]]
) -> list[ModelCandidates]:
    """Candidates of each request of a batch for the policy."""
    proposer = shop.proposer
    depths = [proposer.depth(each, **own) for each, own in zip(prepared, seen, strict=True)]
    found = _search(shop, query_RD, depths, [proposer.eligible(each.rulebook) for each in prepared])
    return [
        proposer.candidates(each, *lists, query_D=query_D, **own)
        for each, lists, query_D, own in zip(prepared, found, query_RD, seen, strict=True)
    ]


def _best(shop: OfflineShop, query_RD: FloatArray, seen: Sequence[Mapping[str, Any]], k: int) -> Ints:
    """Top k of each row of a batch whatever the rules say, int64 [R, k]."""
    memory, items_ND = shop.proposer.memory, shop.engine.items_ND
    sinking = [memory.sinking(own["session_L"], own["past_H"], own["ask"]) if memory else 0 for own in seen]
    depths = [min(searched(k + each), len(items_ND)) for each in sinking]
    found = _search(shop, query_RD, depths, [None] * len(seen))
    return np.stack(
        [
            best_items(
                lambda wanted, lists=lists: (lists[0][:wanted], lists[1][:wanted]),
                memory,
                query_D=query_D,
                items_ND=items_ND,
                k=k,
                **own,
            )[1]
            for lists, query_D, own in zip(found, query_RD, seen, strict=True)
        ]
    )


def _search(
    shop: OfflineShop, query_RD: FloatArray, depths: Sequence[int], eligible: Sequence[Ints | None]
) -> list[tuple[FloatArray, Ints]]:
    """Scores and items of each row, those of one depth and one eligible set searched together."""
    groups: dict[tuple[int, int], list[int]] = defaultdict(list)
    for row, (depth, eligible_V) in enumerate(zip(depths, eligible, strict=True)):
        groups[depth, id(eligible_V)].append(row)
    found: list[tuple[FloatArray, Ints]] = [(query_RD[0, :0], np.zeros(0, np.int64))] * len(depths)
    for (depth, _), rows in groups.items():
        eligible_V = eligible[rows[0]]
        if eligible_V is None:
            scores_RK, items_RK = shop.engine.search(query_RD[rows], depth)
        else:
            scores_RK, items_RK = shop.engine.search_among(query_RD[rows], eligible_V, depth)
        for row, scores_K, items_K in zip(rows, scores_RK, items_RK, strict=True):
            found[row] = (scores_K, items_K)
    return found
