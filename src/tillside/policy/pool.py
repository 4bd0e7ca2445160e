"""The candidates of one answer: those that no hard rule forbids, with boosted scores and soft-rule levels.

Shapes: U candidates of all sources, P of them in the pool, N items.
"""

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt
from msgspec import Struct

from tillside.policy.choosing import Need
from tillside.policy.day_rules import VARIANT
from tillside.policy.file.rule_terms import AtLeast, Pin
from tillside.policy.fusion import Candidates
from tillside.policy.items.facts import ItemFacts
from tillside.policy.items.filters import group_of
from tillside.policy.reasons import reason_for
from tillside.policy.requests import PlacedItem, PlacementRequest
from tillside.policy.rules import HARD, SOFT, UNRELATED, Rulebook
from tillside.policy.telling import UNSURE

PINNED_PAIR: Final = -1
"""Level of candidates pinned by a relation pair set by hand: before all others."""
MANUAL_PAIR: Final = "manual pair"
"""``rule`` of such an item in the answer."""


class Pool(Struct, frozen=True, eq=False):
    """Candidates that may be chosen; what is pinned is not among them.

    Attributes:
        dropped: number of candidates that each rule removed or demoted.
    """

    found: Candidates
    rows_P: npt.NDArray[np.int64]
    items_P: npt.NDArray[np.int64]
    boosts_P: npt.NDArray[np.float64] | None
    scores_P: npt.NDArray[np.float64]
    levels_P: npt.NDArray[np.int64]
    dropped: dict[str, int]

    @classmethod
    def of(
        cls,
        found: Candidates,
        rulebook: Rulebook,
        *,
        pins: Mapping[int, Pin | None],
        request: PlacementRequest,
        least: float,
        unrelated_U: npt.NDArray[np.bool_] | None = None,
        official_U: npt.NDArray[np.bool_] | None = None,
    ) -> "Pool":
        """Pool of the candidates allowed by ``rulebook``, without the pinned items.

        Args:
            least: strength that an item must reach by one source, if it is not pinned by a pair set by hand.
            unrelated_U: items that come last, since they go with nothing in the cart; None for none.
            official_U: items that the boost ``same_brand`` lifts; None for none.
        """
        verdicts_U, levels_U = rulebook.judged(found.items_U)
        if unrelated_U is not None:
            levels_U[unrelated_U] = UNRELATED
        kept_U, unsure = verdicts_U < 0, 0
        if least:
            sure_U = found.strongest_U() >= least
            if found.pinned:
                sure_U |= np.isin(found.items_U, list(found.pinned))
            unsure = int(np.count_nonzero(kept_U & ~sure_U))
            kept_U &= sure_U
        for item in pins:
            kept_U &= found.items_U != item
        rows_P = kept_U.nonzero()[0]
        items_P, levels_P, scores_P = found.items_U.take(rows_P), levels_U.take(rows_P), found.totals_U.take(rows_P)
        boosts_P = rulebook.boosts(items_P, request.now_ms, None if official_U is None else official_U.take(rows_P))
        for among, factor in request.boosts:
            boosts_P = np.ones(len(items_P)) if boosts_P is None else boosts_P
            boosts_P[among.holding(items_P)] *= factor
        if boosts_P is not None:
            scores_P *= boosts_P
        dropped = _counts(verdicts_U + np.int8(1), HARD) | _counts(levels_P, SOFT)
        if unsure:
            dropped[UNSURE] = unsure
        if found.pinned:
            levels_P[np.isin(items_P, list(found.pinned))] = PINNED_PAIR
        variants = rulebook.variants
        if variants is not None:
            kept_P = variants.first_each(items_P, scores_P, levels_P, rulebook.facts)
            kept_P &= ~variants.of_things(items_P, pins)
            repeated = int(np.count_nonzero(~kept_P))
            if repeated:
                dropped[HARD[VARIANT]] = dropped.get(HARD[VARIANT], 0) + repeated
                rows_P, items_P, boosts_P = rows_P[kept_P], items_P[kept_P], _some(boosts_P, kept_P)
                scores_P, levels_P = scores_P[kept_P], levels_P[kept_P]
        return cls(found, rows_P, items_P, boosts_P, scores_P, levels_P, dropped)

    def needs(self, at_least: Sequence[AtLeast], facts: ItemFacts) -> list[Need]:
        """Minimum counts, as masks over the candidates."""
        return [Need(need.n, _of_kind(need, self, facts)) for need in at_least]

    def placed(self, row: int, lost: float, request: PlacementRequest, facts: ItemFacts, tier: str) -> PlacedItem:
        """Answer item of a row, ``lost`` being its diversity penalty."""
        item, own = self.items_P.item(row), self.rows_P.item(row)
        source, anchor = self.found.main(own)
        key = tier if source == "model" else source
        parts: dict[str, float] | None = None
        if request.explain:
            boost = 1.0 if self.boosts_P is None else self.boosts_P.item(row)
            parts = self.found.parts(own) | {"boost": boost, "diversity": -lost}
        rule = MANUAL_PAIR if self.levels_P.item(row) == PINNED_PAIR else None
        reason = reason_for(key, item, anchor, facts, request.language)
        return PlacedItem(item, self.scores_P.item(row), key, anchor, rule, parts, key, reason)


def pins_of(k: int, rulebook: Rulebook, *, host: int | None) -> dict[int, Pin | None]:
    """Pinned items that may be shown, in slot order, without slots beyond k, repeated items and pins beyond k items.

    Args:
        host: the host's item, if that comes first; it has no pin.
    """
    found: dict[int, Pin | None] = {host: None} if host is not None and k else {}
    for item, pin in rulebook.day.pins:
        if pin.slot <= k and len(found) < k:
            found.setdefault(item, pin)
    allowed = [item for item in found if rulebook.verdict(item) < 0]
    if rulebook.variants is not None:
        allowed = rulebook.variants.apart(allowed)
    return {item: found[item] for item in allowed}


def _some(values_P: npt.NDArray[np.float64] | None, kept_P: npt.NDArray[np.bool_]) -> npt.NDArray[np.float64] | None:
    return None if values_P is None else values_P[kept_P]


def _of_kind(need: AtLeast, pool: Pool, facts: ItemFacts) -> npt.NDArray[np.bool_]:
    """Mask [P] of the candidates that are of the needed kind and keep all soft rules."""
    if need.source is not None:
        meets_P = pool.found.mainly(need.source).take(pool.rows_P)
    else:
        groups, value = group_of(need, facts)
        meets_P = groups.having((value,)).take(groups.codes_N.take(pool.items_P))
    meets_P &= pool.levels_P <= 0
    return meets_P


def _counts(numbers: npt.NDArray[np.integer], names: Sequence[str]) -> dict[str, int]:
    """Counts of the numbers by name, that of 1 first; 0 has no name, and zero counts are omitted."""
    counts = np.bincount(numbers).tolist()
    return {names[place]: count for place, count in enumerate(counts[1:]) if count}
