"""Settings of ``training.relate``."""

from dataclasses import dataclass
from enum import Enum


class EngineName(Enum):
    """Available engines."""

    duckdb = "duckdb"
    spark = "spark"


@dataclass
class RelateConfig:
    """Settings of ``training.relate``."""

    dataset: str = "???"
    """A prepared data set. Its training and validation sessions are mined."""
    out: str | None = None
    """The directory to write. null: DATASET/relations, where training.export finds it. It replaces older relations."""
    viewed: list[str] | None = None
    """The behaviours that look at an item. null: all that are weaker than those that take it."""
    taken: list[str] | None = None
    """The behaviours that take an item. null: the two strongest of three or more (cart and purchase), else the
    strongest."""
    soon_days: float = 7.0
    """What the same shopper takes within so many days after an item counts as taken with it."""
    half_life_days: float | None = None
    """A session this much older than the last one counts half for how strong a pair is. null: half of the log's
    length."""
    longest: int = 200
    """Sessions with more different items are left out: wholesalers and bots."""
    false_share: float = 0.01
    """Of the pairs that are kept, so large a share may be chance; which pairs these are follows from the log itself."""
    least: int = 2
    """A pair must stand in so many sessions."""
    faintest: float = 0.05
    """A complement or substitute must be this strong, as a share of the item's strongest; a scene's item be met this
    often, as a share of its most met one. In a large log even what goes with a rival of the item is no chance, but it
    stays faint."""
    backed: float = 0.05
    """A complement that the log holds too seldom to be proven is kept if kind, series and brand say that it is taken
    with so large a share of the item. 1: only what is proven."""
    backed_by_rule: float = 0.01
    """The same of a complement that a rule makes (rules)."""
    partners: int = 50
    """Partners kept for each item and relation; the strongest."""
    price_step: float = 1.05
    """A dearer model (upsell) costs at least so many times as much; a cheaper one (downsell) the other way round."""
    price_most: float = 2.0
    """A dearer model costs at most so many times as much; a cheaper one the other way round."""
    gift_share: float = 0.2
    """A gift costs at most this share of what it goes with, and no more than the shop's median item."""
    gift_alone: float = 1.0
    """A gift is taken without anything else at most so many times as often as the shop's items on average: what people
    go and buy by itself is no gift."""
    bundles: int = 5000
    """Sets of 2 to 4 items that are kept; the strongest."""
    rules_out: str | None = None
    """The .csv or .parquet file to write association rules to, of up to four items: what is taken with what in one
    session, as mlxtend derives it, untested."""
    rules_support: float = 0.001
    """A rule's items must be taken together in this share of the sessions that take something."""
    rules_confidence: float = 0.1
    """Of the sessions with a rule's antecedents, this share must hold its consequents too."""
    rules: str | None = None
    """What fits what and so goes with it, a YAML file of rules such as configs/compatibility/electronics.yaml. null:
    everything fits."""
    manual: str | None = None
    """Pairs set by hand, a CSV file: relation,item_id,other_id,action,strength,from,until with action pin, add or
    ban."""
    shown: int = 30
    """Pairs of each relation in report.md."""
    validation: bool = True
    """Mine the validation sessions too. Without them the relations can be weighed (training.weigh)."""
    engine: EngineName = EngineName.duckdb
    """What counts: duckdb, in this process, or spark (pip install 'tillside[spark]', and Java). Both find the same."""
    spark_master: str = "local[*]"
    """Where Spark runs, unless spark-submit has said so: local[2] for two threads here, spark://HOST:PORT for a
    cluster."""
    scratch: str | None = None
    """The folder for temporary tables. null: the system's. A cluster needs one that all of its workers see."""

    def __post_init__(self) -> None:
        bounds: dict[str, tuple[float, float]] = {
            "soon_days": (0, 3660),
            "longest": (2, 10_000),
            "false_share": (1e-12, 0.5),
            "least": (1, 2**31),
            "faintest": (0, 1),
            "backed": (0, 1),
            "backed_by_rule": (0, 1),
            "partners": (1, 10_000),
            "price_step": (1, self.price_most),
            "price_most": (1, 1e6),
            "gift_share": (0, 1),
            "gift_alone": (0, 1e6),
            "rules_support": (1e-9, 1),
            "rules_confidence": (0, 1),
            "bundles": (1, 1_000_000),
            "shown": (0, 10_000),
        }
        for name, (low, high) in bounds.items():
            value = getattr(self, name)
            if isinstance(value, int | float) and not low <= value <= high:
                raise ValueError(f"{name} must be from {low:g} to {high:g}, got {value:g}")
        if isinstance(self.half_life_days, int | float) and not self.half_life_days > 0:
            raise ValueError(f"half_life_days must be above 0 or null, got {self.half_life_days}")
