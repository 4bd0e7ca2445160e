"""Load the policy file for placements: the one the server was given, else the bundle's own."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tillside.bundle import Bundle
from tillside.policy import Policy, read_policy

VERSION_DIGITS: Final = 12


@dataclass(frozen=True, slots=True)
class LoadedPolicy:
    """A policy with its version and file name.

    Attributes:
        version: leading hex digits of the file's SHA-256.
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
        version = hashlib.sha256(path.read_bytes()).hexdigest()[:VERSION_DIGITS]
        policy = read_policy(path, behaviours=bundle.behaviours.names)
    except OSError as error:
        raise ValueError(f"policy {path} cannot be read: {error}") from None
    return LoadedPolicy(policy, version, path.name)
