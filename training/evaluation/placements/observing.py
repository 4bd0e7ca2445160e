"""What the model and the relations say of validation questions that neither has seen.

What their strengths are worth is learned from it (``training.evaluation.placements.chances``). Shapes: Q questions, U
candidates, C cells (item, source), R rows of observations, N items, B behaviours, G sets of categories, V items looked
at, L events of the session, M items in the cart.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from tillside.dataset import Dataset
from tillside.policy import (
    ItemFacts,
    ModelCandidates,
    PlacementPolicy,
    PlacementRequest,
    Policy,
    Shelves,
    event_kinds,
    prepare,
)
from tillside.policy.candidates import gather
from tillside.policy.context import lifts_of
from tillside.policy.file.rule_terms import Rules, SourceName
from tillside.policy.fusion import SOURCE_MASK, SOURCES
from tillside.policy.items.shelves import most_popular
from tillside.relations import RELATIONS, Relations
from tillside.relations.chances import (
    MODEL,
    POPULAR,
    as_they_are,
)
from training.evaluation.placements.proposals import propose
from training.evaluation.placements.questions import Questions, ask_sessions
from training.evaluation.placements.shop import OfflineShop
from training.evaluation.scorers import popularity_of
from training.inputs.lookahead import taking
from training.inputs.visits import encode_visits
from training.model.checkpoint import TrainedModel
from training.model.observations import COLUMNS, Context, Observed

MOST_QUESTIONS: Final = 1000
LEAST_QUESTIONS: Final = 10
"""Fewer questions of a purpose teach nothing: its chances are not known then."""
SLOTS: Final = 8
OF_RELATIONS: Final[tuple[SourceName, ...]] = (*RELATIONS, POPULAR)  # type: ignore[assignment]


@dataclass(frozen=True)
class Asked:
    """Questions of one purpose, and the placement that they are put to."""

    questions: Questions
    placement: str
    policy: Policy
    ask: int


def asked_for(dataset: Dataset, sources: Sequence[SourceName]) -> dict[str, Asked]:
    """Questions of the validation part by purpose, without purposes of which there are too few.

    Rules are those that a placement of the kind has without saying so: at a checkout no other item of the cart's kinds,
    and nothing that does not fit; elsewhere not the item just looked at.
    """
    sessions, behaviours = dataset.part("validation"), len(dataset.behaviours)
    taken = taking(behaviours)
    weights: dict[SourceName, float] = dict.fromkeys(sources, 1.0)
    here = PlacementPolicy(sources=weights, anchors=("cart",), slots=SLOTS, steering=0.0)
    there = PlacementPolicy(
        sources=weights, anchors=("last",), slots=SLOTS, steering=0.0, rules=Rules(hide_viewed="last")
    )
    found = {}
    for purpose, at_cart, asked, name, placement in (
        ("attach", True, taken[0], "checkout", here),
        ("next", False, 0, "product", there),
    ):
        questions = ask_sessions(sessions, taken=taken, asked=asked, at_cart=at_cart)
        if len(questions) >= LEAST_QUESTIONS:
            ask = behaviours - 1 if at_cart else 0
            found[purpose] = Asked(questions.some(MOST_QUESTIONS), name, Policy(placements={name: placement}), ask)
    return found


def observed_of_model(trained: TrainedModel, dataset: Dataset) -> dict[str, Observed]:
    """What the model says of the questions.

    Args:
        trained: not yet refitted with the validation part.
    """
    assert not trained.refitted
    found: dict[str, Observed] = {}
    asked_by = asked_for(dataset, (MODEL,))
    if not asked_by:
        return found
    shop = OfflineShop.of(trained, dataset)
    sessions, kinds_B = dataset.part("validation"), event_kinds(dataset.behaviours)
    encoded = encode_visits(
        sessions,
        spec=shop.spec,
        known_items=dataset.catalogue.rankable,
        whole=dataset.sessions,
        first=dataset.parts["validation"][0],
    )
    nothing = Relations.empty(items=len(dataset.catalogue))
    for purpose, asked in asked_by.items():
        questions = asked.questions
        requests = questions.requests(sessions, placement=asked.placement, k=SLOTS, kinds_B=kinds_B)
        given = propose(shop, asked.policy, requests, encoded, questions.events_Q, ask=asked.ask, k=SLOTS)
        kept = [row for row, each in enumerate(given.candidates) if each.tier == MODEL]
        shelves = shop.shelves_B[asked.ask]
        found[purpose] = observed(asked, requests, kept, given.candidates, shelves=shelves, relations=nothing)
    return found


def observed_of_relations(relations: Relations, dataset: Dataset, asked_by: Mapping[str, Asked]) -> dict[str, Observed]:
    """What the relations, and the shelf of popular items, say of the questions.

    Args:
        relations: mined without the validation part.
        asked_by: questions by purpose, :func:`asked_for` OF_RELATIONS.
    """
    facts = ItemFacts.of_catalogue(dataset.catalogue).fitted(relations.fitting)
    whole = popularity_of(dataset, refit=False, items=len(dataset.catalogue))
    ranked_BN = most_popular(whole.scores_by_behaviour, facts)
    sessions, kinds_B = dataset.part("validation"), event_kinds(dataset.behaviours)
    found = {}
    for purpose, asked in asked_by.items():
        shelves = Shelves.of(facts, popular_N=ranked_BN[asked.ask])
        requests = asked.questions.requests(sessions, placement=asked.placement, k=SLOTS, kinds_B=kinds_B)
        rows = observed(asked, requests, range(len(requests)), None, shelves=shelves, relations=relations)
        if purpose == "attach":
            rows = replace(rows, context=context_of(requests, asked.questions.events_Q, facts, relations))
        found[purpose] = rows
    return found


def observed(
    asked: Asked,
    requests: Sequence[PlacementRequest],
    kept: Sequence[int],
    candidates: Sequence[ModelCandidates] | None,
    *,
    shelves: Shelves,
    relations: Relations,
) -> Observed:
    """The strength by each source of every candidate that the placement's rules allow, and whether it was an answer.

    Args:
        kept: numbers of the questions that are put.
    """
    columns: dict[str, list[npt.NDArray[Any]]] = {name: [np.zeros(0, kind)] for name, kind in COLUMNS.items()}
    placement = asked.policy.placement(asked.placement)
    for row in kept:
        prepared = prepare(asked.policy, requests[row], shelves.facts)
        found = gather(
            dict(placement.sources),
            request=requests[row],
            anchors=prepared.anchors,
            shelves=shelves,
            relations=relations,
            model=None if candidates is None else candidates[row],
            scale=as_they_are(len(SOURCES)),
        )
        allowed_U = prepared.rulebook.judged(found.items_U)[0] < 0
        hit_U = np.isin(found.items_U, asked.questions.answers[row])
        sizes_U = np.diff(found.cells_U)
        allowed_C = np.repeat(allowed_U, sizes_U)
        columns["items_R"].append(np.repeat(found.items_U, sizes_U)[allowed_C])
        columns["sources_R"].append((found.keys_C & SOURCE_MASK)[allowed_C])
        columns["strengths_R"].append(found.chances_C[allowed_C])
        columns["hits_R"].append(np.repeat(hit_U, sizes_U)[allowed_C])
        columns["events_R"].append(np.full(np.count_nonzero(allowed_C), asked.questions.events_Q[row]))
    return Observed.of(SOURCES, {name: np.concatenate(parts) for name, parts in columns.items()})


def context_of(
    requests: Sequence[PlacementRequest], events_Q: npt.NDArray[np.int64], facts: ItemFacts, relations: Relations
) -> Context:
    """What the context says at each question."""
    unknown_G = np.zeros(len(facts.categories.sets))
    lifts = [lifts_of(request, facts.categories, relations) for request in requests]
    viewed = [np.setdiff1d(request.session_L, request.cart_M) for request in requests]
    return Context.of(
        {
            "events_Q": events_Q,
            "lifts_QG": [unknown_G if lifts_G is None else lifts_G for lifts_G in lifts],
            "codes_N": facts.categories.codes_N,
            "offsets_Q": np.cumsum([0, *map(len, viewed)]),
            "viewed_V": np.concatenate(viewed),
        }
    )
