"""What a source's strength is worth: its calibrated probability, learned on validation, by what a placement is for.

A strength s of a source becomes the probability 1 / (1 + exp(-(level + slope * log s))) that the shopper takes the item
(``attach``, at cart and checkout) or goes on to it (``next``, elsewhere). So the weights of a policy multiply like with
like, whatever a source's own numbers mean.

Shapes: S sources, C strengths.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import numpy.typing as npt

PURPOSES: Final = ("attach", "next")
MODEL: Final = "model"
RELATED: Final = "related"
"""Name of the curve of all relations together, for those without one of their own."""
POPULAR: Final = "popular"
MOST: Final = 100.0
"""Bound on levels and slopes."""

Floats = npt.NDArray[np.float64]
Curve = tuple[float, float]
"""Level and slope."""


@dataclass(frozen=True)
class Chances:
    """Curves by purpose and source."""

    curves: Mapping[str, Mapping[str, Curve]] = field(default_factory=dict)
    _columns: dict[tuple[str, tuple[str, ...]], "Scale | None"] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def of_document(cls, document: Any) -> "Chances":
        """Parse what :meth:`document` made; nothing at all is no curves.

        Raises:
            ValueError: a purpose or a curve is not one.
        """
        if document is None:
            return cls()
        try:
            curves = {
                purpose: {source: (float(level), float(slope)) for source, (level, slope) in own.items()}
                for purpose, own in document.items()
            }
        except (AttributeError, TypeError, ValueError):
            curves = {"": {}}
        numbers = [number for own in curves.values() for curve in own.values() for number in curve]
        if not set(curves) <= set(PURPOSES) or not all(abs(number) <= MOST for number in numbers):
            raise ValueError(
                f"chances must give a level and a slope of at most {MOST:g} by purpose ({', '.join(PURPOSES)}) and "
                f"source, got {str(document)[:200]}"
            )
        return cls(curves)

    def document(self) -> dict[str, dict[str, list[float]]]:
        """The curves as JSON types."""
        return {purpose: {source: list(curve) for source, curve in own.items()} for purpose, own in self.curves.items()}

    def joined(self, other: "Chances") -> "Chances":
        """These curves and another's, which win."""
        purposes = [each for each in PURPOSES if each in self.curves or each in other.curves]
        return Chances({each: {**self.curves.get(each, {}), **other.curves.get(each, {})} for each in purposes})

    def scale(self, purpose: str, sources: Sequence[str]) -> "Scale | None":
        """The curves of a purpose as columns over ``sources``; None unless both the model and relations have one."""
        key = purpose, tuple(sources)
        if key not in self._columns:
            own = self.curves.get(purpose, {})
            self._columns[key] = None
            if MODEL in own and RELATED in own:
                others = {"new": POPULAR, "clearance": POPULAR}
                fallback = own.get(POPULAR, own[RELATED])
                rows = [own.get(each, fallback if each in (*others, POPULAR) else own[RELATED]) for each in sources]
                self._columns[key] = Scale(*np.array(rows, float).T)
        return self._columns[key]


@dataclass(frozen=True)
class Scale:
    """Levels [S] and slopes [S] of sources; NaN leaves the strengths of a source as they are."""

    levels_S: Floats
    slopes_S: Floats

    def chances(self, strengths_C: Floats, sources_C: npt.NDArray[np.int64]) -> Floats:
        """Probability that each strength of a source is worth [C]; 0 stays 0."""
        levels_C, slopes_C = self.levels_S.take(sources_C), self.slopes_S.take(sources_C)
        with np.errstate(divide="ignore", over="ignore"):
            found_C: Floats = 1.0 / (1.0 + np.exp(-levels_C) * strengths_C**-slopes_C)
        return np.where(np.isnan(levels_C), strengths_C, found_C)


def as_they_are(sources: int) -> Scale:
    """Scale of raw strengths, the model's being its share of the list, as curves are learned on."""
    return Scale(np.full(sources, np.nan), np.full(sources, np.nan))
