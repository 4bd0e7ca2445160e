"""Item facts of a policy: columns over all items, from the catalogue and, if there is one, the items feed.

Facts are immutable: a feed yields new facts, which are swapped in as a whole. Items that only the feed has are numbered
after those of the catalogue, so item numbers stay valid for the model.

Shapes: N items, those of the catalogue first; W of them with a model row, A later ones with a row of their own; U given
items, D columns of a row, E = D - 1 of them without the trend, G sets of values, B behaviours.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from msgspec import UNSET

from tillside.catalogue import Catalogue, attribute_tokens
from tillside.events import BRAND, CATEGORY
from tillside.fitting.kinship import Kinship
from tillside.fitting.matching import Matching
from tillside.fitting.rules import NOTHING_SAID, Terms
from tillside.policy.items.cache import REMEMBERED_BYTES, REMEMBERED_DAYS, Cache
from tillside.policy.items.feed import FeedItem, ItemsFeed
from tillside.policy.items.groups import Groups

SERIES: Final = "series"
MINIMUM_AGE: Final = "minimum_age"
STOCK_UNKNOWN: Final = 0
IN_STOCK: Final = 1
OUT_OF_STOCK: Final = -1
MOST_ATTRIBUTES: Final = 64
TAKEN_BEFORE: Final = 1.0
"""Pseudo-events of every item, so that an item that nobody took yet can be proposed."""

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class ItemVectors:
    """Model rows of the first W items and of the items ``later`` [A] (ascending numbers); the last of the D columns is
    the trend, no part of the embedding."""

    rows_WD: Floats
    later: npt.NDArray[np.int64]
    later_AD: Floats

    def of(self, items_U: npt.NDArray[np.int64]) -> Floats:
        """Embeddings [U, D - 1]: rows without the trend, zeros for items without a row."""
        known_U = items_U < len(self.rows_WD)
        if known_U.all():
            return self.rows_WD.take(items_U, axis=0)[:, :-1]
        found_UD = np.zeros((len(items_U), self.rows_WD.shape[1]), np.float32)
        found_UD[known_U] = self.rows_WD[items_U[known_U]]
        if len(self.later):
            places_U = self.later.searchsorted(items_U).clip(max=len(self.later) - 1)
            late_U = self.later[places_U] == items_U
            found_UD[late_U] = self.later_AD[places_U[late_U]]
        return found_UD[:, :-1]


NO_VECTORS: Final = ItemVectors(np.zeros((0, 1), np.float32), np.zeros(0, np.int64), np.zeros((0, 1), np.float32))


@dataclass(frozen=True)
class ItemFacts:
    """Columns over N items.

    Attributes:
        prices_N: float32, NaN if unknown.
        stock_N: int8, STOCK_UNKNOWN, IN_STOCK or OUT_OF_STOCK.
        clearance_N, margin_N: float32, shares from 0 to 1; NaN for an unknown margin.
        new_until_N: int64, UTC ms until which an item counts as new, 0 for never.
        minimum_age_N: int16, years.
        names, tokens: as given by feeds, by item; other items have those of ``catalogue``.
        feed_time_ms: creation time of the latest feed, UTC ms; None if there was none.
        vectors: the model's item rows.
        matching: what fits what; None where no rule says.
        kinship: complements by kind; None where no categories are known to go together.
        terms: what both were made of.
    """

    catalogue: Catalogue
    item_ids: list[str]
    index_of: Mapping[str, int]
    rank_N: npt.NDArray[np.int64]
    """Rank of each item's id in the sorted ids; breaks ties."""
    prices_N: Floats
    stock_N: npt.NDArray[np.int8]
    clearance_N: Floats
    margin_N: Floats
    new_until_N: npt.NDArray[np.int64]
    minimum_age_N: npt.NDArray[np.int16]
    categories: Groups
    brands: Groups
    series: Groups
    names: Mapping[int, str]
    tokens: Mapping[int, tuple[str, ...]]
    feed_time_ms: int | None = None
    vectors: ItemVectors = NO_VECTORS
    matching: Matching | None = None
    kinship: Kinship | None = None
    terms: Terms = NOTHING_SAID
    _attributes: Cache = field(default_factory=lambda: Cache(MOST_ATTRIBUTES), repr=False, compare=False)

    @classmethod
    def of_catalogue(cls, catalogue: Catalogue) -> "ItemFacts":
        """Facts from the catalogue alone: prices and attributes; stock is unknown, nothing is new or on clearance.

        Raises:
            ValueError: an age limit among the attributes is not a number of years from 0 to 120.
        """
        size = len(catalogue)
        ages = Groups.of(catalogue, MINIMUM_AGE)
        years_G = np.array([_years(values) for values in ages.sets], np.int16)
        return cls(
            catalogue=catalogue,
            item_ids=catalogue.item_ids,
            index_of=catalogue.index_of,
            rank_N=_ranks(catalogue.item_ids),
            prices_N=np.array(catalogue.prices_N, np.float32),
            stock_N=np.zeros(size, np.int8),
            clearance_N=np.zeros(size, np.float32),
            margin_N=np.full(size, np.nan, np.float32),
            new_until_N=np.zeros(size, np.int64),
            minimum_age_N=years_G[ages.codes_N],
            categories=Groups.of(catalogue, CATEGORY),
            brands=Groups.of(catalogue, BRAND),
            series=Groups.of(catalogue, SERIES),
            names={},
            tokens={},
        )

    def __len__(self) -> int:
        return len(self.item_ids)

    def with_feed(self, feed: ItemsFeed) -> "ItemFacts":
        """These facts updated by a feed; items that it does not name are unchanged, unknown ones are appended."""
        item_ids, index_of = self.item_ids, self.index_of
        arrived = [item.item_id for item in feed.items if item.item_id not in index_of]
        if arrived:
            index_of = {**index_of, **{item_id: len(self) + number for number, item_id in enumerate(arrived)}}
            item_ids = [*item_ids, *arrived]
        size = len(item_ids)
        numbers = [index_of[item.item_id] for item in feed.items]
        rows = list(zip(numbers, feed.items, strict=True))
        described = {n: attribute_tokens(i.attributes) for n, i in rows if i.attributes is not UNSET}

        def column(values_N: npt.NDArray[Any], name: str, unknown: object) -> npt.NDArray[Any]:
            made = np.concatenate([values_N, np.full(size - len(self), unknown, values_N.dtype)])
            given = [(n, value) for n, i in rows if (value := getattr(i, name)) is not UNSET]
            if given:
                made[[n for n, _ in given]] = [unknown if value is None else value for _, value in given]
            return made

        def groups(old: Groups, attribute: str) -> Groups:
            if not described and size == len(self):
                return old
            prefix = f"{attribute}="
            values = {n: [t.removeprefix(prefix) for t in own if t.startswith(prefix)] for n, own in described.items()}
            return old.changed(values, items=size)

        stock_N = np.concatenate([self.stock_N, np.zeros(size - len(self), np.int8)])
        for number, item in rows:
            if item.stock is not UNSET:
                stock_N[number] = _stock(item)
        return replace(
            self,
            item_ids=item_ids,
            index_of=index_of,
            rank_N=_ranks(item_ids) if arrived else self.rank_N,
            prices_N=column(self.prices_N, "price", np.nan),
            stock_N=stock_N,
            clearance_N=column(self.clearance_N, "clearance", 0),
            margin_N=column(self.margin_N, "margin", np.nan),
            new_until_N=column(self.new_until_N, "new_until_ms", 0),
            minimum_age_N=column(self.minimum_age_N, MINIMUM_AGE, 0),
            categories=groups(self.categories, CATEGORY),
            brands=groups(self.brands, BRAND),
            series=groups(self.series, SERIES),
            names={**self.names, **{n: i.name for n, i in rows if i.name}},
            tokens={**self.tokens, **{number: tuple(own) for number, own in described.items()}},
            feed_time_ms=feed.time_ms,
        )

    def only_counted_by(self, feed: ItemsFeed) -> bool:
        """Whether a feed says nothing but stock, prices, shares, ages and times of items that are here: what goes with
        what, and who is most popular, stays as it is."""
        return all(
            item.name is UNSET and item.attributes is UNSET and item.item_id in self.index_of for item in feed.items
        )

    def fitted(self, terms: Terms) -> "ItemFacts":
        """These facts with what fits what, and what goes with it by kind, bound to all their items."""
        if not terms.rules and not terms.kin:
            return self

        def groups(attribute: str) -> Groups:
            found: Groups = self._attributes.get(attribute, lambda: Groups.of(self.catalogue, attribute))
            prefix = f"{attribute}="
            own = {n: [t.removeprefix(prefix) for t in all_ if t.startswith(prefix)] for n, all_ in self.tokens.items()}
            return found.changed(own, items=len(self)) if len(self) > len(self.catalogue) or own else found

        matching = Matching.of(terms.rules, groups, items=len(self))
        if not terms.kin:
            return replace(self, matching=matching, terms=terms)
        read = {CATEGORY, BRAND, *(side.attribute for rule in terms.rules for side in (rule.one, rule.other))}
        late_N = np.arange(len(self)) >= len(self.catalogue)
        for item in self.tokens.keys() & range(len(self.catalogue)):
            now, before = set(self.tokens[item]), set(self.catalogue.tokens_of(item))
            late_N[item] = any(token.partition("=")[0] in read for token in now ^ before)
        kinship = Kinship.of(
            terms.kin,
            matching,
            categories=self.categories,
            brands=self.brands,
            late_N=late_N,
            worth_N=_worth(self.catalogue, len(self)),
        )
        return replace(self, matching=matching, kinship=kinship, terms=terms)

    def name(self, item: int) -> str:
        """Display name, or an empty string."""
        known = self.names.get(item)
        if known is None and item < len(self.catalogue.names):
            return self.catalogue.names[item]
        return known or ""

    def tokens_of(self, item: int) -> list[str]:
        """Attribute tokens of one item: the feed's, else the catalogue's."""
        own = self.tokens.get(item)
        if own is None:
            return self.catalogue.tokens_of(item) if item < len(self.catalogue) else []
        return list(own)

    def knows(self, item: int) -> bool:
        """Whether ``item`` is a valid item number."""
        return 0 <= item < len(self.item_ids)

    def cosines(self, items_U: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
        """Pairwise cosines of the items' embeddings, clipped at 0, float64 [U, U]; 0 for items without one."""
        rows_UE = self.vectors.of(items_U)
        cosines_UU: npt.NDArray[np.float64] = (rows_UE @ rows_UE.T).astype(np.float64)
        lengths_U = np.sqrt(cosines_UU.diagonal())
        lengths_U[lengths_U == 0] = 1
        cosines_UU /= lengths_U
        cosines_UU /= lengths_U[:, None]
        np.maximum(cosines_UU, 0, out=cosines_UU)
        return cosines_UU.round(5, out=cosines_UU)  # equal up to rounding error becomes equal

    @cached_property
    def ages(self) -> tuple[int, ...]:
        """Distinct age limits of items, ascending."""
        return tuple(np.unique(self.minimum_age_N).tolist())

    @cached_property
    def newest_ms(self) -> int:
        """Latest time at which any item counts as new, UTC ms; 0 for never."""
        return int(self.new_until_N.max(initial=0))

    @cached_property
    def tables(self) -> Cache:
        """Cache of columns [N] that rules evaluate to."""
        return Cache(max(4, REMEMBERED_BYTES // (8 * max(1, len(self)))))

    @cached_property
    def days(self) -> Cache:
        """Cache of the rules of one day."""
        return Cache(REMEMBERED_DAYS)


def _worth(catalogue: Catalogue, items: int) -> npt.NDArray[np.float64]:
    """How much each item is taken, above 0, [N]: by the goal, or all of a log with one behaviour; later items as the
    median one."""
    taken_N = (
        catalogue.counts_NB[:, -2:].sum(axis=1) if catalogue.counts_NB.shape[1] > 2 else catalogue.counts_NB[:, -1]
    )
    middle = float(np.median(taken_N)) if len(taken_N) else 0.0
    return np.concatenate([taken_N.astype(float), np.full(items - len(taken_N), middle)]) + TAKEN_BEFORE


def _stock(item: FeedItem) -> int:
    if item.stock is None:
        return STOCK_UNKNOWN
    return IN_STOCK if item.stock else OUT_OF_STOCK


def _years(values: tuple[str, ...]) -> int:
    """The highest age limit of an item, in years; raises ValueError for values outside 0 to 120."""
    if not all(value.isdigit() and int(value) <= 120 for value in values):
        raise ValueError(f"the attribute {MINIMUM_AGE} must be years from 0 to 120, got {', '.join(values)}")
    return max(map(int, values), default=0)


def _ranks(item_ids: list[str]) -> npt.NDArray[np.int64]:
    ranks_N = np.empty(len(item_ids), np.int64)
    ranks_N[sorted(range(len(item_ids)), key=item_ids.__getitem__)] = np.arange(len(item_ids))
    return ranks_N
