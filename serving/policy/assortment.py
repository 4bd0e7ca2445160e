"""Everything that placements are answered from: policy, item facts, shelves, relations, and vectors of cold items.

An assortment belongs to one bundle and one state of the items feed, and is immutable apart from its cache; a feed
makes a new one, which is swapped in whole. A question keeps the assortment it was read with, so an item index cannot
change its meaning under way.

Surprising: the set of items that the standing rules allow (categories, bans, stock, age) is computed over the whole
catalogue and cached, so the model searches among eligible items only, instead of filtering its top-k afterwards.

Shapes: N items known to the facts, R of them with a vector in the bundle, B behaviours counted in the catalogue,
D columns, V eligible items, L session items; A cold items in ``newcomers_AD``, ``rows_AD`` and ``scores_A`` of one
query, behaviours asked for in ``shelves_A``, ``scores_AN`` and ``_popular_AN``.
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
"""Size of the cache of eligible item sets; least recently used are evicted."""

Ints = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Assortment:
    """All inputs of ``place`` other than the request.

    Attributes:
        base: item facts before any feed.
        shelves_A: shelves by behaviour asked for, each holding the facts.
        newcomers: cold items: no vector in the bundle, ranked by their attributes; ascending [A].
        newcomers_AD: their vectors.
        alike: the cold items by their attributes, for the blend of past sessions (session kNN); None without one.
        rows_RD: item vectors of the bundle.
        static: items of the shop's static list that the facts know.
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
        """Assortment of a bundle, with an items feed applied.

        Raises:
            ValueError: an item's minimum age is not a number of years.
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
        """A new assortment of the same bundle with ``feed`` applied to the base facts."""
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
        """Number of items with a vector in the bundle, R."""
        return len(self.rows_RD)

    @property
    def facts(self) -> ItemFacts:
        """Item facts with the feed applied."""
        return self.shelves_A[0].facts

    def eligible(self, rulebook: Rulebook) -> Ints | None:
        """Those of the R items that the standing rules allow, ascending [V]; None if all are allowed. Cached.

        Request-dependent rules (cart, exclusions, viewed items, price bands) are left to the policy.
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
        """Score of each cold item: model score plus attribute likeness to the session, float32 [A].

        Args:
            session_L: catalogue indices of items in the bundle, oldest first.
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
