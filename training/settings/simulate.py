"""Settings of ``training.simulate``."""

from dataclasses import dataclass

from omegaconf import MISSING


@dataclass
class SimulateConfig:
    """The shop to simulate; configs/simulate.yaml says what each setting does."""

    out: str = MISSING
    seed: int = 0
    items: int = 2000
    sessions: int = 40_000
    shoppers: int = 12_000
    days: int = 120
    start: str = "2026-01-01"
    new_items: float = 0.12
    out_of_stock: float = 0.04
    anonymous: float = 0.2
    scenes: float = 0.1
    noise: float = 0.15
    revisit: float = 0.14
    attach: float = 0.7
    follow_up: float = 0.3
