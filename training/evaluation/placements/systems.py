"""Systems under evaluation: the policy, each of its sources alone, the model, association rules, popularity.

The policy and its sources go through ``tillside.policy.place``, the serving function, from candidates that
``tillside.policy.proposals`` makes as in the server. The others are plain top lists, filtered by the hard rules and
filled up with popular items, as in a shop without a policy; ``model-unruled`` is the model's unfiltered list.

Shapes: Q questions, K items shown, M items in the cart, N items.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

import msgspec
import numpy as np

from tillside.policy import ModelCandidates, Placement, PlacementRequest, Policy, Shelves, place
from tillside.relations import Relations
from training.cli.progress import progress
from training.evaluation.placements.association_rules import AssociationRules
from training.evaluation.placements.proposals import Proposals
from training.evaluation.placements.questions import Ints
from training.evaluation.placements.rule_check import forbidding

POLICY: Final = "policy"
MODEL_TOP: Final = "model-top"
"""The model's top items that pass the hard rules."""
MODEL_UNRULED: Final = "model-unruled"
FP_GROWTH: Final = "fp-growth"
POPULARITY: Final = "popularity"


@dataclass(frozen=True)
class Offer:
    """One answer: catalogue indices in slot order, and the source of each."""

    items: tuple[int, ...]
    sources: tuple[str, ...]


@dataclass(frozen=True)
class Rivals:
    """Inputs of the systems other than the model.

    Attributes:
        shelves: those of the behaviour that the placement predicts.
    """

    policy: Policy
    shelves: Shelves
    relations: Relations
    rules: AssociationRules

    def answer(self, policy: Policy, request: PlacementRequest, model: ModelCandidates) -> Placement:
        """Answer as the server would."""
        return place(policy, request, shelves=self.shelves, relations=self.relations, model=model)

    def offers(self, requests: list[PlacementRequest], proposals: Proposals, *, k: int) -> dict[str, list[Offer]]:
        """Answers of every system to the questions of one placement, each with k slots."""
        name = requests[0].placement
        policies = {POLICY: self.policy} | {
            source: alone(self.policy, name, source) for source in self.policy.placement(name).sources
        }
        found = {}
        for system, policy in progress(policies.items(), "answering by the policy and each of its sources"):
            placed = map(self.answer, [policy] * len(requests), requests, proposals.candidates)
            found[system] = [
                Offer(tuple(each.item for each in answer.items), tuple(each.source for each in answer.items))
                for answer in placed
            ]
        plain: dict[str, Callable[[int], Ints]] = {
            MODEL_TOP: lambda row: proposals.candidates[row].items,
            FP_GROWTH: lambda row: self.rules.suggest(requests[row].cart_M)[0],
            POPULARITY: lambda row: np.zeros(0, np.int64),
        }
        for system, ranked in progress(plain.items(), "answering by other rules"):
            found[system] = [self._listed(system, ranked(row), request, k) for row, request in enumerate(requests)]
        found[MODEL_UNRULED] = [Offer(tuple(best), (MODEL_UNRULED,) * len(best)) for best in proposals.best_QK.tolist()]
        return found

    def _listed(self, system: str, ranked: Ints, request: PlacementRequest, k: int) -> Offer:
        chosen = self._allowed(ranked.tolist(), request, k)
        if len(chosen) < k:
            taken = set(chosen)
            popular = (item for chunk in self.shelves.walk(()) for item in chunk.tolist() if item not in taken)
            filler = self._allowed(popular, request, k - len(chosen))
        else:
            filler = []
        return Offer((*chosen, *filler), (system,) * len(chosen) + (POPULARITY,) * len(filler))

    def _allowed(self, items: Iterable[int], request: PlacementRequest, count: int) -> list[int]:
        """First ``count`` items that pass the hard rules."""
        chosen: list[int] = []
        for item in items:
            if len(chosen) == count:
                break
            if not forbidding(item, self.policy, request, self.shelves.facts):
                chosen.append(item)
        return chosen


def widened(policy: Policy, slots: int) -> Policy:
    """Copy of a policy without segments whose placements all have so many slots, to be judged at that many."""
    placements = {name: msgspec.structs.replace(each, slots=slots) for name, each in policy.placements.items()}
    return msgspec.structs.replace(policy, placements=placements, segments={})


def alone(policy: Policy, placement: str, source: str) -> Policy:
    """Reduce a policy to one placement with a single source, without steering, segments and restraint.

    Restraint would keep a source silent that another one's word lets speak.
    """
    found = policy.placement(placement)
    only = msgspec.structs.replace(found, sources={source: 1.0}, steering=0.0, least_chance=0.0)
    return msgspec.structs.replace(policy, placements={placement: only}, segments={})
