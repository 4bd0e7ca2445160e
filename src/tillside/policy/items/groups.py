"""Values of one attribute per item, as integer codes of value sets, for rules to compare items by.

An item may be in several categories, so a code denotes the whole set. Each level of a path is a value of its own, so an
item is in a category if any of its paths is that category or a descendant.

Shapes: N items, G sets, T attribute tokens.
"""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import numpy.typing as npt

from tillside.catalogue import Catalogue


@dataclass(frozen=True)
class Groups:
    """Set of values of each item.

    Attributes:
        codes_N: index into ``sets``; 0 is the empty set.
        sets: G sets of values, each sorted.
    """

    codes_N: npt.NDArray[np.int64]
    sets: tuple[tuple[str, ...], ...]
    _masks: dict[tuple[str, ...], npt.NDArray[np.bool_]] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def of(cls, catalogue: Catalogue, attribute: str) -> "Groups":
        """Groups by the tokens ``attribute=value`` of a catalogue."""
        assert catalogue.token_offsets is not None
        prefix = f"{attribute}="
        named_T = np.array([token.startswith(prefix) for token in catalogue.vocabulary], bool)
        item_of = np.repeat(np.arange(len(catalogue)), np.diff(catalogue.token_offsets))
        kept = named_T[catalogue.token_ids] if len(named_T) else np.zeros(0, bool)
        tokens, item_of = np.asarray(catalogue.token_ids)[kept], item_of[kept]
        order = np.lexsort((tokens, item_of))
        tokens, ends = tokens[order], np.searchsorted(item_of[order], np.arange(len(catalogue) + 1)).tolist()
        known: dict[bytes, int] = {b"": 0}
        codes = [known.setdefault(tokens[a:b].tobytes(), len(known)) for a, b in itertools.pairwise(ends)]
        words = [token.removeprefix(prefix) for token in catalogue.vocabulary]
        sets = tuple(tuple(sorted(words[t] for t in np.frombuffer(key, tokens.dtype))) for key in known)
        return cls(np.array(codes, np.int64), sets)

    def changed(self, values: Mapping[int, Sequence[str]], *, items: int) -> "Groups":
        """Groups over ``items`` items, with the given items' values replaced."""
        known = {values: code for code, values in enumerate(self.sets)}
        codes_N = np.zeros(items, np.int64)
        codes_N[: len(self.codes_N)] = self.codes_N
        for item, own in values.items():
            codes_N[item] = known.setdefault(tuple(sorted(own)), len(known))
        return Groups(codes_N, tuple(known))

    def having(self, values: tuple[str, ...]) -> npt.NDArray[np.bool_]:
        """Mask [G] of the sets that hold any of ``values``."""
        mask = self._masks.get(values)
        if mask is None:
            wanted = set(values)
            mask = self._masks[values] = np.array([not wanted.isdisjoint(own) for own in self.sets], bool)
        return mask

    @cached_property
    def values(self) -> frozenset[str]:
        """All values of any item."""
        return frozenset(itertools.chain.from_iterable(self.sets))

    @cached_property
    def near_G(self) -> npt.NDArray[np.int64]:  # noqa: N802
        """Code of the first set whose finest path has the same parent, int64 [G]; its own code without a parent."""
        first: dict[str, int] = {}
        parents = [self.finest(code).rpartition(".")[0] for code in range(len(self.sets))]
        return np.array([first.setdefault(path, code) if path else code for code, path in enumerate(parents)], np.int64)

    def finest(self, code: int) -> str:
        """The deepest path of a set, ties by name; empty for the empty set."""
        return self._finest[code]

    @cached_property
    def _finest(self) -> list[str]:
        return [min(own, key=lambda path: (-path.count("."), path), default="") for own in self.sets]
