"""Offline metrics of whole placements: attach rate, price recall, hit rate, coverage, diversity and rule violations.

Per placement of the policy and system, the document holds these metrics, with 95 % bootstrap intervals over sessions
for those that are means:

attach_rate@k      share of the questions with at least one of the k items shown in the answer
price_recall@k     summed price of the items shown that are in the answer, over that of all items in the answers
hit_rate@k         share of the items shown that are in the answer; per source under ``by_source``
coverage           share of the catalogue shown at least once
diversity          distinct finest categories over items, among the items shown whose category is known
rule_violations    number of hard-rule violations, by an independent check (``rule_check``)

Shapes: Q questions, N items, C cases, B behaviours.
"""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from tillside.atomic import write_text_atomically
from tillside.dataset import Dataset, Part
from tillside.policy import ItemFacts, ItemsFeed, PlacementRequest, Policy
from tillside.relations import RELATIONS, Relations
from training.cli.command_lines import command_line
from training.cli.console import print_table
from training.cli.progress import progress
from training.evaluation.metrics import intervals
from training.evaluation.placements.association_rules import AssociationRules
from training.evaluation.placements.chances import with_model
from training.evaluation.placements.proposals import placement_cases
from training.evaluation.placements.questions import Questions
from training.evaluation.placements.rule_check import broken_rules
from training.evaluation.placements.shop import OfflineShop
from training.evaluation.placements.systems import POLICY, Offer, Rivals, widened
from training.inputs.lookahead import taking
from training.model.checkpoint import TrainedModel
from training.model.observations import Observations

POLICY_FILE: Final = "policy.json"
K: Final = 5


def evaluate_policy(
    trained: TrainedModel,
    dataset: Dataset,
    policy: Policy,
    *,
    relations: Relations | None,
    observations: Observations | None = None,
    feed: ItemsFeed | None = None,
    part: Part = "test",
    k: int = K,
    seed: int = 0,
) -> dict[str, Any]:
    """Evaluate all systems on every placement of a policy, over the sessions of a part.

    Args:
        relations: None only for a policy that uses no relation.
        observations: what the relations said of validation questions.
        feed: item feed of the shop. It counts as fresh at every question, since logs do not record past stock levels.

    Raises:
        ValueError: a placement needs a behaviour that the log lacks, or relations where there are none, or no session
            of the part has an answer.
    """
    refuse_misfits(policy, dataset, relations)
    policy = widened(policy, k)
    rules = AssociationRules.fit(dataset, taken=taking(len(dataset.behaviours)), refit=trained.refitted)
    relations = with_model(relations, trained, observations) or Relations.empty(items=len(dataset.catalogue))
    shop = OfflineShop.of(trained, dataset, feed=feed, fitting=relations.fitting)
    document: dict[str, Any] = {
        "dataset": {"name": dataset.name, "digest": dataset.digest},
        "part": part,
        "k": k,
        "placements": {
            name: judge_placement(shop, policy, name, relations=relations, rules=rules, part=part, k=k, seed=seed)
            for name in progress(policy.placements, "asking the policy's placements")
        },
    }
    if not any(found["questions"] for found in document["placements"].values()):
        raise ValueError(
            f"{dataset.path}: no session of the {part} part has a question for {', '.join(policy.placements)}"
        )
    return document


def refuse_misfits(policy: Policy, dataset: Dataset, relations: Relations | None) -> None:
    """Raise ValueError if the policy needs a behaviour or relations that the data set lacks."""
    for name, placement in policy.placements.items():
        if placement.behaviour is not None and placement.behaviour not in dataset.behaviours.names:
            raise ValueError(
                f"placement {name} asks for behaviour {placement.behaviour!r}, which the log does not have; "
                f"allowed: {', '.join(dataset.behaviours.names)}"
            )
        asked = [source for source in placement.sources if source in RELATIONS]
        if asked and relations is None:
            raise ValueError(
                f"placement {name} asks for {', '.join(asked)}, but {dataset.path} has no relations; "
                f"make them with:  {command_line('relate', {'dataset': dataset.path})}"
            )


def judge_placement(
    shop: OfflineShop,
    policy: Policy,
    name: str,
    *,
    relations: Relations,
    rules: AssociationRules,
    part: Part,
    k: int,
    seed: int,
) -> dict[str, Any]:
    """Evaluate all systems on one placement: number of questions, and metrics per system."""
    asked = placement_cases(shop, policy, name, part=part, k=k)
    about = {
        "behaviour": asked.behaviour,
        "asked": "in the middle of the cart" if asked.at_cart else "in the middle of the session",
        "questions": len(asked.questions),
        "sessions": len(shop.dataset.part(part)),
    }
    if not len(asked.questions):
        return about | {"systems": {}}
    offers = Rivals(policy, shop.shelves_B[asked.ask], relations, rules).offers(asked.requests, asked.proposals, k=k)
    return about | judge_offers(offers, asked.questions, asked.requests, policy, shop.facts, k=k, seed=seed)


def judge_offers(
    offers: Mapping[str, Sequence[Offer]],
    questions: Questions,
    requests: Sequence[PlacementRequest],
    policy: Policy,
    facts: ItemFacts,
    *,
    k: int,
    seed: int,
) -> dict[str, Any]:
    """Metrics of every system, and the policy's paired attach-rate lead over each other system."""
    systems, attached = {}, {}
    for name, answers in progress(offers.items(), "drawing intervals by bootstrap"):
        broken: Counter[str] = Counter()
        for request, answer in zip(requests, answers, strict=True):
            broken += broken_rules(answer.items, policy, request, facts)
        hits = [np.isin(offer.items, answer) for offer, answer in zip(answers, questions.answers, strict=True)]
        attached[name] = np.array([hit.any() for hit in hits], float)
        systems[name] = {
            f"attach_rate@{k}": _mean(attached[name], questions, seed=seed),
            f"price_recall@{k}": _price_recall(answers, hits, questions, facts, seed=seed),
            f"hit_rate@{k}": _share(hits, [np.ones(len(hit), bool) for hit in hits], questions, seed=seed),
            "coverage": len({item for offer in answers for item in offer.items}) / len(facts),
            "diversity": _diversity(answers, questions, facts, seed=seed),
            "shown": sum(len(offer.items) for offer in answers),
            "rule_violations": broken.total(),
            "broken_rules": dict(sorted(broken.items())),
            "by_source": {
                source: {
                    "shown": sum(offer.sources.count(source) for offer in answers),
                    f"hit_rate@{k}": _share(
                        hits, [np.array(offer.sources) == source for offer in answers], questions, seed=seed
                    ),
                }
                for source in dict.fromkeys(source for offer in answers for source in offer.sources)
            },
        }
    ahead = {
        name: {f"attach_rate@{k}": _mean(attached[POLICY] - values_Q, questions, seed=seed)}
        for name, values_Q in attached.items()
        if POLICY in attached and name != POLICY
    }
    return {"systems": systems, "policy_ahead_of": ahead}


def _mean(values_Q: Any, questions: Questions, *, seed: int, weights_Q: Any = None) -> dict[str, float] | None:
    """(Weighted) mean over questions with its interval; questions of weight 0 are dropped, None if none is left."""
    sessions_Q = questions.sessions_Q
    if weights_Q is not None:
        kept = weights_Q > 0
        values_Q, sessions_Q, weights_Q = values_Q[kept], sessions_Q[kept], weights_Q[kept]
    if not len(values_Q):
        return None
    found: dict[str, float] = intervals({"mean": values_Q}, sessions_Q, seed=seed, weights_C=weights_Q)["mean"]
    return found


def _share(hits: Sequence[Any], chosen: Sequence[Any], questions: Questions, *, seed: int) -> dict[str, float] | None:
    """Hit share of the ``chosen`` items shown, pooled over all questions."""
    shown_Q = np.array([np.count_nonzero(own) for own in chosen], float)
    hits_Q = np.array([np.count_nonzero(hit & own) for hit, own in zip(hits, chosen, strict=True)], float)
    return _mean(hits_Q / np.maximum(shown_Q, 1), questions, seed=seed, weights_Q=shown_Q)


def _price_recall(
    answers: Sequence[Offer], hits: Sequence[Any], questions: Questions, facts: ItemFacts, *, seed: int
) -> dict[str, float] | None:
    """Price recall; items of unknown price count 0 in numerator and denominator."""
    prices_N = np.nan_to_num(facts.prices_N).astype(float)
    found_Q = np.array(
        [prices_N[np.array(offer.items, np.int64)[hit]].sum() for offer, hit in zip(answers, hits, strict=True)]
    )
    wanted_Q = np.array([prices_N[answer].sum() for answer in questions.answers])
    shares_Q = found_Q / np.where(wanted_Q > 0, wanted_Q, 1.0)
    return _mean(shares_Q, questions, seed=seed, weights_Q=wanted_Q)


def _diversity(
    answers: Sequence[Offer], questions: Questions, facts: ItemFacts, *, seed: int
) -> dict[str, float] | None:
    """Mean diversity over answers; None for a log without categories."""
    finest = [facts.categories.finest(int(code)) for code in range(len(facts.categories.sets))]
    codes_N = facts.categories.codes_N.tolist()
    known = [[path for item in offer.items if (path := finest[codes_N[item]])] for offer in answers]
    shares_Q = np.array([len(set(paths)) / max(len(paths), 1) for paths in known])
    return _mean(shares_Q, questions, seed=seed, weights_Q=np.array([bool(paths) for paths in known], float))


def write_policy_report(document: Mapping[str, Any], folder: Path) -> Path:
    """Write policy.json into a run's folder."""
    path = folder / POLICY_FILE
    write_text_atomically(path, json.dumps(document, indent=2, ensure_ascii=False) + "\n")
    return path


def policy_headline(document: Mapping[str, Any]) -> dict[str, float]:
    """Flat metrics for comparing runs, named ``policy/PLACEMENT/SYSTEM/METRIC``."""
    flat: dict[str, float] = {}
    for placement, judged in document["placements"].items():
        for system, figures in judged["systems"].items():
            for metric, value in figures.items():
                number = value.get("value") if isinstance(value, dict) else value
                if isinstance(number, int | float):
                    flat[f"policy/{placement}/{system}/{metric}"] = number
    return flat


def policy_tables(document: Mapping[str, Any], *, title: str) -> None:
    """Print the metrics of every placement's systems, and the hit rate of each source of the policy."""
    k = document["k"]
    metrics = [f"attach_rate@{k}", f"price_recall@{k}", f"hit_rate@{k}", "coverage", "diversity", "rule_violations"]
    columns = ["placement", "system", *metrics]
    rows = [
        [placement, system, *(_cell(figures[metric]) for metric in metrics)]
        for placement, judged in document["placements"].items()
        for system, figures in judged["systems"].items()
    ]
    counts = ", ".join(f"{judged['questions']:,} at {name}" for name, judged in document["placements"].items())
    print_table(f"{title}, questions: {counts}", columns, rows, numbers=metrics)
    sources = [
        [placement, source, f"{figures['shown']:,}", _cell(figures[f"hit_rate@{k}"])]
        for placement, judged in document["placements"].items()
        for source, figures in judged["systems"].get(POLICY, {}).get("by_source", {}).items()
    ]
    _ahead_table(document)
    names = ["shown", f"hit_rate@{k}"]
    print_table("the policy's items by source", ["placement", "source", *names], sources, numbers=names)


def _ahead_table(document: Mapping[str, Any]) -> None:
    """Print the policy's paired lead over each system; an interval above 0 is significant."""
    metric = f"attach_rate@{document['k']}"
    rows = [
        [
            placement,
            system,
            f"{ahead[metric]['value']:+.4f} [{ahead[metric]['low']:+.4f}, {ahead[metric]['high']:+.4f}]",
        ]
        for placement, judged in document["placements"].items()
        for system, ahead in judged.get("policy_ahead_of", {}).items()
    ]
    print_table("the policy is ahead", ["placement", "of", metric], rows, numbers=[metric])


def _cell(figure: Any) -> str:
    if isinstance(figure, dict):
        return f"{figure['value']:.4f} ±{(figure['high'] - figure['low']) / 2:.4f}"
    return "" if figure is None else f"{figure:.4f}" if isinstance(figure, float) else f"{figure:,}"
