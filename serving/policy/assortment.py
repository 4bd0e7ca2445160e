"""Inputs of placements: policy, item facts, shelves, relations, and the proposer of the model's candidates.

An assortment belongs to one bundle and one state of the items feed, and is immutable apart from its cache; a feed
makes a new one, which is swapped in whole. A question keeps the assortment it was read with, so an item index cannot
change its meaning under way.

Surprising: the set of items that the standing rules allow (categories, bans, stock, age) is computed over the whole
catalogue and cached (:meth:`tillside.policy.proposals.Proposer.eligible`), so the model searches among eligible items
only, instead of filtering its top-k afterwards.

Shapes: N items known to the facts, W of them with a vector of the model, B behaviours, D columns of a row.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Final

import numpy as np
import numpy.typing as npt

from serving.policy.policy_file import Arms, LoadedPolicy
from serving.policy.stockroom import Stockroom
from tillside.bundle import Bundle
from tillside.policy import ItemFacts, ItemsFeed, Shelves, event_kinds
from tillside.policy.items.shelves import most_popular
from tillside.policy.proposals import Proposer
from tillside.policy.requests import NOTHING
from tillside.recommenders import popularity
from tillside.recommenders.cold_vectors import TokenVectors
from tillside.relations import Relations

CART_NAME: Final = "cart"

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Assortment:
    """All inputs of ``place`` other than the request.

    Attributes:
        base: item facts before any feed.
        shelves_B: shelves by behaviour asked for, each holding the facts.
        proposer: makes the model's candidates from what is searched.
        behaviours: names of the bundle's behaviours, the goal last.
        kinds: event kind of each behaviour in the policy's terms.
        cart_behaviour: index of the behaviour ``cart``, or -1.
        relations: as in the bundle; ``placed_relations`` with all pairs set by hand, of items that came by feed too.
        static: items of the shop's static list that the facts know.
        fed: the feed that was applied to the base facts.
        others: assortments of the bundles that arms name, by that name, under the same policy and feed.
    """

    loaded: LoadedPolicy
    base: ItemFacts
    shelves_B: tuple[Shelves, ...]
    proposer: Proposer
    relations: Relations
    placed_relations: Relations
    behaviours: tuple[str, ...]
    kinds: tuple[int, ...]
    cart_behaviour: int
    tokens: TokenVectors | None
    static_ids: tuple[str, ...]
    static: Ints
    _popular_BN: Ints
    fed: ItemsFeed | None = None
    others: "Mapping[str, Assortment]" = field(default_factory=dict)

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
        bare = cls(
            loaded=loaded,
            base=facts,
            shelves_B=(),
            proposer=Proposer.of(facts, np.asarray(bundle.items_ND), tokens=None, memory=bundle.memory),
            relations=bundle.relations,
            placed_relations=bundle.relations,
            behaviours=tuple(names),
            kinds=tuple(event_kinds(bundle.behaviours).tolist()),
            cart_behaviour=names.index(CART_NAME) if CART_NAME in names else -1,
            tokens=bundle.tokens,
            static_ids=tuple(static),
            static=NOTHING,
            _popular_BN=most_popular(popularity(bundle.catalogue.popular_NB), facts),
        )
        return bare.restocked(feed)

    def restocked(
        self, feed: ItemsFeed | None, *, before: ItemsFeed | None = None, news: ItemsFeed | None = None
    ) -> "Assortment":
        """A new assortment of the same bundle with ``feed`` applied to the base facts.

        Args:
            before, news: feeds of which it is the sum, the news the later one. What they leave as it was is then not
                made again, if this assortment was made with the one before.
        """
        if feed is not None and news is not None and self.fed is before and self.facts.only_counted_by(news):
            return self._recounted(feed, news)
        facts = self.base if feed is None else self.base.with_feed(feed)
        by_hand = self.loaded.by_hand
        facts = by_hand.priced(facts).fitted(self.relations.fitting)
        proposer = Proposer.of(facts, self.proposer.items_WD, tokens=self.tokens, memory=self.proposer.memory)
        facts = replace(facts, vectors=proposer.vectors)
        static = [facts.index_of[item_id] for item_id in self.static_ids if item_id in facts.index_of]
        manual = by_hand.relations_over(
            self.relations.manual, index_of=facts.index_of, utc_offset_hours=self.loaded.policy.utc_offset_hours
        ).arrived(facts.index_of)
        return replace(
            self,
            shelves_B=tuple(Shelves.of(facts, popular_N=popular_N) for popular_N in self._popular_BN),
            proposer=proposer,
            placed_relations=replace(self.relations, manual=manual),
            static=np.array(static, np.int64),
            fed=feed,
            others={name: other.restocked(feed, before=before, news=news) for name, other in self.others.items()},
        )

    def _recounted(self, feed: ItemsFeed, news: ItemsFeed) -> "Assortment":
        """:meth:`restocked` by news that say numbers alone, of items that are here."""
        facts = self.loaded.by_hand.priced(self.facts.with_feed(news))
        items = [facts.index_of[item.item_id] for item in news.items]
        proposer = self.proposer.recounted(facts, items, tokens=self.tokens)
        facts = replace(facts, vectors=proposer.vectors)
        return replace(
            self,
            shelves_B=tuple(shelves.recounted(facts) for shelves in self.shelves_B),
            proposer=proposer,
            fed=feed,
            others={name: other.restocked(feed, before=self.fed, news=news) for name, other in self.others.items()},
        )

    def under(
        self, loaded: LoadedPolicy, feed: ItemsFeed | None, others: "Mapping[str, Assortment] | None" = None
    ) -> "Assortment":
        """A new assortment of the same bundle under another policy, with ``feed`` applied.

        Args:
            others: of the other bundles, under that policy too; none if left out.
        """
        return replace(replace(self, loaded=loaded, others={}).restocked(feed), others=others or {})

    def of_arms(self, arms: Arms) -> "Assortment":
        """The same under the policy of some arms, see :class:`serving.policy.policy_file.LoadedPolicy`."""
        own = self.loaded.arms.get(arms)
        if own is None:  # kept nowhere: what refers to itself is never freed, see serving.bundles.loading
            return self
        found = self._of_arms.get(arms)
        if found is None:
            found = self._of_arms[arms] = replace(self, loaded=own)
        return found

    @cached_property
    def _of_arms(self) -> "dict[Arms, Assortment]":
        return {}

    @cached_property
    def stockroom(self) -> Stockroom:
        """The same facts, for filters, and for requests without a placement."""
        return Stockroom(self.base, self.facts, bans=self.loaded.by_hand.bans_everywhere())

    @property
    def facts(self) -> ItemFacts:
        """Item facts with the feed applied."""
        return self.shelves_B[0].facts
