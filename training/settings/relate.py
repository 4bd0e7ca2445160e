"""Settings of ``training.relate``."""

from dataclasses import dataclass
from enum import Enum


class EngineName(Enum):
    """Available engines."""

    duckdb = "duckdb"
    spark = "spark"


@dataclass
class RelateConfig:
    """Settings of ``training.relate``; configs/relate.yaml explains them."""

    dataset: str = "???"
    out: str | None = None
    taken: list[str] | None = None
    soon_days: float = 7.0
    half_life_days: float | None = None
    longest: int = 200
    false_share: float = 0.01
    least: int = 2
    faintest: float = 0.05
    partners: int = 50
    price_step: float = 1.05
    price_most: float = 2.0
    gift_share: float = 0.2
    bundles: int = 5000
    rules: str | None = None
    manual: str | None = None
    shown: int = 30
    validation: bool = True
    engine: EngineName = EngineName.duckdb
    spark_master: str = "local[*]"
    scratch: str | None = None

    def __post_init__(self) -> None:
        bounds: dict[str, tuple[float, float]] = {
            "soon_days": (0, 3660),
            "longest": (2, 10_000),
            "false_share": (1e-12, 0.5),
            "least": (1, 2**31),
            "faintest": (0, 1),
            "partners": (1, 10_000),
            "price_step": (1, self.price_most),
            "price_most": (1, 1e6),
            "gift_share": (0, 1),
            "bundles": (1, 1_000_000),
            "shown": (0, 10_000),
        }
        for name, (low, high) in bounds.items():
            value = getattr(self, name)
            if isinstance(value, int | float) and not low <= value <= high:
                raise ValueError(f"{name} must be from {low:g} to {high:g}, got {value:g}")
        if isinstance(self.half_life_days, int | float) and not self.half_life_days > 0:
            raise ValueError(f"half_life_days must be above 0 or null, got {self.half_life_days}")
