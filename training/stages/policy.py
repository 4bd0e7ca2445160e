"""How a policy is checked, shown and compared."""

import sys
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Final

from tillside.bundle import open_bundle
from tillside.catalogue import Catalogue
from tillside.dataset import Dataset, load_dataset
from tillside.policy import ItemFacts, ItemsFeed, Policy, parse_policy, read_feed
from tillside.policy.file.names import policy_mistakes
from tillside.policy.merchandising import NOTHING_BY_HAND, ByHand, known_names, read_by_hand
from tillside.policy.needs import unmet_needs
from tillside.relations import Relations
from training.cli.console import say
from training.cli.progress import step
from training.evaluation.placements.chances import with_model
from training.evaluation.placements.preview import Moment, differences, lines_of, preview
from training.evaluation.placements.shop import OfflineShop
from training.evaluation.run import open_run
from training.mining.stored import observations_of, relations_of
from training.settings.policy import Action, PolicyConfig

MISTAKEN: Final = 1
"""Exit code where a policy has mistakes; 2 means, as everywhere, that the command could not begin."""


@dataclass(frozen=True)
class Shop:
    """What a policy's names and needs are looked up in."""

    catalogue: Catalogue
    behaviours: tuple[str, ...]
    relations: Relations | None
    feed: ItemsFeed | None

    @property
    def facts(self) -> ItemFacts:
        """Item facts under the feed."""
        facts = ItemFacts.of_catalogue(self.catalogue)
        return facts if self.feed is None else facts.with_feed(self.feed)


def mistakes(text: str, name: str, shop: Shop) -> list[str]:
    """Every mistake of a policy file in one sentence, by line."""
    return policy_mistakes(text, known_names(shop.facts), name=name, behaviours=shop.behaviours)


def needs(policy: Policy, shop: Shop) -> list[str]:
    """What a policy asks for that the shop does not have, so that it shows less than it says."""
    relations = shop.relations or Relations.empty(items=len(shop.catalogue))
    return unmet_needs(policy, shop.facts.fitted(relations.fitting), relations)


def run(config: PolicyConfig) -> None:
    """Check, and then show or compare."""
    assert config.policy is not None
    feed = read_feed(Path(config.items_feed)) if config.items_feed else None
    trained = dataset = None
    if config.run is not None:
        trained, dataset = open_run(config.run, config.tracking, config.dataset)
    shop = _shop(config, dataset, feed)
    by_hand = read_by_hand(Path(config.by_hand)) if config.by_hand else NOTHING_BY_HAND
    policy = _checked(Path(config.policy), shop, by_hand)
    if config.do is Action.check:
        say(f"{config.policy}: no mistakes; {len(policy.placements)} placements: {', '.join(policy.placements)}")
        for need in needs(policy, shop):
            say(need)
        return
    assert trained is not None
    assert dataset is not None
    observations = observations_of(dataset, Path(config.relations) if config.relations else None)
    relations = with_model(shop.relations, trained, observations) or Relations.empty(items=len(dataset.catalogue))
    with step("preparing the shop"):
        offline = OfflineShop.of(trained, dataset, feed=feed, fitting=relations.fitting, by_hand=by_hand)
    index_of, offset = offline.facts.index_of, policy.utc_offset_hours
    manual = by_hand.relations_over(relations.manual, index_of=index_of, utc_offset_hours=offset).arrived(index_of)
    relations = replace(relations, manual=manual)

    def moments(shown: Policy) -> list[Moment]:
        names = None if config.placement is None else [config.placement]
        day = None if config.day is None else date.fromisoformat(config.day)
        return preview(offline, shown, relations, count=config.sessions, placements=names, day=day)

    if config.do is Action.preview:
        for line in lines_of(moments(policy), offline.facts):
            say(line)
        for need in needs(policy, shop):
            say(need)
        return
    assert config.before is not None
    before = _checked(Path(config.before), shop, by_hand)
    for line in differences(moments(before), moments(policy), offline.facts):
        say(line)


def _shop(config: PolicyConfig, dataset: Dataset | None, feed: ItemsFeed | None) -> Shop:
    folder = Path(config.relations) if config.relations else None
    if config.bundle is not None:
        bundle = open_bundle(Path(config.bundle))
        relations = Relations.load(folder, items=len(bundle.catalogue)) if folder else bundle.relations
        return Shop(bundle.catalogue, bundle.behaviours.names, relations, feed)
    if dataset is None:
        assert config.dataset is not None
        dataset = load_dataset(Path(config.dataset))
    return Shop(dataset.catalogue, dataset.behaviours.names, relations_of(dataset, folder), feed)


def _checked(path: Path, shop: Shop, by_hand: ByHand) -> Policy:
    """The policy of a file, with what is set by hand laid over it.

    Raises:
        SystemExit: it has mistakes, which were printed one a line.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise ValueError(f"{path}:1: the file is not UTF-8 ({error}); allowed: YAML in UTF-8") from None
    found = mistakes(text, str(path), shop)
    policy = None if found else parse_policy(text, name=str(path), behaviours=shop.behaviours)
    found += by_hand.mistakes(known_names(shop.facts), placements=policy.placements if policy else ())
    if policy is None or found:
        for line in found:
            say(line)
        sys.exit(MISTAKEN)
    return by_hand.over(policy)
