"""Raw shop log to a prepared data set: ``python -m training.prepare data=rees46 data.path=LOG out=DIR``.

Read the log and refuse it when too many rows are bad; sessionise; split by time; select items and sessions on the
training part alone; write arrays and catalogue. The directory appears atomically.

Shapes: N items, B behaviours.
"""

import dataclasses
import shutil
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import Enum
from functools import partial
from pathlib import Path
from typing import Any

import ibis.expr.types as ir
import numpy as np
from omegaconf import MISSING
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from tillside.atomic import atomic_directory
from tillside.catalogue import Catalogue
from tillside.dataset import PARTS, Dataset, load_dataset, write_dataset
from tillside.events import TIME_UNKNOWN
from training.cli.command import command
from training.data.engine import QueryEngine, open_engine
from training.data.preparation.cataloguing import build_catalogue, recent_events
from training.data.preparation.rejects import Rejects, collect_rejects, good_events
from training.data.preparation.selection import Selection, code_events, hold_out, rank_items, select_sessions
from training.data.preparation.sessionising import Repeats, make_sessions, number_items
from training.data.preparation.splits import SplitBy, SplitConfig, leave_one_out, split_sessions, training_ends
from training.data.readers import Log, LogConfig

STAGES = 6
MOST_NAMED = 100
"""Maximum characters of a data set's name."""


@dataclass
class PrepareConfig:
    """Settings of ``training.prepare``; configs/prepare.yaml explains them."""

    out: str = MISSING
    data: LogConfig = MISSING
    name: str | None = None
    session_gap_minutes: float | None = None
    repeats: Repeats = Repeats.keep
    max_session_length: int | None = None
    min_item_support: int | None = None
    min_session_length: int = 2
    split: SplitConfig = field(default_factory=SplitConfig)
    max_reject_share: float = 0.01
    holdout_items: float = 0.0
    seed: int = 0

    def resolved(self) -> "PrepareConfig":
        """A copy with every default filled in.

        Raises:
            ValueError: a setting is out of range or does not fit the log.
        """
        given = self.data.split_is_given
        if self.name is not None and not (self.name.isprintable() and 0 < len(self.name.strip()) <= MOST_NAMED):
            raise ValueError(f"name must be null or 1 to {MOST_NAMED} printable characters, got {self.name!r}")
        if self.session_gap_minutes is not None and not self.session_gap_minutes > 0:
            raise ValueError(f"session_gap_minutes must be above 0 or null, got {self.session_gap_minutes}")
        if self.max_session_length is not None and self.max_session_length < 2:
            raise ValueError(f"max_session_length must be at least 2 or null, got {self.max_session_length}")
        if given and (self.session_gap_minutes or self.max_session_length or self.repeats is not Repeats.keep):
            raise ValueError(
                f"session_gap_minutes, max_session_length and repeats cannot be set for data={self.data.name}: "
                "its sessions and cases are given"
            )
        if not self.data.has_clock and self.session_gap_minutes:
            raise ValueError(f"session_gap_minutes must be null for data={self.data.name}, which has no clock")
        split = self.split.resolved(split_is_given=given, has_clock=self.data.has_clock)
        published = split.by in (SplitBy.given, SplitBy.leave_one_out)  # published protocols keep every item
        support = (1 if published else 5) if self.min_item_support is None else self.min_item_support
        for name, value in (("min_item_support", support), ("min_session_length", self.min_session_length)):
            if value < 1:
                raise ValueError(f"{name} must be at least 1, got {value}")
        if not 0 <= self.holdout_items < 1:
            raise ValueError(f"holdout_items must be at least 0 and below 1, got {self.holdout_items}")
        if self.seed < 0:
            raise ValueError(f"seed must not be negative, got {self.seed}")
        if not 0 <= self.max_reject_share <= 1:
            raise ValueError(f"max_reject_share must be between 0 and 1, got {self.max_reject_share}")
        return dataclasses.replace(self, min_item_support=support, split=split)


def prepare(config: PrepareConfig, *, on_stage: Callable[[str], None] = lambda stage: None) -> Dataset:
    """Prepare a log and open the result.

    Args:
        on_stage: called with a short label as each of the STAGES begins.

    Raises:
        ValueError: a setting, a file or too many of its rows are bad, or nothing is left; nothing is written then.
    """
    config = config.resolved()
    out = Path(config.out)
    with atomic_directory(out, marks=["dataset.json"]) as directory:
        scratch = directory / "scratch"
        scratch.mkdir()
        with open_engine(scratch) as engine:
            on_stage("reading the log")
            log = config.data.read(engine)
            rejects = collect_rejects(engine, log, max_reject_share=config.max_reject_share)

            on_stage("making sessions")
            taken = good_events(log)
            numbered = number_items(engine, taken, log.items)
            events = make_sessions(
                engine,
                taken,
                numbered,
                gap_minutes=config.session_gap_minutes,
                repeats=config.repeats,
                max_length=config.max_session_length,
            )

            on_stage("parting train, validation and test")
            if config.split.by is SplitBy.leave_one_out:
                events = leave_one_out(engine, events)
            sessions = split_sessions(engine, events, config.split)

            on_stage("choosing items and sessions")
            items, coded, selection = _select(config, engine, log, events, sessions, numbered)

            on_stage("building the catalogue")
            catalogue, selection = _catalogue(engine, log, coded, items, sessions, selection)

            on_stage("writing")
            rejects.write(directory / "rejects.csv")
        shutil.rmtree(scratch)
        write_dataset(
            directory,
            sessions=selection.sessions,
            catalogue=catalogue,
            behaviours=log.behaviours,
            parts=selection.parts,
            validation_cases="last" if config.split.by is SplitBy.leave_one_out else "every",
            test_cases="last" if config.split.by in (SplitBy.given, SplitBy.leave_one_out) else "every",
            about=_about(config, log, rejects, selection, catalogue),
        )
    return load_dataset(out)


def _select(
    config: PrepareConfig, engine: QueryEngine, log: Log, events: ir.Table, sessions: ir.Table, numbered: ir.Table
) -> tuple[ir.Table, ir.Table, Selection]:
    """Rank the items by the training part alone, hold some out if the config says so, and keep sessions of them.

    Returns:
        The items, the events of the kept sessions with item indices, and the sessions as arrays.
    """
    assert config.min_item_support is not None
    ranked = partial(rank_items, behaviours=log.behaviours, min_support=config.min_item_support)
    items = ranked(engine, events, sessions, numbered)
    if config.holdout_items:
        share, seed = config.holdout_items, config.seed
        events = hold_out(engine, events, sessions, items, share=share, seed=seed)
        items = ranked(engine, events, sessions, numbered)
    coded = code_events(engine, events, sessions, items)
    engine.drop(events)
    taken = good_events(log)
    selection = select_sessions(engine, coded, sessions, events=taken, min_length=config.min_session_length)
    _refuse_empty_parts(selection, config.split)
    return items, coded, selection


def _catalogue(
    engine: QueryEngine, log: Log, coded: ir.Table, items: ir.Table, sessions: ir.Table, selection: Selection
) -> tuple[Catalogue, Selection]:
    """The catalogue, with attributes and recent popularity, and the selection by its indices."""
    catalogue, place_N = build_catalogue(
        engine,
        coded,
        items,
        log.items,
        events=good_events(log),
        before=training_ends(engine, sessions),
        attributes=log.attributes,
        behaviours=log.behaviours,
    )
    selection = selection.renumbered(place_N)
    train = selection.sessions.slice(*selection.parts["train"])
    recent_NB = recent_events(train, items=len(catalogue), behaviours=len(log.behaviours))
    return dataclasses.replace(catalogue, recent_NB=recent_NB), selection


def _refuse_empty_parts(selection: Selection, split: SplitConfig) -> None:
    wanted = {"validation": split.validation, "test": split.test}
    for name in PARTS:
        start, end = selection.parts[name]
        if start == end and wanted.get(name):
            raise ValueError(
                f"the {name} part holds no session of two events or more; raise split.{name} (now {wanted[name]:g}, "
                f"by {split.by.value}), set it to 0, or give a longer log"
            )


def _about(
    config: PrepareConfig, log: Log, rejects: Rejects, selection: Selection, catalogue: Catalogue
) -> dict[str, Any]:
    counts: dict[str, Any] = {
        "rows": rejects.rows,
        "rejected": rejects.reasons,
        "skipped": rejects.skipped,
        "items": len(catalogue),
        "items_trained": catalogue.trained,
        "items_rankable": catalogue.rankable,
        "parts": {},
    }
    times = {}
    arrays = selection.sessions
    for name, (start, end) in selection.parts.items():
        first, last = arrays.offsets[start], arrays.offsets[end]
        items, behaviours, clock = arrays.items[first:last], arrays.behaviours[first:last], arrays.times[first:last]
        counted = np.bincount(behaviours, minlength=len(log.behaviours)).tolist()
        counts["parts"][name] = {
            "sessions": end - start,
            "events": int(last - first),
            "items": len(np.unique(items)),
            "behaviours": dict(zip(log.behaviours.names, counted, strict=True)),
            "untrained_share": float((items >= catalogue.trained).mean()) if len(items) else 0.0,
            "sessions_dropped_short": selection.dropped[name],
        }
        known = len(clock) and clock[0] != TIME_UNKNOWN
        times[name] = [_iso(clock.min()), _iso(clock.max())] if known else None
    return {
        "name": config.name or config.data.name,
        "created_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "sources": [
            {"path": str(source.path), "bytes": source.size, "sha256": source.sha256} for source in log.sources
        ],
        "counts": counts,
        "time_ranges": times,
        "config": _plain(dataclasses.asdict(config)),
    }


def _iso(milliseconds: Any) -> str:
    return (
        datetime.fromtimestamp(int(milliseconds) / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    )


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _plain(entry) for key, entry in value.items()}
    return value.value if isinstance(value, Enum) else value


def summary(dataset: Dataset, *, seconds: float) -> Table:
    """The summary table printed at the end of a run."""
    counts, ranges = dataset.about["counts"], dataset.about["time_ranges"]
    table = Table(title=f"{dataset.path}  ({dataset.name}, {seconds:.1f} s)", title_justify="left")
    table.add_column("part")
    for name in ("sessions", "events", *dataset.behaviours.names, "items", "untrained", "too short"):
        table.add_column(name, justify="right")
    table.add_column("from, to (UTC)")
    for part in PARTS:
        row = counts["parts"][part]
        numbers = [row["sessions"], row["events"], *(row["behaviours"][name] for name in dataset.behaviours.names)]
        numbers.append(row["items"])
        cells = [f"{number:,}" for number in numbers]
        cells += [f"{row['untrained_share']:.2%}", f"{row['sessions_dropped_short']:,}"]
        span = " to ".join(moment[:16].replace("T", " ") for moment in ranges[part]) if ranges[part] else "no clock"
        table.add_row(part, *cells, span)
    rejected = "; ".join(f"{count:,} {reason}" for reason, count in counts["rejected"].items()) or "none"
    skipped = "; ".join(f"{count:,} {reason}" for reason, count in counts["skipped"].items()) or "none"
    table.caption_justify = "left"
    cold = counts["items_rankable"] - counts["items_trained"]
    table.caption = (
        f"{counts['rows']:,} rows read; rejected: {rejected}; skipped: {skipped}\n"
        f"{counts['items_trained']:,} trained items and {cold:,} cold ones of {counts['items']:,}; "
        f"digest {dataset.digest[:16]}"
    )
    return table


@command("prepare", PrepareConfig)
def main(config: PrepareConfig) -> None:
    """Prepare, with a progress bar on a terminal and a summary at the end."""
    started = time.perf_counter()
    columns = (TextColumn("{task.description:<36}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    errors = Console(stderr=True)
    with Progress(*columns, console=errors, transient=True, disable=not sys.stderr.isatty()) as progress:
        task = progress.add_task("", total=STAGES, completed=-1)

        def on_stage(stage: str) -> None:
            progress.update(task, description=stage, advance=1)

        dataset = prepare(config, on_stage=on_stage)
    console = Console() if sys.stdout.isatty() else Console(width=140)
    console.print(summary(dataset, seconds=time.perf_counter() - started))
    console.print(f"next: python -m training.train dataset={dataset.path}", highlight=False, soft_wrap=True)


if __name__ == "__main__":
    main()
