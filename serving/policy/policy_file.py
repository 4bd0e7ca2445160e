"""Load the policy for placements: the one put on the admin port, else the file the server was given, else the bundle's.

What a merchandiser set by hand beside it lies over it; the version covers both. An experiments file beside it lays what
its arms change between the two: every combination of arms that a shopper can be in is a policy of its own, made here,
so that none is parsed while somebody waits.
"""

import functools
import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import msgspec

from serving.protocol.errors import unreadable
from tillside.bundle import POLICY, Bundle
from tillside.experiments.reader import read_experiments
from tillside.experiments.terms import Experiment, Experiments, Overrides
from tillside.policy import ConflictError, Policy, parse_policy, policy_version
from tillside.policy.file.reader import VERSION_DIGITS
from tillside.policy.file.tree import over as merged
from tillside.policy.file.tree import text_of
from tillside.policy.merchandising import NOTHING_BY_HAND, ByHand

PUT_POLICY: Final = "PUT /v1/policy"
"""What stands in place of a file's name where the policy came by the admin port."""


MOST_COMBINATIONS: Final = 256
"""Combinations of arms that change the policy: as many policies are held in memory."""

Arms = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class LoadedPolicy:
    """A policy with its version and file name.

    Attributes:
        policy: with pins, bans and bundles set by hand laid over it.
        version: see :func:`tillside.policy.policy_version`; of the file and what lies over it.
        file: file name without its folder.
        by_hand: what was laid over it; its pairs and prices are for whoever has the items.
        experiments: what is tried on shoppers; None for nothing.
        arms: policy by the arms that change it, as (experiment, arm) in the order of the file; all others leave it.
    """

    policy: Policy
    version: str
    file: str
    by_hand: ByHand = NOTHING_BY_HAND
    experiments: Experiments | None = None
    arms: Mapping[Arms, "LoadedPolicy"] = field(default_factory=dict)


def load_policy(
    bundle: Bundle, given: Path | None, by_hand: ByHand = NOTHING_BY_HAND, experiments: Path | None = None
) -> LoadedPolicy | None:
    """Policy for a bundle; None if neither the merchandiser nor the server nor the bundle has one.

    Args:
        experiments: experiments file, whose arms are laid over the policy.

    Raises:
        ValueError: a file cannot be read, or holds mistakes (such as a behaviour that the bundle lacks), listed one
            per line with file, line, key and what is allowed; or there are experiments and no policy.
    """
    behaviours = bundle.behaviours.names
    if by_hand.policy is not None:
        text, file = by_hand.policy, PUT_POLICY
        version, name = _digest(text.encode()), PUT_POLICY
    else:
        path = given or bundle.policy
        if path is None:
            if experiments is not None:
                raise ValueError(f"experiments {experiments} need a policy: python -m serving --policy FILE")
            return None
        try:
            version, text = policy_version(path), text_of(path)
        except OSError as error:
            raise ValueError(f"policy {path} cannot be read: {unreadable(error, path)}") from None
        file, name = path.name, str(path)
    policy = parse_policy(text, name=name, behaviours=behaviours)
    tried = None
    if experiments is not None:
        try:
            tried = read_experiments(experiments)
        except OSError as error:
            raise ConflictError(f"experiments {experiments} cannot be read: {unreadable(error, experiments)}") from None
        except ValueError as error:  # the file's own mistakes are none of the policy's
            raise ConflictError(str(error)) from None

    def over(policy: Policy, version: str, **more: Any) -> LoadedPolicy:
        if by_hand.rows:
            version = _digest(version.encode() + msgspec.json.encode(by_hand))
        return LoadedPolicy(by_hand.over(policy), version, file, by_hand, **more)

    arms = {}
    for names, laid in _combinations(tried):
        root = functools.reduce(merged, (each.node for each in laid))
        try:
            own = parse_policy(text, name=name, behaviours=behaviours, overrides=root)
        except ValueError as error:  # each is right by itself
            raise ConflictError(str(error)) from None
        arms[names] = over(own, _digest("".join([version, *(each.text for each in laid)]).encode()))
    return over(policy, version, experiments=tried, arms=arms)


def _combinations(experiments: Experiments | None) -> Iterator[tuple[Arms, list[Overrides]]]:
    """Every set of arms that change the policy and that one shopper can be in at once, with what they lay over it.

    Raises:
        ValueError: there are too many.
    """
    found: list[tuple[Arms, list[Overrides], dict[str, Experiment]]] = [((), [], {})]
    for name, experiment in experiments.experiments.items() if experiments else ():
        changing = [(arm, term.policy) for arm, term in experiment.arms.items() if term.policy is not None]
        found += [
            ((*names, (name, arm)), [*laid, policy], {**within, name: experiment})
            for names, laid, within in found
            for arm, policy in changing
            if all(other.layer != experiment.layer and other.same_days(experiment) for other in within.values())
        ]
        if len(found) > MOST_COMBINATIONS:
            raise ValueError(
                f"experiments: their arms can be combined in more than {MOST_COMBINATIONS} ways; put those that need "
                "not run at once into one layer"
            )
    yield from ((names, laid) for names, laid, _ in found[1:])


def policy_text(by_hand: ByHand, given: Path | None, bundle: Path | None) -> tuple[str, str] | None:
    """Text of the policy file in force and where it comes from; None without one.

    Args:
        given: the server's policy file, if any.
        bundle: folder of the active bundle, if any.
    """
    if by_hand.policy is not None:
        return by_hand.policy, PUT_POLICY
    for path in (given, bundle and bundle / POLICY):
        if path is not None and path.is_file():
            return path.read_text(encoding="utf-8"), path.name
    return None


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:VERSION_DIGITS]
