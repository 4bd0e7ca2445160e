"""What the simulated shop knows of its items: what fits, what goes together and what is a rival.

It is read from the rules and the shop's truth file, by code that shares nothing with the product's.
"""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pyarrow.parquet as pq
import yaml

from tillside.dataset import Dataset

MAIN: Final = ("electronics.phones.smartphone", "electronics.computers.laptop", "electronics.tablets.tablet")
RULES: Final = Path("configs/compatibility/electronics.yaml")


@dataclass(frozen=True)
class Truth:
    """What the simulated shop knows of its items, by number."""

    categories: list[str]
    items: list[Mapping[str, Any]]
    complements: frozenset[tuple[int, int]]
    used: frozenset[tuple[str, str]]
    rules: list[Mapping[str, Any]]

    @classmethod
    def of(cls, shop: Path, dataset: Dataset) -> "Truth":
        """Read the items, the truth file and the compatibility rules."""
        index = dataset.catalogue.index_of
        rows = {row["item_id"]: row for row in pq.read_table(shop / "items.parquet").to_pylist()}
        items = [rows[each] for each in dataset.catalogue.item_ids]
        read = pq.read_table(
            shop / "truth" / "complements.parquet", columns=["item_id", "other_id", "kind"]
        ).to_pylist()
        rules = yaml.safe_load(RULES.read_text(encoding="utf-8"))["rules"]
        pairs = [(index[row["item_id"]], index[row["other_id"]], row["kind"]) for row in read]
        categories = [row["category"] for row in items]
        used = {(one, other) for one, other, kind in pairs if kind == "use"}
        return cls(
            categories,
            items,
            frozenset((one, other) for one, other, _ in pairs),
            frozenset((categories[one], categories[other]) for one, other in used),
            rules,
        )

    def mains(self) -> list[int]:
        """Phones, laptops and tablets."""
        return [number for number, category in enumerate(self.categories) if category in MAIN]

    def verdict(self, one: int, other: int) -> bool | None:
        """Whether two items fit; None where no rule speaks of their categories."""
        found = None
        for a, b in itertools.permutations((one, other)):
            for rule in self.rules:
                sides = rule["one"], rule["other"]
                if (self.categories[a], self.categories[b]) == tuple(side["category"] for side in sides):
                    left, right = (self.items[x][side["attribute"]] for x, side in zip((a, b), sides, strict=True))
                    known = left is not None and right is not None
                    found = (left == right) if known else rule.get("unknown") != "refused"
        return found

    def misfit(self, item: int, cart: Sequence[int]) -> bool:
        """Whether rules speak of the item and something in the cart, and it fits nothing of that."""
        said = [verdict for each in cart if (verdict := self.verdict(each, item)) is not None]
        return bool(said) and not any(said)

    def true(self, item: int, cart: Sequence[int]) -> bool:
        """Whether the item is a complement of anything in the cart."""
        return any(self.listed(item, each) for each in cart)

    def listed(self, item: int, anchor: int) -> bool:
        """Whether the truth file lists the item as the anchor's complement."""
        return (anchor, item) in self.complements

    def related(self, item: int, anchor: int) -> bool:
        """Whether it is listed, a rule says that the two fit, or their kinds are merely used together, any with any."""
        if self.listed(item, anchor) or self.verdict(anchor, item):
            return True
        return (self.categories[anchor], self.categories[item]) in self.used
