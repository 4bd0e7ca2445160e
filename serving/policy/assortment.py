"""What placements are answered from: policy, facts about items, shelves, relations, and the vectors of new items.

An assortment belongs to one bundle and one state of the items feed, and never changes but for what it remembers; a
feed makes a new one, which is swapped in whole. A question keeps the one it was read with, so a number never comes to
mean another item.

Surprising: the items that the standing rules allow (categories, bans, stock, age) are found once over the whole
catalogue and remembered, so that the model is asked for the best of those, and not for the best of all to be filtered.

Shapes: N items known to the facts, R of them with a vector in the bundle, A newcomers, D columns, V eligible items.
"""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np
import numpy.typing as npt

from serving.policy.policy_file import LoadedPolicy
from tillside.bundle import Bundle
from tillside.policy import ItemFacts, ItemsFeed, Shelves, event_kinds
from tillside.policy.day_rules import Standing
from tillside.policy.items.facts import ItemVectors
from tillside.policy.requests import NOTHING
from tillside.policy.rules import Rulebook
from tillside.recommenders import popularity
from tillside.recommenders.attribute_walks import Likeness
from tillside.recommenders.blend import SessionMemory
from tillside.recommenders.cold_vectors import TokenVectors
from tillside.relations import Relations

CART_NAME: Final = "cart"
REMEMBERED_BYTES: Final = 1 << 26
"""Of eligible items; the sets that were not asked for the longest are forgotten."""

Ints = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Assortment:
    """All that ``place`` wants beside a request.

    Attributes:
        base: the facts before any feed.
        shelves_A: the shelves by behaviour asked for, each with the facts.
        newcomers: items without a vector in the bundle that the model ranks by their attributes, ascending [A].
        newcomers_AD: their rows.
        alike: the same by their attributes, as a memory of past sessions asks for them; None without a memory.
        rows_RD: the items' rows in the bundle.
        static: the shop's own list, those items that the facts know.
    """

    loaded: LoadedPolicy
    base: ItemFacts
    shelves_A: tuple[Shelves, ...]
    relations: Relations
    kinds: tuple[int, ...]
    cart_behaviour: int
    tokens: TokenVectors | None
    newcomers: Ints
    newcomers_AD: FloatArray
    memory: SessionMemory | None
    alike: Likeness | None
    rows_RD: FloatArray
    static_ids: tuple[str, ...]
    static: Ints
    _popular_AN: Ints
    _eligible: "OrderedDict[Standing, Ints | None]" = field(default_factory=OrderedDict, repr=False, compare=False)

    @classmethod
    def of(
        cls, bundle: Bundle, loaded: LoadedPolicy, *, feed: ItemsFeed | None = None, static: Sequence[str] = ()
    ) -> "Assortment":
        """The assortment of a bundle and what a feed says of it.

        Raises:
            ValueError: an item's minimum age is no number of years.
        """
        facts = ItemFacts.of_catalogue(bundle.catalogue)
        names = bundle.behaviours.names
        scores_AN = popularity(bundle.catalogue.popular_NB)
        bare = cls(
            loaded=loaded,
            base=facts,
            shelves_A=(),
            relations=bundle.relations,
            kinds=tuple(event_kinds(bundle.behaviours).tolist()),
            cart_behaviour=names.index(CART_NAME) if CART_NAME in names else -1,
            tokens=bundle.tokens,
            newcomers=NOTHING,
            newcomers_AD=np.zeros((0, bundle.items_ND.shape[1]), np.float32),
            memory=bundle.memory,
            alike=None,
            rows_RD=np.asarray(bundle.items_ND),
            static_ids=tuple(static),
            static=NOTHING,
            _popular_AN=np.stack([np.lexsort((facts.rank_N, -scores_N)) for scores_N in scores_AN]),
        )
        return bare.restocked(feed)

    def restocked(self, feed: ItemsFeed | None) -> "Assortment":
        """The same with what a feed says of the items."""
        facts = self.base if feed is None else self.base.with_feed(feed)
        newcomers, rows_AD = self._newcomers(facts)
        facts = replace(facts, vectors=ItemVectors(self.rows_RD, newcomers, rows_AD))
        static = [facts.index_of[item_id] for item_id in self.static_ids if item_id in facts.index_of]
        return replace(
            self,
            shelves_A=tuple(Shelves.of(facts, popular_N=popular_N) for popular_N in self._popular_AN),
            newcomers=newcomers,
            newcomers_AD=rows_AD,
            alike=self._alike(facts, newcomers),
            static=np.array(static, np.int64),
            _eligible=OrderedDict(),
        )

    @property
    def ranked(self) -> int:
        """R."""
        return len(self.rows_RD)

    @property
    def facts(self) -> ItemFacts:
        """What is known of the items."""
        return self.shelves_A[0].facts

    def eligible(self, rulebook: Rulebook) -> Ints | None:
        """The R items that the standing rules allow, ascending [V]; None for all of them.

        What changes with every request (cart, exclusions, what was viewed, price bands) is left to the policy.
        """
        key = rulebook.standing
        if key in self._eligible:
            self._eligible.move_to_end(key)
            return self._eligible[key]
        allowed_R = rulebook.verdicts_N[: self.ranked] < 0
        found = None if allowed_R.all() else np.flatnonzero(allowed_R)
        self._eligible[key] = found
        while len(self._eligible) > max(2, REMEMBERED_BYTES // (8 * self.ranked)):
            self._eligible.popitem(last=False)
        return found

    def scored_newcomers(self, query_D: FloatArray, session_L: Ints, ask: int) -> FloatArray:
        """What the model and likeness to the session say of each newcomer, float32 [A].

        Args:
            session_L: items of the bundle, oldest first.
        """
        scores_A: FloatArray = np.vecdot(self.newcomers_AD, query_D)
        if self.memory is None or self.alike is None or not len(session_L):
            return scores_A
        return scores_A + self.memory.bonus_of(self.alike, session_L, ask)

    def _newcomers(self, facts: ItemFacts) -> tuple[Ints, FloatArray]:
        later = np.array(sorted(item for item in facts.tokens if item >= self.ranked), np.int64)
        if self.tokens is None or not len(later):
            return NOTHING, self.newcomers_AD[:0]
        described = [facts.tokens_of(item) for item in later.tolist()]
        rankable, rows_AD = self.tokens.rows(described, facts.prices_N[later])
        return later[rankable], rows_AD

    def _alike(self, facts: ItemFacts, newcomers: Ints) -> Likeness | None:
        known = None if self.memory is None else self.memory.likeness
        if known is None:
            return None
        described = []
        for item in newcomers.tolist():
            band = known.catalogue.price_band(facts.prices_N.item(item))
            described.append([*facts.tokens_of(item), *([band] if band else [])])
        return known.newcomers(newcomers, described)
