"""Which of a few names a mistyped one was meant to be; of a shop's names ``tillside.policy.file.spelling`` tells."""

from collections.abc import Iterable
from typing import Final

ALIKE: Final = 0.7
"""Likeness (difflib's ratio) from which a name is taken for another; ``clik`` is ``click`` (0.89), ``like`` is not."""
COMPARED: Final = 60
"""Characters of a mistyped name that are looked at."""


def most_like(word: str, names: Iterable[str], *, alike: float = ALIKE) -> str | None:
    """The name that is spelt most like ``word``; capitals, and a dash for an underscore, count as right.

    Args:
        alike: likeness, from 0 to 1, that it has at least.

    Returns:
        None if no name is so like it.
    """
    import difflib  # only here: it would be a tenth of a command's start

    by_plain = {_plain(name): name for name in names}
    near = difflib.get_close_matches(_plain(word[:COMPARED]), by_plain, n=1, cutoff=alike)
    return by_plain[near[0]] if near else None


def did_you_mean(word: str, names: Iterable[str], *, alike: float = ALIKE, before: str = "") -> str:
    """``did you mean NAME?`` behind ``before``, or an empty string; arguments as of :func:`most_like`."""
    found = most_like(word, names, alike=alike)
    return "" if found is None else f"{before}did you mean {found}?"


def _plain(name: str) -> str:
    return name.lower().replace("-", "_")
