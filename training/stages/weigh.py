"""How the weights of a policy's sources are fitted on validation sessions.

Shapes: B behaviours.
"""

from pathlib import Path
from typing import Any

import yaml

from tillside.dataset import Dataset
from tillside.policy import Policy, read_feed, read_policy
from tillside.policy.items.feed import ItemsFeed
from tillside.relations import Relations
from training.cli.console import print_table, say
from training.cli.progress import progress
from training.evaluation.placements.metrics import refuse_misfits
from training.evaluation.placements.proposals import placement_cases
from training.evaluation.placements.shop import OfflineShop
from training.evaluation.placements.source_weights import (
    STRENGTHS,
    Lists,
    attach_rates,
    fit_weights,
    steadiest,
    weighed,
)
from training.evaluation.placements.systems import widened
from training.evaluation.run import open_run
from training.mining.stored import relations_of
from training.model.checkpoint import TrainedModel
from training.settings.weigh import WeighConfig


def weigh(
    trained: TrainedModel,
    dataset: Dataset,
    policy: Policy,
    *,
    relations: Relations | None,
    feed: ItemsFeed | None = None,
    k: int = 5,
) -> dict[str, dict[str, Any]]:
    """By placement: the settings to write into the policy file, and the validation attach rates behind them.

    Raises:
        ValueError: the model or the relations have seen the validation part, or the policy does not fit the data set.
    """
    if trained.refitted:
        raise ValueError("the run has learned from the validation part too; train one with trainer.refit=false")
    if relations is not None and relations.about.get("settings", {}).get("validation") is not False:
        raise ValueError(
            "the relations were mined from the validation part too; "
            f"run python -m training.relate dataset={dataset.path} validation=false out=DIR and give relations=DIR"
        )
    refuse_misfits(policy, dataset, relations)
    policy = widened(policy, k)
    relations = relations or Relations.empty(items=len(dataset.catalogue))
    shop = OfflineShop.of(trained, dataset, feed=feed, fitting=relations.fitting)
    found: dict[str, dict[str, Any]] = {}
    for name, placement in progress(policy.placements.items(), "weighing the sources of placements"):
        asked = placement_cases(shop, policy, name, part="validation", k=k)
        shelves = shop.shelves_B[asked.ask]
        told = (asked.requests, asked.proposals.candidates, asked.questions.answers)
        lists = Lists.of(policy, *told, shelves=shelves, relations=relations)
        if not len(lists):
            continue
        learned = fit_weights(lists).round(2).tolist()
        weights = dict(zip(placement.sources, learned, strict=True))
        tried = [weighed(policy, name, weights, strength) for strength in STRENGTHS]
        before, *rates = attach_rates([policy, *tried], *told, shelves=shelves, relations=relations)
        strength = STRENGTHS[steadiest(rates)]
        found[name] = {
            "questions": len(asked.questions),
            "before": before,
            "rates": dict(zip(STRENGTHS, rates, strict=True)),
            "file": {"fusion": "odds", "sources": weights, "rules": {"diversity": {"strength": strength}}},
        }
    if not found:
        raise ValueError(f"{dataset.path}: no session of the validation part has a question with a candidate bought")
    return found


def run(config: WeighConfig) -> None:
    """Fit the weights and print what to write."""
    assert config.policy is not None
    policy = read_policy(Path(config.policy))
    feed = read_feed(Path(config.items_feed)) if config.items_feed else None
    trained, dataset = open_run(config.run, config.tracking, config.dataset)
    relations = relations_of(dataset, Path(config.relations)) if config.relations else None
    found = weigh(trained, dataset, policy, relations=relations, feed=feed, k=config.k)
    rows = [
        [name, f"{told['questions']:,}", f"{told['before']:.4f}", *(f"{rate:.4f}" for rate in told["rates"].values())]
        for name, told in found.items()
    ]
    columns = ["placement", "questions", "as it is", *(f"{strength:g}" for strength in STRENGTHS)]
    title = f"{dataset.name}: attach rate@{config.k} on validation, by strength of diversity"
    print_table(title, columns, rows, numbers=columns[1:])
    document = {"placements": {name: told["file"] for name, told in found.items()}}
    say(yaml.safe_dump(document, sort_keys=False, default_flow_style=None).rstrip())
