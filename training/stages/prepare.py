"""How a raw log becomes a data set: read, sessionise, split, select, write.

Shapes: N items, B behaviours.
"""

import dataclasses
import shutil
import time
from datetime import UTC, datetime
from enum import Enum
from pathlib import Path
from typing import Any

import ibis.expr.types as ir
import numpy as np
from rich.table import Table

from tillside.atomic import atomic_directory
from tillside.catalogue import Catalogue
from tillside.cli.secrets import stripped
from tillside.dataset import PARTS, Dataset, load_dataset, write_dataset
from tillside.events import TIME_UNKNOWN
from tillside.recommenders import recent_events
from training.cli.command_lines import command_line
from training.cli.console import print_wide, say
from training.cli.progress import step
from training.data.engine import QueryEngine, open_engine
from training.data.preparation.cataloguing import build_catalogue
from training.data.preparation.duplicates import Duplicates, drop_duplicates
from training.data.preparation.rejects import Rejects, collect_rejects, good_events
from training.data.preparation.remarks import remarks
from training.data.preparation.selection import Selection, code_events, hold_out, rank_items, select_sessions
from training.data.preparation.sessionising import make_sessions, match_items, number_items
from training.data.preparation.splits import leave_one_out, split_sessions, training_ends
from training.data.preparation.support import choose_support
from training.data.readers import Log, read_log
from training.settings.prepare import PrepareConfig
from training.settings.split import SplitBy, SplitConfig

STAGES = 6
"""Of a preparation, as progress counts them."""


def prepare(config: PrepareConfig) -> Dataset:
    """Prepare a log and open the result.

    Raises:
        ValueError: a setting, a file or too many of its rows are bad, or nothing is left; nothing is written then.
    """
    config = config.resolved()
    out = Path(config.out).expanduser()
    with atomic_directory(out, marks=["dataset.json"]) as directory:
        scratch = directory / "scratch"
        scratch.mkdir()
        with step("preparing", STAGES) as preparing, open_engine(scratch) as engine:
            preparing.begin("reading the log")
            log = read_log(config.data, engine)
            rejects = collect_rejects(engine, log, max_reject_share=config.max_reject_share)

            preparing.begin("making sessions")
            taken, duplicates = drop_duplicates(engine, good_events(log), config.data.duplicates)
            numbered = number_items(engine, taken, log.items)
            matched = None if log.items is None else match_items(engine, numbered, log.items)
            events = make_sessions(
                engine,
                taken,
                numbered,
                gap_minutes=config.session_gap_minutes,
                repeats=config.repeats,
                max_length=config.max_session_length,
            )

            preparing.begin("parting train, validation and test")
            if config.split.by is SplitBy.leave_one_out:
                events = leave_one_out(engine, events)
            sessions = split_sessions(engine, events, config.split)

            preparing.begin("choosing items and sessions")
            given = config.min_item_support
            config, items, coded, selection = _select(config, engine, log, taken, events, sessions, numbered)

            preparing.begin("building the catalogue")
            catalogue, selection = _catalogue(engine, log, taken, coded, items, sessions, selection)

            preparing.begin("writing")
            rejects.write(directory / "rejects.csv")
        shutil.rmtree(scratch)
        with step("writing the data set"):
            write_dataset(
                directory,
                sessions=selection.sessions,
                catalogue=catalogue,
                behaviours=log.behaviours,
                parts=selection.parts,
                validation_cases="last" if config.split.by is SplitBy.leave_one_out else "every",
                test_cases="last" if config.split.by in (SplitBy.given, SplitBy.leave_one_out) else "every",
                short_parts=selection.short_parts,
                about=stripped(
                    _about(config, log, rejects, duplicates, selection, catalogue, support_chosen=given is None)
                    | ({} if matched is None else {"item_file": matched})
                ),
                whole=selection.whole,
            )
    return load_dataset(out)


def _select(
    config: PrepareConfig,
    engine: QueryEngine,
    log: Log,
    taken: ir.Table,
    events: ir.Table,
    sessions: ir.Table,
    numbered: ir.Table,
) -> tuple[PrepareConfig, ir.Table, ir.Table, Selection]:
    """Rank the items by the training part alone, hold some out if the config says so, and keep sessions of them.

    Args:
        taken: the log's events that are read.
        events: the same in sessions.

    Returns:
        The config with a support that follows from the log where none was given, the items, the events of the kept
        sessions with item indices, and the sessions as arrays.
    """

    def ranked(support: int) -> ir.Table:
        return rank_items(engine, events, sessions, numbered, behaviours=log.behaviours, min_support=support)

    if config.min_item_support is None:
        length = config.min_session_length
        support, items = choose_support(engine, events, sessions, ranked, min_length=length)
        config = dataclasses.replace(config, min_item_support=support)
    else:
        support = config.min_item_support
        items = ranked(support)
    if config.holdout_items:
        share, seed = config.holdout_items, config.seed
        events = hold_out(engine, events, sessions, items, share=share, seed=seed)
        items = ranked(support)
    coded = code_events(engine, events, sessions, items)
    engine.drop(events)
    uncut = config.split.by not in (SplitBy.given, SplitBy.leave_one_out)  # in those a session may end before its end
    selection = select_sessions(
        engine,
        coded,
        sessions,
        events=taken,
        min_length=config.min_session_length,
        repeats=config.repeats,
        goal=len(log.behaviours) - 1 if uncut and len(log.behaviours) > 1 else None,
    )
    _refuse_empty_parts(selection, config.split)
    return config, items, coded, selection


def _catalogue(
    engine: QueryEngine,
    log: Log,
    taken: ir.Table,
    coded: ir.Table,
    items: ir.Table,
    sessions: ir.Table,
    selection: Selection,
) -> tuple[Catalogue, Selection]:
    """The catalogue, with attributes and recent popularity, and the selection by its indices."""
    catalogue, place_N = build_catalogue(
        engine,
        coded,
        items,
        log.items,
        events=taken,
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
    config: PrepareConfig,
    log: Log,
    rejects: Rejects,
    duplicates: Duplicates,
    selection: Selection,
    catalogue: Catalogue,
    *,
    support_chosen: bool,
) -> dict[str, Any]:
    counts: dict[str, Any] = {
        "rows": rejects.rows,
        "rejected": rejects.reasons,
        "skipped": rejects.skipped,
        "cleared": rejects.cleared,
        "duplicates": duplicates.document(),
        "support_chosen": support_chosen,
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
    for name in ("sessions", "events", *dataset.behaviours.names, "items", "events of untrained items", "too short"):
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
        f"{counts['rows']:,} rows read; rejected: {rejected}; skipped: {skipped}; "
        f"copies left out: {counts['duplicates']['dropped']:,}\n"
        f"{counts['items_trained']:,} trained items and {cold:,} cold ones of {counts['items']:,}; "
        f"digest {dataset.digest[:16]}"
    )
    return table


def run(config: PrepareConfig) -> None:
    """Prepare, and print a summary and the next command."""
    started = time.perf_counter()
    dataset = prepare(config)
    print_wide(summary(dataset, seconds=time.perf_counter() - started))
    for remark in remarks(dataset):
        say(f"note: {remark}")
    say(f"next: {command_line('train', {'dataset': dataset.path})}")
