"""How relations are mined: counts, significance, compatibility, manual pairs, bundles.

Shapes: N items, S sessions, E events.
"""

import dataclasses
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import pandas as pd

from tillside.atomic import atomic_directory
from tillside.dataset import Dataset, Sessions, load_dataset
from tillside.events import Behaviours
from tillside.fitting.rules import Kin, Terms
from tillside.relations import ABOUT, RELATIONS, Bundles, ManualPairs, Relations, RelationTable
from tillside.relations.lifts import Lifts
from training.cli.console import print_table, say
from training.cli.progress import step
from training.evaluation.placements.observing import OF_RELATIONS, asked_for, observed_of_relations
from training.mining import backing, bundling, counting, lifts, pairing
from training.mining.association import association_rules, least_sessions, refuse_form, write_rules
from training.mining.compatibility import Compatibility, read_rules
from training.mining.engines import MiningEngine, open_mining
from training.mining.itemsets import frequent_sets
from training.mining.kin import kin_of, names_of
from training.mining.manual import read_manual
from training.mining.observed import OBSERVED
from training.mining.pairing import Evidence, Mined
from training.mining.report import report
from training.mining.significance import chance_of_meeting
from training.mining.stored import FOLDER
from training.mining.traits import Traits
from training.model.observations import Observations, save_observations
from training.settings.relate import RelateConfig

REPORT: Final = "report.md"
PARTS: Final = 6
"""Of mining, as progress counts them."""
ELSEWHERE: Final = (
    *("dataset", "out", "engine", "spark_master", "scratch"),
    *("rules_out", "rules_support", "rules_confidence"),
)
"""Settings that do not affect the result."""


@dataclass(frozen=True)
class Related:
    """Result of a run."""

    relations: Relations
    mined: Mapping[str, Mined]
    sets: bundling.Sets
    rules: pd.DataFrame | None
    """Association rules, if they were asked for."""
    observed: Observations
    """What relations mined without the validation part said of its questions."""


class Found(NamedTuple):
    """All that is mined.

    Attributes:
        pairs: those of each relation.
        sets: the item sets behind the ``bundle`` relation.
        kin: the categories that go together.
        lifts: how many times as often as by chance any two do.
        association: association rules, if they are asked for.
    """

    pairs: dict[str, Mined]
    sets: bundling.Sets
    kin: list[Kin]
    lifts: Lifts
    association: pd.DataFrame | None


def relate(config: RelateConfig, dataset: Dataset) -> Related:
    """Mine the relations of a data set.

    Raises:
        ValueError: a setting, a rule or a manual pair does not fit the data set.
    """
    catalogue, traits = dataset.catalogue, Traits.of(dataset.catalogue)
    rules = read_rules(Path(config.rules)) if config.rules else []
    fitting = Compatibility.of(rules, catalogue)
    manual = read_manual(Path(config.manual), catalogue.index_of) if config.manual else ManualPairs.of([])
    taken_codes = _taken(config.taken, dataset.behaviours)
    viewed_codes = _viewed(config.viewed, taken_codes, dataset.behaviours)
    with (
        tempfile.TemporaryDirectory(dir=config.scratch) as scratch,
        open_mining(config.engine, Path(scratch), master=config.spark_master) as engine,
    ):
        mining = partial(
            mine, engine, traits=traits, fitting=fitting, taken_codes=taken_codes, viewed_codes=viewed_codes
        )
        found = mining(config, dataset.learned(refit=config.validation))
        asked_by = asked_for(dataset, OF_RELATIONS)
        earlier = None if config.validation else found
        if config.validation and asked_by:
            with step("mining once more without the validation part, to learn what strengths are worth"):
                earlier = mining(dataclasses.replace(config, rules_out=None), dataset.learned(refit=False))
    with step("writing the tables of relations"):
        tables = tables_of(found.pairs, config, items=len(catalogue))
    bundles = Bundles.from_sets(found.sets.sets, found.sets.strengths.tolist())
    observed: Observations = {}
    if earlier is not None:
        with step("asking what strengths are worth"):
            unseen = tables_of(earlier.pairs, config, items=len(catalogue))
            terms = Terms(tuple(rules), tuple(earlier.kin))
            before = Relations(unseen, ManualPairs.of([]), Bundles.from_sets([], []), {}, terms, earlier.lifts)
            observed = observed_of_relations(before, dataset, asked_by)
    settings = {name: value for name, value in dataclasses.asdict(config).items() if name not in ELSEWHERE}
    about: dict[str, Any] = {
        "dataset": {"name": dataset.name, "digest": dataset.digest},
        "settings": settings,
        "counts": {name: len(table) for name, table in tables.items()}
        | {"bundles": len(bundles), "manual": len(manual) + len(manual.later), "rules": len(rules)},
    }
    mined = {name: pairs.only(tables[name].holds(pairs.anchors, pairs.items)) for name, pairs in found.pairs.items()}
    relations = Relations(tables, manual, bundles, about, Terms(tuple(rules), tuple(found.kin)), found.lifts)
    return Related(relations, mined, found.sets, found.association, observed)


def tables_of(mined: Mapping[str, Mined], config: RelateConfig, *, items: int) -> dict[str, RelationTable]:
    """The strongest partners of each item by relation."""
    return {
        name: RelationTable.of(pairs.anchors, pairs.items, pairs.strengths, items=items, most=config.partners)
        for name, pairs in mined.items()
    }


def mine(
    engine: MiningEngine,
    config: RelateConfig,
    sessions: Sessions,
    *,
    traits: Traits,
    fitting: Compatibility,
    taken_codes: list[int],
    viewed_codes: list[int],
) -> Found:
    """Mine all relations.

    Args:
        taken_codes: behaviours that take an item (cart, purchase), as coded in the sessions' arrays.
        viewed_codes: those that look at one.
    """
    with step("mining relations", PARTS + (config.rules_out is not None)) as mining:
        items, evidence = len(traits), Evidence(config.false_share, config.least, config.faintest)
        mining.begin("counting what was taken and seen")
        behaviours_E = np.asarray(sessions.behaviours)
        weights_S = counting.session_weights(sessions, half_life_days=config.half_life_days)
        common = {"items": items, "weights_S": weights_S, "longest": config.longest}
        taken = counting.acts_of(engine, sessions, np.isin(behaviours_E, taken_codes), **common)
        viewed_E = np.isin(behaviours_E, viewed_codes)
        views = counting.acts_of(engine, sessions, viewed_E, **common)

        mining.begin("complements")
        followed = counting.followed(engine, taken, soon_days=config.soon_days)
        bought = counting.together(engine, taken, np.zeros(items, np.int64))
        fits = fitting.fits(followed.anchors, followed.items)
        proven = pairing.complements(followed, taken, traits, fits, evidence=evidence)
        other = ~traits.same_category(followed.anchors, followed.items)
        kin = kin_of(followed.only(other), taken, traits, fitting, fits=fits[other], evidence=evidence)
        looked = counting.looked(engine, taken, views)
        looked = looked.only(~traits.same_category(looked.anchors, looked.items))
        looked = looked.only(fitting.fits(looked.anchors, looked.items))
        backed, kin = backing.backed(kin, followed.only(other & fits), looked, taken, traits, fitting)
        complement = backing.with_backing(
            proven, backed, followed, floor=config.backed, ruled_floor=config.backed_by_rule
        )
        mined = {"complement": complement}
        names = names_of(fitting, traits)
        lifted = lifts.lifts_of(followed, taken, traits.categories, names=names, rules=fitting.rules)

        mining.begin("substitutes")
        compared = counting.compared(engine, sessions, viewed_E, weights_S=weights_S)
        found = pairing.substitutes(compared, views, bought, traits, evidence=evidence)
        known = np.isin(
            found.anchors * items + found.items, mined["complement"].anchors * items + mined["complement"].items
        )
        mined["substitute"] = found.only(~known)

        mining.begin("brands and series")
        seen = views if len(views.sizes) else taken
        for name, groups in (("brand", traits.brands), ("series", traits.series)):
            met = counting.together(engine, seen, groups)
            mined[name] = pairing.of_one_group(met, groups, seen.counts_N, most=config.partners)
        mined["upsell"], mined["downsell"] = pairing.ladders(
            mined["substitute"], mined["series"], traits, least=config.price_step, most=config.price_most
        )

        mining.begin("bundles")
        chance = chance_of_meeting(taken.sizes, taken.counts_N)
        sets = bundling.bundles(engine, taken, bought, chance_of_meeting=chance, evidence=evidence, most=config.bundles)
        sets = bundling.compatible(sets, fitting.fits_together(sets.sets))
        goal = counting.acts_of(engine, sessions, behaviours_E == max(taken_codes), **common)
        purchased = counting.together(engine, goal, np.zeros(items, np.int64))
        alike = bundling.of_one_kind(sets, traits, purchased, bought, evidence=evidence)
        made = bundling.around_main_items(mined["complement"], traits, fitting)
        sets = bundling.joined(bundling.compatible(sets, ~alike), made, most=config.bundles)
        mined["bundle"] = bundling.as_pairs(sets)
        mining.begin("scenes and gifts")
        scenes_E = sessions.optional.get("scenes", np.full(len(sessions.items), -1))
        mined["scene"] = pairing.scene_mates(
            np.asarray(scenes_E), np.asarray(sessions.items), items=items, evidence=evidence
        )
        mined["gift"] = pairing.gifts(
            mined["complement"], taken, traits, share=config.gift_share, alone=config.gift_alone
        )
        association = None
        if config.rules_out is not None:
            mining.begin("association rules")
            floor = least_sessions(config.rules_support, sessions=len(taken.sizes))
            counted = frequent_sets(engine, taken.table, floor=floor)
            association = association_rules(counted, sessions=len(taken.sizes), confidence=config.rules_confidence)
    return Found({name: mined[name] for name in RELATIONS}, sets, kin, lifted, association)


def _taken(names: list[str] | None, behaviours: Behaviours) -> list[int]:
    """Codes of behaviours that take an item: those given, or the two strongest of three or more, else the strongest."""
    if names is None:
        return list(range(len(behaviours)))[-2 if len(behaviours) > 2 else -1 :]
    if not names:
        raise ValueError(f"taken must name a behaviour or be null; allowed: {', '.join(behaviours.names)}")
    return [behaviours.index(name) for name in names]


def _viewed(names: list[str] | None, taken: list[int], behaviours: Behaviours) -> list[int]:
    """Codes of behaviours that look at an item: those given, or all that are weaker than any that takes one."""
    if names is None:
        return list(range(min(taken)))
    found = [behaviours.index(name) for name in names]
    if not found or not set(found).isdisjoint(taken):
        raise ValueError(
            f"viewed must name behaviours that take nothing, or be null; got {', '.join(names) or 'none'}; "
            f"those that take are {', '.join(behaviours.names[code] for code in taken)}"
        )
    return found


def run(config: RelateConfig) -> None:
    """Mine relations, write tables and report, print the counts."""
    started = time.perf_counter()
    rules_out = None if config.rules_out is None else Path(config.rules_out)
    if rules_out is not None:
        refuse_form(rules_out)
    dataset = load_dataset(Path(config.dataset))
    related = relate(config, dataset)
    out = Path(config.out) if config.out else dataset.path / FOLDER
    text = report(
        related.mined,
        related.sets,
        related.relations.manual,
        dataset.catalogue,
        title=f"Relations of {dataset.name}",
        shown=config.shown,
    )
    with atomic_directory(out, marks=[ABOUT]) as folder:
        related.relations.save(folder)
        save_observations(folder / OBSERVED, related.observed)
        (folder / REPORT).write_text(text, encoding="utf-8")
    counts = related.relations.about["counts"]
    title = f"{out}  ({time.perf_counter() - started:.1f} s)"
    print_table(
        title, ["relation", "pairs"], [[name, f"{count:,}"] for name, count in counts.items()], numbers=["pairs"]
    )
    say(f"the strongest are in {out / REPORT}")
    if rules_out is not None and related.rules is not None:
        write_rules(related.rules, dataset.catalogue.item_ids, rules_out)
        say(f"{len(related.rules):,} association rules are in {rules_out}")
