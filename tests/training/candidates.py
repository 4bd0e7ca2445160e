"""Registers tiny bundles with made-up ranks, as training would leave them, in a store of the test's own.

The ranks are written down by the test, so that what the gate decides can be worked out on paper.
"""

import json
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tests.bundles import BEHAVIOURS, tiny_bundle
from training.evaluation.case_ranks import RANKS_FILE, Ranks
from training.settings.tracking import TrackingConfig
from training.tracking.registry import keep_and_register
from training.tracking.tracker import Tracker

PARITY = {"max_difference": 1e-6, "prefixes": 40, "prefixes_with_swapped_ties": 0}
SESSIONS = 60


def make_ranks(ranks: Sequence[int], *, digest: str = "same test", asked: Sequence[int] | None = None) -> Ranks:
    """One case a session; all ask for clicks unless ``asked`` says otherwise."""
    asked_C = np.zeros(len(ranks), np.int64) if asked is None else np.array(asked)
    return Ranks(digest, BEHAVIOURS, np.array(ranks), np.arange(len(ranks)), asked_C)


def register_candidate(
    config: TrackingConfig,
    ranks: Ranks | None,
    *,
    about: Mapping[str, Any] | None = None,
    policy: Mapping[str, Any] | None = None,
    **parts: Any,
) -> str:
    """A run with a registered bundle; the version's number."""
    tracker = Tracker.start(config)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        if ranks is not None:
            ranks.save(folder / RANKS_FILE)
            tracker.artifact(folder / RANKS_FILE)
        if policy is not None:
            (folder / "policy.json").write_text(json.dumps(policy))
            tracker.artifact(folder / "policy.json")
        stated = {"run": tracker.run_id, "parity": PARITY, **(about or {})}
        bundle = tiny_bundle(folder / "bundle", about=stated, **parts)
        version = keep_and_register(tracker, bundle, config, place="bundle")
    tracker.end()
    assert version is not None
    return version
