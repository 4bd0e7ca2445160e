"""What the sources of a policy should weigh: ``python -m training.weigh run=RUN_ID policy=FILE relations=DIR``.

Every placement is asked about the validation sessions, which neither the model nor the relations may have seen: the
run is trained with ``trainer.refit=false``, the relations are mined with ``training.relate validation=false``. What is
printed goes into the policy file by hand; test sessions are never looked at.
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
from training.evaluation.placements.proposals import ask_placement, open_shelves, scorer_of
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
    """Which policy to weigh, with which model and relations."""

    run: str = "???"
    """A run's id; its model must not have learned from the validation part (trainer.refit=false)."""
    policy: str | None = None
    """A policy file: its placements and their sources."""
    relations: str | None = None
    """A folder that training.relate validation=false wrote; needed if a placement asks for a relation."""
    dataset: str | None = None
    """Default: the data set the run was trained on, where it lay then."""
    items_feed: str | None = None
    """What the shop knows of its items. Default: what the catalogue says, stock unknown."""
    k: int = 5
    """Items shown while the strength of diversity is chosen."""
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
    """For each placement what to write into the policy file, and the attach rates on validation that it comes from.

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
    scorer = scorer_of(trained, dataset)
    shelves = open_shelves(dataset, scorer, feed=feed)
    found: dict[str, dict[str, Any]] = {}
    for name, placement in policy.placements.items():
        asked = ask_placement(trained, scorer, dataset, policy, name, part="validation", k=k)
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
    """Learn, and say what to write."""
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
    title = f"{dataset.about['name']}: attach rate@{config.k} on validation, by strength of diversity"
    print_table(title, columns, rows, numbers=columns[1:])
    document = {"placements": {name: told["file"] for name, told in found.items()}}
    say(yaml.safe_dump(document, sort_keys=False, default_flow_style=None).rstrip())


if __name__ == "__main__":
    main()
