"""Builds tiny sessions, catalogues and data sets.

An event is written ``(item, behaviour, time)``, or shorter: ``(item, behaviour)`` and a bare ``item`` (a click) stand
one minute after the event before. Behaviours are the default ones, by name.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from tillside.catalogue import Catalogue, pack_tokens
from tillside.dataset import PARTS, CaseRule, Dataset, Part, Sessions, load_dataset, write_dataset
from tillside.events import DEFAULT_BEHAVIOURS, TIME_UNKNOWN, Behaviours
from tillside.relations import RELATIONS, Relations

Event = int | tuple[int, str] | tuple[int, str, int]
MINUTE_MS = 60_000
START_MS = 1_700_000_000_000


def make_sessions(rows: Sequence[Sequence[Event]], *, clock: bool = True) -> Sessions:
    """Sessions from lists of events; without a clock every time is unknown."""
    names = list(DEFAULT_BEHAVIOURS)
    items, behaviours, times, offsets = [], [], [], [0]
    for row in rows:
        now = START_MS
        for event in row:
            item, behaviour, *given = event if isinstance(event, tuple) else (event, names[0])
            now = given[0] if given else now + MINUTE_MS
            items.append(item)
            behaviours.append(names.index(behaviour))
            times.append(now if clock else TIME_UNKNOWN)
        offsets.append(len(items))
    return Sessions(
        np.array(items, np.int32),
        np.array(behaviours, np.uint8),
        np.array(times, np.int64),
        np.array(offsets, np.int64),
        {},
    )


def make_visits(visits: Sequence[tuple[int, int, Sequence[tuple[int, str]]]]) -> Sessions:
    """Sessions (shopper, minutes after the last end, events a minute apart) in the order of their ends."""
    rows, end = [], START_MS
    for _, minutes, events in visits:
        end += minutes * MINUTE_MS
        began = end - (len(events) - 1) * MINUTE_MS
        rows.append([(item, behaviour, began + n * MINUTE_MS) for n, (item, behaviour) in enumerate(events)])
    return replace(make_sessions(rows), optional={"users": np.array([user for user, _, _ in visits], np.int32)})


def make_catalogue(
    sessions: Sessions, *, trained: int, newcomers: int = 0, tokens: Sequence[Sequence[str]] = ()
) -> Catalogue:
    """Items ``i0``, ``i1``, ... with the counts of ``sessions``; ``newcomers`` come after the ``trained`` ones."""
    size = trained + newcomers
    counts_NB = np.zeros((size, len(DEFAULT_BEHAVIOURS)), np.int64)
    np.add.at(counts_NB, (np.asarray(sessions.items, np.int64), np.asarray(sessions.behaviours, np.int64)), 1)
    vocabulary, token_ids, token_offsets = pack_tokens([*tokens, *[[]] * (size - len(tokens))])
    return Catalogue(
        item_ids=[f"i{item}" for item in range(size)],
        trained=trained,
        counts_NB=counts_NB,
        prices_N=np.linspace(1, 9, size, dtype=np.float32),
        names=[f"item {item}" for item in range(size)],
        vocabulary=vocabulary,
        token_ids=token_ids,
        token_offsets=token_offsets,
    )


def make_dataset(
    directory: Path,
    *,
    train: Sequence[Sequence[Event]],
    validation: Sequence[Sequence[Event]] = (),
    test: Sequence[Sequence[Event]] = (),
    trained: int,
    newcomers: int = 0,
    tokens: Sequence[Sequence[str]] = (),
    validation_cases: CaseRule = "every",
    test_cases: CaseRule = "every",
    clock: bool = True,
    config: Mapping[str, object] | None = None,
) -> Dataset:
    """Write a prepared data set into ``directory``, which is created, and open it; counts come from ``train``."""
    directory.mkdir(parents=True)
    ends = np.cumsum([0, len(train), len(validation), len(test)]).tolist()
    parts: dict[Part, tuple[int, int]] = {name: (a, b) for name, a, b in zip(PARTS, ends[:-1], ends[1:], strict=True)}
    catalogue = make_catalogue(make_sessions(train), trained=trained, newcomers=newcomers, tokens=tokens)
    write_dataset(
        directory,
        sessions=make_sessions([*train, *validation, *test], clock=clock),
        catalogue=catalogue,
        behaviours=Behaviours(),
        parts=parts,
        validation_cases=validation_cases,
        test_cases=test_cases,
        about={"name": directory.name, "config": {"repeats": "keep"} | dict(config or {}), "counts": {"train": 1}},
    )
    return load_dataset(directory)


def random_rows(count: int, *, items: int, longest: int = 8, seed: int = 0) -> list[list[Event]]:
    """Sessions of 2 to ``longest`` events with all behaviours and gaps from seconds to days."""
    rng = np.random.default_rng(seed)
    rows: list[list[Event]] = []
    for _ in range(count):
        length = int(rng.integers(2, longest + 1))
        times = START_MS + np.cumsum(np.exp(rng.uniform(5, 18, length))).astype(int)
        names = [DEFAULT_BEHAVIOURS[index] for index in rng.choice(3, length, p=[0.7, 0.2, 0.1])]
        drawn = rng.integers(0, items, length).tolist()
        rows.append(list(zip(drawn, names, times.tolist(), strict=True)))
    return rows


def same_relations(one: Relations, other: Relations) -> None:
    """Assert that two sets of relations are equal, array for array."""
    for name in RELATIONS:
        for array in ("offsets", "items", "strengths"):
            np.testing.assert_array_equal(getattr(one.tables[name], array), getattr(other.tables[name], array))
    for array in ("offsets", "items", "strengths"):
        np.testing.assert_array_equal(getattr(one.bundles, array), getattr(other.bundles, array))
    for array in ("relations", "anchors", "items", "actions", "strengths", "from_ms", "until_ms"):
        np.testing.assert_array_equal(getattr(one.manual, array), getattr(other.manual, array))
