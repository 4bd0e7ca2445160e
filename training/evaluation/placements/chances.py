"""Learns what the strengths of a policy's sources are worth, on validation questions that no source has seen.

For each purpose (``attach``: a cart and what else is taken; ``next``: half a session and what it goes on to) and source
a logistic curve over log strength is fitted to whether the shopper took what the source proposes. Of the relations
those with little evidence lean on the curve of all together. The model's curve is learned before it is refitted, the
relations' from tables mined without the validation part.

Shapes: Q questions, U candidates of a question, C cells (item, source), R rows of a source, N items, B behaviours.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize

from tillside.dataset import Dataset
from tillside.policy import ItemFacts, ModelCandidates, PlacementPolicy, Policy, Shelves, event_kinds, prepare
from tillside.policy.candidates import SOURCE_MASK, SOURCES, gather
from tillside.policy.file.terms import Rules, SourceName
from tillside.policy.items.shelves import most_popular
from tillside.relations import RELATIONS, Relations
from tillside.relations.chances import MODEL, POPULAR, RELATED, Chances, Curve, as_they_are
from training.evaluation.placements.proposals import propose
from training.evaluation.placements.questions import Questions, ask_sessions
from training.evaluation.placements.shop import OfflineShop
from training.evaluation.scorers import popularity_of
from training.inputs.lookahead import taking
from training.inputs.visits import encode_visits
from training.model.checkpoint import TrainedModel

MOST_QUESTIONS: Final = 2000
LEAST_QUESTIONS: Final = 30
"""Fewer questions of a purpose teach nothing: there is no curve then."""
SLOTS: Final = 8
DIGITS: Final = 4
FAINTEST: Final = 1e-6
SLOPE: Final = (1.0, 0.5)
"""Mean and deviation of a slope, before any question is asked: a strength is a probability but for a factor."""
LEANING: Final = (0.7, 0.3)
"""How far a relation's level and slope are expected from those of all relations together."""
BOUNDS: Final = ((-30.0, 30.0), (0.05, 5.0))

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]


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


def chances_of_model(trained: TrainedModel, dataset: Dataset) -> Chances:
    """Curves of the model.

    Args:
        trained: not yet refitted with the validation part.
    """
    assert not trained.refitted
    curves = {}
    asked_by = asked_for(dataset, ("model",))
    if not asked_by:
        return Chances()
    shop = OfflineShop.of(trained, dataset)
    sessions, kinds_B = dataset.part("validation"), event_kinds(dataset.behaviours)
    encoded = encode_visits(
        sessions,
        spec=shop.spec,
        known_items=dataset.catalogue.rankable,
        whole=dataset.sessions,
        first=dataset.parts["validation"][0],
    )
    for purpose, asked in asked_by.items():
        questions = asked.questions
        requests = questions.requests(sessions, placement=asked.placement, k=SLOTS, kinds_B=kinds_B)
        given = propose(shop, asked.policy, requests, encoded, questions.events_Q, ask=asked.ask, k=SLOTS)
        kept = [row for row, each in enumerate(given.candidates) if each.tier == MODEL]
        nothing = Relations.empty(items=len(dataset.catalogue))
        rows = observed(asked, requests, kept, given.candidates, shelves=shop.shelves_B[asked.ask], relations=nothing)
        if MODEL in rows:
            curves[purpose] = {MODEL: _rounded(fit_curve(*rows[MODEL]))}
    return Chances(curves)


def chances_of_relations(relations: Relations, dataset: Dataset) -> Chances:
    """Curves of the relations, each and all together, and of popular items.

    Args:
        relations: mined without the validation part.
    """
    curves: dict[str, dict[str, Curve]] = {}
    sources: tuple[SourceName, ...] = (*RELATIONS, POPULAR)  # type: ignore[arg-type]
    asked_by = asked_for(dataset, sources)
    if not asked_by:
        return Chances()
    facts = ItemFacts.of_catalogue(dataset.catalogue).fitted(relations.fitting)
    whole = popularity_of(dataset, refit=False, items=len(dataset.catalogue))
    ranked_BN = most_popular(whole.scores_by_behaviour, facts)
    sessions, kinds_B = dataset.part("validation"), event_kinds(dataset.behaviours)
    for purpose, asked in asked_by.items():
        shelves = Shelves.of(facts, popular_N=ranked_BN[asked.ask])
        requests = asked.questions.requests(sessions, placement=asked.placement, k=SLOTS, kinds_B=kinds_B)
        rows = observed(asked, requests, range(len(requests)), None, shelves=shelves, relations=relations)
        of_relations = [rows[name] for name in RELATIONS if name in rows]
        if not of_relations:
            continue
        together = fit_curve(*(np.concatenate(column) for column in zip(*of_relations, strict=True)))
        own = {name: fit_curve(*rows[name], around=together) for name in RELATIONS if name in rows}
        own[RELATED] = together
        if POPULAR in rows:
            own[POPULAR] = fit_curve(*rows[POPULAR])
        curves[purpose] = {name: _rounded(curve) for name, curve in own.items()}
    return Chances(curves)


def observed(
    asked: Asked,
    requests: Sequence,
    kept: Sequence[int],
    candidates: Sequence[ModelCandidates] | None,
    *,
    shelves: Shelves,
    relations: Relations,
) -> dict[str, tuple[Floats, Bools]]:
    """By source: the strength of every candidate that the placement's rules allow, and whether it was an answer [R]."""
    strengths: dict[int, list[Floats]] = defaultdict(list)
    hits: dict[int, list[Bools]] = defaultdict(list)
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
        allowed_C, hit_C = np.repeat(allowed_U, sizes_U), np.repeat(hit_U, sizes_U)
        sources_C = found.keys_C & SOURCE_MASK
        for source in np.unique(sources_C).tolist():
            own_C = allowed_C & (sources_C == source)
            strengths[source].append(found.chances_C[own_C])
            hits[source].append(hit_C[own_C])
    joined = {SOURCES[each]: (np.concatenate(strengths[each]), np.concatenate(hits[each])) for each in strengths}
    return {name: rows for name, rows in joined.items() if len(rows[0])}


def fit_curve(strengths_R: Floats, hits_R: Bools, *, around: Curve | None = None) -> Curve:
    """Level and slope of largest posterior probability.

    Args:
        around: the curve that this one is expected near; default: any level, and a slope near 1.
    """
    logs_R = np.log(np.maximum(strengths_R, FAINTEST))
    mean, deviation = ((0.0, SLOPE[0]), (10.0, SLOPE[1])) if around is None else (around, LEANING)

    def loss(curve: Floats) -> tuple[float, Floats]:
        logits_R = curve[0] + curve[1] * logs_R
        off_R = 1.0 / (1.0 + np.exp(-logits_R)) - hits_R
        away = (curve - mean) / deviation
        value = np.logaddexp(0.0, logits_R).sum() - logits_R[hits_R].sum() + 0.5 * (away @ away)
        return float(value), np.array([off_R.sum(), off_R @ logs_R]) + away / deviation

    share = (hits_R.sum() + 0.5) / (len(hits_R) + 1)
    start = np.array(around or (float(np.log(share / (1 - share)) - logs_R.mean()), SLOPE[0]))
    found = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=BOUNDS)
    return float(found.x[0]), float(found.x[1])


def with_model(relations: Relations | None, trained: TrainedModel) -> Relations | None:
    """Relations that know the model's curves too."""
    if relations is None or not trained.chances.curves:
        return relations
    joined = relations.chances.joined(trained.chances)
    return replace(relations, about={**relations.about, "chances": joined.document()})


def _rounded(curve: Curve) -> Curve:
    return round(curve[0], DIGITS), round(curve[1], DIGITS)
