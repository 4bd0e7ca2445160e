"""A placement's questions to past sessions, what the model proposes to each, and the shelves that answers come from."""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt

from tillside.dataset import Dataset, Part
from tillside.policy import ItemFacts, ItemsFeed, PlacementRequest, Policy, Shelves, event_kinds
from tillside.policy.items.facts import NO_VECTORS
from tillside.recommenders import Popularity, popularity
from training.evaluation.placements.questions import Questions, ask_sessions, taking
from training.evaluation.placements.systems import Proposals, propose
from training.evaluation.scorers import ModelScorer
from training.inputs.visits import encode_visits
from training.model.checkpoint import TrainedModel

LATER_MS: Final = 2**52
"""When an offline feed was made: after every question."""


def scorer_of(trained: TrainedModel, dataset: Dataset) -> ModelScorer:
    """The model as the server asks it, with popularity where it knows nothing."""
    fallback = Popularity(popularity(dataset.catalogue.popular_NB[: dataset.catalogue.rankable]))
    return ModelScorer.of(trained.model, fallback, trained.memory)


def open_shelves(dataset: Dataset, scorer: ModelScorer, *, feed: ItemsFeed | None) -> Shelves:
    """The facts about items, and the shelves made of them."""
    facts = ItemFacts.of_catalogue(dataset.catalogue).with_feed(feed or ItemsFeed(LATER_MS, ()))
    vectors = replace(NO_VECTORS, rows_RD=scorer.vectors_VD.cpu().numpy())
    facts = replace(facts, feed_time_ms=LATER_MS, vectors=vectors)
    return Shelves.of(facts, popular_N=most_popular(dataset, facts))


def most_popular(dataset: Dataset, facts: ItemFacts) -> npt.NDArray[np.int64]:
    """Items of the catalogue by how often they reached the goal, then by all events, then by id."""
    scores_N = popularity(dataset.catalogue.popular_NB)[-1]
    return np.lexsort((facts.rank_N[: len(scores_N)], -scores_N))


@dataclass(frozen=True)
class Asked:
    """The questions of one placement to the sessions of a part, and what the model proposes to each."""

    behaviour: str
    at_cart: bool
    questions: Questions
    requests: list[PlacementRequest]
    proposals: Proposals


def ask_placement(
    trained: TrainedModel,
    scorer: ModelScorer,
    dataset: Dataset,
    policy: Policy,
    name: str,
    *,
    part: Part,
    k: int,
) -> Asked:
    """Ask one placement about a part, and the model about its questions."""
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
    return Asked(behaviours.names[asked], at_cart, questions, requests, proposals)
