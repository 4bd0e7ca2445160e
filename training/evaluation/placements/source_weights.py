"""Source weights of a placement, learned from past purchases by conditional logit.

Over the candidates of each question, the probability that an item is the one bought is the softmax of its weighted
source contributions, fitted by maximum likelihood with non-negative weights. The diversity strength is then chosen from
a short grid by attach rate. Shapes: Q questions, C candidates of all questions, U candidates of one, S sources.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import msgspec
import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize

from tillside.policy import ModelCandidates, PlacementRequest, Policy, Shelves, place
from tillside.policy.candidates import anchors_of, gather
from tillside.policy.file.rule_terms import SourceName
from tillside.policy.file.terms import PlacementPolicy
from tillside.policy.fusion import SOURCE_MASK, SOURCES
from tillside.policy.rules import Rulebook
from tillside.relations import Relations
from training.cli.progress import progress

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
RIDGE: Final = 0.01
"""L2 penalty on the weights, relative to the mean log-likelihood per question."""
STRENGTHS: Final = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8)


@dataclass(frozen=True)
class Lists:
    """Candidate lists of all questions, concatenated.

    Attributes:
        parts_CS: unweighted contribution of each source to each candidate.
        bought_C: whether the candidate was bought later.
        starts_Q: index of each question's first candidate.
        sizes_Q: candidates per question, at least one of them bought.
    """

    parts_CS: Floats
    bought_C: npt.NDArray[np.bool_]
    starts_Q: Ints
    sizes_Q: Ints

    def __len__(self) -> int:
        return len(self.sizes_Q)

    @classmethod
    def of(
        cls,
        policy: Policy,
        requests: Sequence[PlacementRequest],
        candidates: Sequence[ModelCandidates],
        answers: Sequence[Ints],
        *,
        shelves: Shelves,
        relations: Relations,
    ) -> "Lists":
        """Gather the sources' contributions (``odds`` fusion) to every candidate that passes the placement's rules.

        Questions without a bought candidate are dropped: no weights could answer them.
        """
        parts, bought = [], []
        for request, model, answer in zip(requests, candidates, answers, strict=True):
            placement = policy.placement(request.placement)
            facts = shelves.facts
            anchors = anchors_of(placement.anchors, request, facts, most=placement.most_anchors)
            found = gather(
                dict.fromkeys(placement.sources, 1.0),
                request=request,
                anchors=anchors,
                shelves=shelves,
                relations=relations,
                model=model,
                fusion="odds",
            )
            rows = np.repeat(np.arange(len(found.items_U)), np.diff(found.cells_U))
            parts_US = np.zeros((len(found.items_U), len(SOURCES)))
            parts_US[rows, found.keys_C & SOURCE_MASK] = found.parts_C
            rulebook = Rulebook.of(placement.rules, request, facts, day=policy.day(request.now_ms), anchors=anchors)
            verdicts_U, levels_U = rulebook.judged(found.items_U)
            shown_U = (verdicts_U < 0) & (levels_U == 0)
            hit_U = np.isin(found.items_U, answer)[shown_U]
            if hit_U.any():
                parts.append(parts_US[shown_U][:, [SOURCES.index(source) for source in placement.sources]])
                bought.append(hit_U)
        sizes = np.array([len(each) for each in bought], np.int64)
        width = parts[0].shape[1] if parts else 0
        return cls(
            np.concatenate([np.zeros((0, width)), *parts]),
            np.concatenate([np.zeros(0, bool), *bought]),
            np.cumsum(sizes) - sizes,
            sizes,
        )


def fit_weights(lists: Lists) -> Floats:
    """Non-negative maximum-likelihood weights with L2 penalty, float64 [S]; scaled to a maximum of 1, or all 0."""
    shares_C = lists.bought_C / np.repeat(np.add.reduceat(lists.bought_C, lists.starts_Q), lists.sizes_Q)
    chosen_S = shares_C @ lists.parts_CS

    def loss(weights_S: Floats) -> tuple[float, Floats]:
        scores_C = lists.parts_CS @ weights_S
        highest_Q = np.maximum.reduceat(scores_C, lists.starts_Q)
        powers_C = np.exp(scores_C - np.repeat(highest_Q, lists.sizes_Q))
        sums_Q = np.add.reduceat(powers_C, lists.starts_Q)
        chances_C = powers_C / np.repeat(sums_Q, lists.sizes_Q)
        likelihood = chosen_S @ weights_S - (highest_Q + np.log(sums_Q)).sum()
        gradient_S = chosen_S - chances_C @ lists.parts_CS
        count = len(lists)
        return (
            float(-likelihood / count + RIDGE * (weights_S @ weights_S)),
            -gradient_S / count + 2 * RIDGE * weights_S,
        )

    width = lists.parts_CS.shape[1]
    found = minimize(loss, np.full(width, 0.1), jac=True, method="L-BFGS-B", bounds=[(0, None)] * width)
    weights_S: Floats = found.x / max(found.x.max(), 1e-12)
    return weights_S


def weighed(policy: Policy, name: str, weights: dict[SourceName, float], strength: float | None = None) -> Policy:
    """Copy of a policy, without segments, whose placement uses ``odds`` fusion with these weights and ``strength``."""
    found: PlacementPolicy = policy.placement(name)
    rules = found.rules
    if strength is not None:
        rules = msgspec.structs.replace(rules, diversity=msgspec.structs.replace(rules.diversity, strength=strength))
    changed = msgspec.structs.replace(found, sources=weights, fusion="odds", rules=rules)
    return msgspec.structs.replace(policy, placements={**policy.placements, name: changed}, segments={})


def attach_rates(
    policies: Sequence[Policy],
    requests: Sequence[PlacementRequest],
    candidates: Sequence[ModelCandidates],
    answers: Sequence[Ints],
    *,
    shelves: Shelves,
    relations: Relations,
) -> list[float]:
    """Attach rate of each policy: share of the questions with a hit among the items shown."""
    rates = []
    for policy in progress(policies, "trying strengths of diversity"):
        hits = [
            any(
                each.item in bought
                for each in place(policy, request, shelves=shelves, relations=relations, model=model).items
            )
            for request, model, bought in zip(
                requests, candidates, map(set, map(np.ndarray.tolist, answers)), strict=True
            )
        ]
        rates.append(float(np.mean(hits)))
    return rates


def steadiest(rates: Sequence[float]) -> int:
    """Argmax of the rates smoothed by a moving average of width 3."""
    means = [float(np.mean(rates[max(0, place - 1) : place + 2])) for place in range(len(rates))]
    return means.index(max(means))
