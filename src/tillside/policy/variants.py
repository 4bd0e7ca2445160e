"""Variants: items that are one thing in several sizes or colours, told by an attribute whose value they share.

Whoever has the coat in M wants no coat in L beside it, and no list needs the boots in 37, 38 and 39. Surprising: what
is held itself (in the cart, an anchor, the host's own item) is no variant of itself, so this rule does not hide it
unless another variant of it is held too.

Shapes: N items, U items to judge, P candidates, G sets of values.
"""

from collections.abc import Collection

import numpy as np
import numpy.typing as npt
from msgspec import Struct

from tillside.policy.items.facts import ItemFacts
from tillside.policy.items.filters import groups_of

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]


class Variants(Struct, frozen=True, eq=False):
    """What is one thing, for one request.

    Attributes:
        codes_N: what each item is a variant of; 0 for an item without the attribute, which is a thing of its own.
        things: what the items at hand are variants of, of which no other is shown.
        alone: items at hand that no other one is a variant of.
    """

    codes_N: Ints
    things: tuple[int, ...]
    alone: tuple[int, ...]

    @classmethod
    def of(cls, attribute: str, facts: ItemFacts, held: Collection[int]) -> "Variants":
        """Items that share a value of ``attribute``; ``held`` are known to the facts."""
        codes_N = groups_of(facts, attribute).codes_N
        own = {item: code for item in held if (code := codes_N.item(item))}
        codes = list(own.values())
        return cls(codes_N, tuple(set(codes)), tuple(item for item, code in own.items() if codes.count(code) == 1))

    def hiding(self, items_U: Ints) -> Mask:
        """Which of the items are other variants of what is held, [U]."""
        hidden_U = _is_any(self.codes_N.take(items_U), self.things)
        if hidden_U.any():
            for item in self.alone:
                hidden_U &= items_U != item
        return hidden_U

    def hides(self, item: int) -> bool:
        """Whether one item is another variant of what is held."""
        return self.codes_N.item(item) in self.things and item not in self.alone

    def of_things(self, items_U: Ints, others: Collection[int]) -> Mask:
        """Which of the items are variants of any of ``others``, [U]."""
        return _is_any(self.codes_N.take(items_U), {code for item in others if (code := self.codes_N.item(item))})

    def first_each(self, items_P: Ints, scores_P: Floats, levels_P: Ints, facts: ItemFacts) -> Mask:
        """Which candidates are the best of their thing: by level, then score, then item id, [P]."""
        codes_P, first_P = self.codes_N.take(items_P), np.ones(len(items_P), bool)
        codes = np.sort(codes_P)
        if not (codes[1:][codes[1:] == codes[:-1]]).any():  # most often all are of different things
            return first_P
        order = np.lexsort((facts.rank_N.take(items_P), -scores_P, levels_P, codes_P))
        sorted_P = codes_P.take(order)
        first_P[order[1:]] = (sorted_P[1:] != sorted_P[:-1]) | (sorted_P[1:] == 0)
        return first_P

    def apart(self, items: Collection[int], from_: Collection[int] = ()) -> list[int]:
        """Those of some items that are no variant of one before them or of ``from_``, in their order."""
        seen = {code for item in from_ if (code := self.codes_N.item(item))}
        kept = []
        for item in items:
            code = self.codes_N.item(item)
            if code not in seen:
                kept.append(item)
            if code:
                seen.add(code)
        return kept


def _is_any(codes_U: Ints, codes: Collection[int]) -> Mask:
    """Which of the codes [U] are among a few, for which ``np.isin`` takes two to ten times as long."""
    found_U = np.zeros(len(codes_U), bool)
    for code in codes:
        found_U |= codes_U == code
    return found_U
