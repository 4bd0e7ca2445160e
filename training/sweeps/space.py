"""A sweep's search space: Hydra overrides, parsed into fixed settings and Optuna distributions.

The grammar is Hydra's own: ``a,b``, ``choice(a, b)`` and ``range(1, 4)`` are categorical, ``interval(0.1, 0.5)`` and
``int(interval(1, 4))`` uniform, ``tag(log, interval(1e-4, 1e-2))`` log-uniform. A categorical value stays the text that
was typed, so that a whole config group (``model=small,sasrec``) can be one.
"""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import IntervalSweep, Override
from hydra.errors import HydraException
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)


@dataclass(frozen=True)
class Space:
    """Overrides of every trial, and the distribution of each searched key."""

    fixed: tuple[str, ...]
    searched: Mapping[str, BaseDistribution]

    @property
    def combinations(self) -> list[dict[str, Any]] | None:
        """The full grid, last key varying fastest; None unless every distribution is categorical."""
        choices = []
        for distribution in self.searched.values():
            if not isinstance(distribution, CategoricalDistribution):
                return None
            choices.append(distribution.choices)
        return [dict(zip(self.searched, values, strict=True)) for values in itertools.product(*choices)]

    def overrides(self, values: Mapping[str, Any]) -> list[str]:
        """All overrides of one trial."""
        return [*self.fixed, *(f"{key}={value}" for key, value in values.items())]

    def examples(self) -> list[list[str]]:
        """Override lists that together cover every choice and both ends of every range at least once."""
        ends = {key: _ends(distribution) for key, distribution in self.searched.items()}
        first = {key: values[0] for key, values in ends.items()}
        changed = [first | {key: value} for key, values in ends.items() for value in values[1:]]
        return [self.overrides(values) for values in (first, *changed)]


def read_space(overrides: Sequence[str]) -> Space:
    """Parse overrides; the last one of a key wins.

    Raises:
        ValueError: one cannot be parsed, or sweeps in a way that has no Optuna distribution.
    """
    by_key: dict[str, Override] = {}
    for text in overrides:
        try:
            override = OverridesParser.create().parse_override(text)
        except HydraException as error:
            raise ValueError(f"{text} cannot be read as an override: {str(error).splitlines()[0]}") from None
        by_key[override.get_key_element().lstrip("+")] = override
    fixed = [str(override.input_line) for override in by_key.values() if not override.is_sweep_override()]
    searched = {key: _distribution(key, each) for key, each in by_key.items() if each.is_sweep_override()}
    return Space(tuple(fixed), searched)


def _distribution(key: str, override: Override) -> BaseDistribution:
    sweep = override.value()
    if isinstance(sweep, IntervalSweep):
        low, high, log = sweep.start, sweep.end, "log" in sweep.tags
        if low is None or high is None or low >= high or (log and low <= 0):
            below = "above 0 and " if log else ""
            raise ValueError(f"{key}: the start of interval({low}, {high}) must be {below}below its end")
        if isinstance(low, int) and isinstance(high, int):
            return IntDistribution(low, high, log=log)
        return FloatDistribution(float(low), float(high), log=log)
    try:
        values = tuple(dict.fromkeys(override.sweep_string_iterator()))
    except HydraException as error:
        raise ValueError(f"{key}: {error}; allowed in a sweep: a,b, choice, range and interval") from None
    if not values:
        raise ValueError(f"{key}: {override.input_line} has no values")
    return CategoricalDistribution(values)


def _ends(distribution: BaseDistribution) -> Sequence[Any]:
    if isinstance(distribution, CategoricalDistribution):
        return distribution.choices
    assert isinstance(distribution, IntDistribution | FloatDistribution)
    return (distribution.low, distribution.high)
