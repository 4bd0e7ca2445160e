"""Answer to one placement request: the model proposes, the policy disposes. Pure: no clock, no I/O, no own randomness.

The same function answers online and is evaluated offline, for all fallback tiers. Its cost does not grow with the
catalogue: a few hundred candidates are judged, and a shelf is walked only if they leave slots open. Ties are broken by
item id, so the answer does not depend on catalogue order.

Shapes: U candidates, P of them that may be chosen, N items.
"""

from collections.abc import Mapping, Sequence
from datetime import date

import numpy as np
from msgspec import Struct
from msgspec.structs import replace

from tillside.policy.bundle_offers import bundles_around, offered, own_offers
from tillside.policy.candidates import anchors_of, gather
from tillside.policy.choosing import choose
from tillside.policy.context import unrelated
from tillside.policy.exploring import Explorer, Follower
from tillside.policy.file.rule_terms import Pin, SourceName
from tillside.policy.file.terms import PlacementPolicy, Policy
from tillside.policy.filler import filler
from tillside.policy.fusion import SOURCES
from tillside.policy.items.facts import ItemFacts
from tillside.policy.items.shelves import Shelves
from tillside.policy.own_brand import of_own_brand
from tillside.policy.pool import Pool, pins_of
from tillside.policy.promotions import promotion_hint
from tillside.policy.reasons import reason_for
from tillside.policy.requests import ModelCandidates, PlacedItem, Placement, PlacementRequest
from tillside.policy.restraint import why_silent
from tillside.policy.rules import Rulebook, just_taken
from tillside.policy.steering import Steering, steer
from tillside.policy.telling import removed, why_empty, why_unmet
from tillside.relations import Relations
from tillside.relations.chances import Evidence


class Retraced(Struct, frozen=True):
    """What a policy makes of an answer that was given.

    Attributes:
        chances: probability of each item that was shown in its slot, given the slots before it.
        spread: of each slot the items that this policy may show there, with their probabilities.
        slots: how many this policy would have filled.
    """

    chances: list[float]
    spread: list[dict[int, float]]
    slots: int


class PreparedPlacement(Struct, frozen=True, eq=False):
    """A request resolved before retrieval, by :func:`prepare`: everything that needs no candidates.

    Attributes:
        policy: of the request's segment.
        anchors: items whose relations are queried, most important first.
    """

    policy: Policy
    placement: PlacementPolicy
    request: PlacementRequest
    facts: ItemFacts
    day: date
    anchors: Sequence[int]
    rulebook: Rulebook

    @property
    def k(self) -> int:
        """Number of items to show at most: the placement's slots, or what the request wants if that is less."""
        slots = self.placement.slots
        return slots if self.request.k is None else min(self.request.k, slots)

    @property
    def purpose(self) -> str:
        """What its items are shown for, as in ``tillside.relations.chances``: to be taken along, or to go on to."""
        return "attach" if "cart" in self.placement.anchors or just_taken(self.request) else "next"

    @property
    def silent(self) -> str | None:
        """Why nothing is shown, as the end of a sentence; None where something may be."""
        return why_silent(self.placement, self.request, self.rulebook.resting)

    @property
    def asks_model(self) -> bool:
        """Whether the model, or the fallback tier in its place, is a source of the placement."""
        return self.placement.sources.get("model", 0.0) > 0

    def place(
        self,
        *,
        shelves: Shelves,
        relations: Relations,
        model: ModelCandidates | None = None,
        intent: float | None = None,
        rng: np.random.Generator | None = None,
    ) -> Placement:
        """Answer the request from the candidates of all sources.

        Args:
            shelves: shelves of the facts that the request was prepared with.
            model: candidates of the model, or of the lower tier that answered; None without either.
            intent: the model's purchase intent; None for the request's own.
            rng: draws where the placement explores; None draws nothing.
        """
        assert shelves.facts is self.facts, "item numbers and rules hold for the facts they were prepared with"
        request, facts, rulebook, k = self.request, self.facts, self.rulebook, self.k
        policy, placement = self.policy, self.placement
        rules = placement.rules
        steering = self._steering(intent)
        silent = self.silent
        if silent is not None:
            return Placement(
                items=[],
                mode=steering.mode,
                decided=steering.decided,
                why=steering.why,
                bundles=[],
                promotion=None,
                dropped={},
                feed_stale=rulebook.feed_stale,
                notes=(f"nothing is shown: {silent}",),
            )
        promotions = [promotion for promotion in policy.promotions if promotion.holds(self.day)]
        pins, pool = self._pool(steering, shelves=shelves, relations=relations, model=model)
        explorer = None if placement.explore is None or rng is None else Explorer(placement.explore, rng)
        chosen = choose(
            pool.items_P,
            pool.scores_P,
            pool.levels_P,
            k=k - len(pins),
            facts=facts,
            diversity=rules.diversity,
            needs=pool.needs(rules.at_least, facts),
            pick=None if explorer is None else explorer.pick,
        )
        tier = model.tier if model else "model"
        items = [pool.placed(row, lost, request, facts, tier) for row, lost in chosen]
        if explorer is not None:
            drawn = zip(items, explorer.propensities, strict=True)
            items = [replace(item, propensity=propensity) for item, propensity in drawn]
        if placement.fill and not placement.least_chance and len(items) + len(pins) < k:
            taken = {item.item for item in items}.union(pins)
            for item in filler(k - len(taken), taken, rulebook, shelves):
                items.append(_plain(item, "popular", None, request, facts))
        bundles = []
        if placement.bundles:
            around = bundles_around(self.anchors, request=request, relations=relations, rulebook=rulebook)
            own = own_offers(policy.bundles, self.anchors, request=request, rulebook=rulebook, day=self.day)
            bundles = offered(around, placement.bundles, promotions=promotions, facts=facts, own=own)
        next_slot = 0
        for item, pin in pins.items():  # by slot; of two pins of one slot the second follows the first
            next_slot = max(next_slot, pin.slot - 1 if pin else 0)
            key, rule = ("pinned", pin.name) if pin else ("host", None)
            items.insert(next_slot, _plain(item, key, rule, request, facts))
            next_slot += 1
        told: Mapping[str, int] = {}
        notes = why_unmet(rules.at_least, items, facts, off=self._off(steering)) if rules.at_least else ()
        if request.explain or not items:
            told = removed(rulebook, pool.dropped)
            notes = notes if items else (*notes, why_empty(told, placement, rulebook))
        return Placement(
            items=items,
            mode=steering.mode,
            decided=steering.decided,
            why=steering.why,
            bundles=bundles,
            promotion=promotion_hint(promotions, request, facts),
            dropped=pool.dropped,
            feed_stale=rulebook.feed_stale,
            removed=told,
            notes=notes,
        )

    def retrace(
        self,
        shown: Sequence[int],
        *,
        shelves: Shelves,
        relations: Relations,
        model: ModelCandidates | None = None,
        intent: float | None = None,
    ) -> Retraced:
        """How probable it is that :meth:`place` answers with ``shown``, slot by slot, whoever did answer so.

        Args:
            shown: items in slot order; numbers below 0 are items that the facts do not know.
            shelves, relations, model, intent: as :meth:`place` is given them.
        """
        usual = self.place(shelves=shelves, relations=relations, model=model, intent=intent).items
        if not usual:
            return Retraced([0.0] * len(shown), [{} for _ in shown], 0)
        steering = self._steering(intent)
        pins, pool = self._pool(steering, shelves=shelves, relations=relations, model=model)
        fixed = {place: item.item for place, item in enumerate(usual) if item.item in pins}
        free = [place for place in range(min(len(shown), len(usual))) if place not in fixed]
        drawn = min(self.k - len(pins), len(pool.rows_P))
        follower = Follower(self.placement.explore, [shown[place] for place in free[:drawn]])
        choose(
            pool.items_P,
            pool.scores_P,
            pool.levels_P,
            k=self.k - len(pins),
            facts=self.facts,
            diversity=self.placement.rules.diversity,
            needs=pool.needs(self.placement.rules.at_least, self.facts),
            pick=follower.pick,
        )
        spread: list[dict[int, float]] = [{} for _ in shown]
        for place, item in fixed.items():
            if place < len(shown):
                spread[place] = {item: 1.0}
        for place, own in zip(free, follower.spread, strict=False):
            spread[place] = own
        filled = free[drawn:]
        if filled:
            taken = {shown[place] for place in free[:drawn]}.union(pins)
            for place, item in zip(filled, filler(len(filled), taken, self.rulebook, shelves), strict=False):
                spread[place] = {item: 1.0}
        return Retraced([own.get(item, 0.0) for own, item in zip(spread, shown, strict=True)], spread, len(usual))

    def _steering(self, intent: float | None) -> Steering:
        chance = self.request.intent if intent is None else intent
        return steer(self.policy.intent, self.request, self.facts, chance=chance)

    def _off(self, steering: Steering) -> frozenset[SourceName]:
        """Sources that the mode switches off, as it can where the shopper is all decided or not at all."""
        if 0 < steering.decided < 1:
            return frozenset()
        factors = steering.factors(self.policy.intent, self.placement.steering)
        return frozenset(source for source, factor in factors.items() if not factor)

    def _pool(
        self, steering: Steering, *, shelves: Shelves, relations: Relations, model: ModelCandidates | None
    ) -> tuple[dict[int, Pin | None], Pool]:
        """What is pinned, and the candidates for the other slots."""
        policy, placement, request, rulebook = self.policy, self.placement, self.request, self.rulebook
        scale = relations.chances.scale(self.purpose, SOURCES) if placement.fusion == "strengths" else None
        moved: Mapping[SourceName, float] = {}
        if isinstance(scale, Evidence):  # then what an item is sold as is moved, whoever else brings it
            moved = steering.factors(policy.intent, placement.steering)
            weights = {name: weight for name, weight in placement.sources.items() if moved.get(name, 1.0)}
        else:
            weights = steering.weights(placement.sources, policy.intent, placement.steering)
        found = gather(
            weights,
            request=request,
            anchors=self.anchors,
            shelves=shelves,
            relations=relations,
            model=model,
            fusion=placement.fusion,
            scale=scale,
        )
        if moved:
            found = found.steered(moved)
        pins = pins_of(self.k, rulebook, host=request.host if placement.host_first else None)
        apart_U = None
        if placement.rules.related_first:
            apart_U = unrelated(found.items_U, found.related_U(), request, self.facts, relations)
        pool = Pool.of(
            found,
            rulebook,
            pins=pins,
            request=request,
            least=placement.least_chance,
            unrelated_U=apart_U,
            official_U=of_own_brand(found, self.anchors, placement, self.facts),
        )
        return pins, pool


def prepare(policy: Policy, request: PlacementRequest, facts: ItemFacts) -> PreparedPlacement:
    """Resolve a request before retrieval: the segment's policy, day, anchors and rules.

    The model is then queried for what the rules allow (:mod:`tillside.policy.proposals`), and
    :meth:`PreparedPlacement.place` answers; it may be called again with the candidates of a lower tier.

    Raises:
        ValueError: the policy has no such placement; the message names those it has.
    """
    policy = policy.of(request.segment)
    placement = policy.placement(request.placement)
    day = policy.day(request.now_ms)
    anchors = anchors_of(placement.anchors, request, facts, most=placement.most_anchors)
    rulebook = Rulebook.of(placement.rules, request, facts, day=day, anchors=anchors)
    return PreparedPlacement(policy, placement, request, facts, day, anchors, rulebook)


def place(
    policy: Policy,
    request: PlacementRequest,
    *,
    shelves: Shelves,
    relations: Relations,
    model: ModelCandidates | None = None,
    rng: np.random.Generator | None = None,
) -> Placement:
    """Answer a placement request: :func:`prepare`, then :meth:`PreparedPlacement.place`.

    Hard rules hold for every item of the answer, whatever its source. If fewer than k items keep the soft rules too,
    frequency caps give way, then a soft price band, and then popular items fill what is left (unless ``fill: false``).

    Args:
        shelves: item facts and the shelves built from them.
        model: candidates of the model, or of the lower tier that answered; None without either.
        rng: draws where the placement explores; None draws nothing.

    Raises:
        ValueError: the policy has no such placement; the message names those it has.
    """
    prepared = prepare(policy, request, shelves.facts)
    return prepared.place(shelves=shelves, relations=relations, model=model, rng=rng)


def _plain(item: int, key: str, rule: str | None, request: PlacementRequest, facts: ItemFacts) -> PlacedItem:
    """Answer item without a score: a pin or filler."""
    reason = reason_for(key, item, None, facts, request.language)
    return PlacedItem(item, 0.0, key, None, rule, {} if request.explain else None, key, reason)
