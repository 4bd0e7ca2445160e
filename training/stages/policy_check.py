"""How a policy is checked against a shop: its mistakes, and what it needs and will not find. Without torch."""

import sys
import time
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Final

from tillside.bundle import open_bundle
from tillside.catalogue import Catalogue
from tillside.dataset import Dataset, load_dataset
from tillside.policy import ItemFacts, ItemsFeed, Policy, parse_policy, read_feed
from tillside.policy.file.names import policy_mistakes
from tillside.policy.file.tree import text_of
from tillside.policy.file.values import local_day
from tillside.policy.merchandising import NOTHING_BY_HAND, ByHand, known_names, read_by_hand
from tillside.policy.needs import unmet_needs
from tillside.policy.row_remarks import row_remarks
from tillside.relations import ManualPairs, Relations
from training.cli.console import say
from training.mining.stored import relations_of
from training.settings.policy import PolicyConfig

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


def needs(policy: Policy, shop: Shop, by_hand: ByHand = NOTHING_BY_HAND, *, day: date | None = None) -> list[str]:
    """What a policy asks for that the shop does not have, so that it shows less than it says, and which rows set by
    hand do nothing.

    Args:
        day: the shop's date; today if left out.
    """
    relations = shop.relations or Relations.empty(items=len(shop.catalogue))
    facts = by_hand.priced(shop.facts).fitted(relations.fitting)
    relations = replace(relations, manual=manual_pairs(by_hand, relations, facts, policy))
    day = day or local_day(int(time.time() * 1000), policy.utc_offset_hours)
    return [*row_remarks(by_hand, policy, facts, day=day), *unmet_needs(policy, facts, relations)]


def manual_pairs(by_hand: ByHand, relations: Relations, facts: ItemFacts, policy: Policy) -> ManualPairs:
    """Pairs set by hand, those of the relations among them, of the items that there are."""
    index_of, offset = facts.index_of, policy.utc_offset_hours
    return by_hand.relations_over(relations.manual, index_of=index_of, utc_offset_hours=offset).arrived(index_of)


def run(config: PolicyConfig) -> None:
    """Check a policy against a bundle or a data set."""
    assert config.policy is not None
    shop = shop_of(config, None, feed_of(config))
    by_hand = by_hand_of(config)
    tell(config, checked(Path(config.policy), shop, by_hand), shop, by_hand)


def tell(config: PolicyConfig, policy: Policy, shop: Shop, by_hand: ByHand) -> None:
    """Say that a policy has no mistakes, and what it needs."""
    say(f"{config.policy}: no mistakes; {len(policy.placements)} placements: {', '.join(policy.placements)}")
    for need in needs(policy, shop, by_hand, day=None if config.day is None else date.fromisoformat(config.day)):
        say(need)


def feed_of(config: PolicyConfig) -> ItemsFeed | None:
    """The items feed, if one is named."""
    return read_feed(Path(config.items_feed)) if config.items_feed else None


def by_hand_of(config: PolicyConfig) -> ByHand:
    """What merchandisers set beside the file."""
    return read_by_hand(Path(config.by_hand)) if config.by_hand else NOTHING_BY_HAND


def shop_of(config: PolicyConfig, dataset: Dataset | None, feed: ItemsFeed | None) -> Shop:
    """The shop of a bundle, or of a data set; that of the run, where one was opened."""
    folder = Path(config.relations) if config.relations else None
    if config.bundle is not None:
        bundle = open_bundle(Path(config.bundle))
        relations = Relations.load(folder, items=len(bundle.catalogue)) if folder else bundle.relations
        return Shop(bundle.catalogue, bundle.behaviours.names, relations, feed)
    if dataset is None:
        assert config.dataset is not None
        dataset = load_dataset(Path(config.dataset))
    return Shop(dataset.catalogue, dataset.behaviours.names, relations_of(dataset, folder), feed)


def checked(path: Path, shop: Shop, by_hand: ByHand) -> Policy:
    """The policy of a file, with what is set by hand laid over it.

    Raises:
        SystemExit: it has mistakes, which were printed one a line.
    """
    text = text_of(path)
    found = mistakes(text, str(path), shop)
    policy = None if found else parse_policy(text, name=str(path), behaviours=shop.behaviours)
    found += by_hand.mistakes(known_names(shop.facts), placements=policy.placements if policy else ())
    if policy is None or found:
        for line in found:
            say(line)
        sys.exit(MISTAKEN)
    return by_hand.over(policy)
