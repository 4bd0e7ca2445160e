"""Learns what the strengths of a policy's sources are worth, on validation questions that no source has seen.

For each purpose (``attach``: a cart and what else is taken; ``next``: half a session and what it goes on to) one
logistic regression over what all sources say of an item together, and at a cart the context
(``tillside.relations.chances``), is fitted to whether the shopper took it. The model is asked before it is refitted,
the relations are mined without the validation part; what each says (``training.evaluation.placements.observing``) is
kept (``training.model.observations``) until both are there.

Shapes: Q questions, U candidates of all questions, R rows of observations, S sources.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize

from tillside.relations import RELATIONS, Relations
from tillside.relations.chances import (
    CONTEXT,
    LIFT,
    MODEL,
    PURPOSES,
    RELATED,
    VIEWED,
    Chances,
    Together,
    told,
)
from tillside.relations.related import CHANCES
from training.evaluation.placements.observing import LEAST_QUESTIONS
from training.model.checkpoint import TrainedModel
from training.model.observations import Observations, Observed

DIGITS: Final = 4
SLOPES: Final = {MODEL: 0.6, RELATED: 0.3, LIFT: 0.7, VIEWED: 1.0}
"""Of the model, of any other source and of the context, before a question is asked."""
DEVIATION: Final = 0.2
"""Of a slope from that."""
DEVIATIONS: Final = {LIFT: 0.3, VIEWED: 1.0}
"""Of those of the context."""
WIDE: Final = 10.0
"""Deviation of the base."""
BOUNDS: Final = (0.02, 5.0)
"""Of slopes: above 0, so that a source alone has an order."""
BOUNDS_OF_CONTEXT: Final = {LIFT: (0.0, 5.0), VIEWED: (-5.0, 5.0)}


Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]


def learn_together(model: Observations, relations: Observations) -> Chances:
    """What both tell together, by purpose; purposes with few questions that both were asked are left out."""
    found = {}
    for purpose in PURPOSES:
        if purpose in model and purpose in relations:
            both = model[purpose], relations[purpose]
            shared = np.intersect1d(*(own.events_R for own in both))
            if len(shared) >= LEAST_QUESTIONS:
                found[purpose] = fit_together(*evidence(both, shared))
    return Chances(together=found)


def evidence(both: Sequence[Observed], events_Q: npt.NDArray[np.int64]) -> tuple[list[str], Floats, Bools]:
    """Names of the sources heard, what each tells of each item of the questions [U, S], and whether it was an answer.

    Of an item that a source does not bring it tells 0. The context that says anything follows the sources.
    """
    rows = [np.isin(own.events_R, events_Q) for own in both]
    events, items, strengths, hits = (
        np.concatenate([getattr(own, name)[kept] for own, kept in zip(both, rows, strict=True)])
        for name in ("events_R", "items_R", "strengths_R", "hits_R")
    )
    names = [np.array(own.sources)[own.sources_R[kept]] for own, kept in zip(both, rows, strict=True)]
    heard, sources = np.unique(np.concatenate(names), return_inverse=True)
    codes, first, places = np.unique(
        np.searchsorted(events_Q, events) * (int(items.max(initial=0)) + 1) + items,
        return_index=True,
        return_inverse=True,
    )
    told_US = np.zeros((len(codes), len(heard)))
    told_US[places, sources] = told(strengths)
    columns, heard = [told_US], heard.tolist()
    for context in [own.context for own in both if own.context is not None]:
        for name, told_U in zip(CONTEXT, context.told(events[first], items[first]), strict=True):
            if told_U.any():
                heard.append(name)
                columns.append(told_U[:, None])
    return heard, np.hstack(columns), hits[first]


def fit_together(sources: Sequence[str], told_US: Floats, hits_U: Bools) -> Together:
    """Base and slopes of largest posterior probability; that of ``related`` is the mean of the relations' slopes.

    Args:
        sources: their names, and those of the context.
    """
    means = np.array([0.0, *(SLOPES.get(source, SLOPES[RELATED]) for source in sources)])
    deviations = np.array([WIDE, *(DEVIATIONS.get(source, DEVIATION) for source in sources)])

    def loss(weights: Floats) -> tuple[float, Floats]:
        logits_U = weights[0] + told_US @ weights[1:]
        off_U = 1.0 / (1.0 + np.exp(-logits_U)) - hits_U
        away = (weights - means) / deviations
        value = np.logaddexp(0.0, logits_U).sum() - logits_U[hits_U].sum() + 0.5 * (away @ away)
        gradient = np.r_[off_U.sum(), off_U @ told_US] + away / deviations
        return float(value) / len(hits_U), gradient / len(hits_U)

    share = (hits_U.sum() + 0.5) / (len(hits_U) + 1)
    start = np.r_[np.log(share / (1 - share)) - (told_US @ means[1:]).mean(), means[1:]]
    bounds = [(-30.0, 30.0), *(BOUNDS_OF_CONTEXT.get(source, BOUNDS) for source in sources)]
    found = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds, options={"ftol": 1e-14, "gtol": 1e-9})
    slopes = {name: round(float(slope), DIGITS) for name, slope in zip(sources, found.x[1:], strict=True)}
    own = [slope for name, slope in slopes.items() if name in RELATIONS]
    slopes[RELATED] = round(float(np.mean(own)), DIGITS) if own else SLOPES[RELATED]
    return Together(round(float(found.x[0]), DIGITS), slopes)


def with_model(
    relations: Relations | None, trained: TrainedModel, observations: Observations | None = None
) -> Relations | None:
    """Relations that know what they and the model are worth.

    Args:
        observations: what the relations said of the questions (``training.mining.stored``). Of runs and relations made
            before there were any, the curves are joined.
    """
    if relations is None:
        return None
    chances = relations.chances.joined(trained.chances).joined(learn_together(trained.observed, observations or {}))
    if chances == relations.chances:
        return relations
    return replace(relations, about={**relations.about, CHANCES: chances.document()})
