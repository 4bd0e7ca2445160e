"""How a shop is simulated: sessions in batches of fixed size, each from its own random stream.

Shapes: S sessions of a batch, B purchases in it.
"""

import datetime
import json
import time
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import Final

import numpy as np

from tillside import __version__
from tillside.atomic import atomic_directory
from tillside.events import DEFAULT_BEHAVIOURS
from training.cli.command_lines import command_line
from training.cli.console import print_table, say
from training.cli.progress import Step, step
from training.settings.simulate import SimulateConfig
from training.simulator.demand import make_demand
from training.simulator.event_log import EventLog
from training.simulator.goods import DAY_MS, LEAST_ITEMS, Ints, make_goods
from training.simulator.scenes import make_scenes
from training.simulator.session_plans import Plans, World, first_visits, later_visits
from training.simulator.shoppers import arrivals, make_shoppers
from training.simulator.true_relations import make_relations
from training.simulator.truth_files import Outcomes, write_items, write_relations, write_scenes, write_stock
from training.simulator.walk import PURCHASE, Habits, Trail, walk

FORMAT_VERSION: Final = 1
BATCH: Final = 16_384
MOST: Final = 100_000_000
WAVES: Final = 4
"""Maximum length of a chain of visits that follow one another."""


def start_of(config: SimulateConfig) -> datetime.date:
    """Validate the config; returns the date on which the log begins.

    Raises:
        ValueError: a setting is out of its range; the message names setting, value and what is allowed.
    """
    bounds = {"seed": (0, 2**63 - 1), "items": (LEAST_ITEMS, 1_000_000), "sessions": (1, MOST), "shoppers": (1, MOST)}
    for name, (low, high) in (bounds | {"days": (1, 3660)}).items():
        value = getattr(config, name)
        if not low <= value <= high:
            raise ValueError(f"{name} must be a whole number from {low} to {high}, got {value}")
    for setting in fields(SimulateConfig):
        value = getattr(config, setting.name)
        if setting.type is float and not 0 <= value <= 1:
            raise ValueError(f"{setting.name} must be a share from 0 to 1, got {value}")
    try:
        start = datetime.date.fromisoformat(config.start)
    except ValueError:
        start = datetime.date.min
    if not 1970 <= start.year <= 2200:
        raise ValueError(f"start must be a date such as 2026-01-01, in the years 1970 to 2200, got {config.start!r}")
    return start


def simulate(config: SimulateConfig) -> dict[str, float]:
    """Write the shop into ``config.out`` atomically; returns counts and shares for the summary.

    Raises:
        ValueError: the config is out of range, or ``out`` holds something else.
    """
    start = start_of(config)
    root = np.random.SeedSequence(config.seed)
    for_shop, for_arrivals, for_batches = root.spawn(3)
    with atomic_directory(Path(config.out), marks=["truth/shop.json"]) as folder:
        with step("opening the shop"):
            world = _open_shop(np.random.default_rng(for_shop), config, start)
        begin = arrivals(
            np.random.default_rng(for_arrivals),
            sessions=config.sessions,
            start_ms=world.demand.start_ms,
            days=config.days,
        )
        outcomes = Outcomes(config.items)
        (folder / "truth").mkdir()
        with (
            EventLog(folder / "events.parquet", world.goods) as log,
            step("simulating visits", len(begin), unit="sessions") as filling,
        ):
            _fill(log, outcomes, world, config, begin, for_batches, filling)
        write_items(folder / "items.parquet", world.goods)
        truth = folder / "truth"
        outcomes.write(truth / "intent.parquet")
        write_relations(truth, world.goods, world.relations, outcomes.sold())
        write_stock(truth / "stock.parquet", world.goods, world.demand)
        write_scenes(truth / "scenes.parquet", world.goods, world.scenes)
        summary = _summary(outcomes, config)
        about = {key: value for key, value in asdict(config).items() if key != "out"}
        document = {
            "format_version": FORMAT_VERSION,
            "seed": config.seed,
            "tillside": __version__,
            "config": about,
            "counts": summary,
        }
        (truth / "shop.json").write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    return summary


def _open_shop(rng: np.random.Generator, config: SimulateConfig, start: datetime.date) -> World:
    start_ms = (start - datetime.date(1970, 1, 1)).days * DAY_MS
    goods_rng, relations_rng, demand_rng, shoppers_rng, scenes_rng = rng.spawn(5)
    goods = make_goods(goods_rng, items=config.items, start_ms=start_ms, days=config.days, new_items=config.new_items)
    relations = make_relations(relations_rng, goods)
    demand = make_demand(
        demand_rng,
        goods,
        start_ms=start_ms,
        days=config.days,
        day_of_year=start.timetuple().tm_yday,
        out_of_stock=config.out_of_stock,
    )
    return World(
        goods=goods,
        relations=relations,
        demand=demand,
        shoppers=make_shoppers(shoppers_rng, config.shoppers),
        scenes=make_scenes(scenes_rng, goods, relations, demand, days=config.days),
        end_ms=start_ms + config.days * DAY_MS,
    )


def _fill(
    log: EventLog,
    outcomes: Outcomes,
    world: World,
    config: SimulateConfig,
    begin: Ints,
    seeds: np.random.SeedSequence,
    filling: Step,
) -> None:
    habits = Habits(noise=config.noise, revisit=config.revisit, attach=config.attach)
    starts = range(0, len(begin), BATCH)
    sessions = 0
    for first in starts:
        rng = np.random.default_rng(seeds.spawn(1)[0])
        plans = first_visits(rng, world, begin[first : first + BATCH], anonymous=config.anonymous, scenes=config.scenes)
        follows = plans.after_S
        for _ in range(WAVES):
            trail = by_session(walk(rng, world, plans, habits))
            log.add(
                (
                    trail.session + sessions,
                    trail.item,
                    trail.behaviour,
                    trail.time,
                    np.where(plans.known_S == 1, plans.shopper_S, -1)[trail.session],
                    trail.quantity,
                    plans.scene_S[trail.session],
                )
            )
            outcomes.add(plans, trail, follows=follows)
            plans, follows, sessions = *_next_wave(rng, world, config, plans, trail, sessions), sessions + len(plans)
            if not len(plans):
                break
        last = first + BATCH >= len(begin)
        log.write_until(world.end_ms if last else int(begin[first + BATCH]))
        filling.advance(min(BATCH, len(begin) - first))


def _next_wave(
    rng: np.random.Generator, world: World, config: SimulateConfig, plans: Plans, trail: Trail, sessions: int
) -> tuple[Plans, Ints]:
    """Follow-up visits after the purchases of a batch, and the index of the session that each follows."""
    rows = np.flatnonzero(trail.behaviour == PURCHASE)
    later = later_visits(
        rng,
        world,
        plans,
        session_B=trail.session[rows],
        item_B=trail.item[rows],
        time_B=trail.time[rows],
        follow_up=config.follow_up,
    )
    return later, later.after_S + sessions


def by_session(trail: Trail) -> Trail:
    """The events sorted by session; stable, so each session's keep their order."""
    order = np.argsort(trail.session, kind="stable")
    columns = {column.name: getattr(trail, column.name)[order] for column in fields(Trail) if column.name in _EVENTS}
    return replace(trail, **columns)


_EVENTS: Final = ("session", "item", "behaviour", "time", "quantity", "state", "because")


def _summary(outcomes: Outcomes, config: SimulateConfig) -> dict[str, float]:
    events = int(outcomes.behaviours.sum())
    counts: dict[str, float] = {"events": events}
    counts |= {name: int(count) for name, count in zip(DEFAULT_BEHAVIOURS, outcomes.behaviours, strict=True)}
    counts |= {"sessions": events - outcomes.later, "items": config.items}
    counts |= {"buyers_share": round(outcomes.buyers(), 4)}
    counts |= {"repeat_share": round(outcomes.repeats / max(1, outcomes.later), 4)}
    return counts


def run(config: SimulateConfig) -> None:
    """Simulate a shop, print the summary and the next command."""
    began = time.perf_counter()
    summary = simulate(config)
    seconds = time.perf_counter() - began
    rows = [
        [name.replace("_", " "), f"{value:.1%}" if isinstance(value, float) else f"{value:,}"]
        for name, value in summary.items()
    ]
    rows += [["seconds", f"{seconds:.1f}"], ["events/s", f"{summary['events'] / seconds:,.0f}"]]
    print_table("simulated shop", ["what", "value"], rows, numbers=["value"])
    out = config.out
    settings = {"data": "events", "data.path": f"{out}/events.parquet", "data.items": f"{out}/items.parquet"}
    say(f"next:  {command_line('prepare', settings | {'out': f'{out}-dataset'})}")
