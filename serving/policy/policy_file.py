"""Load the policy file for placements: the one the server was given, else the bundle's own."""

from dataclasses import dataclass
from pathlib import Path

from serving.protocol.errors import unreadable
from tillside.bundle import Bundle
from tillside.policy import Policy, policy_version, read_policy


@dataclass(frozen=True, slots=True)
class LoadedPolicy:
    """A policy with its version and file name.

    Attributes:
        version: see :func:`tillside.policy.policy_version`.
        file: file name without its folder.
    """

    policy: Policy
    version: str
    file: str


def load_policy(bundle: Bundle, given: Path | None) -> LoadedPolicy | None:
    """Policy for a bundle; None if neither the server nor the bundle has one.

    Raises:
        ValueError: the file cannot be read, or holds mistakes (such as a behaviour that the bundle lacks), listed one
            per line with file, line, key and what is allowed.
    """
    path = given or bundle.policy
    if path is None:
        return None
    try:
        version = policy_version(path)
        policy = read_policy(path, behaviours=bundle.behaviours.names)
    except OSError as error:
        raise ValueError(f"policy {path} cannot be read: {unreadable(error, path)}") from None
    return LoadedPolicy(policy, version, path.name)
