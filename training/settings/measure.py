"""Settings of ``training.measure``."""

from dataclasses import dataclass, field
from enum import Enum
from typing import Final

from training.settings.attribution import AttributionConfig
from training.settings.effects import EffectsConfig
from training.settings.relate import EngineName
from training.settings.tracking import TrackingConfig

EXPERIMENT: Final = "effects"
"""Apart from the models' runs, whose list is sorted by what was validated."""


class Language(Enum):
    """Of the page."""

    en = "en"
    zh = "zh"


@dataclass
class MeasureConfig:
    """Settings of ``training.measure``."""

    feedback: str = "???"
    """The feedback folder that server and collector write: exposures/*.seg, events/*.seg."""
    out: str = "???"
    """The folder of the tables and the page. What is there is kept and mended: only new segments are read, and only the
    days that they touch are joined again."""
    items: str | None = None
    """A CSV or Parquet file of items: item_id, and any of name, category, cost (what the shop pays for one) and
    full_item_id (of a gift or sample: the product that it is a sample of). Without it no margin and no category is
    known."""
    attribution: AttributionConfig = field(default_factory=AttributionConfig)
    effects: EffectsConfig = field(default_factory=EffectsConfig)
    language: Language = Language.en
    """Of the page: en or zh."""
    rebuild: bool = False
    """Join all days again, also those that nothing new touches."""
    record: bool = True
    """Record the effects as a run in MLflow."""
    engine: EngineName = EngineName.duckdb
    """What joins: duckdb, in this process, or spark (pip install 'tillside[spark]', and Java). Both find the same."""
    spark_master: str = "local[*]"
    """Where Spark runs, unless spark-submit has said so: local[2] for two threads here, spark://HOST:PORT for a
    cluster."""
    scratch: str | None = None
    """The folder for temporary tables. null: the system's. A cluster needs one that all of its workers see."""
    memory_gb: float = 4.0
    """What DuckDB may hold in memory before it writes to ``scratch``."""
    chunk_days: int = 31
    """So many days are joined at a time; fewer need less memory and disk."""
    tracking: TrackingConfig = field(default_factory=lambda: TrackingConfig(experiment=EXPERIMENT))

    def __post_init__(self) -> None:
        if isinstance(self.memory_gb, int | float) and not 0.1 <= self.memory_gb <= 10_000:
            raise ValueError(f"memory_gb must be from 0.1 to 10000, got {self.memory_gb:g}")
        if isinstance(self.chunk_days, int) and not 1 <= self.chunk_days <= 3660:
            raise ValueError(f"chunk_days must be from 1 to 3660, got {self.chunk_days}")
