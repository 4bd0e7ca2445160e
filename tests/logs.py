"""Tiny raw logs for tests, in the formats of their publishers, and ways to look at what a reader made of them."""

import gzip
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tests.datasets import START_MS
from tillside.dataset import Dataset, Part
from training.data import readers
from training.data.columns import CLEARED, FILE, ORDER, RECORD, REJECT, SKIP, WORD
from training.data.engine import open_engine
from training.data.preparation.rejects import collect_rejects
from training.data.readers.events import EventsConfig
from training.data.readers.sequences import SequencesConfig
from training.settings.data import LogConfig
from training.settings.prepare import PrepareConfig
from training.settings.split import SplitBy, SplitConfig

SHARED = Path(__file__).parent.parent.parent / "shared" / "data"
"""Real logs, where they are there."""
REES46_HEADER = "event_time,event_type,product_id,category_id,category_code,brand,price,user_id,user_session"
EVENTS_HEADER = "session_id,item_id,behaviour,timestamp"
NO_SPLIT = SplitConfig(by=SplitBy.fractions, validation=0.0, test=0.0)


def write_log(path: Path, *lines: str, newline: str = "\n") -> Path:
    """Write lines of text; gzipped when the name ends in .gz."""
    path.parent.mkdir(parents=True, exist_ok=True)
    content = "".join(f"{line}{newline}" for line in lines).encode()
    path.write_bytes(gzip.compress(content, mtime=0) if path.suffix == ".gz" else content)
    return path


def rees46_line(
    session: str, item: str, *, at: str = "2019-10-01 00:00:00 UTC", behaviour: str = "view", price: str = "9.99"
) -> str:
    """One event as REES46 writes it."""
    return f"{at},{behaviour},{item},2053013552326770905,electronics.audio,acme,{price},77,{session}"


def events_log(path: Path, sessions: Iterable[tuple[str, int, Sequence[str]]]) -> Path:
    """An ``events`` CSV of clicks: each session's id, the second at which it starts, and its items, a second apart."""
    lines = [
        f"{session},{item},click,{start + offset}"
        for session, start, items in sessions
        for offset, item in enumerate(items)
    ]
    return write_log(path, EVENTS_HEADER, *lines)


def circle_log(path: Path, hours: int, *, joined_after: int = 10**6, items: int = 12) -> Path:
    """A session an hour from START_MS on, five events a second apart, that walks a circle of items two steps at a time.

    The fifth event is a purchase in about half of them. From an hour on, the fourth event is of an item that joins:
    ``described``, of a known category, in odd hours, and ``bare``, of none, in even ones.
    """
    rng = np.random.default_rng(0)
    lines = [f"{EVENTS_HEADER},category"]
    for hour in range(hours):
        first = int(rng.integers(0, items))
        names = [f"i{(first + 2 * step) % items:02d}" for step in range(5)]
        if hour >= joined_after:
            names[3] = "described" if hour % 2 else "bare"
        for step, name in enumerate(names):
            behaviour = "purchase" if step == 4 and first % 2 else "click"
            category = {"bare": "", "described": "odd"}.get(name, "odd" if first % 2 else "even")
            lines.append(f"s{hour},{name},{behaviour},{START_MS // 1000 + hour * 3600 + step},{category}")
    return write_log(path, *lines)


def click_log(path: Path, **settings: Any) -> EventsConfig:
    """An ``events`` log of one behaviour."""
    return EventsConfig(path=str(path), behaviours=["click"], **settings)


def click_run(path: Path, **settings: Any) -> PrepareConfig:
    """Prepares such a log beside it: everything trained, nothing held out, unless told otherwise."""
    defaults: dict[str, Any] = {"min_item_support": 1, "split": NO_SPLIT}
    return PrepareConfig(out=str(path.parent / "out"), data=click_log(path), **(defaults | settings))


def sequences_run(folder: Path, *lines: str, attributes: str | None = None, **settings: Any) -> PrepareConfig:
    """Prepares sequences of a user and items, a line each."""
    path = write_log(folder / "sequences.txt", *lines)
    given = None if attributes is None else str(write_log(folder / "attributes.json", attributes))
    return PrepareConfig(out=str(folder / "out"), data=SequencesConfig(path=str(path), attributes=given), **settings)


@dataclass(frozen=True)
class LogRead:
    """What a reader took, row for row, and what it did not take."""

    events: list[dict[str, Any]]
    items: dict[str, dict[str, Any]]
    skipped: dict[str, int]
    cleared: dict[str, int]
    rejected: list[tuple[str, int, str]]

    def column(self, name: str) -> list[Any]:
        """One column of the events that were taken, in file order."""
        return [event[name] for event in self.events]


def read_log(config: LogConfig, scratch: Path) -> LogRead:
    """Run a reader alone; any number of bad rows is allowed."""
    scratch.mkdir(parents=True, exist_ok=True)
    with open_engine(scratch) as engine:
        log = readers.read_log(config, engine)
        rejects = collect_rejects(engine, log, max_reject_share=1.0)
        rows = engine.rows(log.events.order_by(ORDER))
        items = [] if log.items is None else engine.rows(log.items)
    taken = [row for row in rows if row[REJECT] is None and row[SKIP] is None]
    hidden = (REJECT, SKIP, CLEARED, WORD, FILE, RECORD, ORDER)
    return LogRead(
        events=[{name: value for name, value in row.items() if name not in hidden} for row in taken],
        items={item.pop("item_id"): item for item in items},
        skipped=rejects.skipped,
        cleared=rejects.cleared,
        rejected=[(source.path.name, line, reason) for source, line, reason in rejects.lines],
    )


def sessions_of(dataset: Dataset, part: Part) -> list[list[str]]:
    """The item ids of a part, session by session."""
    sessions, ids = dataset.part(part), dataset.catalogue.item_ids
    return [
        [ids[item] for item in sessions.items[sessions.offsets[number] : sessions.offsets[number + 1]]]
        for number in range(len(sessions))
    ]
