"""One answer of one placement: the model proposes, the policy disposes. Pure: no clock, no randomness, no I/O.

The same function answers online and is judged offline, for every rung of the ladder. Its cost does not grow with the
catalogue: a few hundred candidates are judged, and a shelf is walked only where they leave slots open. Ties are broken by
item id, so the order of the catalogue changes nothing. Shapes: U candidates, S sources.
"""

from dataclasses import dataclass
from datetime import date
from typing import Final

import numpy as np
import numpy.typing as npt

from tillside.policy.asking import ModelCandidates, PlacedItem, Placement, PlacementRequest
from tillside.policy.candidates import SOURCES, Candidates, anchors_of, gather
from tillside.policy.choosing import Need, choose
from tillside.policy.facts import ItemFacts
from tillside.policy.promotions import offered_bundles, promotion_hint
from tillside.policy.reasons import reason_for
from tillside.policy.rules import Rulebook, boost
from tillside.policy.shelves import Shelves
from tillside.policy.steering import steer
from tillside.policy.terms import AtLeast, Pin, Policy, Rules
from tillside.relations import Relations

PINNED_PAIR: Final = -1
"""The level of candidates that a pair set by hand pins: before all others."""
MANUAL_PAIR: Final = "manual pair"
"""The rule that such an item names."""
PATIENT_WALK: Final = 1024
"""Filler that keeps the soft rules is looked for among so many items; then any that no hard rule forbids will do."""


def place(
    policy: Policy,
    request: PlacementRequest,
    *,
    shelves: Shelves,
    relations: Relations,
    model: ModelCandidates | None = None,
) -> Placement:
    """Answer a request.

    Hard rules hold for every item of the answer, whatever it came from. If fewer than k items keep the soft rules too,
    frequency caps give way, then a soft price band, and then popular items fill what is left (unless ``fill: false``).

    Args:
        shelves: the facts about items, and the shop's shelves made of them.
        model: what the model gives, or the rung below it that answered; None for neither.

    Raises:
        ValueError: the policy has no such placement; the sentence names those it has.
    """
    facts = shelves.facts
    policy = policy.of(request.segment)
    placement = policy.placement(request.placement)
    rules, day = placement.rules, policy.day(request.now_ms)
    k = placement.slots if request.k is None else request.k
    steering = steer(policy.intent, request, facts)
    weights = {
        source: weight * steering.factor(source, policy.intent, placement.steering)
        for source, weight in placement.sources.items()
    }
    anchors = anchors_of(placement.anchors, request, facts)
    rulebook = Rulebook.of(rules, request, facts, day=day, anchors=anchors)
    found = gather(weights, request=request, anchors=anchors, shelves=shelves, relations=relations, model=model)
    dropped: dict[str, int] = {}
    kept = np.flatnonzero(rulebook.allowed(found.items_U, dropped))
    pool = _Pool.of(found, kept, rulebook, rules, day=day, now_ms=request.now_ms, dropped=dropped)
    pins = _pins(rules.pins, k, rulebook, day=day)
    pool = pool.without(pins)
    chosen = choose(
        pool.items_U,
        pool.scores_U,
        pool.levels_U,
        k=k - len(pins),
        facts=facts,
        diversity=rules.diversity,
        needs=[Need(need.n, _of_kind(need, pool, facts)) for need in rules.at_least],
    )
    tier = model.tier if model else "model"
    items = [pool.placed(one.row, one.lost, request, facts, tier) for one in chosen]
    if placement.fill and len(items) + len(pins) < k:
        taken = {item.item for item in items} | {item for item, _ in pins}
        for item in _filler(k - len(items) - len(pins), taken, rulebook, shelves):
            items.append(_plain(item, "popular", None, request, facts))
    next_slot = 0
    for item, pin in pins:  # by slot; the second one of a slot comes after the first
        next_slot = max(next_slot, pin.slot - 1)
        items.insert(next_slot, _plain(item, "pinned", pin.name, request, facts))
        next_slot += 1
    return Placement(
        items=items,
        mode=steering.mode,
        decided=steering.decided,
        why=steering.why,
        bundles=offered_bundles(
            placement.bundles,
            anchors=anchors,
            request=request,
            promotions=policy.promotions,
            rulebook=rulebook,
            relations=relations,
            day=day,
        ),
        promotion=promotion_hint(policy.promotions, request, facts, day=day),
        dropped=dropped,
        feed_stale=rulebook.feed_stale,
    )


@dataclass(frozen=True, slots=True)
class _Pool:
    """The candidates that no hard rule forbids: what they are worth, where most of it comes from, and their levels."""

    found: Candidates
    items_U: npt.NDArray[np.int64]
    parts_US: npt.NDArray[np.float64]
    boosts_U: npt.NDArray[np.float64]
    scores_U: npt.NDArray[np.float64]
    sources_U: npt.NDArray[np.int64]
    levels_U: npt.NDArray[np.int64]

    @classmethod
    def of(
        cls,
        found: Candidates,
        kept: npt.NDArray[np.int64],
        rulebook: Rulebook,
        rules: Rules,
        *,
        day: date,
        now_ms: int,
        dropped: dict[str, int],
    ) -> "_Pool":
        items_U, parts_US = found.items_U[kept], found.parts_US[kept]
        boosts_U = boost(rules.boosts, items_U, rulebook.facts, day=day, now_ms=now_ms)
        levels_U = rulebook.levels(items_U, dropped)
        levels_U[found.pinned_U[kept]] = PINNED_PAIR
        scores_U = parts_US.sum(axis=1) * boosts_U
        return cls(found, items_U, parts_US, boosts_U, scores_U, parts_US.argmax(axis=1), levels_U)

    def without(self, pins: list[tuple[int, Pin]]) -> "_Pool":
        """The pool without items that are pinned."""
        if not pins:
            return self
        rows = ~np.isin(self.items_U, [item for item, _ in pins])
        columns = (self.parts_US, self.boosts_U, self.scores_U, self.sources_U, self.levels_U)
        return _Pool(self.found, self.items_U[rows], *(column[rows] for column in columns))

    def placed(self, row: int, lost: float, request: PlacementRequest, facts: ItemFacts, tier: str) -> PlacedItem:
        """The answer's item of a row."""
        item, source = int(self.items_U[row]), int(self.sources_U[row])
        name, anchor = SOURCES[source], self.found.anchor(int(self.items_U[row]), source)
        key = tier if name == "model" else name
        parts: dict[str, float] | None = None
        if request.explain:
            values = self.parts_US[row].tolist()
            parts = {source: value for source, value in zip(SOURCES, values, strict=True) if value}
            parts |= {"boost": float(self.boosts_U[row]), "diversity": -lost}
        rule = MANUAL_PAIR if self.levels_U[row] == PINNED_PAIR else None
        reason = reason_for(key, item, anchor, facts, request.language)
        return PlacedItem(item, float(self.scores_U[row]), key, anchor, rule, parts, key, reason)


def _plain(item: int, key: str, rule: str | None, request: PlacementRequest, facts: ItemFacts) -> PlacedItem:
    """An item that was not scored: set by hand, or filler."""
    reason = reason_for(key, item, None, facts, request.language)
    return PlacedItem(item, 0.0, key, None, rule, {} if request.explain else None, key, reason)


def _pins(pins: tuple[Pin, ...], k: int, rulebook: Rulebook, *, day: date) -> list[tuple[int, Pin]]:
    """Pinned items that may be shown, by slot; a slot past the last one and an item's second pin are left out."""
    found: dict[int, Pin] = {}
    for pin in sorted(pins, key=lambda pin: pin.slot):
        item = rulebook.facts.index_of.get(pin.item)
        if item is not None and pin.slot <= k and len(found) < k and pin.holds(day):
            found.setdefault(item, pin)
    items = np.array(list(found), np.int64)
    return [(item, found[item]) for item in items[rulebook.allowed(items)].tolist()]


def _of_kind(need: AtLeast, pool: _Pool, facts: ItemFacts) -> npt.NDArray[np.bool_]:
    if need.source is not None:
        return pool.sources_U == SOURCES.index(need.source)
    groups, value = (facts.brands, need.brand) if need.category is None else (facts.categories, need.category)
    assert value is not None
    return groups.having((value,))[groups.codes_N[pool.items_U]]


def _filler(count: int, taken: set[int], rulebook: Rulebook, shelves: Shelves) -> list[int]:
    """The most popular items that may be shown; those that keep the soft rules first, if they are found soon."""
    if rulebook.hide_all:
        return []
    by_level: dict[int, list[int]] = {}
    walked = 0
    for chunk in shelves.walk(rulebook.only):
        allowed = chunk[rulebook.allowed(chunk)]
        for item, level in zip(allowed.tolist(), rulebook.levels(allowed).tolist(), strict=True):
            if item not in taken:
                by_level.setdefault(level, []).append(item)
        walked += len(chunk)
        if len(by_level.get(0, ())) >= count or (walked >= PATIENT_WALK and sum(map(len, by_level.values())) >= count):
            break
    return [item for level in sorted(by_level) for item in by_level[level]][:count]

