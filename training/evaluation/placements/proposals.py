"""A placement's questions from past sessions, the model's proposals for each, and the shelves that answers draw on.

Shapes: N items, V rankable items, R item vectors, D their width, B or A behaviours, Q questions.
"""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt

from tillside.dataset import Dataset, Part
from tillside.policy import ItemFacts, ItemsFeed, PlacementRequest, Policy, Shelves, event_kinds
from tillside.policy.items.facts import NO_VECTORS
from tillside.recommenders import popularity
from training.evaluation.placements.questions import Questions, ask_sessions, taking
from training.evaluation.placements.systems import Proposals, propose
from training.evaluation.scorers import ModelScorer, popularity_of
from training.inputs.visits import encode_visits
from training.model.checkpoint import TrainedModel

LATER_MS: Final = 2**52
"""Timestamp of an offline feed: later than every question, so the feed is never stale."""


def scorer_of(trained: TrainedModel, dataset: Dataset) -> ModelScorer:
    """Scorer as the server uses it, with popularity as the fallback for empty histories."""
    return ModelScorer.of(trained.model, popularity_of(dataset), trained.memory)


def open_shelves(dataset: Dataset, scorer: ModelScorer, *, feed: ItemsFeed | None) -> Shelves:
    """Build item facts from the catalogue, feed and item vectors, and the shelves from them."""
    facts = ItemFacts.of_catalogue(dataset.catalogue).with_feed(feed or ItemsFeed(LATER_MS, ()))
    vectors = replace(NO_VECTORS, rows_RD=scorer.vectors_VD.cpu().numpy())
    facts = replace(facts, feed_time_ms=LATER_MS, vectors=vectors)
    return Shelves.of(facts, popular_N=most_popular(dataset, facts))


def most_popular(dataset: Dataset, facts: ItemFacts) -> npt.NDArray[np.int64]:
    """Catalogue items ranked by goal events, then all events, then id, int64 [N]."""
    scores_N = popularity(dataset.catalogue.popular_NB)[-1]
    return np.lexsort((facts.rank_N[: len(scores_N)], -scores_N))


@dataclass(frozen=True)
class PlacementCases:
    """Questions of one placement from the sessions of a part, with the model's proposals."""

    behaviour: str
    at_cart: bool
    questions: Questions
    requests: list[PlacementRequest]
    proposals: Proposals


def placement_cases(
    trained: TrainedModel,
    scorer: ModelScorer,
    dataset: Dataset,
    policy: Policy,
    name: str,
    *,
    part: Part,
    k: int,
) -> PlacementCases:
    """Build one placement's questions from a part, and the model's proposals for them."""
    sessions, behaviours = dataset.part(part), dataset.behaviours
    placement = policy.placement(name)
    asked = behaviours.index(placement.behaviour or behaviours.goal)
    at_cart = "cart" in placement.anchors
    questions = ask_sessions(sessions, taken=taking(len(behaviours)), asked=asked, at_cart=at_cart)
    items, whole = dataset.catalogue.rankable, dataset.until(part)
    encoded = encode_visits(sessions, spec=trained.spec, known_items=items, whole=whole)
    proposals = propose(scorer, encoded, questions, spec=trained.spec, asked=asked, k=k, intent=trained.intent)
    requests = questions.requests(
        sessions, placement=name, k=k, kinds_A=event_kinds(behaviours), intents_Q=proposals.intents
    )
    return PlacementCases(behaviours.names[asked], at_cart, questions, requests, proposals)
