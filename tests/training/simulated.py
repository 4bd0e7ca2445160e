"""A simulated shop as it was written, read back with pandas, and its pairs."""

from pathlib import Path

import pandas as pd

from tillside.events import BEHAVIOUR, ITEM_ID, SESSION_ID, TIMESTAMP
from training.settings.simulate import SimulateConfig

DAY_MS = 86_400_000
START_MS = 1_767_225_600_000  # 2026-01-01T00:00:00Z


class Shop:
    """What was written, read back; events by session and time."""

    def __init__(self, path: Path, config: SimulateConfig) -> None:
        self.config = config
        self.log = pd.read_parquet(path / "events.parquet")
        self.events = self.log.sort_values([SESSION_ID, TIMESTAMP], kind="stable").reset_index(drop=True)
        self.items = pd.read_parquet(path / "items.parquet").set_index(ITEM_ID)
        self.truth = {file.stem: pd.read_parquet(file) for file in (path / "truth").glob("*.parquet")}

    def of(self, behaviour: str) -> pd.DataFrame:
        return self.events[self.events[BEHAVIOUR] == behaviour]


def pairs(frame: pd.DataFrame) -> set[tuple[str, str]]:
    return set(zip(frame.iloc[:, 0], frame.iloc[:, 1], strict=True))


def together(frame: pd.DataFrame) -> pd.DataFrame:
    """Ordered pairs of distinct items of one session."""
    items = frame[[SESSION_ID, ITEM_ID]].drop_duplicates()
    both = items.merge(items, on=SESSION_ID)
    return both[both["item_id_x"] != both["item_id_y"]]
