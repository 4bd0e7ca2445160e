"""Item traits from the catalogue, integer-coded for grouping and comparison. Shapes: N items, T vocabulary tokens."""

import itertools
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tillside.catalogue import Catalogue
from tillside.events import BRAND, CATEGORY
from training.mining.counting import Floats, Ints

SERIES = "series"


@dataclass(frozen=True)
class Traits:
    """Integer codes of each item's traits, each int64 [N], from 0; -1 where unknown.

    Attributes:
        categories: finest level of the category path.
        departments: coarsest level; items without a category share one, so never -1.
        brands, series: by value.
        prices: float64 [N], NaN where unknown.
    """

    categories: Ints
    departments: Ints
    brands: Ints
    series: Ints
    prices: Floats

    def __len__(self) -> int:
        return len(self.categories)

    @classmethod
    def of(cls, catalogue: Catalogue) -> "Traits":
        """Derive traits from the catalogue's attribute tokens."""
        paths = values_of(catalogue, CATEGORY)
        return cls(
            categories=_numbers([max(levels, key=_depth, default="") for levels in paths]),
            departments=_numbers([min(levels, key=_depth, default="") for levels in paths], unknown=""),
            brands=_numbers([next(iter(values), "") for values in values_of(catalogue, BRAND)]),
            series=_numbers([next(iter(values), "") for values in values_of(catalogue, SERIES)]),
            prices=np.asarray(catalogue.prices_N, float),
        )

    def same_category(self, anchors: Ints, items: Ints) -> npt.NDArray[np.bool_]:
        """Whether both items of each pair have the same known category."""
        same: npt.NDArray[np.bool_] = self.categories[anchors] == self.categories[items]
        return same & (self.categories[anchors] >= 0)


def values_of(catalogue: Catalogue, attribute: str) -> list[list[str]]:
    """Values of an attribute per item."""
    assert catalogue.token_offsets is not None
    prefix = f"{attribute}="
    value_T = [token[len(prefix) :] if token.startswith(prefix) else None for token in catalogue.vocabulary]
    offsets, tokens = catalogue.token_offsets.tolist(), catalogue.token_ids.tolist()
    return [
        [value for token in tokens[start:end] if (value := value_T[token]) is not None]
        for start, end in itertools.pairwise(offsets)
    ]


def _depth(path: str) -> tuple[int, str]:
    return path.count("."), path


def _numbers(values: list[str], *, unknown: str | None = None) -> Ints:
    """Codes in sorted order of the values; an empty value is -1, or has its own code if ``unknown`` is given."""
    known = sorted({value for value in values if value or unknown is not None})
    number_of = {value: number for number, value in enumerate(known)}
    return np.array([number_of.get(value, -1) for value in values], np.int64)
