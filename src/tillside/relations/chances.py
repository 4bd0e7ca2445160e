"""What strengths are worth: the calibrated probability, learned on validation, by what a placement is for.

An item's chance that the shopper takes it (``attach``, at cart and checkout) or goes on to it (``next``, elsewhere) is
told by all sources that bring it together: its log odds are a base plus, of each source, a slope times
log(1 + strength / FAINT), nothing for a source that does not bring it. So what speaks for an item adds up, whatever a
source's own numbers mean, and the weights of a policy multiply like with like. The context tells besides
(``tillside.policy.context``): the lift of the item's category once the cart's are taken, and whether it was looked at.

Relations of earlier versions have a curve of each source by itself instead: a strength s is worth the probability
1 / (1 + exp(-(level + slope * log s))), and an item the weighted sum over its sources.

Shapes: S sources, C cells (item, source) in the order of their items, U items.
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
SHELVED: Final = (POPULAR, "new", "clearance")
LIFT: Final = "lift"
"""Name of the slope of the logarithm of a category's lift."""
VIEWED: Final = "viewed"
"""Name of what it adds that the session looked at the item."""
CONTEXT: Final = (LIFT, VIEWED)
MOST: Final = 100.0
"""Bound on levels and slopes."""

TOGETHER: Final = "together"
"""Key, in a document, of what all sources tell together."""
FAINT: Final = 1e-3
"""A strength far below it is no evidence; far above it evidence grows with the strength's logarithm."""
SILENT: Final = 1e-9
"""Evidence of a cell that tells nothing, so that an item's cells always share something out."""

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Curve = tuple[float, float]
"""Level and slope."""


@dataclass(frozen=True)
class Together:
    """What all sources tell of an item together: base of its log odds, and the slopes of the sources that were heard.

    A relation without a slope of its own has that of ``related``; ``new`` and ``clearance``, of which a log tells
    nothing, that of ``popular``; the context tells nothing where it has none.
    """

    base: float
    slopes: Mapping[str, float]

    def slope(self, source: str) -> float:
        """Slope of any source, 0 where nothing is known of it."""
        if source in self.slopes:
            return self.slopes[source]
        return self.slopes.get(POPULAR if source in SHELVED else RELATED, 0.0)


@dataclass(frozen=True)
class Chances:
    """What all sources tell together, by purpose; curves by purpose and source in relations of earlier versions."""

    curves: Mapping[str, Mapping[str, Curve]] = field(default_factory=dict)
    together: Mapping[str, Together] = field(default_factory=dict)
    _columns: dict[tuple[str, tuple[str, ...]], "Scale | Evidence | None"] = field(
        default_factory=dict, repr=False, compare=False
    )

    @classmethod
    def of_document(cls, document: Any) -> "Chances":
        """Parse what :meth:`document` made; nothing at all is nothing known.

        Raises:
            ValueError: a purpose, a curve, a base or a slope is not one.
        """
        if document is None:
            return cls()
        try:
            given = {**document}
            together = {
                purpose: Together(float(own["base"]), {name: float(slope) for name, slope in own["slopes"].items()})
                for purpose, own in given.pop(TOGETHER, {}).items()
            }
            curves = {
                purpose: {source: (float(level), float(slope)) for source, (level, slope) in own.items()}
                for purpose, own in given.items()
            }
        except (AttributeError, KeyError, TypeError, ValueError):
            curves, together = {"": {}}, {}
        numbers = [number for own in curves.values() for curve in own.values() for number in curve]
        numbers += [number for own in together.values() for number in (own.base, *own.slopes.values())]
        if not {*curves, *together} <= set(PURPOSES) or not all(abs(number) <= MOST for number in numbers):
            raise ValueError(
                f"chances must give a level and a slope of at most {MOST:g} by purpose ({', '.join(PURPOSES)}) and "
                f"source, or a base and slopes by purpose under {TOGETHER!r}, got {str(document)[:200]}"
            )
        return cls(curves, together)

    def document(self) -> dict[str, Any]:
        """Everything as JSON types."""
        found: dict[str, Any] = {
            purpose: {source: list(curve) for source, curve in own.items()} for purpose, own in self.curves.items()
        }
        if self.together:
            found[TOGETHER] = {
                purpose: {"base": own.base, "slopes": dict(own.slopes)} for purpose, own in self.together.items()
            }
        return found

    def joined(self, other: "Chances") -> "Chances":
        """These and another's, which win."""
        purposes = [each for each in PURPOSES if each in self.curves or each in other.curves]
        curves = {each: {**self.curves.get(each, {}), **other.curves.get(each, {})} for each in purposes}
        return Chances(curves, {**self.together, **other.together})

    def scale(self, purpose: str, sources: Sequence[str]) -> "Scale | Evidence | None":
        """What a purpose's strengths are worth, over ``sources``; None unless both the model and relations are known.

        What they tell together goes before curves.
        """
        key = purpose, tuple(sources)
        if key not in self._columns:
            self._columns[key] = self._scale(purpose, sources)
        return self._columns[key]

    def _scale(self, purpose: str, sources: Sequence[str]) -> "Scale | Evidence | None":
        if purpose in self.together:
            whole = self.together[purpose]
            context = (whole.slopes.get(each, 0.0) for each in CONTEXT)
            return Evidence(whole.base, np.array([whole.slope(each) for each in sources]), *context)
        own = self.curves.get(purpose, {})
        if MODEL not in own or RELATED not in own:
            return None
        fallback = own.get(POPULAR, own[RELATED])
        rows = [own.get(each, fallback if each in SHELVED else own[RELATED]) for each in sources]
        return Scale(*np.array(rows, float).T)


def told(strengths_C: Floats) -> Floats:
    """What a strength of any source tells, before its slope, [C]: log(1 + strength / FAINT)."""
    found_C: Floats = np.log1p(strengths_C / FAINT)
    return found_C


@dataclass(frozen=True)
class Evidence:
    """Base of an item's log odds, the slopes [S] of sources, and those of the context."""

    base: float
    slopes_S: Floats
    lift: float = 0.0
    viewed: float = 0.0

    def fused(
        self,
        strengths_C: Floats,
        sources_C: Ints,
        cells_U: Ints,
        weights_S: Floats,
        context_U: Floats | None = None,
    ) -> tuple[Floats, Floats]:
        """Chance of each cell's item, and each cell's part of its score, both [C].

        An item's score is its chance times the mean weight of its sources, each counted as its evidence, so with
        weights of 1 the score is the chance.

        Args:
            cells_U: start of each item's cells, and the end, [U + 1].
            weights_S: the policy's weight of each source.
            context_U: log odds that the context adds; None for nothing.
        """
        starts_U = cells_U[:-1]
        told_C = told(strengths_C)
        told_C *= self.slopes_S.take(sources_C)
        told_C += SILENT
        told_U = np.add.reduceat(told_C, starts_U)
        chances_U = 1.0 / (1.0 + np.exp(-self.base - (told_U if context_U is None else told_U + context_U)))
        sizes_U = cells_U[1:] - starts_U
        chances_C = chances_U.repeat(sizes_U)
        parts_C = told_C * (chances_U / told_U).repeat(sizes_U) * weights_S.take(sources_C)
        return chances_C, parts_C


@dataclass(frozen=True)
class Scale:
    """Levels [S] and slopes [S] of sources; NaN leaves the strengths of a source as they are."""

    levels_S: Floats
    slopes_S: Floats

    def chances(self, strengths_C: Floats, sources_C: Ints) -> Floats:
        """Probability that each strength of a source is worth [C]; 0 stays 0."""
        levels_C, slopes_C = self.levels_S.take(sources_C), self.slopes_S.take(sources_C)
        with np.errstate(divide="ignore", over="ignore"):
            found_C: Floats = 1.0 / (1.0 + np.exp(-levels_C) * strengths_C**-slopes_C)
        return np.where(np.isnan(levels_C), strengths_C, found_C)

    def fused(self, strengths_C: Floats, sources_C: Ints, cells_U: Ints, weights_S: Floats) -> tuple[Floats, Floats]:
        """Chance of each cell by its source alone, and its part of its item's score, both [C]."""
        chances_C = self.chances(strengths_C, sources_C)
        return chances_C, chances_C * weights_S.take(sources_C)


def as_they_are(sources: int) -> Scale:
    """Scale of raw strengths, the model's being its share of the list, as evidence is gathered on."""
    return Scale(np.full(sources, np.nan), np.full(sources, np.nan))
