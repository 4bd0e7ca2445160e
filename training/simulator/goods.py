"""Items of the shop: families of models of one kind and brand, with names, prices, attributes and launch dates.

Item numbers make a kind a contiguous range, a family a subrange of it, and sort a family's models by ascending price:
the next rung of a price ladder is the next number. Shapes: N items, F families.
"""

import itertools
import re
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from training.simulator.products import BRANDS, CONNECTOR_NAMES, KINDS, LINES, Kind

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

DAY_MS: Final = 86_400_000
LEAST_ITEMS: Final = 100
DEPARTMENTS: Final = tuple(BRANDS)
BRAND_STRIDE: Final = max(len(brands) for brands in BRANDS.values())
"""Brand code = department * BRAND_STRIDE + rank within the department."""


@dataclass(frozen=True)
class Family:
    """Models of one kind, brand and line."""

    kind: int
    brand: int
    title: str
    """Name used in its accessories' names: "Nordlys Phone 8"."""
    line: str
    series: str
    connector: str
    fits: int
    """Family that it is an accessory for, or -1."""
    items: range
    launch: int
    names: tuple[str, ...]
    prices: tuple[float, ...]


@dataclass(frozen=True)
class Goods:
    """Items and families as arrays; ``position_N`` is the price rank within the kind, 0 (lowest) to 1 (highest)."""

    families: list[Family]
    family_N: Ints
    kind_N: Ints
    brand_N: Ints
    rung_N: Ints
    price_N: Floats
    position_N: Floats
    launch_N: Ints
    kind_ranges: Ints
    """[kinds + 1]: items of kind k are kind_ranges[k]:kind_ranges[k + 1]."""

    def __len__(self) -> int:
        return len(self.family_N)

    def item_ids(self) -> list[str]:
        """Public item ids, in item order."""
        return [f"p-{number:06d}" for number in range(len(self))]

    def series_of(self, family: int) -> str:
        """Series id of a family, empty for -1."""
        return self.families[family].series if family >= 0 else ""


def make_goods(rng: np.random.Generator, *, items: int, start_ms: int, days: int, new_items: float) -> Goods:
    """Generate ``items`` items; a share ``new_items`` of the families launches within the simulated period."""
    families: list[Family] = []
    by_kind: dict[str, list[int]] = {}
    taken: set[str] = set()
    first = 0
    bounds = [0]
    for kind_number, (kind, quota) in enumerate(zip(KINDS, _quotas(items), strict=True)):
        by_kind[kind.key] = []
        end = first + quota
        while first < end:
            count = min(len(kind.rungs), end - first)
            base = by_kind.get(kind.made_for, [])
            nth = len(by_kind[kind.key])
            host = base[nth % len(base)] if base else -1
            launch = families[host].launch if host >= 0 else _launch(rng, nth, start_ms, days, new_items)
            about = _identity(rng, kind, nth=nth, host=families[host] if host >= 0 else None, count=count, taken=taken)
            span = range(first, first + count)
            fits = -1 if kind.same_series else host
            families.append(Family(kind=kind_number, fits=fits, items=span, launch=launch, **about))
            by_kind[kind.key].append(len(families) - 1)
            first += count
        bounds.append(end)
    return _pack(families, np.array(bounds, np.int64))


def _quotas(items: int) -> list[int]:
    wanted = np.array([kind.share for kind in KINDS]) / sum(kind.share for kind in KINDS) * items
    quotas = np.maximum(1, np.floor(wanted).astype(int))
    assert quotas.sum() <= items
    while quotas.sum() < items:
        quotas[np.argmax(wanted - quotas)] += 1
    return [int(quota) for quota in quotas]


def _launch(rng: np.random.Generator, nth: int, start_ms: int, days: int, new_items: float) -> int:
    """Launch time; the first family of a kind launches before the simulated period, others may launch during it."""
    fresh, when = rng.random(2)
    if nth == 0 or fresh >= new_items:
        return int(start_ms - (1 + int(when * 700)) * DAY_MS)
    return int(start_ms + int(when * days * 24) * (DAY_MS // 24))


def _identity(
    rng: np.random.Generator, kind: Kind, *, nth: int, host: Family | None, count: int, taken: set[str]
) -> dict[str, Any]:
    """Draw brand, names, series and prices; ``taken`` holds the first names in use and gets the new one."""
    department = DEPARTMENTS.index(kind.path.split(".")[0])
    brands = BRANDS[DEPARTMENTS[department]]
    rank = min(int(rng.exponential(len(brands) / 3)), len(brands) - 1)
    connector = kind.connectors[int(rng.integers(len(kind.connectors)))] if kind.connectors else ""
    line = LINES[nth % len(LINES)] if host is None else host.line
    copy = nth // len(LINES) if host is None else 0
    own_brand = host is not None and kind.same_series
    rank = host.brand % BRAND_STRIDE if own_brand and host is not None else rank
    for attempt in itertools.count():
        if attempt and host is not None and not own_brand and attempt < len(brands):
            rank = (rank + 1) % len(brands)
        elif attempt:
            copy += 1
        numbered = f"{line} {copy + 1}" if copy else line
        words = {
            "brand": brands[rank],
            "line": numbered,
            "number": nth + 1,
            "connector": CONNECTOR_NAMES[connector],
            "fits": host.title if host else "",
        }
        version = f" {copy + 1}" if copy and "{line}" not in kind.name else ""
        names = tuple(kind.name.format(rung=rung + version, **words) for rung in kind.rungs[:count])
        if names[0] not in taken:
            break
    taken.add(names[0])
    title = kind.name.split("{rung}")[0].format(**words).strip(" ,") if not kind.made_for else names[0]
    in_series = kind.same_series or kind.key in _SERIES_HOSTS
    series = f"{words['brand']} {words['line']}" if in_series else f"{title} {kind.key if kind.made_for else ''}"
    return {
        "brand": department * BRAND_STRIDE + rank,
        "title": title,
        "line": numbered,
        "series": "-".join(re.findall("[a-z0-9]+", series.lower())),
        "connector": connector,
        "names": names,
        "prices": _prices(rng, kind, count),
    }


_SERIES_HOSTS: Final = frozenset(kind.made_for for kind in KINDS if kind.same_series)


def _prices(rng: np.random.Generator, kind: Kind, count: int) -> tuple[float, ...]:
    rungs = len(kind.rungs)
    spread = (kind.high / kind.low) ** (0.2 * (rungs - 1)) if kind.ladder else 1.0
    base = kind.low * (kind.high / kind.low / spread) ** rng.random()
    prices: list[float] = []
    for rung in range(count):
        wanted = base * spread ** (rung / max(1, rungs - 1)) * (rng.uniform(0.95, 1.05) if kind.ladder else 1.0)
        price = _tag(wanted)
        while kind.ladder and prices and price <= prices[-1] * 1.05:
            wanted *= 1.06
            price = _tag(wanted)
        prices.append(price)
    return tuple(prices)


def _tag(price: float) -> float:
    """Round to a retail price: 1199, 349, 24.99, 6.49."""
    if price >= 100:
        return float(round(price / 10) * 10 - 1)
    if price >= 20:
        return round(float(round(price)) - 0.01, 2)
    return round(max(1.0, round(price * 2) / 2) - 0.01, 2)


def _pack(families: list[Family], kind_ranges: Ints) -> Goods:
    sizes = [len(family.items) for family in families]
    family_N = np.repeat(np.arange(len(families)), sizes)
    price_N = np.array([price for family in families for price in family.prices])
    kind_N = np.array([family.kind for family in families])[family_N]
    position_N = np.zeros(len(family_N))
    for start, end in itertools.pairwise(kind_ranges):
        ranks = np.argsort(np.argsort(price_N[start:end], kind="stable"), kind="stable")
        position_N[start:end] = ranks / max(1, end - start - 1)
    return Goods(
        families=families,
        family_N=family_N,
        kind_N=kind_N,
        brand_N=np.array([family.brand for family in families])[family_N],
        rung_N=np.concatenate([np.arange(size) for size in sizes]),
        price_N=price_N,
        position_N=position_N,
        launch_N=np.array([family.launch for family in families], np.int64)[family_N],
        kind_ranges=kind_ranges,
    )
