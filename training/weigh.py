"""Fit the weights of a policy's sources: ``python -m training.weigh run=RUN_ID policy=FILE relations=DIR``.

Every placement is evaluated on the validation sessions, which neither model nor relations may have seen: the run is
trained with ``trainer.refit=false``, the relations are mined with ``training.relate validation=false``. The printed
settings are copied into the policy file by hand; test sessions are never read.

Shapes: B behaviours.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from tillside.dataset import Dataset
from tillside.policy import Policy, read_feed, read_policy
from tillside.policy.items.feed import ItemsFeed
from tillside.relations import Relations
from training.cli.command import command
from training.cli.console import print_table, say
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
from training.evaluation.run import open_run
from training.mining.stored import relations_of
from training.model.checkpoint import TrainedModel
from training.tracking.tracker import TrackingConfig


@dataclass
class WeighConfig:
    """Whose source weights to fit, with which model and relations."""

    run: str = "???"
    """A run's id; its model must not have learned from the validation part (trainer.refit=false)."""
    policy: str | None = None
    """Policy file with the placements and their sources."""
    relations: str | None = None
    """Folder written by training.relate validation=false; needed if a placement uses a relation."""
    dataset: str | None = None
    """Default: the data set that the run was trained on, at its path then."""
    items_feed: str | None = None
    """Items feed of the shop. Default: the catalogue, stock unknown."""
    k: int = 5
    """Items shown per placement (attach rate@k) when the strength of diversity is chosen."""
    tracking: TrackingConfig = field(default_factory=TrackingConfig)

    def __post_init__(self) -> None:
        if self.policy is None:
            raise ValueError("policy must be given, as policy=FILE")
        if not 1 <= self.k <= 100:
            raise ValueError(f"k must be from 1 to 100, got {self.k}")


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
    relations = relations or Relations.empty(items=len(dataset.catalogue))
    shop = OfflineShop.of(trained, dataset, feed=feed)
    found: dict[str, dict[str, Any]] = {}
    for name, placement in policy.placements.items():
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


@command("weigh", WeighConfig)
def main(config: WeighConfig) -> None:
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


if __name__ == "__main__":
    main()
