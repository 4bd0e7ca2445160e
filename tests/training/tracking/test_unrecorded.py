"""A process that records nothing."""

import inspect
from typing import Any

from training.tracking.tracker import Tracker
from training.tracking.unrecorded import Unrecorded


def test_it_takes_what_the_tracker_takes_and_keeps_the_runs_id() -> None:
    nothing: Any = None
    process = Unrecorded("r")
    process.parameters({"a": 1})
    process.dataset(nothing)
    process.metrics({"a": 1.0}, step=3)
    process.artifact(nothing)
    process.end("KILLED")
    assert vars(process) == {"run_id": "r"}
    for name in ("parameters", "dataset", "metrics", "artifact", "end"):
        taken, given = (inspect.signature(getattr(each, name)).parameters for each in (Unrecorded, Tracker))
        assert list(taken) == list(given)
