"""The policy file that a server answers placements by: the one it was given, or else the one its bundle carries."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tillside.bundle import Bundle
from tillside.policy import Policy, read_policy

VERSION_DIGITS: Final = 12


@dataclass(frozen=True, slots=True)
class LoadedPolicy:
    """A policy and which one it is.

    Attributes:
        version: the first hex digits of its file's SHA-256.
        file: the last part of its path.
    """

    policy: Policy
    version: str
    file: str


def load_policy(bundle: Bundle, given: Path | None) -> LoadedPolicy | None:
    """The policy for a bundle, or None where there is none.

    Raises:
        ValueError: it cannot be read, or there are mistakes in it: one a line, with file, line, key and what is
            allowed; a behaviour that the bundle does not have is one.
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
