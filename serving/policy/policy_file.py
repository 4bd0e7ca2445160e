"""Load the policy for placements: the one put on the admin port, else the file the server was given, else the bundle's.

What a merchandiser set by hand beside it lies over it; the version covers both.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from serving.protocol.errors import unreadable
from tillside.bundle import POLICY, Bundle
from tillside.policy import Policy, parse_policy, policy_version, read_policy
from tillside.policy.file.reader import VERSION_DIGITS
from tillside.policy.merchandising import NOTHING_BY_HAND, ByHand

PUT_POLICY: Final = "PUT /v1/policy"
"""What stands in place of a file's name where the policy came by the admin port."""


@dataclass(frozen=True, slots=True)
class LoadedPolicy:
    """A policy with its version and file name.

    Attributes:
        policy: with pins, bans and bundles set by hand laid over it.
        version: see :func:`tillside.policy.policy_version`; of the file and what lies over it.
        file: file name without its folder.
        by_hand: what was laid over it; its pairs and prices are for whoever has the items.
    """

    policy: Policy
    version: str
    file: str
    by_hand: ByHand = NOTHING_BY_HAND


def load_policy(bundle: Bundle, given: Path | None, by_hand: ByHand = NOTHING_BY_HAND) -> LoadedPolicy | None:
    """Policy for a bundle; None if neither the merchandiser nor the server nor the bundle has one.

    Raises:
        ValueError: the file cannot be read, or holds mistakes (such as a behaviour that the bundle lacks), listed one
            per line with file, line, key and what is allowed.
    """
    behaviours = bundle.behaviours.names
    if by_hand.policy is not None:
        policy = parse_policy(by_hand.policy, name=PUT_POLICY, behaviours=behaviours)
        version = _digest(by_hand.policy.encode())
        file = PUT_POLICY
    else:
        path = given or bundle.policy
        if path is None:
            return None
        try:
            version = policy_version(path)
            policy = read_policy(path, behaviours=behaviours)
        except OSError as error:
            raise ValueError(f"policy {path} cannot be read: {unreadable(error, path)}") from None
        file = path.name
    if by_hand.rows:
        version = _digest(version.encode() + msgspec.json.encode(by_hand))
    return LoadedPolicy(by_hand.over(policy), version, file, by_hand)


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
