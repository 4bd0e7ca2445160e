"""What a user should know of a prepared log before training on it, in sentences with the figure and the key.

"Untrained" is an item with too few events in the training part; "too short" a session from which nothing can be
learned or asked.

Shapes: N items, B behaviours.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

import numpy as np

from tillside.dataset import Dataset
from tillside.events import TIME_UNKNOWN
from tillside.recommenders.simple import ordinary_span
from training.data.preparation.support import USUAL

MOST: Final = 0.5
NOTABLE: Final = 0.2
"""Share of unused events from which on a majority of untrained items is worth a remark."""
MANY_COPIES: Final = 0.01
FEW_MATCHED: Final = 0.5
"""Share of the log's items below which an item file is worth a remark."""


def remarks(dataset: Dataset) -> list[str]:
    """The remarks on a data set that has just been prepared; most have none."""
    counts = dataset.about["counts"]
    return [
        *_on_use(dataset),
        *_on_support(dataset),
        *_on_duplicates(counts),
        *_on_cleared(counts),
        *_on_item_file(dataset.about.get("item_file")),
        *_on_clocks(dataset),
    ]


def _on_cleared(counts: Mapping[str, Any]) -> list[str]:
    return [
        f"{rows:,} rows ({rows / max(counts['rows'], 1):.1%}): {reason}; that value is left out, the row is kept"
        for reason, rows in counts.get("cleared", {}).items()
    ]


def _on_item_file(found: Mapping[str, int] | None) -> list[str]:
    if found is None or found["in_both"] >= FEW_MATCHED * found["in_log"]:
        return []
    return [
        f"only {found['in_both']:,} of the log's {found['in_log']:,} items stand in data.items; the others have no "
        "attributes. Are ids written alike in both?"
    ]


def _on_clocks(dataset: Dataset) -> list[str]:
    times = np.asarray(dataset.sessions.times)
    if not len(times) or int(times[0]) == TIME_UNKNOWN:
        return []
    first, last = ordinary_span(times)
    early, late = int((times < first).sum()), int((times > last).sum())
    told = [f"{early:,} before {_day(first)}"] if early else []
    told += [f"{late:,} after {_day(last)}"] if late else []
    return [f"clocks gone wrong: of the events {' and '.join(told)}, where the others begin or end"] if told else []


def _day(milliseconds: int) -> str:
    return f"{datetime.fromtimestamp(milliseconds / 1000, UTC):%Y-%m-%d}"


def training_counts(dataset: Dataset) -> dict[str, int]:
    """Of the training part before anything was left out: ``events`` and ``items``; of these those ``learned`` from and
    ``trained``; and the events of untrained items and of sessions that are too short."""
    catalogue = dataset.catalogue
    events_N, learned = catalogue.counts_NB.sum(axis=1), len(dataset.part("train").items)
    events, untrained = int(events_N.sum()), int(events_N[catalogue.trained :].sum())
    return {
        "events": events,
        "items": int((events_N > 0).sum()),
        "learned": learned,
        "trained": catalogue.trained,
        "untrained_events": untrained,
        "short_events": events - untrained - learned,
    }


def _on_use(dataset: Dataset) -> list[str]:
    counts, config = training_counts(dataset), dataset.about["config"]
    events, items = max(counts["events"], 1), max(counts["items"], 1)
    unused, untrained = 1 - counts["learned"] / events, 1 - counts["trained"] / items
    if not (unused > MOST or (untrained > MOST and unused > NOTABLE)):
        return []
    what = "most of this log is not learned from" if unused > MOST else "most items of this log are untrained"
    return [
        f"{what}: of the training part's {counts['items']:,} items {untrained:.0%} have "
        f"fewer than {config['min_item_support']} events there and are untrained (min_item_support="
        f"{config['min_item_support']}); of its {counts['events']:,} events {unused:.0%} are left out, "
        f"{counts['untrained_events'] / events:.0%} as those of untrained items and "
        f"{counts['short_events'] / events:.0%} in sessions of fewer than {config['min_session_length']} events "
        f"(min_session_length={config['min_session_length']})"
    ]


def _on_support(dataset: Dataset) -> list[str]:
    support, chosen = dataset.about["config"]["min_item_support"], dataset.about["counts"].get("support_chosen")
    if not chosen or support == USUAL:
        return []
    return [
        f"min_item_support={support} suits this log: {USUAL}, as usual, would leave too much of it out; give "
        "min_item_support to decide otherwise"
    ]


def _on_duplicates(counts: Mapping[str, Any]) -> list[str]:
    found = counts["duplicates"]
    rows, dropped, share = found["rows"], found["dropped"], found["rows"] / max(counts["rows"], 1)
    if not rows:
        return []
    if dropped:
        return [
            f"{dropped:,} rows ({share:.1%}) repeat another's session, item, behaviour and time and are left out; "
            "where they are real, keep them with data.duplicates=keep"
        ]
    if share < MANY_COPIES:
        return []
    why = " since no time of this log tells seconds" if found["clock_without_seconds"] else ""
    return [
        f"{rows:,} rows ({share:.1%}) repeat another's session, item, behaviour and time; they are kept{why}; "
        "data.duplicates=drop leaves them out"
    ]
