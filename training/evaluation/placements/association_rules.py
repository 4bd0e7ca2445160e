"""Association-rule baseline, a shop without a model: rules from the frequent sets of FP-Growth (mlxtend).

A rule leads from all but one item of a frequent set to the remaining one; its confidence is the share of the sessions
with the former that also hold the latter. An item is scored by its rule of highest confidence, ties by lift.
Shapes: N items, R sets, W items of the largest set, M items in the cart, C candidates, E events, S sessions.
"""

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from tillside.dataset import Dataset
from training.data.engine import open_engine
from training.mining import counting
from training.mining.itemsets import Set, frequent_sets

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
LONGEST: Final = 200
"""Sessions with more distinct items are dropped, as in ``training.relate``."""
PAIRS: Final = 20_000
"""Approximate number of frequent pairs, which sets the minimum support; that of ``training.relate``'s bundles."""
LEAST: Final = 2


@dataclass(frozen=True)
class AssociationRules:
    """Rules with a single consequent; row r, column w is the rule from set r's other items to its w-th item.

    Attributes:
        items_RW: items of each set, padded with -1.
        sizes_R: items per set.
        confidences_RW, lifts_RW: of each rule.
        offsets_N, rows: inverted index [N + 1]; the sets with item i are ``rows[offsets_N[i]:offsets_N[i + 1]]``.
    """

    items_RW: Ints
    sizes_R: Ints
    confidences_RW: Floats
    lifts_RW: Floats
    offsets_N: Ints
    rows: Ints

    @classmethod
    def of(cls, counted: Mapping[Set, int], *, sessions: int, items: int) -> "AssociationRules":
        """Derive the rules of all frequent sets.

        Args:
            counted: sessions per set (ascending items); holds all subsets of each set.
            sessions: total number of sessions.
            items: catalogue size N.
        """
        sets = [each for each in counted if len(each) > 1]
        width = max(map(len, sets), default=1)
        items_RW, shape = np.full((len(sets), width), -1, np.int64), (len(sets), width)
        confidences_RW, lifts_RW = np.zeros(shape), np.zeros(shape)
        for row, each in enumerate(sets):
            items_RW[row, : len(each)] = each
            for place, item in enumerate(each):
                confidence = counted[each] / counted[each[:place] + each[place + 1 :]]
                confidences_RW[row, place] = confidence
                lifts_RW[row, place] = confidence * sessions / counted[(item,)]
        sizes_R = (items_RW >= 0).sum(axis=1)
        rows = np.repeat(np.arange(len(sets)), sizes_R)
        flat = items_RW[items_RW >= 0]
        order = np.argsort(flat, kind="stable")
        offsets_N = np.searchsorted(flat[order], np.arange(items + 1))
        return cls(items_RW, sizes_R, confidences_RW, lifts_RW, offsets_N, rows[order])

    @classmethod
    def fit(
        cls, dataset: Dataset, *, taken: Sequence[int], pairs: int = PAIRS, refit: bool = True
    ) -> "AssociationRules":
        """Mine the rules from the sessions that the model learned from; by default all before the test part.

        Args:
            taken: behaviours that take an item.
            pairs: approximate number of frequent pairs, which sets the minimum support.
            refit: as in :meth:`tillside.dataset.Dataset.learned`.
        """
        sessions, items = dataset.learned(refit=refit), len(dataset.catalogue)
        wanted_E = np.isin(np.asarray(sessions.behaviours), taken)
        with tempfile.TemporaryDirectory() as scratch, open_engine(Path(scratch)) as engine:
            weights_S = np.ones(len(sessions))
            acts = counting.acts_of(engine, sessions, wanted_E, items=items, weights_S=weights_S, longest=LONGEST)
            met = counting.together(engine, acts, np.zeros(items, np.int64))
            once = met.counts[met.anchors < met.items]
            floor = int(np.partition(once, -pairs)[-pairs]) if len(once) > pairs else LEAST
            counted = frequent_sets(engine, acts.table, floor=max(LEAST, floor))
        return cls.of(counted, sessions=len(acts.sizes), items=items)

    def suggest(self, cart_M: Ints) -> tuple[Ints, Floats]:
        """Items [C] that the rules predict from a cart (none of the cart's own), best first, and confidences [C]."""
        inside = [self.rows[self.offsets_N[item] : self.offsets_N[item + 1]] for item in set(cart_M.tolist())]
        hits_R = np.bincount(np.concatenate([np.zeros(0, np.int64), *inside]), minlength=len(self.sizes_R))
        fired = np.flatnonzero(hits_R == self.sizes_R - 1)
        missing = (self.items_RW[fired] >= 0) & ~np.isin(self.items_RW[fired], cart_M)
        places = missing.argmax(axis=1) if len(fired) else np.zeros(0, np.int64)
        found, confidences = self.items_RW[fired, places], self.confidences_RW[fired, places]
        order = np.lexsort((found, -self.lifts_RW[fired, places], -confidences))
        first = np.sort(np.unique(found[order], return_index=True)[1])
        return found[order][first], confidences[order][first]
