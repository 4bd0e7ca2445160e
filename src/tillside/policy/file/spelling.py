"""Which name was meant: the known one that is spelt most like a mistaken one, in a time that no text makes long.

Likeness is difflib's ratio, which the letters that two names have in common bound from above, wherever they stand.
These are counted for all known names at once, and only names that could still be the nearest are compared in full.
Of a category's path the last part tells more than its spelling: who writes ``tech.phone`` means the phones of this
shop, wherever they hang.

Shapes: N known names, C characters of all of them together.
"""

import bisect
import difflib
from collections import Counter
from collections.abc import Collection, Sequence
from operator import itemgetter
from typing import Final

import numpy as np
import numpy.typing as npt

SEARCHED: Final = 100_000
"""Names that a mistaken one is compared with; of more, those that begin alike."""
ALIKE: Final = 0.6
SUGGESTED: Final = 20
"""Mistaken names of one text for which what was meant is looked for: they tell what is wrong with all others."""
STEPS: Final = 1 << 18
"""Pairs of letters that are compared in full for one mistaken name."""
CATEGORY: Final = "category"
"""The kind of which names are paths, parts between dots."""
LEAST_CONTAINED: Final = 3
"""Bytes of a word that is looked for inside others: three letters, or one character of Chinese."""
PLURALS: Final = (("s", ""), ("es", ""), ("ies", "y"))
"""Endings that a plural may have, and what the singular has instead."""

Floats = npt.NDArray[np.float64]


class Spelling:
    """Known names, sorted once for any number of look-ups."""

    def __init__(self, known: Collection[str]) -> None:
        self._by_lower = {each.lower(): each for each in sorted(known)}
        self._lower = sorted(self._by_lower)

    def nearest(self, name: str) -> str | None:
        """The name that is spelt most like ``name``, whatever the case; None if none is alike. Of equals the last."""
        wanted = name.lower()
        pool = self._lower if len(self._lower) <= SEARCHED else self._beginning_alike(wanted)
        pool = [each for each in pool if 2 * min(len(each), len(wanted)) >= ALIKE * (len(each) + len(wanted))]
        most_N = _most_alike(wanted, pool)
        matcher, steps = difflib.SequenceMatcher(b=wanted), STEPS
        best = ALIKE, ""
        for at in np.argsort(-most_N, kind="stable"):
            if most_N[at] < best[0] or steps <= 0:
                break
            steps -= len(wanted) * len(pool[at])
            matcher.set_seq1(pool[at])
            best = max(best, (matcher.ratio(), pool[at]))
        return self._by_lower[best[1]] if best[1] else None

    def _beginning_alike(self, wanted: str) -> list[str]:
        """Those that begin as ``wanted`` does for as long as any does."""
        first, last = 0, len(self._lower)
        for length in range(1, len(wanted) + 1):
            begin = wanted[:length]
            start = bisect.bisect_left(self._lower, begin, first, last)
            end = bisect.bisect_right(self._lower, begin, start, last, key=itemgetter(slice(length)))
            if start == end:
                break
            first, last = start, end
        return self._lower[first : min(last, first + SEARCHED)]


class Suggestions:
    """What was meant by the mistaken names of one text: each is looked up once, and only the first SUGGESTED are."""

    def __init__(self) -> None:
        self._spellings: dict[str, Spelling] = {}
        self._told: dict[tuple[str, str], str] = {}

    def meant(self, kind: str, name: str, known: Collection[str]) -> str:
        """``; did you mean NAME?``, or an empty string.

        Args:
            kind: of ``name``; ``known`` is the same for all of a kind.
        """
        if (told := self._told.get((kind, name))) is not None:
            return told
        if len(self._told) == SUGGESTED:
            return ""
        if kind not in self._spellings:
            self._spellings[kind] = Spelling(known)
        found = (same_part(name, known) if kind == CATEGORY else None) or self._spellings[kind].nearest(name)
        return self._told.setdefault((kind, name), f"; did you mean {found}?" if found else "")


def same_part(name: str, paths: Collection[str]) -> str | None:
    """The path of a category that ends in the last part of ``name``, in the singular or the plural, or in a word that
    holds it; None without one.

    Of several the one that begins as ``name`` does for the longest, then the shortest.
    """
    *above, last = name.lower().split(".")
    wanted = _numbers(last)
    held = [each for each in wanted if len(each.encode("utf-8", "replace")) >= LEAST_CONTAINED]
    best: tuple[bool, int, int, str] | None = None
    for path in paths:
        *parts, end = path.lower().split(".")
        words = _numbers(end)
        other = wanted.isdisjoint(words)
        if other and not any(each in word for each in held for word in words):
            continue
        apart = (n for n, (own, part) in enumerate(zip(above, parts, strict=False)) if own != part)
        rank = other, -next(apart, min(len(above), len(parts))), len(parts), path
        best = rank if best is None else min(best, rank)
    return None if best is None else best[-1]


def _numbers(word: str) -> set[str]:
    """Letters and digits of a word, and what it would be in the singular if it is a plural."""
    plain = "".join(each for each in word if each.isalnum())
    found = {plain, *(plain.removesuffix(end) + own for end, own in PLURALS if plain.endswith(end))}
    return found - {""}


def _most_alike(wanted: str, names: Sequence[str]) -> Floats:
    """Bound [N] of the ratio of each name to ``wanted``: twice the letters that both have, of all that they have."""
    lengths_N = np.array([len(each) for each in names], np.int64)
    letters_C = np.frombuffer("".join(names).encode("utf-32-le", "surrogatepass"), np.uint32)
    name_C = np.repeat(np.arange(len(names)), lengths_N)
    shared_N = np.zeros(len(names), np.int64)
    for letter, count in Counter(wanted).items():
        shared_N += np.minimum(count, np.bincount(name_C[letters_C == ord(letter)], minlength=len(names)))
    bound_N: Floats = 2.0 * shared_N / np.maximum(1, len(wanted) + lengths_N)
    return bound_N
