"""How a policy is shown and compared, by the model of a run; with a run it is checked here, too."""

from dataclasses import replace
from datetime import date
from pathlib import Path

from tillside.policy import Policy
from tillside.relations import Relations
from training.cli.console import say
from training.cli.progress import step
from training.evaluation.placements.chances import with_model
from training.evaluation.placements.preview import Moment, differences, lines_of, preview
from training.evaluation.placements.shop import OfflineShop
from training.evaluation.run import open_run
from training.mining.observed import observations_of
from training.settings.policy import Action, PolicyConfig
from training.stages.policy_check import by_hand_of, checked, feed_of, manual_pairs, needs, shop_of, tell


def run(config: PolicyConfig) -> None:
    """Check, and then show or compare."""
    assert config.policy is not None
    feed = feed_of(config)
    trained = dataset = None
    if config.run is not None:
        trained, dataset = open_run(config.run, config.tracking, config.dataset)
    shop = shop_of(config, dataset, feed)
    by_hand = by_hand_of(config)
    policy = checked(Path(config.policy), shop, by_hand)
    if config.do is Action.check:
        tell(config, policy, shop, by_hand)
        return
    assert trained is not None
    assert dataset is not None
    observations = observations_of(dataset, Path(config.relations) if config.relations else None)
    relations = with_model(shop.relations, trained, observations) or Relations.empty(items=len(dataset.catalogue))
    with step("preparing the shop"):
        offline = OfflineShop.of(trained, dataset, feed=feed, fitting=relations.fitting, by_hand=by_hand)
    relations = replace(relations, manual=manual_pairs(by_hand, relations, offline.facts, policy))

    day = None if config.day is None else date.fromisoformat(config.day)

    def moments(shown: Policy) -> list[Moment]:
        names = None if config.placement is None else [config.placement]
        return preview(offline, shown, relations, count=config.sessions, placements=names, day=day)

    if config.do is Action.preview:
        for line in lines_of(moments(policy), offline.facts):
            say(line)
        for need in needs(policy, shop, by_hand, day=day):
            say(need)
        return
    assert config.before is not None
    before = checked(Path(config.before), shop, by_hand)
    for line in differences(moments(before), moments(policy), offline.facts):
        say(line)
