"""Why a whole rises where one of its parts falls: what each part adds to the change over all cases.

Two models that are compared answer the same cases, so the change over all is the mean of the parts' changes weighed by
their cases. A mix of cases that differs (Simpson's paradox) cannot be the reason; a large part that gains more is.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

DIGITS: Final = 4
"""Decimals that a page shows; a change that rounds to 0 is none."""


@dataclass(frozen=True)
class Change:
    """How a metric changes for some of the cases.

    Attributes:
        value: mean difference.
        sure: whether its confidence interval leaves out zero; None where there is none.
    """

    name: str
    cases: int
    value: float
    sure: bool | None = None

    @property
    def sign(self) -> int:
        """1 up, -1 down, 0 where the page shows no change."""
        shown = round(self.value, DIGITS)
        return (shown > 0) - (shown < 0)


def why_apart(whole: Change, parts: Sequence[Change], *, metric: str, than: str) -> str | None:
    """The sentence that says why ``whole`` goes one way and some of ``parts`` the other; None if none does.

    Args:
        parts: what the cases of ``whole`` divide into.
        than: the system that the changes are measured against, in words.
    """
    against = [part for part in parts if part.sign == -whole.sign != 0]
    if not against:
        return None
    up = whole.sign > 0
    told = ", ".join(f"{part.name} ({part.value:+.{DIGITS}f}{_noise(part)})" for part in against)
    adding = {part: part.value * part.cases / max(whole.cases, 1) for part in parts}
    shown = [part for part in parts if part in against or round(adding[part], DIGITS)]
    shown.sort(key=lambda part: (part not in against, -abs(adding[part])))
    shares = ", ".join(
        f"{part.name} has {100 * part.cases / max(whole.cases, 1):.0f} % and "
        f"{'adds' if adding[part] > 0 else 'takes away'} {abs(adding[part]):.{DIGITS}f}"
        for part in shown
    )
    part_goes, whole_goes = ("falls", "rises") if up else ("rises", "falls")
    return (
        f"Beside {than}, {metric} {part_goes} for {told} and yet {whole_goes} over all "
        f"({whole.value:+.{DIGITS}f}): of the cases, which are the same for both, {shares}."
    )


def compared_parts(slices: Mapping[str, Mapping[str, Any]], metric: str) -> tuple[Change, list[Change]]:
    """The change over all and by behaviour, of :meth:`training.evaluation.case_ranks.Ranks.beside_champion`."""
    changes = []
    for name, part in slices.items():
        gain = part[metric]["gain"]
        changes.append(Change(name, part["cases"], gain["value"], gain["low"] > 0 or gain["high"] < 0))
    return changes[0], changes[1:]


def system_parts(own: Mapping[str, Any], other: Mapping[str, Any], metric: str) -> tuple[Change, list[Change]]:
    """The change over all and by behaviour, of two systems of a metrics document."""

    def change(name: str, ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> Change:
        return Change(name, ours["cases"], ours[metric]["value"] - theirs[metric]["value"])

    both = own["by_behaviour"].keys() & other["by_behaviour"].keys()
    parts = [
        change(name, values, other["by_behaviour"][name])
        for name, values in own["by_behaviour"].items()
        if name in both
    ]
    return change("all", own["all"], other["all"]), parts


def _noise(part: Change) -> str:
    return "" if part.sure in (True, None) else ", within noise"
